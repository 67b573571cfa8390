"""How fast each encoded column changes with the number that it comes from: the derivative of `encode`."""

from typing import Any

import numpy as np

from chainrule.tables.encoders import TableEncoder
from chainrule.tables.matrix import positions_of
from chainrule.tables.numeric_columns import FARTHEST, REACH, NumericColumn, numbers_of_text
from chainrule.tables.schema import Numbers, as_table, read_column

__all__ = ["encoded_slopes", "slope_in_bins", "slope_of_standardize"]


def encoded_slopes(encoder: TableEncoder, X: Any) -> Numbers:
    """∂encoded / ∂number for each encoded column, (rows, encoder.width), in 1 / (the number's own unit).

    NaN in the columns that come from a category or a date, and where the number is missing: there is no
    derivative.
    """
    table = as_table(X)
    slopes = np.full((table.rows, encoder.width), np.nan)
    origins = np.array(encoder.origins)
    scaled, binned = len(encoder.number_names), encoder.width - len(encoder.binned) - len(encoder.coded)
    for origin, (column, position) in enumerate(
        zip(encoder.columns, positions_of(encoder, table), strict=True)
    ):
        if not isinstance(column, NumericColumn) or column.missing == "always":
            continue
        read = read_column(table, position)
        values = read if isinstance(read, np.ndarray) else numbers_of_text(column, read)
        for place in np.flatnonzero(origins == origin):
            if place < scaled:
                slopes[:, place] = slope_of_standardize(values, column)
            elif place < binned:  # the mark of a missing number
                slopes[:, place] = np.where(np.isnan(values), np.nan, 0)
            else:
                beyond = 0 if column.room else 1
                slopes[:, place] = slope_in_bins(values, column.edges, beyond)
    return slopes


def slope_of_standardize(values: Numbers, column: NumericColumn) -> Numbers:
    """∂/∂value of `standardize`; robust, with s = (value − center) / scale, (1 + s² / 9)^(−3/2) / scale."""
    if column.scale == 0:
        return np.where(np.isnan(values), np.nan, 0.0)
    if column.knots:
        return _slope_of_normal_scores(values, column.knots)
    with np.errstate(over="ignore"):
        s = (values - column.center) / column.scale
        slope = np.where(np.isnan(s), np.nan, (np.abs(s) <= FARTHEST) / column.scale)
        if column.scaling == "robust":
            slope = slope / (1 + np.square(s / REACH)) ** 1.5
    return np.asarray(slope)


def slope_in_bins(values: Numbers, edges: tuple[float, ...], beyond: int = 0) -> Numbers:
    """∂/∂value of `in_bins`: 1 / the width of the value's bin, on an edge of the bin above; 0 far out."""
    table = np.array(edges)
    bin_ = (np.searchsorted(table, values, side="right") - 1).clip(0, len(edges) - 2)
    with np.errstate(over="ignore"):
        width = table[bin_ + 1] - table[bin_]
        counted = bin_ + (values - table[bin_]) / width
    inside = (counted >= -beyond) & (counted < len(edges) - 1 + beyond)
    return np.where(np.isnan(values), np.nan, inside / width)


def _slope_of_normal_scores(values: Numbers, knots: tuple[float, ...]) -> Numbers:
    """The slope of the share, between two knots, over the normal density at the place; 0 outside of them."""
    from scipy.special import ndtri

    table, shares = np.array(knots), np.linspace(0, 1, len(knots))
    upper = np.searchsorted(table, values, side="right").clip(1, len(knots) - 1)
    gap = table[upper] - table[upper - 1]
    rise = np.divide(1 / (len(knots) - 1), gap, out=np.zeros_like(gap), where=gap > 0)
    place = (np.interp(values, table, shares) + 1 - np.interp(-values, -table[::-1], shares)) / 2
    edge = 1 / (2 * len(knots))
    inside = (place > edge) & (place < 1 - edge)
    density = np.exp(-np.square(ndtri(place.clip(edge, 1 - edge))) / 2) / np.sqrt(2 * np.pi)
    return np.where(np.isnan(values), np.nan, np.where(inside, rise / density, 0))
