"""What a derivation is asked for: a network and rows, checked, in float64, and both passes over them."""

from numbers import Integral
from typing import Any, final

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from chainrule.errors import ArgumentError
from chainrule.explain.embedding_maps import LookupMap
from chainrule.explain.facts import Facts
from chainrule.explain.jets import Jet
from chainrule.explain.place import Place, find_place
from chainrule.explain.row_loss import row_loss as loss_by_formula
from chainrule.explain.terms import BACKWARD, Symbol
from chainrule.explain.unrolled import Unrolled, unrolled
from chainrule.explain.witness import Direction, Subject
from chainrule.mathematics.named import quoted
from chainrule.network.network import Network
from chainrule.network.parameters import Parameters, named


@final
class Asked:
    """What the user said, checked, in float64."""

    def __init__(
        self,
        network: Network,
        parameters: Parameters,
        x: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None,
        of: str,
        row: int,
        seed: int | None,
    ) -> None:
        with jax.enable_x64(True):
            parameters = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), parameters)
            x, y = _numbers("x", x), _numbers("y", y)
            if x.ndim == 1:
                x, y = x[None, :], np.atleast_2d(y)
            weight = None if sample_weight is None else _numbers("sample_weight", sample_weight)
            checked = network.checked(parameters, x, y, weight)
            self.x, self.y, self.weight = (np.asarray(part) for part in checked)
            if network.label_smoothing and network.loss.smooth is not None:
                self.smooth = np.asarray(network.loss.smooth(jnp.asarray(self.y), network.label_smoothing))
            else:
                self.smooth = self.y
        if not np.isfinite(self.x).all():
            r, j = np.argwhere(~np.isfinite(self.x))[0]
            raise ArgumentError(f"x must be finite; got {self.x[r, j]} in row {r + 1}, x[{j + 1}].")
        rows = len(self.x)
        self.network, self.parameters, self.row = network, parameters, _row_of(row, rows) - 1
        self.arrays: dict[str, np.ndarray] = {name: np.asarray(a) for name, a in named(parameters)}
        self.output = _output(of, network.sizes[-1])
        self.seed = None if seed is None else checked_seed(seed)
        self.chain: Unrolled = unrolled(network, rows, seed, self.row)
        self.subject = Subject(
            network, parameters, self.x, self.y, self.weight, self.output, self.row, self.seed
        )
        self.single = rows == 1 and not (network.l1 or network.l2)
        letter = "L" if self.single else "ℓ"
        self.top = (
            Symbol(letter, None, (), BACKWARD)
            if self.output is None
            else Symbol("ŷ", None, (self.output + 1,))
        )

    def facts(self, place: Place, row_loss: float, full: bool, names: tuple[str, ...] | None) -> Facts:
        """Both passes, with what moves along the weight."""
        arrays: dict[str, Any] = dict(self.arrays)
        x = Jet.of(self.x)
        if place.is_input:
            moves = np.zeros(self.x.shape)
            moves[:, place.key[0]] = 1
            x = Jet.of(self.x, moves)
        else:
            moves = np.zeros(arrays[place.array].shape)
            moves[place.key] = 1
            arrays[place.array] = Jet.of(arrays[place.array], moves)
        values = {station: Jet.of(value) for station, value in self.chain.forward(arrays, x).items()}
        loss = loss_by_formula(self.network.loss)
        y_hat = values[self.chain.stations[-1]].value
        if self.output is None:
            delta = loss.gradient(y_hat, self.smooth)
        else:
            delta = np.zeros(y_hat.shape)
            delta[self.row, self.output] = 1
        plain = {station: value.value for station, value in values.items()}
        deltas = self.chain.backward(self.arrays, plain, delta)
        return Facts(
            self.chain, self.arrays, loss, place, self.x, self.smooth, self.row, self.top, self.output,
            values, deltas, row_loss, full, names,
        )  # fmt: skip

    def place(self, weight: object) -> Place:
        """Which number is meant; ArgumentError for one that is not there, or by which nothing has a slope."""
        place = find_place(weight, self.arrays, self.network.sizes[0])
        codes = [each.sources[0] for each in self.chain.maps if isinstance(each, LookupMap)]
        if place.is_input and any(s.letter == "x" and 0 <= place.key[0] - s.offset < s.width for s in codes):
            raise ArgumentError(
                f"x[{place.key[0] + 1}] is a code, which names a row of a table: there is no derivative "
                "by it. Derive by an entry of that table, such as E1[2,1]."
            )
        return place

    def direction(self, place: Place) -> Direction:
        """1 at the weight, 0 elsewhere; an input moves in every row."""
        zeros = jax.tree.map(np.zeros_like, self.parameters)
        dx = np.zeros(self.x.shape)
        if place.is_input:
            dx[:, place.key[0]] = 1
        else:
            dict(named(zeros))[place.array][place.key] = 1
        return Direction(zeros, dx)

    def mean(self, by_row: np.ndarray) -> float:
        """Σ wᵣ dᵣ / Σ wᵣ; of an output, its own row."""
        if self.output is not None:
            return float(by_row[self.row])
        return float(self.weight @ by_row / self.weight.sum())

    def value_of(self, place: Place) -> float:
        """The weight now."""
        return float(self.arrays[place.array][place.key])

    def penalty(self, place: Place, order: int) -> float:
        """What the penalties add to the derivative by an entry of W."""
        if self.output is not None or place.field != "W":
            return 0.0
        value = self.value_of(place)
        if order == 2:
            return self.network.l2
        return self.network.l1 * float(np.sign(value)) + self.network.l2 * value

    def about(self) -> dict[str, Any]:
        """For programs."""
        return {
            "network": list(self.network.sizes),
            "activation": [a.name for a in self.network.activations],
            "loss": self.network.loss.name,
            "row": self.row + 1,
            "rows": len(self.x),
        }


def checked_seed(seed: object) -> jax.Array:
    """For a compiled program; ArgumentError for what is none."""
    if not (isinstance(seed, Integral) and not isinstance(seed, bool) and 0 <= int(seed) < 2**32):
        raise ArgumentError(f"seed must be a whole number from 0 to 2³² − 1; got {seed!r}.")
    return jnp.uint32(int(seed))


def _row_of(row: object, rows: int) -> int:
    if not (isinstance(row, Integral) and not isinstance(row, bool) and 1 <= int(row) <= rows):
        raise ArgumentError(f"row must be a whole number from 1 to {rows}, the rows there are; got {row!r}.")
    return int(row)


def _numbers(name: str, values: ArrayLike) -> np.ndarray:
    try:
        return np.asarray(values, np.float64)
    except (TypeError, ValueError):
        raise ArgumentError(f"{name} must be numbers, as many in each row; got {quoted(values)}.") from None


def _output(of: object, outputs: int) -> int | None:
    """None for L, else which output."""
    if of == "L":
        return None
    if isinstance(of, str):
        plain = of.replace("ŷ", "y_hat").replace(" ", "")
        if plain == "y_hat" and outputs == 1:
            return 0
        inside = plain.removeprefix("y_hat[").removesuffix("]")
        if plain == f"y_hat[{inside}]" and inside.isdigit() and 1 <= int(inside) <= outputs:
            return int(inside) - 1
    raise ArgumentError(
        f"of must be 'L' or an output from 'y_hat[1]' to 'y_hat[{outputs}]'; got {quoted(of)}."
    )
