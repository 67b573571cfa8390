import jaxtyping
import numpy as np
import pytest

from chainrule.errors import ArgumentError
from chainrule.mathematics.activations import ACTIVATIONS
from chainrule.mathematics.initializers import INITIALIZERS
from chainrule.network.chain import chain, checked_sizes, one_for_each, side_by_side
from chainrule.network.embedding_layers import Lookup, Parallel, Periodic, PiecewiseLinear, Rescale
from chainrule.network.layers import Activate, Affine, Dropout, Normalize, Residual

RELU, TANH = ACTIVATIONS["relu"], ACTIVATIONS["tanh"]


def build(
    sizes,
    activations,
    bias=True,
    initializer=None,
    dropout=0.0,
    layer_norm=False,
    residual=False,
    embedding=None,
):
    return chain(sizes, activations, bias, initializer, dropout, layer_norm, residual, embedding)


def affine(outputs, initializer, bias=True):
    return Affine(outputs, INITIALIZERS[initializer], bias)


def test_a_linear_chain_is_one_map():
    assert build((3, 2), ()) == (affine(2, "glorot_uniform"),)


def test_each_map_begins_as_its_activation_wants_and_the_last_is_linear():
    assert build((3, 4, 5, 2), (RELU, TANH)) == (
        affine(4, "he_normal"),
        Activate(RELU),
        affine(5, "glorot_uniform"),
        Activate(TANH),
        affine(2, "glorot_uniform"),
    )


def test_options_come_in_order():
    assert build((3, 4, 2), (TANH,), False, "orthogonal", 0.2, True) == (
        affine(4, "orthogonal", False),
        Normalize(),
        Activate(TANH),
        Dropout(0.2, 0),
        affine(2, "orthogonal", False),
    )


def test_residuals_are_where_the_width_stays_and_never_around_the_last_map():
    layers = build((4, 4, 5, 5, 5), (TANH, TANH, TANH), dropout=0.1, residual=True)
    kinds = [type(layer) for layer in layers]
    assert kinds == [Residual, Affine, Activate, Dropout, Residual, Affine]
    places = [layers[0].layers[-1].place, layers[3].place, layers[4].layers[-1].place]
    assert places == [0, 1, 2]


@pytest.fixture
def untyped():
    """As users have it: without the run-time checks of types, which are there for these tests alone."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.mark.parametrize("sizes", [(3, 2), [3, 2], np.array([3, 2]), (3.0, 2.0), range(3, 1, -1)])
def test_sizes_become_plain_whole_numbers(sizes, untyped):
    checked = checked_sizes(sizes)
    assert checked == (3, 2)
    assert all(type(size) is int for size in checked)


@pytest.mark.parametrize(
    "sizes",
    [
        (),
        (3,),
        (3, 0),
        (3, -1, 2),
        (3, 2.5),
        (3, float("nan")),
        (3, float("inf")),
        (3, "4"),
        (3, None),
        ((3,), 2),
    ],
)
def test_other_sizes_are_refused(sizes, untyped):
    with pytest.raises(ArgumentError, match=r"sizes must be whole numbers of at least 1.*; got \("):
        checked_sizes(sizes)


def test_one_activation_for_all_or_one_for_each():
    assert one_for_each("tanh", 3) == (TANH,) * 3
    assert one_for_each(["relu", TANH], 2) == (RELU, TANH)
    assert one_for_each((TANH, "relu"), 2) == (TANH, RELU)
    pair = (TANH.value, TANH.derivative)
    assert [a.value for a in one_for_each(pair, 2)] == [TANH.value] * 2
    assert [a.value for a in one_for_each([pair, "relu"], 2)] == [TANH.value, RELU.value]
    assert one_for_each("tanh", 0) == ()


@pytest.mark.parametrize(("activations", "hidden"), [(["tanh"], 2), (["tanh", "relu"], 1), (["tanh"] * 3, 2)])
def test_another_number_of_activations_is_refused(activations, hidden):
    words = f"one for all hidden layers, or one for each of the {hidden}; got {len(activations)}"
    with pytest.raises(ArgumentError, match=words):
        one_for_each(activations, hidden)


PARTS = ((2, ()), (1, (Periodic(),)), (1, (PiecewiseLinear(3), Rescale(), Activate(TANH))))


@pytest.mark.parametrize(
    "embedding",
    [
        Parallel(PARTS),
        PARTS,
        [(2, []), (1, Periodic()), (1, [PiecewiseLinear(3), Rescale(), Activate(TANH)])],
    ],
)
def test_pairs_become_the_layer(embedding):
    assert side_by_side(embedding) == Parallel(PARTS)


@pytest.mark.parametrize("embedding", [3, [], (), "ab", [3], [(3,)], [(3, 4)], [(3, "ab")], [(3, (), 1)]])
def test_anything_else_is_refused(embedding):
    with pytest.raises(ArgumentError, match="embedding must be pairs of a number of columns and a layer"):
        side_by_side(embedding)


def test_an_embedding_comes_first_and_its_width_counts():
    embedding = Parallel(((2, ()), (2, (Lookup((3, 4), 3),))))
    assert build((4, 8, 2), (TANH,), embedding=embedding, residual=True) == (
        embedding,
        Residual((affine(8, "glorot_uniform"), Activate(TANH))),
        affine(2, "glorot_uniform"),
    )
    with pytest.raises(ArgumentError, match="must have the 5 columns of x"):
        build((5, 2), (), embedding=embedding)
