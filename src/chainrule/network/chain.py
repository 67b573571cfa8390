"""From sizes and options to the chain of maps."""

from collections.abc import Sequence

from chainrule.errors import ArgumentError
from chainrule.mathematics.activation import Activation
from chainrule.mathematics.activations import find_activation
from chainrule.mathematics.initializers import Initializer, find_initializer
from chainrule.mathematics.named import quoted
from chainrule.network.embedding_layers import Parallel
from chainrule.network.layer import Layer
from chainrule.network.layers import Activate, Affine, Dropout, Normalize, Residual


def checked_sizes(sizes: Sequence[int]) -> tuple[int, ...]:
    """Return the sizes as plain whole numbers, at least two of them, or raise ArgumentError."""
    try:
        whole = tuple(int(size) for size in sizes)
        fits = len(whole) >= 2 and all(s == w and w >= 1 for s, w in zip(sizes, whole, strict=True))
    except (TypeError, ValueError, OverflowError):
        fits = False
    if not fits:
        raise ArgumentError(
            "sizes must be whole numbers of at least 1: inputs, the width of each hidden layer, outputs, "
            f"such as (4, 16, 16, 1); got {sizes!r}."
        )
    return whole


def one_for_each(activation: object, hidden: int) -> tuple[Activation, ...]:
    """One activation for all hidden layers, or a sequence with one for each; a pair of functions is one."""
    several = isinstance(activation, list | tuple) and not isinstance(activation, Activation)
    if several and not (activation and all(callable(part) for part in activation)):  # type: ignore[attr-defined]
        each = tuple(find_activation(part) for part in activation)  # type: ignore[attr-defined]
        if len(each) != hidden:
            raise ArgumentError(
                f"activation must be one for all hidden layers, or one for each of the {hidden}; "
                f"got {len(each)}."
            )
        return each
    return (find_activation(activation),) * hidden


def side_by_side(embedding: object) -> Parallel:
    """The layer for pairs of a number of columns and a layer, or several; ArgumentError for anything else."""
    if isinstance(embedding, Parallel):
        return embedding
    try:
        pairs = [(n, (each,) if isinstance(each, Layer) else tuple(each)) for n, each in embedding]  # type: ignore[attr-defined]
        fits = bool(pairs) and all(isinstance(layer, Layer) for _, layers in pairs for layer in layers)
    except (TypeError, ValueError):
        fits = False
    if not fits:
        raise ArgumentError(
            "embedding must be pairs of a number of columns and a layer, or several layers, such as "
            f"[(3, ()), (2, Periodic(16, 4))]; got {quoted(embedding)}."
        )
    return Parallel(tuple(pairs))


def chain(
    sizes: tuple[int, ...],
    activations: tuple[Activation, ...],
    bias: bool,
    initializer: str | Initializer | None,
    dropout: float,
    layer_norm: bool,
    residual: bool,
    embedding: Parallel | None = None,
) -> tuple[Layer, ...]:
    """The embedding; affine, normalise, activate, drop out, for every hidden layer; the last affine map."""
    layers: list[Layer] = []
    if embedding is not None:
        layers.append(embedding)
        sizes = (embedding.width(sizes[0]), *sizes[1:])
    for place, (inputs, outputs, activation) in enumerate(zip(sizes, sizes[1:], activations, strict=False)):
        block: list[Layer] = [Affine(outputs, find_initializer(initializer or activation.initializer), bias)]
        if layer_norm:
            block.append(Normalize())
        block.append(Activate(activation))
        if dropout:
            block.append(Dropout(dropout, place))
        if residual and inputs == outputs:
            layers.append(Residual(tuple(block)))
        else:
            layers.extend(block)
    layers.append(Affine(sizes[-1], find_initializer(initializer or "glorot_uniform"), bias))
    return tuple(layers)
