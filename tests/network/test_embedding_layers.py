"""Every embedding: its two rules against automatic differentiation, how it begins, and what it refuses."""

import itertools

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest

from chainrule.errors import ArgumentError
from chainrule.mathematics.activations import ACTIVATIONS
from chainrule.mathematics.initializers import INITIALIZERS
from chainrule.network.embedding_layers import Lookup, Parallel, Periodic, PiecewiseLinear, Rescale
from chainrule.network.layers import Activate, Affine, Dropout, Normalize, Residual
from chainrule.network.parameters import Norm, Pieces, Stretches, Table, Waves, Weights
from chainrule.network.propagation import begun, initialize, width

pytestmark = pytest.mark.usefixtures("quick_compiler")

ROWS = 6
TANH, AFFINE = Activate(ACTIVATIONS["tanh"]), Affine(3, INITIALIZERS["glorot_uniform"])
LOOKUP = Lookup((3, 5), 4)
# Each with its columns; the last ones are codes, as many as levels are named.
LAYERS = {
    "lookup": (2, LOOKUP),
    "lookup of one column of one level": (1, Lookup((1,), 1)),
    "periodic": (3, Periodic(5, 4, 0.7)),
    "periodic of the least size": (1, Periodic(1, 2, 0.1)),
    "piecewise linear": (3, PiecewiseLinear(4, 3)),
    "piecewise linear in one bin": (2, PiecewiseLinear(1, 1)),
    "piecewise linear as it is": (3, PiecewiseLinear(4)),
    "rescale": (3, Rescale()),
    "rescale that standardizes": (3, Rescale(standardize=True)),
    "parallel": (
        7,
        Parallel(((2, ()), (2, (Periodic(5, 3, 0.7),)), (1, (PiecewiseLinear(3, 2),)), (2, (LOOKUP,)))),
    ),
    "parallel of one": (2, Parallel(((2, (LOOKUP,)),))),
    "parallel that learns nothing": (3, Parallel(((1, ()), (2, (PiecewiseLinear(4),))))),
    "parallel of chains": (
        5,
        Parallel(
            (
                (2, (Periodic(4, 3, 0.5), AFFINE, Normalize(), TANH, Dropout(0.4, 7))),
                (1, (PiecewiseLinear(3), Rescale(), TANH)),
                (2, (Residual((TANH,)),)),
            )
        ),
    ),
}
EVERY = pytest.mark.parametrize(("columns", "layer"), LAYERS.values(), ids=LAYERS)


def draw(columns, layer, seed=0):
    """Parameters away from 0, an input that also holds codes of every kind, and the delta of the output."""
    numbers = np.random.default_rng(seed)
    p = layer.initialize(jax.random.key(seed), columns) if layer.learns else None
    p = jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf) + 0.3 * numbers.normal(size=leaf.shape)), p)
    a = numbers.normal(size=(ROWS, columns)) * 2
    a[:, -2:] = numbers.integers(-1, 6, a[:, -2:].shape)  # some outside the levels
    if "Lookup" not in repr(layer):
        a += 0.3  # away from the kinks of the bins
    return p, jnp.asarray(a), jnp.asarray(numbers.normal(size=(ROWS, layer.width(columns))))


def without_codes(layer, gradient):
    """Automatic differentiation sends ∂L/∂code through the clipping of codes: there is none."""
    return gradient if "Lookup" not in repr(layer) else gradient.at[:, -len(LOOKUP.levels) :].set(0)


@EVERY
def test_backward_is_the_derivative_of_forward(columns, layer, float64):
    p, a, delta = draw(columns, layer)

    @jax.jit
    def both(p, a, delta):
        seed = jnp.uint32(3)  # for the dropout
        out, pull = jax.vjp(lambda p, a: layer.forward(p, a, seed), p, a)
        return out, layer.backward(p, a, delta, seed), pull(delta)

    out, (gradient, da), (witness, da_witness) = both(p, a, delta)
    assert out.shape == delta.shape
    np.testing.assert_allclose(da, without_codes(layer, da_witness), rtol=1e-10, atol=1e-13)
    if not layer.learns:
        assert not jax.tree.leaves(gradient)
        return
    leaves, structure = jax.tree.flatten(gradient)
    assert structure == jax.tree.structure(witness)
    for ours, automatic in zip(leaves, jax.tree.leaves(witness), strict=True):
        np.testing.assert_allclose(ours, automatic, rtol=1e-10, atol=1e-13)


@EVERY
def test_backward_is_the_slope_of_forward(columns, layer, float64):
    """Central differences, along one random direction of all parameters and numbers at once."""
    p, a, delta = draw(columns, layer)
    numbers, step = np.random.default_rng(1), 1e-6
    along = jax.tree.map(lambda leaf: jnp.asarray(numbers.normal(size=leaf.shape)), (p, a))
    along = along[0], without_codes(layer, along[1])

    @jax.jit
    def end(step):
        return layer.forward(*jax.tree.map(lambda leaf, d: leaf + step * d, (p, a), along))

    measured = float((delta * (end(step) - end(-step))).sum()) / (2 * step)
    gradient, da = jax.jit(layer.backward)(p, a, delta)
    slopes = jax.tree.leaves((gradient, da)), jax.tree.leaves(along)
    assert sum(float((g * d).sum()) for g, d in zip(*slopes, strict=True)) == pytest.approx(
        measured, rel=1e-6
    )


@EVERY
def test_a_layer_is_frozen_hashable_and_equal_to_its_twin(columns, layer):
    twin = type(layer)(**{name: getattr(layer, name) for name in layer.__dataclass_fields__})
    assert twin == layer
    assert hash(twin) == hash(layer)
    for name in layer.__dataclass_fields__:
        with pytest.raises(AttributeError):
            setattr(layer, name, None)


def test_different_layers_are_different():
    for (_, one), (_, other) in itertools.combinations(LAYERS.values(), 2):
        assert one != other


# What is computed.


def test_lookup_reads_the_rows_of_each_column(float64):
    p = Table(jnp.arange(64.0 * 4).reshape(64, 4))
    out = np.asarray(LOOKUP.forward(p, jnp.array([[0.0, 0.0], [2.0, 4.0]])))
    np.testing.assert_array_equal(out[0], np.concatenate([p.E[0], p.E[3]]))
    np.testing.assert_array_equal(out[1], np.concatenate([p.E[2], p.E[7]]))


def test_a_code_outside_its_columns_levels_stays_in_its_column():
    p = LOOKUP.initialize(jax.random.key(0), 2)
    wild = LOOKUP.forward(p, jnp.array([[3.0, -1.0], [99.0, 1e9], [-5.0, 5.0]]))
    tame = LOOKUP.forward(p, jnp.array([[2.0, 0.0], [2.0, 4.0], [0.0, 4.0]]))
    np.testing.assert_array_equal(wild, tame)


def test_periodic_by_its_formula(float64):
    columns, layer = LAYERS["periodic"]
    p, x, _ = draw(columns, layer)
    out = np.asarray(layer.forward(p, x)).reshape(ROWS, columns, 4)
    for column in range(columns):
        w, b, V, c = (np.asarray(leaf)[column] for leaf in p)
        own = np.asarray(x)[:, column : column + 1]
        np.testing.assert_allclose(out[:, column, :3], np.cos(2 * np.pi * own * w + b) @ V.T + c, rtol=1e-11)
        np.testing.assert_array_equal(out[:, column, 3:], own)


def test_piecewise_linear_is_the_polygon_through_its_corners(float64):
    """At the edges 0 … 4 of the bins out = c + V₀ + … + Vₖ₋₁, and between and beyond them straight lines."""
    layer = PiecewiseLinear(4, 1)
    p = layer.initialize(jax.random.key(1), 1)._replace(c=jnp.array([[0.5]]))
    u = np.linspace(0, 4, 33)[:, None]
    corners = 0.5 + np.concatenate([[0], np.cumsum(p.V[0, 0])])
    np.testing.assert_allclose(layer.forward(p, jnp.asarray(u))[:, 0], np.interp(u[:, 0], range(5), corners))
    beyond = layer.forward(p, jnp.array([[-2.0], [7.0]]))[:, 0]
    np.testing.assert_allclose(beyond, [0.5 - 2 * p.V[0, 0, 0], corners[-1] + 3 * p.V[0, 0, 3]])


def test_rescale_is_the_diagonal_of_an_affine_map(float64):
    columns, layer = LAYERS["rescale"]
    p, a, delta = draw(columns, layer)
    affine = Weights(jnp.diag(p.stretch), p.offset)
    np.testing.assert_allclose(layer.forward(p, a), AFFINE.forward(affine, a), rtol=1e-12)
    gradient, da = layer.backward(p, a, delta)
    whole, da_whole = AFFINE.backward(affine, a, delta)
    np.testing.assert_allclose(gradient.stretch, jnp.diag(whole.W), rtol=1e-12)
    np.testing.assert_allclose(gradient.offset, whole.b, rtol=1e-12)
    np.testing.assert_allclose(da, da_whole, rtol=1e-12)


def test_parallel_is_its_parts_side_by_side(float64):
    columns, layer = LAYERS["parallel"]
    p, a, _ = draw(columns, layer)
    (_, (periodic,)), (_, (pieces,)), (_, (lookup,)) = layer.parts[1:]
    expected = [
        a[:, :2],
        periodic.forward(p[0], a[:, 2:4]),
        pieces.forward(p[1], a[:, 4:5]),
        lookup.forward(p[2], a[:, 5:]),
    ]
    np.testing.assert_array_equal(layer.forward(p, a), np.concatenate(expected, axis=1))
    assert [type(entry) for entry in p] == [Waves, Pieces, Table]


def test_a_composite_that_learns_nothing_may_stand_in_a_chain(float64):
    columns, layer = LAYERS["parallel of chains"]
    p, _, _ = draw(columns, layer)
    assert [type(entry) for entry in p] == [Waves, Weights, Norm, Stretches]


# How it begins.


def test_a_lookup_begins_with_small_vectors_and_zero_for_what_was_never_seen():
    layer = Lookup((30, 1, 50), 16)
    (E,) = layer.initialize(jax.random.key(0), 3)
    assert E.shape == (128, 16)  # 81 rows, in whole lots of 64
    zero = [row for row, numbers in enumerate(np.asarray(E)) if not numbers.any()]
    assert zero == [0, 30, 31, *range(81, 128)]
    drawn = np.delete(np.asarray(E), zero, axis=0)
    assert drawn.std() == pytest.approx(0.01, rel=0.1)
    codes = jnp.zeros((2, 3))
    np.testing.assert_array_equal(layer.forward(Table(E), codes), np.zeros((2, 48)))


@pytest.mark.parametrize(("levels", "rows"), [((1,), 64), ((64,), 64), ((65,), 128), ((32, 32), 64)])
def test_tables_come_in_lots_of_64_rows(levels, rows):
    layer = Lookup(levels, 2)
    assert layer.initialize(jax.random.key(0), len(levels)).E.shape == (rows, 2)


def test_rows_that_are_not_named_never_move():
    numbers = np.random.default_rng(0)
    p, codes = LOOKUP.initialize(jax.random.key(0), 2), jnp.asarray(numbers.integers(1, 3, (50, 2)), float)
    (dE,), _ = LOOKUP.backward(p, codes, jnp.ones((50, 8)))
    assert [row for row, g in enumerate(np.asarray(dE)) if g.any()] == [1, 2, 4, 5]


def test_periodic_begins_as_its_paper_says():
    p = Periodic(400, 5, 0.3).initialize(jax.random.key(0), 20)
    assert [leaf.shape for leaf in p] == [(20, 400), (20, 400), (20, 4, 400), (20, 4)]
    assert float(p.frequency.std()) == pytest.approx(0.3, rel=0.03)
    assert float(jnp.abs(p.phase).max()) <= np.pi
    assert float(p.phase.std()) == pytest.approx(np.pi / 3**0.5, rel=0.03)
    assert float(p.V.var()) == pytest.approx(1 / 400, rel=0.03)
    assert not p.c.any()


def test_piecewise_linear_begins_by_lecun():
    p = PiecewiseLinear(50, 30).initialize(jax.random.key(0), 20)
    assert [leaf.shape for leaf in p] == [(20, 30, 50), (20, 30)]
    assert float(p.V.var()) == pytest.approx(1 / 50, rel=0.03)
    assert not p.c.any()


@pytest.mark.parametrize("standardize", [False, True])
def test_rescale_begins_by_changing_nothing(standardize):
    layer, a = Rescale(standardize), draw(3, Rescale())[1]
    p = layer.initialize(jax.random.key(0), 3)
    np.testing.assert_array_equal(layer.forward(p, a), a)


BINS = (PiecewiseLinear(4), Rescale(standardize=True))
CHAINS = {
    "alone": BINS,
    "in parallel": (Parallel(((1, ()), (2, BINS))),),
    "in a residual block": (PiecewiseLinear(4), Residual((Rescale(standardize=True),))),
    "in both": (Parallel(((3, (Residual((TANH, Rescale(standardize=True))),)),)),),
    "after what learns": (AFFINE, Rescale(standardize=True)),
    "one after another": (*BINS, TANH, Rescale(standardize=True), TANH),
}


def ends_of_rescales(layers, p, a):
    """What each Rescale gives, wherever it is."""
    own = iter(p or ())
    for layer in layers:
        mine = next(own) if layer.learns else None
        if isinstance(layer, Residual):
            yield from ends_of_rescales(layer.layers, mine, a)
        elif isinstance(layer, Parallel):
            start = 0
            for columns, inside, part in layer.with_parameters(mine):
                yield from ends_of_rescales(inside, part, a[:, start : start + columns])
                start += columns
        a = layer.forward(mine, a)
        if isinstance(layer, Rescale):
            yield a


@pytest.mark.parametrize("layers", CHAINS.values(), ids=CHAINS)
def test_what_standardizes_begins_with_mean_0_and_spread_1_of_typical_rows(layers, float64):
    assert any(layer.adapts for layer in layers)
    typical = jnp.asarray(np.random.default_rng(0).uniform(-0.2, 4.2, (60, 3)))
    drawn = initialize(layers, jax.random.key(0), 3)
    p = begun(layers, drawn, typical)
    assert jax.tree.structure(p) == jax.tree.structure(drawn)
    ends = list(ends_of_rescales(layers, p, typical))
    assert len(ends) == repr(layers).count("Rescale")
    for end in ends:
        np.testing.assert_allclose(end.mean(axis=0), 0, atol=1e-12)
        np.testing.assert_allclose(end.std(axis=0), 1, rtol=1e-10)


@EVERY
def test_what_does_not_adapt_begins_as_it_was_drawn(columns, layer, float64):
    p, a, _ = draw(columns, layer)
    assert layer.adapts == ("standardize=True" in repr(layer))
    if layer.adapts:
        return
    after = layer.begun(p, a)
    for before, now in zip(jax.tree.leaves(p), jax.tree.leaves(after), strict=True):
        assert before is now


def test_parts_draw_from_keys_of_their_own():
    same = (1, (Periodic(9, 2, 1.0),))
    one, other = Parallel((same, same)).initialize(jax.random.key(0), 2)
    assert (one.frequency != other.frequency).all()


# Widths, and what is refused.


@pytest.mark.parametrize(
    ("layers", "inputs", "expected"),
    [
        ((), 3, 3),
        ((LOOKUP,), 2, 8),
        ((Periodic(16, 4),), 3, 12),
        ((PiecewiseLinear(7, 5),), 3, 15),
        ((PiecewiseLinear(7),), 3, 21),
        ((PiecewiseLinear(7), AFFINE, TANH), 3, 3),
        ((PiecewiseLinear(7), Rescale()), 3, 21),
        ((LAYERS["parallel"][1],), 7, 2 + 6 + 2 + 8),
        ((LAYERS["parallel of chains"][1],), 5, 3 + 3 + 2),
    ],
)
def test_widths(layers, inputs, expected):
    assert width(layers, inputs) == expected


@pytest.fixture
def untyped():
    """As users have it: without the run-time checks of types, which are there for these tests alone."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Lookup(()), r"levels of a Lookup must be a tuple of whole numbers.*got \(\)"),
        (lambda: Lookup((3, 0)), "levels of a Lookup"),
        (lambda: Lookup((3, 2.5)), "levels of a Lookup"),
        (lambda: Lookup((3, True)), "levels of a Lookup"),
        (lambda: Lookup([3]), "levels of a Lookup must be a tuple"),
        (lambda: Lookup(3), "levels of a Lookup"),
        (lambda: Lookup((2**23, 2**23, 1)), "2²⁴ in all at most"),
        (lambda: Lookup((3,), 0), "size of a Lookup must be a whole number of at least 1; got 0"),
        (lambda: Periodic(0), "frequencies of a Periodic must be a whole number of at least 1; got 0"),
        (lambda: Periodic(4, 1), "size of a Periodic must be a whole number of at least 2; got 1"),
        (lambda: Periodic(4, 4, 0.0), "spread of a Periodic must be a number above 0; got 0.0"),
        (lambda: Periodic(4, 4, float("nan")), "spread"),
        (lambda: Periodic(4, 4, float("inf")), "spread"),
        (lambda: Periodic(4, 4, "1"), "spread"),
        (lambda: PiecewiseLinear(0, 3), "bins of a PiecewiseLinear must be a whole number of at least 1"),
        (lambda: PiecewiseLinear(3, 0), "size of a PiecewiseLinear"),
        (lambda: PiecewiseLinear(3.0), "bins of a PiecewiseLinear"),
        (lambda: Rescale(1), "standardize of a Rescale must be True or False; got 1"),
        (lambda: Rescale([True]), "standardize of a Rescale"),
        (lambda: Parallel(((0, ()),)), "columns of a part must be a whole number of at least 1; got 0"),
        (lambda: Parallel((("2", ()),)), "columns of a part"),
        (lambda: LOOKUP.width(3), "levels of each of its 3 columns; got those of 2"),
        (lambda: Parallel(((2, ()), (3, ()))).width(4), r"have the 4 columns of x.*\[2, 3\], which is 5"),
        (lambda: Parallel(((3, (LOOKUP,)),)).width(3), "levels of each of its 3 columns"),
    ],
)
def test_what_cannot_be_is_refused_in_words(make, words, untyped):
    with pytest.raises(ArgumentError, match=words):
        make()
