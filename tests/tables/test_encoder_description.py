import copy
import datetime as dt
import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import TableError
from chainrule.tables.category_columns import CategoryColumn
from chainrule.tables.date_columns import CYCLES, FORMATS, DateColumn
from chainrule.tables.encoder_description import describe_encoder, restore_encoder
from chainrule.tables.encoders import TableEncoder, fit_encoder
from chainrule.tables.matrix import encode
from chainrule.tables.numeric_columns import NumericColumn

FINITE = st.floats(allow_nan=False, allow_infinity=False)
TABLES = st.lists(FINITE, max_size=5).map(
    lambda numbers: tuple((np.unique(np.array(numbers) / 2) * 2).tolist())
)


@st.composite
def numeric_columns(draw):
    edges = draw(TABLES)
    return NumericColumn(
        draw(st.text()),
        draw(FINITE),
        draw(st.floats(0, allow_infinity=False)),
        draw(st.sampled_from(["never", "sometimes", "always"])),
        draw(st.sampled_from(["robust", "standard", "quantile"])),
        draw(TABLES),
        edges,
        draw(st.just(0) | st.integers(max(1, len(edges) - 1), 128)),
    )


NUMERIC = numeric_columns()
CATEGORY = st.builds(
    CategoryColumn, st.text(), st.lists(st.text(), unique=True).map(tuple), st.booleans(), st.booleans()
)
DATE = st.builds(
    DateColumn,
    st.text(),
    st.sampled_from(["", *FORMATS]),
    NUMERIC,
    st.sets(st.sampled_from(list(CYCLES))).map(lambda chosen: tuple(c for c in CYCLES if c in chosen)),
)


@given(st.builds(TableEncoder, st.lists(NUMERIC | CATEGORY | DATE).map(tuple), st.booleans()))
def test_descriptions_are_exact(encoder):
    restored = restore_encoder(json.loads(json.dumps(describe_encoder(encoder), allow_nan=False)))
    assert restored == encoder
    assert repr(restored) == repr(encoder), "−0 and 0 are equal, but not the same"
    assert len(encoder.feature_names) == encoder.width


TABLE = pl.DataFrame(
    {
        "size": [1.0, None, 1e300, -5e-324, 0.1],
        "day": ["2024-01-01", None, "2024-03-05", "0001-01-01", "9999-12-31"],
        "when": [dt.datetime(2024, 1, n, n) for n in range(1, 6)],
        "kind": ["a", "b", None, "é", '"'],
    }
)


@pytest.mark.parametrize("scaling", ["robust", "standard", "quantile"])
def test_a_restored_encoder_encodes_alike(scaling):
    encoder = fit_encoder(TABLE, scaling=scaling, bins=2)
    restored = restore_encoder(json.loads(json.dumps(describe_encoder(encoder))))
    assert encode(restored, TABLE).tobytes() == encode(encoder, TABLE).tobytes()


DESCRIPTION = describe_encoder(fit_encoder(TABLE, scaling="quantile", bins=2))


@pytest.mark.parametrize(
    ("column", "change"),
    [
        (0, {"kind": "text"}),
        (0, {"kind": ["numeric"]}),
        (0, {"name": 5}),
        (0, {"missing": "often"}),
        (0, {"missing": True}),
        (0, {"scaling": "minmax"}),
        (0, {"center": "many"}),
        (0, {"center": float("nan")}),
        (0, {"center": 10**400}),
        (0, {"center": None}),
        (0, {"scale": -1.0}),
        (0, {"scale": float("inf")}),
        (0, {"knots": [2, 1]}),
        (0, {"knots": [float("nan")]}),
        (0, {"knots": 3}),
        (0, {"edges": [1, 1]}),
        (0, {"edges": [0, 5e-324]}),
        (0, {"edges": [0, float("inf")]}),
        (0, {"edges": "12"}),
        (0, {"room": 1}),  # of 5 edges
        (0, {"room": -1}),
        (0, {"room": 24.0}),
        (0, {"room": True}),
        (0, {"room": "24"}),
        (0, {"room": None}),
        (1, {"elapsed": {**DESCRIPTION["columns"][1]["elapsed"], "room": -4}}),
        (1, {"cycles": ["moon"]}),
        (1, {"cycles": ["day of week", "time of day"]}),
        (1, {"cycles": ["day of week", "day of week"]}),
        (1, {"cycles": "day of week"}),
        (1, {"spelling": "%Q"}),
        (1, {"spelling": None}),
        (1, {"elapsed": None}),
        (1, {"elapsed": {}}),
        (3, {"levels": 3}),
        (3, {"levels": "abc"}),
        (3, {"levels": ["a", 1]}),
        (3, {"levels": ["a", "a"]}),
        (3, {"missing": 1}),
        (3, {"coded": "false"}),
        (3, {"name": None}),
    ],
)
def test_other_descriptions_are_refused(column, change):
    description = copy.deepcopy(DESCRIPTION)
    assert restore_encoder(description)
    description["columns"][column] |= change
    with pytest.raises(TableError, match=r"must be described as chainrule does; got something else \("):
        restore_encoder(description)


@pytest.mark.parametrize(
    "description",
    [
        {},
        {"columns": [], "named": "yes"},
        {"columns": {}, "named": True},
        {"columns": [[]], "named": True},
        {"columns": ["numeric"], "named": True},
        {"columns": [None], "named": True},
        {"columns": [{}], "named": True},
        [],
        None,
        "encoder",
    ],
)
def test_what_is_no_description_is_refused(description):
    with pytest.raises(TableError, match="must be described as chainrule does"):
        restore_encoder(description)


def test_no_field_can_be_left_out():
    """But the room, see below."""
    for position, fields in enumerate(DESCRIPTION["columns"]):
        for name in fields.keys() - {"room"}:
            description = copy.deepcopy(DESCRIPTION)
            del description["columns"][position][name]
            with pytest.raises(TableError, match=f"KeyError.*{name}"):
                restore_encoder(description)


def test_a_room_that_is_not_said_is_0():
    """As in the formats 2 and 3, whose bins go on beyond the edges."""
    description = copy.deepcopy(DESCRIPTION)
    assert restore_encoder(description).columns[0].room == 4
    del description["columns"][0]["room"]
    del description["columns"][1]["elapsed"]["room"]
    old = restore_encoder(description)
    assert [column.room for column in old.binned] == [0, 0, 2]
    place = old.feature_names.index("size in bins")
    far = TABLE.with_columns(size=pl.lit(1.7e308))
    assert encode(old, far)[:, place].tolist() == [4] * 5
    new = restore_encoder(DESCRIPTION)
    place = new.feature_names.index("size in bins")
    assert encode(new, far)[:, place].tolist() == [3] * 5
