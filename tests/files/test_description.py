"""Networks as plain data and back; whole models are in test_model_file.py."""

import json
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest

from chainrule import Network
from chainrule.errors import ArgumentError
from chainrule.files.description import _network_to_dict, _restored_members, _restored_network
from chainrule.mathematics.activations import ACTIVATIONS
from chainrule.mathematics.initializers import INITIALIZERS
from chainrule.network.embedding_layers import Lookup, Parallel, Periodic, PiecewiseLinear, Rescale
from chainrule.network.layers import Activate, Affine, Dropout, Normalize, Residual
from chainrule.network.parameters import named

TANH, AFFINE = Activate(ACTIVATIONS["tanh"]), Affine(5, INITIALIZERS["he_normal"], bias=False)
NETWORKS = {
    "plain": Network((3, 4, 2), "relu"),
    "all": Network(
        (3, 4, 4, 2), ["relu", "mish"], layer_norm=True, residual=True, dropout=0.2, l1=0.1, l2=0.2
    ),
    "as it is": Network((3, 2), embedding=[(3, ())]),
    "fixed": Network((3, 2), embedding=[(3, PiecewiseLinear(4))]),
    "rescaled": Network(
        (3, 2), embedding=[(1, Rescale()), (2, (PiecewiseLinear(4), Rescale(standardize=True)))]
    ),
    "every sort": Network(
        (8, 4, 1),
        embedding=[(2, ()), (2, Periodic(5, 3, 0.25)), (1, PiecewiseLinear(4, 2)), (3, Lookup((3, 9, 2), 4))],
    ),
    "chains": Network(
        (4, 4, 1),
        bias=True,
        embedding=[
            (2, (Periodic(), AFFINE, Normalize(), TANH, Dropout(0.25, 9))),
            (1, (PiecewiseLinear(4), Affine(2, INITIALIZERS["orthogonal"]))),
            (1, Activate(Network((1, 1, 1), "z*sigmoid(2*z)").activations[0])),
        ],
    ),
}


def arrays_of(network: Network) -> dict[str, np.ndarray]:
    return {name: np.asarray(leaf) for name, leaf in named(network.initialize(0))}


def through_json(network: Network) -> dict[str, Any]:
    described: dict[str, Any] = json.loads(json.dumps(_network_to_dict(network), allow_nan=False))
    return described


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_a_network_and_its_parameters_come_back(network: Network) -> None:
    arrays = arrays_of(network)
    again = _restored_network(through_json(network), arrays)
    assert again == network
    assert hash(again) == hash(network)
    members = _restored_members(again, {name: np.stack([a, -a]) for name, a in arrays.items()})
    parameters, other = (jax.tree.map(lambda leaf, k=k: leaf[k], members) for k in (0, 1))
    np.testing.assert_array_equal(other[-1].W, -parameters[-1].W)
    assert network.fits(parameters)
    for ours, theirs in zip(jax.tree.leaves(parameters), jax.tree.leaves(network.initialize(0)), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    x = np.random.default_rng(0).normal(size=(5, network.sizes[0]))
    np.testing.assert_array_equal(again.forward(parameters, x), network.forward(network.initialize(0), x))


def test_an_embedding_as_a_file_says_it() -> None:
    described = through_json(NETWORKS["every sort"])["embedding"]
    assert described == [
        {"columns": 2, "layers": []},
        {"columns": 2, "layers": [{"layer": "Periodic", "frequencies": 5, "size": 3, "spread": 0.25}]},
        {"columns": 1, "layers": [{"layer": "PiecewiseLinear", "bins": 4, "size": 2}]},
        {"columns": 3, "layers": [{"layer": "Lookup", "levels": {"$tuple": [3, 9, 2]}, "size": 4}]},
    ]
    assert through_json(NETWORKS["plain"])["embedding"] is None


def test_a_rescaling_as_a_file_says_it() -> None:
    described = through_json(NETWORKS["rescaled"])["embedding"]
    assert described[0]["layers"] == [{"layer": "Rescale", "standardize": False}]
    assert described[1]["layers"][1] == {"layer": "Rescale", "standardize": True}


def test_the_options_of_a_network_are_not_taken_from_its_embedding() -> None:
    described = through_json(NETWORKS["chains"])
    assert (described["bias"], described["layer_norm"], described["dropout"]) == (True, False, 0.0)


def test_arrays_are_named_after_their_maps() -> None:
    assert list(arrays_of(NETWORKS["every sort"])) == [
        *("frequency1", "phase1", "V1", "c1", "V2", "c2", "E3"),
        *("W1", "b1", "W2", "b2"),
    ]


@pytest.mark.parametrize("layer", [Residual((TANH,)), Parallel(((1, ()),))])
def test_layers_that_a_file_cannot_say_are_refused(layer: Any) -> None:
    with pytest.raises(ArgumentError, match=f"made of Lookup, .* got a {type(layer).__name__}"):
        _network_to_dict(Network((1, 1), embedding=[(1, layer)]))


def test_layers_of_code_are_refused() -> None:
    mine = Activate(ACTIVATIONS["tanh"]._replace(name="mine"))
    with pytest.raises(ArgumentError, match=r"activation must be .* got a Activation of one's own, 'mine'"):
        _network_to_dict(Network((1, 1), embedding=[(1, mine)]))


Embedding = list[dict[str, Any]]
CHANGES: dict[str, Callable[[Embedding], Any]] = {
    "another kind": lambda e: e[1]["layers"][0].update(layer="os.system"),
    "a hidden kind": lambda e: e[1]["layers"][0].update(layer="Parallel"),
    "no kind": lambda e: e[1]["layers"][0].pop("layer"),
    "unknown option": lambda e: e[1]["layers"][0].update(evil=1),
    "no option": lambda e: e[3]["layers"][0].pop("levels"),
    "zero frequencies": lambda e: e[1]["layers"][0].update(frequencies=0),
    "another shape": lambda e: e[1]["layers"][0].update(frequencies=6),
    "huge frequencies": lambda e: e[1]["layers"][0].update(frequencies=10**15),
    "huger frequencies": lambda e: e[1]["layers"][0].update(frequencies=10**30),
    "huge size": lambda e: e[1]["layers"][0].update(size=10**12),
    "text for a number": lambda e: e[1]["layers"][0].update(spread="0.1"),
    "infinite spread": lambda e: e[1]["layers"][0].update(spread={"$float": "inf"}),
    "huge bins": lambda e: e[2]["layers"][0].update(bins=10**12),
    "huge fixed bins": lambda e: e[2]["layers"][0].update(bins=10**12, size=None),
    "huge levels": lambda e: e[3]["layers"][0].update(levels={"$tuple": [3, 10**12, 2]}),
    "many levels": lambda e: e[3]["layers"][0].update(levels={"$tuple": [3, 99, 2]}),
    "levels of other columns": lambda e: e[3]["layers"][0].update(levels={"$tuple": [3, 9]}),
    "a list of levels": lambda e: e[3]["layers"][0].update(levels=[3, 9, 2]),
    "other columns": lambda e: e[0].update(columns=3),
    "no columns": lambda e: e[0].pop("columns"),
    "huge columns": lambda e: e[0].update(columns=10**12),
    "text for columns": lambda e: e[0].update(columns="2"),
    "a part more": lambda e: e.append({"columns": 1, "layers": []}),
    "no part": lambda e: e.clear(),
    "a map more": lambda e: e[1]["layers"].append(e[1]["layers"][0]),
    "many maps": lambda e: e[1].update(layers=e[1]["layers"] * 10**4),
    "a map that learns nothing": lambda e: e[2]["layers"][0].update(size=None),
    "layers of text": lambda e: e[1].update(layers="abc"),
    "a text": lambda e: e.__setitem__(0, "abc"),  # type: ignore[call-overload]
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_altered_embeddings_are_refused_before_anything_is_made(
    change: Callable[[Embedding], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`load` makes a ModelFileError of any exception; what counts is that one comes, and soon."""
    network = NETWORKS["every sort"]
    described, arrays = through_json(network), arrays_of(network)
    change(described["embedding"])
    monkeypatch.setattr(Network, "initialize", None)
    with pytest.raises((ValueError, TypeError, KeyError, AttributeError, OverflowError)):
        _restored_members(_restored_network(described, arrays), {n: a[None] for n, a in arrays.items()})


@pytest.mark.parametrize("standardize", [1, "true", None, [True], {"$tuple": []}])
def test_a_rescaling_that_may_standardize_is_refused(standardize: Any) -> None:
    network = NETWORKS["rescaled"]
    described, arrays = through_json(network), arrays_of(network)
    described["embedding"][1]["layers"][1].update(standardize=standardize)
    with pytest.raises((ValueError, TypeError)):
        _restored_network(described, arrays)


@pytest.mark.parametrize("embedding", [3, "abc", {"a": 1}, [3], [[]]])
def test_what_is_no_embedding_is_refused(embedding: Any) -> None:
    network = NETWORKS["plain"]
    described = through_json(network) | {"embedding": embedding}
    with pytest.raises((ValueError, TypeError, KeyError)):
        _restored_network(described, arrays_of(network))


@pytest.mark.parametrize("change", [lambda a: a, lambda a: a[:, None], lambda a: a[None][:0]])
def test_arrays_without_a_common_axis_of_members_are_refused(
    change: Callable[[np.ndarray], np.ndarray],
) -> None:
    network = NETWORKS["plain"]
    arrays = {name: array[None] for name, array in arrays_of(network).items()}
    first = next(iter(arrays))
    with pytest.raises((ValueError, IndexError)):
        _restored_members(network, arrays | {first: change(arrays[first][0])})
