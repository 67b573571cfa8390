"""An encoder as plain lists, texts and numbers, for JSON, and back."""

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, TypeVar

from chainrule.errors import TableError
from chainrule.tables.category_columns import CategoryColumn
from chainrule.tables.date_columns import CYCLES, FORMATS, DateColumn
from chainrule.tables.encoders import Column, TableEncoder
from chainrule.tables.numeric_columns import NumericColumn

__all__ = ["describe_encoder", "restore_encoder"]

T = TypeVar("T")

_KINDS: dict[type, str] = {NumericColumn: "numeric", CategoryColumn: "category", DateColumn: "date"}


def describe_encoder(encoder: TableEncoder) -> dict[str, Any]:
    """Say an encoder in JSON; `restore_encoder` gives the same back, bit for bit."""
    return {"named": encoder.named, "columns": [_described(column) for column in encoder.columns]}


def restore_encoder(description: Mapping[str, Any]) -> TableEncoder:
    """Rebuild an encoder from what `describe_encoder` gave; TableError if it is something else."""
    try:
        columns = tuple(map(_restored, _field(description, "columns", list)))
        return TableEncoder(columns, _field(description, "named", bool))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise TableError(
            f"an encoder must be described as chainrule does; got something else ({error!r}). "
            "Write the description again."
        ) from None


def _described(column: Column) -> dict[str, Any]:
    fields = column._asdict()
    if isinstance(column, DateColumn):
        fields["elapsed"] = _described(column.elapsed)
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()}
    return {"kind": _KINDS[type(column)], **plain}


def _restored(fields: Mapping[str, Any]) -> Column:
    match fields["kind"]:
        case "numeric":
            return _restored_number(fields)
        case "category":
            levels = tuple(_field(fields, "levels", list))
            _require(all(isinstance(level, str) for level in levels), "levels that are not text")
            _require(len(set(levels)) == len(levels), "a level twice")
            missing, coded = _field(fields, "missing", bool), _field(fields, "coded", bool)
            return CategoryColumn(_field(fields, "name", str), levels, missing, coded)
        case "date":
            cycles, spelling = tuple(_field(fields, "cycles", list)), fields["spelling"]
            _require(cycles == tuple(c for c in CYCLES if c in cycles), f"cycles {cycles!r}")
            _require(spelling in ("", *FORMATS), f"spelling {spelling!r}")
            elapsed = _restored_number(_field(fields, "elapsed", dict))
            return DateColumn(_field(fields, "name", str), spelling, elapsed, cycles)
    raise ValueError(f"kind {fields['kind']!r}")


def _restored_number(fields: Mapping[str, Any]) -> NumericColumn:
    center, scale = float(fields["center"]), float(fields["scale"])
    missing, scaling = fields["missing"], fields["scaling"]
    room = fields.get("room", 0)  # there is none in formats 2 and 3
    knots, edges = (tuple(map(float, _field(fields, name, list))) for name in ("knots", "edges"))
    _require(missing in ("never", "sometimes", "always"), f"missing {missing!r}")
    _require(scaling in ("robust", "standard", "quantile"), f"scaling {scaling!r}")
    _require(math.isfinite(center) and 0 <= scale < math.inf, f"center {center}, scale {scale}")
    _require(all(map(math.isfinite, knots + edges)), "an infinite knot or edge")
    _require(all(left <= right for left, right in pairwise(knots)), "knots that do not rise")
    # Each bin is divided by half its width.
    _require(all(left / 2 < right / 2 for left, right in pairwise(edges)), "edges that do not rise")
    _require(type(room) is int and (room == 0 or room >= len(edges) - 1), f"room {room!r}")
    return NumericColumn(_field(fields, "name", str), center, scale, missing, scaling, knots, edges, room)


def _field(fields: Mapping[str, Any], name: str, kind: type[T]) -> T:
    value = fields[name]
    if not isinstance(value, kind):
        raise ValueError(f"{name} {value!r}")
    return value


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ValueError(otherwise)
