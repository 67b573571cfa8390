"""The derived number is the compiled gradient, for any network, any weight, any loss."""

import numpy as np
import optax
import pytest
from jax.flatten_util import ravel_pytree
from tests.explain.conftest import draw

from chainrule.errors import ArgumentError
from chainrule.explain.derivation import derive
from chainrule.explain.directional import directional
from chainrule.explain.terms import Equation, Rest, Sum
from chainrule.explain.text import plain
from chainrule.network.embedding_layers import Lookup
from chainrule.network.network import Network
from chainrule.network.parameters import named

pytestmark = pytest.mark.usefixtures("quick_compiler")


def agrees(number: int) -> None:
    d = draw(number)
    found = derive(d.network, d.parameters, d.x, d.y, d.weight, seed=d.seed)
    if not np.isfinite(found.compiled):  # the loss overflows, and has no derivative to compare
        assert np.abs(d.network.forward(d.parameters, d.x)).max() > 700, number
        return
    assert found.derived == pytest.approx(found.compiled, rel=1e-10, abs=1e-14), (number, d.network, d.weight)
    assert "Three numbers" in str(found)


@pytest.mark.parametrize("start", range(0, 100, 10))
def test_derived_is_compiled(start):
    for number in range(start, start + 10):
        agrees(number)


@pytest.mark.long
@pytest.mark.parametrize("start", range(100, 1000, 50))
def test_derived_is_compiled_in_many_more(start):
    for number in range(start, start + 50):
        agrees(number)


TANH = Network((3, 4, 4, 2), activation="tanh")
P = TANH.initialize(0)
X, Y = np.array([[1.0, -2.0, 0.5], [0.3, 0.1, -1.0]]), np.array([[0.5, 1.0], [0.0, -1.0]])


@pytest.mark.parametrize("weight", ["W1[2,1]", "b2[3]", "W3[2,4]", "x[2]"])
@pytest.mark.parametrize("of", ["L", "y_hat[2]"])
@pytest.mark.parametrize("order", [1, 2])
def test_finite_differences_say_the_same(weight, of, order):
    found = derive(TANH, P, X, Y, weight, of=of, order=order)
    assert found.derived == pytest.approx(found.compiled, rel=1e-7, abs=1e-9)
    assert found.derived == pytest.approx(found.finite_difference, rel=1e-5, abs=1e-6)


def test_the_network_says_the_same():
    _, gradients = TANH.backward(P, X, Y)
    found = derive(TANH, P, X, Y, "W2[3,4]")
    assert found.derived == pytest.approx(float(gradients[1].W[2, 3]), rel=1e-5)


def values_of(found, title):
    (section,) = [s for s in found.sections if s.title.startswith(title)]
    return [line for line in section.lines if isinstance(line, Equation)]


@pytest.mark.parametrize("title", ["Forward", "The chain rule"])
def test_every_line_of_numbers_is_what_it_says(title):
    """What is shown as numbers gives, computed again by a reader, the value at the end of the line."""
    found = derive(TANH, P, X[0], Y[0], "W1[2,1]")
    checked = 0
    for line in values_of(found, title):
        sides = [plain(side).replace("−", "-").replace("·", "*") for side in line.sides]
        if len(sides) < 3 or any(letter.isalpha() for letter in sides[-2]) or "(" in sides[-1]:
            continue
        numbers, value = sides[-2], float(sides[-1])
        if "σ" not in numbers and "[" not in numbers and "  " not in numbers:
            assert eval(numbers) == pytest.approx(value, rel=5e-3, abs=5e-3), line
            checked += 1
    assert checked >= 6


def test_the_same_number_at_every_layer():
    found = derive(TANH, P, X[0], Y[0], "W1[2,1]")
    (section,) = [s for s in found.sections if s.title.startswith("The same number")]
    worth = [row[-1].value for row in section.lines[1].rows]
    assert len(worth) == 5
    assert worth == pytest.approx([found.derived] * 5, rel=1e-12)


def test_long_sums_are_folded_and_unfolded():
    wide = Network((40, 30, 3))
    parameters, x, y = wide.initialize(0), np.linspace(-1, 1, 40), np.zeros(3)
    folded, full = (
        derive(wide, parameters, x, y, "W1[1,1]", full=wish).text(10**4) for wish in (False, True)
    )
    assert "36 more terms, worth" in folded
    assert "the largest: " in folded
    assert "more" not in full
    assert len(full) > 3 * len(folded)


def test_what_is_folded_is_worth_what_it_says():
    wide = Network((40, 1), bias=False)
    parameters, x = wide.initialize(0), np.linspace(-1, 1, 40)
    found = derive(wide, parameters, x, np.zeros(1), "W1[1,40]")
    (line,) = [line for line in values_of(found, "Forward") if plain(line.sides[0]) == "ŷ[1]"]
    *shown, rest = line.sides[2].terms
    products = np.sort(np.abs(np.asarray(parameters[0].W[0], float) * x))
    assert rest.count == 35
    assert len(shown) == 5
    assert min(abs(t.factors[0].value * t.factors[1].value) for t in shown) >= products[-5] * 0.999
    total = sum(t.factors[0].value * t.factors[1].value for t in shown) + rest.worth
    assert total == pytest.approx(line.sides[3].value, rel=1e-6)


def test_folding_keeps_what_the_reader_follows():
    wide = Network((40, 30, 30, 3))
    found = derive(wide, wide.initialize(0), np.linspace(-1, 1, 40), np.zeros(3), "W1[1,20]")

    def sums(title):
        lines = [line for line in values_of(found, title) if isinstance(line.sides[1], Sum)]
        return {plain(line.sides[0]): line.sides[1].terms for line in lines}

    forward, inside = sums("Forward"), sums("L in terms")
    assert "W¹[1,20]·x[20]" in map(plain, forward["z¹[1]"])  # of little worth
    entries = [name for name in forward if name.startswith("z²[")]
    assert len(entries) == 4
    for name in entries:
        assert any(plain(term).endswith("·h¹[1]") for term in forward[name])
    for terms in (forward["ŷ[2]"], inside["ŷ[2]"]):
        said = " ".join(map(plain, terms))
        assert all(name.replace("z", "h") in said for name in entries)
        assert isinstance(terms[-1], Rest)  # nothing follows "the largest: … = …"


def test_dropout_of_a_step_is_part_of_the_factor():
    network = Network((2, 6, 1), dropout=0.5)
    parameters = network.initialize(0)
    found = [derive(network, parameters, X[:, :2], Y[:, :1], f"W1[{i},1]", seed=1) for i in range(1, 7)]
    assert any(f.derived == 0 for f in found)  # silent units learn nothing
    assert any(f.derived != 0 for f in found)
    assert "where the unit stayed in this step" in str(found[0])
    assert "silent when predicting" in str(derive(network, parameters, X[:, :2], Y[:, :1], "W1[1,1]"))


def test_weights_of_rows_count():
    weighted = derive(TANH, P, X, Y, "W1[2,1]", sample_weight=[3.0, 1.0])
    one, two = (derive(TANH, P, X[r], Y[r], "W1[2,1]").derived for r in (0, 1))
    assert weighted.derived == pytest.approx((3 * one + two) / 4, rel=1e-12)


@pytest.mark.parametrize(
    ("name", "transformation"),
    [
        ("sgd", optax.sgd(0.1)),
        ("momentum", optax.sgd(0.1, momentum=0.9)),
        ("nesterov", optax.sgd(0.1, momentum=0.9, nesterov=True)),
        ("rmsprop", optax.rmsprop(0.1, decay=0.9)),
        ("adam", optax.adam(0.1)),
    ],
)
def test_steps_are_those_of_optax(name, transformation, float64):
    found = derive(TANH, P, X, Y, "W1[2,1]", optimizer=name, learning_rate=0.1, steps=4)
    table = found.sections[-1].lines[-2]
    walked = [[cell.value for cell in row] for row in table.rows]
    w = np.float64(np.asarray(P[0].W)[1, 0])
    state = transformation.init(w)
    for row in walked:
        assert row[1] == pytest.approx(float(w), rel=1e-9)
        updates, state = transformation.update(row[3], state, w)
        w = optax.apply_updates(w, updates)
        assert row[-2] == pytest.approx(float(w), rel=1e-6)
    assert walked[-1][-1] < walked[0][2]  # the loss falls


def test_a_direction_is_an_inner_product():
    numbers = np.random.default_rng(0)
    flat, unravel = ravel_pytree(P)
    v = numbers.normal(size=flat.shape)
    found = directional(TANH, P, X, Y, unravel(v.astype(np.float32)))
    _, gradients = TANH.backward(P, X, Y)
    assert found.derived == pytest.approx(found.compiled, rel=1e-12)
    assert found.derived == pytest.approx(found.finite_difference, rel=1e-7)
    assert found.derived == pytest.approx(float(ravel_pytree(gradients)[0] @ v), rel=1e-4)


def test_single_entries_are_a_direction():
    two = directional(TANH, P, X, Y, {"W1[2,1]": 2.0, "b3[1]": -1.0}).derived
    one, other = (derive(TANH, P, X, Y, weight).derived for weight in ("W1[2,1]", "b3[1]"))
    assert two == pytest.approx(2 * one - other, rel=1e-12)


def test_down_the_gradient_the_loss_falls_as_the_derivative_says():
    found = directional(TANH, P, X, Y)
    curve = found.sections[-1].lines[-1]
    assert curve.y[1] < curve.y[0]
    assert (curve.y[1] - curve.y[0]) / curve.x[1] == pytest.approx(curve.slope, rel=0.1)
    assert found.derived == pytest.approx(-curve.slope, rel=1e-9)  # along the gradient itself
    assert "└" in str(found)


def test_penalties_count_along_a_direction():
    network = Network((2, 3, 1), l1=0.1, l2=0.3)
    parameters = network.initialize(0)
    found = directional(network, parameters, X[:, :2], Y[:, :1], {"W1[1,1]": 1.0, "b1[1]": 1.0})
    assert found.derived == pytest.approx(found.compiled, rel=1e-12)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weight": "W9[1,1]"}, r"must be in one of the network's arrays, x \(3\), W1 \(4×3\)"),
        ({"weight": "W1[0,1]"}, r"go from W1\[1,1\] to W1\[4,3\], counted from 1; got 'W1\[0,1\]'"),
        ({"weight": "W1[1]"}, "counted from 1"),
        ({"weight": "nonsense"}, "must be an entry of an array, counted from 1, such as"),
        ({"weight": 7}, "got 7"),
        ({"row": 3}, "row must be a whole number from 1 to 2"),
        ({"order": 3}, "order must be 1 or 2; got 3"),
        ({"of": "y_hat[3]"}, r"'y_hat\[1\]' to 'y_hat\[2\]'; got 'y_hat\[3\]'"),
        ({"optimizer": "adm"}, "optimizer must be one of sgd, .* Did you mean 'adam'"),
        ({"learning_rate": 0.0}, "learning_rate must be above 0"),
        ({"learning_rate": "fast"}, "learning_rate must be above 0, and finite; got 'fast'"),
        ({"seed": -1}, "seed must be a whole number from 0 to 2³² − 1; got -1"),
        ({"seed": 2**32}, "seed must be a whole number"),
        ({"names": ("a",)}, "names must be 3, one for each input; got 1"),
        ({"x": [[1.0, np.inf, 2.0]] * 2}, r"x must be finite; got inf in row 1, x\[2\]"),
        ({"steps": 0}, "steps must be a whole number from 1"),
        ({"x": [[1.0, 2.0]]}, r"x must have shape \(rows, 3\)"),
    ],
)
def test_what_is_not_there_is_refused(changes, message):
    given = {"x": X, "y": Y, "weight": "W1[1,1]"} | changes
    with pytest.raises(ArgumentError, match=message):
        derive(TANH, P, **given)


@pytest.mark.parametrize(
    "direction", ["up", {"x[1]": 1.0}, {"W1[1,1]": 0.0}, {"W1[9,9]": 1.0}, {"W1[1,1]": "a"}, P[:1]]
)
def test_directions_that_are_none_are_refused(direction):
    with pytest.raises(ArgumentError, match=r"direction|entries of W1"):
        directional(TANH, P, X, Y, direction)


def test_a_code_has_no_derivative():
    network = Network((2, 3, 1), embedding=[(1, ()), (1, Lookup((3,), size=2))])
    with pytest.raises(ArgumentError, match=r"x\[2\] is a code"):
        derive(network, network.initialize(0), [[0.5, 1.0]], [[1.0]], "x[2]")


def test_a_row_of_a_table_that_is_not_named_teaches_nothing():
    network = Network((1, 3, 1), embedding=[(1, Lookup((3,), size=2))])
    found = derive(network, network.initialize(0), [[1.0]], [[1.0]], "E1[3,1]")
    assert found.derived == found.compiled == 0


def test_functions_of_ones_own_have_no_bend():
    def value(z):
        return z * z

    def slope(z):
        return 2 * z

    network = Network((2, 3, 1), activation=(value, slope))
    parameters = network.initialize(0)
    found = derive(network, parameters, X[:, :2], Y[:, :1], "W1[1,1]")
    assert found.derived == pytest.approx(found.compiled, rel=1e-10)
    with pytest.raises(ArgumentError, match="must be a formula for a second derivative"):
        derive(network, parameters, X[:, :2], Y[:, :1], "W1[1,1]", order=2)


def test_every_array_has_its_place():
    for number in range(8):
        d = draw(number)
        for name, array in named(d.parameters):
            entry = f"{name}[{','.join('1' for _ in np.shape(array))}]"
            found = derive(d.network, d.parameters, d.x, d.y, entry)
            assert found.derived == pytest.approx(found.compiled, rel=1e-10, abs=1e-14)
