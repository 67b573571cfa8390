import pickle
from typing import NamedTuple

import pytest

from chainrule.errors import ArgumentError
from chainrule.mathematics.activations import ACTIVATIONS, find_activation
from chainrule.mathematics.losses import LOSSES, find_loss, huber, quantile, tweedie
from chainrule.mathematics.named import find


class Thing(NamedTuple):
    name: str
    power: float = 0.0


TABLE = {"apple": Thing("apple"), "pear": Thing("pear")}
FACTORIES = {"powered": lambda power: Thing("powered", power), "several": lambda *n: Thing("several", len(n))}


def test_a_name_or_the_thing_itself():
    assert find("fruit", "apple", TABLE, Thing) is TABLE["apple"]
    own = Thing("own")
    assert find("fruit", own, TABLE, Thing) is own


@pytest.mark.parametrize(
    "given", ["aple", "", "APPLE ", 3, None, ["apple"], Thing, ("apple",), 1.5, b"apple"]
)
def test_other_things_are_refused_with_the_choices(given):
    with pytest.raises(ArgumentError) as raised:
        find("fruit", given, TABLE, Thing, otherwise=", a basket")
    assert str(raised.value).startswith(
        "fruit must be one of apple, pear, a basket, or a chainrule.Thing; got "
    )
    assert repr(given) in str(raised.value)
    assert ("Did you mean 'apple'?" in str(raised.value)) == (given in ("aple", "APPLE "))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("powered(2)", 2.0), (" powered( -1.5e-1 ) ", -0.15), ("several(1, 2,3)", 3), ("several()", 0)],
)
def test_a_name_with_numbers_is_made(text, expected):
    assert find("fruit", text, TABLE, Thing, factories=FACTORIES).power == expected


@pytest.mark.parametrize(
    "text",
    [
        "powered(x)",
        "powered(1",
        "powered(1)(2)",
        "powered()",
        "powered(1, 2)",
        "several(1,,2)",
        "apple(1)",
        "powered(__import__('os'))",
        "powered(1+1)",
    ],
)
def test_a_name_with_other_things_is_refused(text):
    with pytest.raises(ArgumentError, match="fruit must"):
        find("fruit", text, TABLE, Thing, factories=FACTORIES)


@pytest.mark.parametrize("record", ACTIVATIONS.values(), ids=ACTIVATIONS)
def test_activations_pickle_by_name(record):
    assert pickle.loads(pickle.dumps(record)) is record


@pytest.mark.parametrize("loss", [*LOSSES.values(), huber(2.5), quantile((0.1, 0.9)), tweedie(1.2)])
def test_losses_pickle_by_name(loss):
    assert pickle.loads(pickle.dumps(loss)) is loss


def test_formulas_pickle_as_their_text():
    made = find_activation("z*tanh(z)")
    assert pickle.loads(pickle.dumps(made)) is made
    loss = find_loss("(y_hat - y)**4")
    assert pickle.loads(pickle.dumps(loss)) is loss


def test_a_record_that_borrows_a_name_pickles_as_itself():
    impostor = ACTIVATIONS["tanh"]._replace(name="relu")
    copy = pickle.loads(pickle.dumps(impostor))
    assert copy == impostor
    assert copy.value is ACTIVATIONS["tanh"].value
