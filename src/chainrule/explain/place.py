"""Which number a derivative is by: an entry of a parameter, or an input."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np

from chainrule.errors import ArgumentError
from chainrule.explain.maps import Arrays
from chainrule.explain.terms import FORWARD, WEIGHT, Symbol
from chainrule.mathematics.named import did_you_mean, quoted

_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_PLACE = re.compile(r"\s*([A-Za-z]+?)(\d*)\s*\[\s*(\d+(?:\s*,\s*\d+)*)\s*\]\s*")


@final
@dataclass(frozen=True)
class Place:
    """One entry of an array, such as W1[2,1]; ``key`` counts from 0."""

    field: str
    number: int | None
    key: tuple[int, ...]

    @property
    def array(self) -> str:
        """The name of the array: W1, or x."""
        return self.field if self.number is None else f"{self.field}{self.number}"

    @property
    def symbol(self) -> Symbol:
        """As it is shown, counted from 1."""
        role = FORWARD if self.number is None else WEIGHT
        return Symbol(self.field, self.number, tuple(i + 1 for i in self.key), role)

    @property
    def is_input(self) -> bool:
        """Whether it is an entry of x."""
        return self.number is None

    @property
    def noun(self) -> str:
        """What it is called in a sentence."""
        return "input" if self.is_input else "weight"


def find_place(text: object, arrays: Arrays, inputs: int) -> Place:
    """Read "W1[2,1]", "b2[3]", "x[1]" or another array's entry, counted from 1 as in the formulas.

    Raises
    ------
    ArgumentError
        For what is no such entry, with those there are.
    """
    shapes = {"x": (inputs,)} | {name: np.shape(array) for name, array in arrays.items()}
    found = _PLACE.fullmatch(text.translate(_RAISED)) if isinstance(text, str) else None
    if found is None:
        raise ArgumentError(
            "a weight must be an entry of an array, counted from 1, such as 'W1[2,1]', 'b1[2]' or 'x[1]'; "
            f"got {quoted(text)}. There are {_listed(shapes)}."
        )
    name = found[1] + found[2]
    if name not in shapes:
        raise ArgumentError(
            f"a weight must be in one of the network's arrays, {_listed(shapes)}; got {quoted(text)}."
            f"{did_you_mean(name, shapes)}"
        )
    key, shape = tuple(int(i) for i in found[3].split(",")), shapes[name]
    if len(key) != len(shape) or not all(1 <= i <= size for i, size in zip(key, shape, strict=True)):
        least, most = (",".join(map(str, corner)) for corner in ([1] * len(shape), shape))
        raise ArgumentError(
            f"entries of {name} go from {name}[{least}] to {name}[{most}], counted from 1; "
            f"got {quoted(text)}."
        )
    return Place(found[1], int(found[2]) if found[2] else None, tuple(i - 1 for i in key))


def _listed(shapes: Mapping[str, tuple[int, ...]]) -> str:
    return ", ".join(f"{name} ({'×'.join(map(str, shape))})" for name, shape in shapes.items())
