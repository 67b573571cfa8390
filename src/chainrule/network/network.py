"""Network: sizes, activation and loss make a chain of maps, and its two passes."""

import os
from collections.abc import Sequence
from functools import lru_cache, partial
from math import inf
from numbers import Real
from typing import TYPE_CHECKING, Any, final

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

from chainrule.errors import ArgumentError
from chainrule.mathematics import penalties
from chainrule.mathematics.initializers import Initializer
from chainrule.mathematics.loss import DISTRIBUTION, Loss, mean_loss
from chainrule.mathematics.losses import find_loss
from chainrule.mathematics.named import quoted
from chainrule.network import drawing, propagation
from chainrule.network.chain import chain, checked_sizes, one_for_each, side_by_side
from chainrule.network.embedding_layers import Parallel
from chainrule.network.layer import Layer
from chainrule.network.parameters import Parameters, count, map_matrices, matrices

if TYPE_CHECKING:
    from chainrule.network.gradient_check import GradientReport
    from chainrule.network.trace import Trace


@final
class Network:
    """A deep feed-forward network: hˡ = σ(Wˡ hˡ⁻¹ + bˡ), and ŷ = W h + b at the end.

    Parameters
    ----------
    sizes
        (m, k₁, …, k_L, n): inputs, the width of each hidden layer, outputs. Without hidden layers the
        network is linear.
    activation
        σ of every hidden layer, or one for each: a name in ``chainrule.ACTIVATIONS``, a formula in ``z``,
        a pair of functions (value, derivative), or an Activation.
    loss
        A name in ``chainrule.LOSSES``, a formula in ``y_hat`` and ``y``, a pair of functions (value,
        gradient), or a Loss. The loss of one row is the **sum** over its outputs, the loss of a batch is
        the (weighted) **mean** over its rows: for squared_error, L = (1/N) Σᵣ Σᵢ (yᵣᵢ − ŷᵣᵢ)².
    bias
        Whether the affine maps have b.
    initializer
        How W begins: a name in ``chainrule.INITIALIZERS`` or an Initializer. By default the one that
        suits the activation that follows.
    dropout
        The share of hidden units that are silent in a training step, 0 ≤ dropout < 1.
    layer_norm
        Whether z is normalised, row by row, before each hidden activation.
    residual
        Whether each hidden layer that is as wide as its input adds its input to its output.
    l1, l2
        Add l1 · Σ |w| + l2 · ½ Σ w² over all W to the loss.
    label_smoothing
        ε: a target y becomes y (1 − ε) + ε / classes, for the losses that admit it.
    embedding
        Layers before the first affine map, side by side: pairs of a number of columns of x and the
        :class:`Lookup`, :class:`Periodic` or :class:`PiecewiseLinear` for them, in the order of the columns.
        Several layers make a chain, and ``()`` hands columns on as they are. By default, all of them.

    Raises
    ------
    ArgumentError
        When an argument is outside what it may be.

    Examples
    --------
    >>> import numpy as np
    >>> network = Network((2, 3, 1), activation="tanh")
    >>> parameters = network.initialize(seed=0)
    >>> x, y = np.array([[1.0, 2.0]]), np.array([[0.5]])
    >>> network.forward(parameters, x).shape
    (1, 1)
    >>> loss, gradients = network.backward(parameters, x, y)
    >>> gradients[0].W.shape
    (3, 2)

    Two numbers as they are, then a code of three levels:

    >>> from chainrule import Lookup
    >>> Network((3, 8, 1), embedding=[(2, ()), (1, Lookup((3,), size=4))]).initialize()[0][0].E.shape
    (64, 4)
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activation: object = "silu",
        loss: object = "squared_error",
        *,
        bias: bool = True,
        initializer: str | Initializer | None = None,
        dropout: float = 0.0,
        layer_norm: bool = False,
        residual: bool = False,
        l1: float = 0.0,
        l2: float = 0.0,
        label_smoothing: float = 0.0,
        embedding: Parallel | Sequence[tuple[int, Layer | Sequence[Layer]]] | None = None,
    ) -> None:
        self.sizes = checked_sizes(sizes)
        self.activations = one_for_each(activation, len(self.sizes) - 2)
        self.loss: Loss = find_loss(loss)
        for name, value in (("l1", l1), ("l2", l2)):
            if not (_is_number(value) and 0 <= value < inf):
                raise ArgumentError(f"{name} must be 0 or more; got {value!r}.")
        for name, value in (("dropout", dropout), ("label_smoothing", label_smoothing)):
            if not (_is_number(value) and 0 <= value < 1):
                raise ArgumentError(f"{name} must be at least 0 and below 1; got {value!r}.")
        if label_smoothing and self.loss.smooth is None:
            raise ArgumentError(
                f"label_smoothing must be 0 with the loss {self.loss.name!r}, whose targets are not "
                f"probabilities; got {label_smoothing!r}."
            )
        if self.sizes[-1] % self.loss.outputs_per_target:
            raise ArgumentError(
                f"the last size must be a multiple of {self.loss.outputs_per_target}, the outputs of the "
                f"loss {self.loss.name!r} for each target; got {self.sizes[-1]}."
            )
        if self.loss.domain is DISTRIBUTION and self.sizes[-1] < 2:
            raise ArgumentError(
                f"the last size must be at least 2 with the loss {self.loss.name!r}, one output for each "
                f"class; got {self.sizes[-1]}."
            )
        self.l1, self.l2, self.label_smoothing = float(l1), float(l2), float(label_smoothing)
        self.layers: tuple[Layer, ...] = chain(
            self.sizes,
            self.activations,
            bias,
            initializer,
            float(dropout),
            layer_norm,
            residual,
            None if embedding is None else side_by_side(embedding),
        )

    @property
    def targets(self) -> int:
        """How many target columns there are: outputs, or fewer where the loss takes several for each."""
        return self.sizes[-1] // self.loss.outputs_per_target

    def initialize(self, seed: int = 0, x: ArrayLike | None = None) -> Parameters:
        """Draw parameters at random: one entry for each map that learns; ``[0].W`` is W¹.

        Maps that begin by what they receive, such as ``Rescale(standardize=True)``, see the typical rows
        ``x``, shape (rows, m); without them they begin as if they did not.
        """
        if not isinstance(seed, int) or not 0 <= seed < 2**32:
            raise ArgumentError(f"seed must be a whole number from 0 to 2³² − 1; got {seed!r}.")
        needed, there = 4 * count(shapes(self)), _memory()
        if needed > there:
            raise ArgumentError(
                f"a network must fit into memory; this one needs {needed / 1e9:,.0f} GB for its parameters "
                f"alone, and this machine has {there / 1e9:,.0f} GB. Choose smaller layers."
            )
        drawn = propagation.initialize(self.layers, jax.random.key(seed), self.sizes[0])
        if x is None or not any(layer.adapts for layer in self.layers):
            return drawn
        return _begun(self, drawn, self._inputs(drawn, x))

    def forward(self, parameters: Parameters, x: ArrayLike) -> Array:
        """ŷ of shape (rows, n), the raw output, for x of shape (rows, m)."""
        return _forward(self, parameters, self._inputs(parameters, x))

    def predict(self, parameters: Parameters, x: ArrayLike) -> Array:
        """ŷ through the loss's inverse link: means, probabilities; shape (rows, n)."""
        return self.loss.inverse_link(self.forward(parameters, x))

    def backward(
        self, parameters: Parameters, x: ArrayLike, y: ArrayLike, weight: ArrayLike | None = None
    ) -> tuple[Array, Parameters]:
        """Return L and its gradient, in the same structure as the parameters, without dropout.

        ``x`` has shape (rows, m), ``y`` (rows, targets), ``weight`` (rows,); L = Σ wᵣ ℓᵣ / Σ wᵣ, plus
        the penalties.
        """
        return _backward(self, parameters, *self.checked(parameters, x, y, weight))

    def evaluate(
        self, parameters: Parameters, x: ArrayLike, y: ArrayLike, weight: ArrayLike | None = None
    ) -> Array:
        """Return the plain loss: the weighted mean over the rows, without penalties or smoothing."""
        x, y, w = self.checked(parameters, x, y, weight)
        return (w * self.loss.value(_forward(self, parameters, x), y)).sum() / w.sum()

    def trace(
        self, parameters: Parameters, x: ArrayLike, y: ArrayLike, weight: ArrayLike | None = None
    ) -> "Trace":
        """Every intermediate of both passes by name: z1, h1, …, y_hat, L, delta1, …, dW1, db1, …."""
        from chainrule.network.trace import trace

        return trace(self, parameters, *self.checked(parameters, x, y, weight))

    def check_gradients(
        self, parameters: Parameters, x: ArrayLike, y: ArrayLike, weight: ArrayLike | None = None
    ) -> "GradientReport":
        """Compare the gradient by hand with automatic differentiation and finite differences, in float64."""
        from chainrule.network.gradient_check import check_gradients

        return check_gradients(self, parameters, *self.checked(parameters, x, y, weight))

    def objective(
        self,
        parameters: Parameters,
        x: Array,
        y: Array,
        weight: Array,
        total: Array,
        seed: Array | None = None,
    ) -> tuple[Array, Parameters, tuple[Array, ...], tuple[Array, ...]]:
        """L, its gradients, every value and every delta: both passes, for use inside compiled programs.

        L = Σ wᵣ ℓᵣ / total + penalties; ``seed`` (uint32) draws the dropout, None leaves it out. The arrays
        are not checked.
        """
        if self.label_smoothing and self.loss.smooth is not None:
            y = self.loss.smooth(y, self.label_smoothing)
        values = propagation.forward(self.layers, parameters, x, seed)
        L, delta = mean_loss(self.loss, values[-1], y, weight, total)
        gradients, deltas = propagation.backward(self.layers, parameters, values, delta, seed)
        for strength, penalty, slope in (
            (self.l1, penalties.l1, penalties.l1_gradient),
            (self.l2, penalties.l2, penalties.l2_gradient),
        ):
            if strength:
                L = L + strength * sum(penalty(W) for W in matrices(parameters))
                gradients = map_matrices(
                    lambda g, W, s=strength, slope=slope: g + s * slope(W), gradients, parameters
                )
        return L, gradients, values, deltas

    def fits(self, parameters: Parameters) -> bool:
        """Whether these are parameters of this network: the same structure and shapes."""
        leaves, structure = jax.tree.flatten(parameters)
        expected, expected_structure = jax.tree.flatten(shapes(self))
        same = bool(structure == expected_structure)  # type: ignore[operator]
        return same and [np.shape(p) for p in leaves] == [p.shape for p in expected]

    def refuse_targets(self, y: np.ndarray) -> None:
        """Raise ArgumentError for targets, shape (rows, targets), that the loss does not admit."""
        outside = np.argwhere(~self.loss.domain.contains(y))
        if outside.size:
            row, column = outside[0]
            raise ArgumentError(
                f"the loss {self.loss.name!r} needs {self.loss.domain.text}; got {y[row, column]:g} in row "
                f"{row + 1} of y."
            )

    def _inputs(self, parameters: Parameters, x: ArrayLike) -> Array:
        """Refuse what does not fit: a compiled function cannot say why."""
        if not self.fits(parameters):
            raise ArgumentError("parameters must be those of this network: make them by initialize(seed).")
        return _matrix("x", x, self.sizes[0], jax.tree.leaves(parameters)[0].dtype)

    def checked(
        self, parameters: Parameters, x: ArrayLike, y: ArrayLike, weight: ArrayLike | None
    ) -> tuple[Array, Array, Array]:
        """x, y and weights as arrays that fit these parameters, or ArgumentError with what does not."""
        x = self._inputs(parameters, x)
        if self.targets == 1 and np.ndim(y) == 1:
            y = np.asarray(y)[:, None]
        y = _matrix("y", y, self.targets, x.dtype)
        self.refuse_targets(np.asarray(y))
        w = np.ones(x.shape[0], x.dtype) if weight is None else np.asarray(weight, x.dtype)
        if not x.shape[0] == y.shape[0] == w.size or w.ndim != 1 or not x.shape[0]:
            raise ArgumentError(
                f"x, y and weight must have the same number of rows, at least one; got {x.shape[0]}, "
                f"{y.shape[0]} and weights of shape {w.shape}."
            )
        if not (float(w.min()) >= 0 and 0 < float(w.sum()) < inf):
            raise ArgumentError("weight must be 0 or more and finite, and more than 0 in at least one row.")
        return x, y, jnp.asarray(w)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Network) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[Any, ...]:
        """What decides the compiled program: equal networks share one."""
        return self.sizes, self.layers, self.loss, self.l1, self.l2, self.label_smoothing

    def __repr__(self) -> str:
        return drawing.text(self)

    def _repr_html_(self) -> str:
        return drawing.html(self)


@partial(jax.jit, static_argnums=0)
def _begun(network: Network, parameters: Parameters, x: Array) -> Parameters:
    return propagation.begun(network.layers, parameters, x)


@partial(jax.jit, static_argnums=0)
def _forward(network: Network, parameters: Parameters, x: Array) -> Array:
    return propagation.forward(network.layers, parameters, x)[-1]


@partial(jax.jit, static_argnums=0)
def _backward(
    network: Network, parameters: Parameters, x: Array, y: Array, weight: Array
) -> tuple[Array, Parameters]:
    return network.objective(parameters, x, y, weight, weight.sum())[:2]


@lru_cache(maxsize=256)
def shapes(network: Network) -> Parameters:
    """The parameters without their numbers: each leaf has a shape and a dtype."""
    return jax.eval_shape(
        lambda key: propagation.initialize(network.layers, key, network.sizes[0]), jax.random.key(0)
    )


def _memory() -> float:
    """Bytes of memory of this machine, as far as it tells."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, OSError, ValueError):
        return inf


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _matrix(name: str, array: ArrayLike, columns: int, dtype: Any) -> Array:
    try:
        array = jnp.asarray(array, jax.dtypes.canonicalize_dtype(dtype))
    except (TypeError, ValueError):
        raise ArgumentError(
            f"{name} must be numbers of shape (rows, {columns}); got {quoted(array)}."
        ) from None
    if array.ndim != 2 or array.shape[1] != columns:
        raise ArgumentError(f"{name} must have shape (rows, {columns}); got {array.shape}.")
    return array
