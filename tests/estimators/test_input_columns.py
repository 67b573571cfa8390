"""The embedding in front of the network: each column of the encoding meets the maps that are for it."""

import datetime as dt

import numpy as np
import polars as pl
import pytest

from chainrule.estimators.input_columns import embedding_of
from chainrule.network.embedding_layers import Lookup, Periodic, PiecewiseLinear, Rescale
from chainrule.tables.encoders import fit_encoder
from chainrule.tables.matrix import encode
from chainrule.tables.numeric_columns import NumericColumn

ROWS = 400
NUMBERS = np.random.default_rng(0)
K = np.arange(ROWS)
TABLE = pl.DataFrame(
    {
        "many": NUMBERS.normal(size=ROWS),
        "binary": K % 2,
        "few": K % 5,
        "ninety": K % 90,
        "gaps": [None if k % 7 == 0 else float(k % 12) for k in K],
        "day": [dt.date(2024, 1, 1) + dt.timedelta(int(k)) for k in K],
        "months": [dt.date(2024, k % 4 + 1, 1) for k in K],
        "constant": np.ones(ROWS),
        "city": [["Rome", "Oslo"][k % 2] for k in K],
        "street": [f"street {k % 40}" for k in K],
    }
)
ENCODER = fit_encoder(TABLE, bins=48)


def meetings(embedding):
    """The maps that each encoded column meets."""
    return [layers for columns, layers in embedding.parts for _ in range(columns)]


def test_the_rooms_of_the_table_are_of_every_sort():
    rooms = {column.name: column.room for column in ENCODER.binned}
    assert rooms == {"few": 4, "months": 4, "gaps": 16, "many": 48, "day": 48, "ninety": 96}
    assert list(rooms.values()) == sorted(rooms.values())


def test_each_column_meets_bins_enough():
    met = dict(zip(ENCODER.feature_names, meetings(embedding_of(ENCODER, "piecewise_linear")), strict=True))
    edges = {column.name: len(column.edges) for column in ENCODER.binned}
    matrix = dict(zip(ENCODER.feature_names, encode(ENCODER, TABLE).T, strict=True))
    for name, layers in met.items():
        column, _, kind = name.rpartition(" in bins")
        if not column or kind:
            assert layers == ((Lookup((48,), 8),) if name == "street as a code" else (Rescale(),)), name
            continue
        bins, rescale = layers
        assert rescale == Rescale(standardize=True)
        assert edges.pop(column) - 1 <= bins.bins, name
        assert 0 <= matrix[name].min() < matrix[name].max() <= bins.bins
    assert not edges


def test_the_rooms_are_as_few_as_there_are_sizes():
    layers = [layers for _, layers in embedding_of(ENCODER, "piecewise_linear").parts]
    assert [part[0].bins for part in layers if isinstance(part[0], PiecewiseLinear)] == [4, 16, 48, 96]


@pytest.mark.parametrize("wish", [None, "periodic"])
def test_without_bins(wish):
    encoder = fit_encoder(TABLE)
    met = dict(zip(encoder.feature_names, meetings(embedding_of(encoder, wish)), strict=True))
    assert met["many"] == ((Periodic(16, 4, 0.1),) if wish else ())
    assert met["gaps is missing"] == met["city = Oslo"] == ()
    assert isinstance(met["street as a code"][0], Lookup)
    assert embedding_of(fit_encoder(TABLE.select("many", "city")), None) is None


def test_columns_without_a_room_are_embedded_as_in_the_models_that_had_none():
    old = NumericColumn("x", 0.0, 1.0, "never", edges=(0.0, 1.0, 2.0))
    encoder = fit_encoder(TABLE.select("city"))
    encoder = encoder._replace(columns=(old, *encoder.columns))
    embedding = embedding_of(encoder, "piecewise_linear")
    assert embedding.parts == ((1, ()), (2, ()), (1, (PiecewiseLinear(24, 8),)))
