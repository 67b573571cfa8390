import json
import math

import numpy as np
import optax
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule
from chainrule.files.plain import from_plain, name_of, to_plain

ATOMS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(
    ATOMS,
    lambda inside: (
        st.lists(inside)
        | st.lists(inside).map(tuple)
        | st.dictionaries(st.text() | st.integers() | st.booleans() | st.just("$tuple"), inside)
    ),
    max_leaves=8,
)


@given(VALUES)
def test_values_come_back_through_json_with_their_types(value: object) -> None:
    text = json.dumps(to_plain("value", value), allow_nan=False)
    again = from_plain(json.loads(text))
    assert repr(again) == repr(value)


def test_nan_comes_back() -> None:
    assert math.isnan(from_plain(to_plain("value", float("nan"))))


@pytest.mark.parametrize(
    "array",
    [
        np.array(["a", "längere"]),
        np.array(["a", "b"], object),
        np.array([1, 2], np.int8),
        np.array([0.1, np.inf], np.float32),
        np.array([False, True]),
        np.array([], np.int64),
        np.array(["x", 3], object),
    ],
)
def test_arrays_keep_their_dtype(array: np.ndarray) -> None:
    again = from_plain(json.loads(json.dumps(to_plain("classes_", array), allow_nan=False)))
    assert again.dtype == array.dtype
    assert again.tolist() == array.tolist()


def test_numpy_scalars_become_numbers() -> None:
    assert to_plain("value", [np.int64(3), np.float32(0.5), np.bool_(True), np.str_("a")]) == [
        3,
        0.5,
        True,
        "a",
    ]


@pytest.mark.parametrize(
    "record",
    [
        chainrule.ACTIVATIONS["gelu"],
        chainrule.Network((1, 2, 1), "z * sigmoid(3*z)").activations[0],
        chainrule.LOSSES["poisson"],
        chainrule.huber(2.5),
        chainrule.OPTIMIZERS["lion"],
        chainrule.SCHEDULES["cosine"],
        chainrule.INITIALIZERS["orthogonal"],
    ],
    ids=lambda record: record.name,
)
def test_records_are_their_names(record: chainrule.Activation) -> None:
    assert to_plain("value", record) == name_of("value", record) == record.name


def test_a_formula_that_the_cache_forgot_is_still_a_name() -> None:
    from chainrule.mathematics.activation import activation_from_formula

    record = activation_from_formula("z * sigmoid(5*z)")
    activation_from_formula.cache_clear()
    assert name_of("activation", record) == "z * sigmoid(5*z)"


@pytest.mark.parametrize(
    ("what", "value", "got", "advice"),
    [
        ("activation", (np.sin, np.cos), "ufunc", "a formula"),
        (
            "activation",
            chainrule.ACTIVATIONS["relu"]._replace(value=np.sin),
            "one's own, 'relu'",
            "a formula",
        ),
        ("activation", chainrule.ACTIVATIONS["relu"]._replace(name="mine"), "one's own, 'mine'", "a formula"),
        ("solver", optax.adam(1e-3), "GradientTransformation", "'adam'"),
        ("random_state", np.random.RandomState(0), "RandomState", "whole number"),
        ("class_weight", {1: object()}, "object", "texts, numbers"),
        ("classes_", np.array(["2020-01-01"], "datetime64[D]"), "ndarray", "texts, numbers"),
    ],
)
def test_program_code_is_refused(what: str, value: object, got: str, advice: str) -> None:
    with pytest.raises(chainrule.ArgumentError) as caught:
        to_plain(what, value)
    message = str(caught.value)
    assert message.startswith(what)
    assert got in message
    assert advice in message


@pytest.mark.parametrize(
    "value",
    [
        {"$code": "print(1)"},
        {"$tuple": 3},
        {"$float": "1e3"},
        {"$tuple": [], "$dict": []},
        {"$array": [1], "$dtype": "V8"},
        {"$array": [1], "$dtype": "i8,i8"},
        {"$array": ["a"] * 100, "$dtype": "<U9999999"},
        {"$array": [[1]], "$dtype": "<i8"},
    ],
)
def test_marks_that_are_not_ours_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_plain(value)
