"""What each column of a table adds to a prediction, in the columns as the user knows them."""

import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from chainrule.errors import ArgumentError
from chainrule.network.attribution import Attribution, input_gradients, integrated_gradients
from chainrule.network.network import Network
from chainrule.network.parameters import Parameters
from chainrule.tables.encoders import TableEncoder
from chainrule.tables.matrix import typical_row

if TYPE_CHECKING:
    import polars as pl

BACKGROUND = 64
"""So many rows to compare with are taken at most, evenly spread."""

_MUCH = 0.01  # of the sizes of a row's attributions


class Asked(NamedTuple):
    """The output that is explained, row by row: offset + direction · r, where r is the raw output."""

    of: np.ndarray
    """A class, or a column of ``predict``, (rows,)."""
    direction: np.ndarray
    """(rows, outputs)."""
    offset: np.ndarray
    """(rows,)."""
    unit: str
    """What the output is of the prediction: "prediction", "log of the prediction", "log-odds", …."""


class Explanation(NamedTuple):
    """What each column adds to the output of each row: baseline + Σ attributions = output."""

    columns: tuple[str, ...]
    """Names of the columns, as in training."""
    attributions: np.ndarray
    """(rows, columns), in the unit of the output."""
    baseline: np.ndarray
    """The mean output of the rows compared with, (rows,)."""
    output: np.ndarray
    """(rows,)."""
    remainder: np.ndarray
    """What numerical integration missed of output − baseline, (rows,), before it was shared among the columns
    in proportion to their attributions."""
    of: np.ndarray
    """Of which class, or of which column of ``predict``, the output is, (rows,)."""
    unit: str
    """What the output is: "prediction", "log of the prediction", "log-odds", …."""
    background: int
    """With how many rows was compared; 0 is the typical row."""

    def importance(self) -> "pl.DataFrame":
        """How much each column matters: "column", and "importance", the mean |attribution|, largest first."""
        import polars as pl

        mean = np.abs(self.attributions).mean(axis=0) if len(self.output) else np.zeros(len(self.columns))
        order = np.argsort(-mean, kind="stable")
        return pl.DataFrame({"column": [self.columns[k] for k in order], "importance": mean[order]})

    def to_frame(self) -> "pl.DataFrame":
        """A row for each row: "(of)", "(baseline)", a column for each column, "(output)", "(remainder)"."""
        import polars as pl

        parts = [
            ("(of)", self.of.tolist()),
            ("(baseline)", self.baseline),
            *zip(self.columns, self.attributions.T, strict=True),
            ("(output)", self.output),
            ("(remainder)", self.remainder),
        ]
        taken = set(self.columns)
        named = {}
        for place, (name, values) in enumerate(parts):
            while not 1 < place < len(parts) - 2 and name in taken:
                name = f"({name})"
            named[name] = values
        return pl.DataFrame(named)


def explained(
    network: Network,
    members: Parameters,
    encoder: TableEncoder,
    x: np.ndarray,
    r: np.ndarray,
    background: np.ndarray | None,
    asked: Asked,
) -> Explanation:
    """Attribute the outputs of encoded rows, whose raw outputs are r, compared with others.

    For no ``background`` it is the typical row.
    """
    baselines = typical_row(encoder) if background is None else evenly(background, BACKGROUND)
    if not len(baselines):
        raise ArgumentError("background must have rows; got none. Leave it out, or give some.")
    groups = np.array(encoder.origins)
    found = integrated_gradients(
        network, members, x, baselines, asked.direction, offset=asked.offset, groups=groups, r=r
    )
    _tell_remainder(found)
    return Explanation(
        tuple(column.name for column in encoder.columns),
        found.values,
        found.baseline,
        found.output,
        found.remainder,
        asked.of,
        asked.unit,
        0 if background is None else len(baselines),
    )


def gradients(
    network: Network,
    members: Parameters,
    encoder: TableEncoder,
    x: np.ndarray,
    slopes: np.ndarray,
    asked: Asked,
) -> np.ndarray:
    """∂output/∂column, (rows, columns), by the chain rule through the encoding; NaN where there is none."""
    by_encoded = input_gradients(network, members, x, asked.direction) * slopes
    found = np.zeros((len(encoder.columns), len(x)))
    np.add.at(found, np.array(encoder.origins), by_encoded.T)
    return np.where(found.T == 0, 0.0, found.T)


def evenly(rows: np.ndarray, most: int) -> np.ndarray:
    """At most so many of the rows, evenly spread, the first and the last among them."""
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).round().astype(int)]


def place_of(output: Any, places: int, what: str) -> int:
    """The column of ``predict`` that is asked for; a single one need not be."""
    if output is None and places == 1:
        return 0
    if isinstance(output, int | np.integer) and not isinstance(output, bool) and 0 <= output < places:
        return int(output)
    raise ArgumentError(
        f"output must be one of the {places} {what}, a number from 0 to {places - 1}; got {output!r}."
    )


def _tell_remainder(found: Attribution) -> None:
    rough = np.abs(found.remainder) > _MUCH * np.abs(found.values).sum(axis=1)
    if rough.any():
        worst = int(np.argmax(np.abs(found.remainder)))
        warnings.warn(
            f"the attributions of {int(rough.sum()):,} rows are rough: at {found.points[worst]} points, the "
            f"integral misses up to {abs(found.remainder[worst]):.3g} of the difference to the baseline. An "
            "activation without kinks, such as silu, would be smoother.",
            UserWarning,
            stacklevel=4,
        )
