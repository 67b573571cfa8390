"""Random networks of every kind, with rows that their losses admit."""

from typing import Any, NamedTuple

import jax
import numpy as np

from chainrule.explain.example import example_row
from chainrule.mathematics.activations import ACTIVATIONS
from chainrule.mathematics.losses import LOSSES, huber, quantile, softmax_focal, tweedie
from chainrule.network.embedding_layers import Lookup, Periodic, PiecewiseLinear, Rescale
from chainrule.network.network import Network
from chainrule.network.parameters import named

SIGMAS = [*ACTIVATIONS, "z * tanh(z)", "where(z > 1, z, z**2)"]
FAMILY = [
    *LOSSES.values(),
    huber(0.5),
    quantile((0.1, 0.5, 0.9)),
    tweedie(1.3),
    softmax_focal(1.5),
    "log(cosh(y_hat - y))",
    "y*(logsumexp(y_hat) - y_hat)",
]


class Drawn(NamedTuple):
    """A network, its parameters, rows, and the entry of a parameter or an input."""

    network: Network
    parameters: Any
    x: np.ndarray
    y: np.ndarray
    weight: str
    seed: int | None


def draw(number: int) -> Drawn:
    """The same network for the same number, of any kind."""
    numbers = np.random.default_rng(number)

    def one_of(choices: Any) -> Any:
        return choices[int(numbers.integers(len(choices)))]

    loss = one_of(FAMILY)
    inputs, depth = int(numbers.integers(1, 6)), int(numbers.integers(0, 4))
    hidden = (
        [int(numbers.integers(1, 6))] * depth if one_of([0, 1]) else numbers.integers(1, 6, depth).tolist()
    )
    per_target = getattr(loss, "outputs_per_target", 1)
    outputs = per_target * int(numbers.integers(2 if "softmax" in str(loss) else 1, 4))
    smooth = getattr(loss, "smooth", None) is not None
    network = Network(
        (inputs, *hidden, outputs),
        activation=[one_of(SIGMAS) for _ in hidden] if hidden and one_of([0, 1]) else one_of(SIGMAS),
        loss=loss,
        bias=bool(numbers.random() < 0.9),
        layer_norm=bool(numbers.random() < 0.25),
        residual=bool(numbers.random() < 0.25),
        dropout=one_of([0.0, 0.0, 0.3]),
        l1=one_of([0.0, 0.0, 0.01]),
        l2=one_of([0.0, 0.0, 0.1]),
        label_smoothing=one_of([0.0, 0.1]) if smooth else 0.0,
        embedding=_embedding(inputs) if numbers.random() < 0.3 else None,
    )
    moved = jax.tree.map(
        lambda leaf: np.asarray(leaf) + 0.2 * numbers.normal(size=leaf.shape), network.initialize(number)
    )
    rows = int(numbers.integers(1, 4))
    pairs = [example_row(network, 1000 * number + row) for row in range(rows)]
    x, y = (np.concatenate(part) for part in zip(*pairs, strict=True))
    arrays = {name: np.shape(array) for name, array in named(moved)}
    if network.layers[0].__class__.__name__ == "Parallel":
        x[:, -1] = numbers.integers(0, 3, rows)
    inputs_that_move = inputs - (network.layers[0].__class__.__name__ == "Parallel")
    if inputs_that_move:
        arrays["x"] = (inputs_that_move,)
    name = one_of(list(arrays))
    entry = ",".join(str(int(numbers.integers(size)) + 1) for size in arrays[name])
    return Drawn(network, moved, x, y, f"{name}[{entry}]", one_of([None, 3]))


def _embedding(inputs: int) -> list[tuple[int, Any]]:
    """The last column is a code; those before are embedded in turn."""
    kinds = [(), PiecewiseLinear(4), Periodic(3, 3), [PiecewiseLinear(5, 2), Rescale()]]
    return [*((1, kinds[k % len(kinds)]) for k in range(inputs - 1)), (1, Lookup((3,), size=2))]
