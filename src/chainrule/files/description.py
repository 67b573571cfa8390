"""A fitted estimator as a description in JSON and named arrays, and back."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import jax
import numpy as np

import chainrule
from chainrule.errors import ArgumentError
from chainrule.estimators.classifier import DeepClassifier
from chainrule.estimators.regressor import DeepRegressor
from chainrule.estimators.targets import Scale
from chainrule.files.plain import from_plain, name_of, to_plain
from chainrule.network.layer import Layer
from chainrule.network.layers import Affine, Dropout, Normalize, Residual
from chainrule.network.network import Network, shapes
from chainrule.network.parameters import Norm, Parameters, Weights
from chainrule.tables.encoders import TableEncoder

FORMAT = 1
"""The version of the description that this library writes, and the only one that it reads."""

Model: TypeAlias = DeepRegressor | DeepClassifier
Arrays: TypeAlias = dict[str, np.ndarray]

_ESTIMATORS: dict[str, type[Model]] = {cls.__name__: cls for cls in (DeepRegressor, DeepClassifier)}


def describe(model: Model, about: Mapping[str, Any] | None) -> tuple[dict[str, Any], Arrays]:
    """Say a fitted estimator in JSON and named arrays.

    Raises
    ------
    ArgumentError
        If it is not fitted, or holds what JSON cannot say, such as a function.
    """
    if type(model) not in _ESTIMATORS.values():
        raise ArgumentError(
            f"a model to save must be one of {', '.join(_ESTIMATORS)}; got a {type(model).__name__}."
        )
    if not hasattr(model, "parameters_"):
        raise ArgumentError("a model to save must be fitted; this one is not. Call fit first.")
    described = getattr(model, "about_", {}) if about is None else about
    description = {
        "format": FORMAT,
        "version": chainrule.__version__,
        "estimator": type(model).__name__,
        "parameters": {name: to_plain(name, value) for name, value in model.get_params(deep=False).items()},
        "encoder": model.encoder_.to_dict(),
        "network": _network_to_dict(model.network_),
        "learnt": {name: to_plain(name, value) for name, value in _learnt(model).items()},
        "about": to_plain("about", dict(described)),
    }
    named = zip(_names(model.parameters_), jax.tree.leaves(model.parameters_), strict=True)
    return description, {name: np.ascontiguousarray(leaf) for name, leaf in named}


def restore(description: dict[str, Any], arrays: Arrays) -> Model:
    """The estimator; any exception means that the description is not one of ours."""
    model: Model = _ESTIMATORS[description["estimator"]](
        **{str(name): from_plain(value) for name, value in description["parameters"].items()}
    )
    encoder = TableEncoder.from_dict(description["encoder"])
    network = _restored_network(description["network"], arrays)
    learnt = {name: from_plain(value) for name, value in description["learnt"].items()}
    names = learnt["feature_names_in_"]
    _require(encoder.width == network.sizes[0], "the encoder does not fit the network")
    _require(learnt["n_features_in_"] == len(encoder.columns), "the columns do not fit the encoder")
    _require(
        names is None or names == [column.name for column in encoder.columns],
        "the columns' names do not fit the encoder",
    )
    for name in ("n_iter_", "best_iteration_"):
        _require(type(learnt[name]) is int, f"{name} is not a whole number")
    curve, scores = learnt["loss_curve_"], learnt["validation_scores_"]
    for numbers in (curve, scores or []):
        _require(type(numbers) is list and all(type(n) is float for n in numbers), "a curve is not numbers")
    _require(1 <= learnt["best_iteration_"] <= len(curve), "the best epoch is none of those that ran")
    about = from_plain(description["about"])
    _require(type(about) is dict, "about is not a dict")
    if isinstance(model, DeepClassifier):
        _restore_classes(model, network, learnt)
    else:
        _restore_scale(model, network, learnt)
    model.encoder_, model.network_ = encoder, network
    model.parameters_ = _restored_parameters(network, arrays)
    model.n_features_in_, model.n_iter_ = learnt["n_features_in_"], learnt["n_iter_"]
    model.best_iteration_, model.interrupted_ = learnt["best_iteration_"], learnt["interrupted_"] is True
    model.loss_curve_, model.validation_scores_ = curve, scores
    if names is not None:
        model.feature_names_in_ = np.array(names, object)
    model.about_ = about
    model._state = None
    return model


def _learnt(model: Model) -> dict[str, Any]:
    """What fitting found, but for encoder, network and parameters."""
    names = getattr(model, "feature_names_in_", None)
    learnt = {
        "n_features_in_": model.n_features_in_,
        "feature_names_in_": None if names is None else [str(name) for name in names],
        "loss_curve_": model.loss_curve_,
        "validation_scores_": model.validation_scores_,
        "n_iter_": model.n_iter_,
        "best_iteration_": model.best_iteration_,
        "interrupted_": model.interrupted_,
    }
    if isinstance(model, DeepClassifier):
        return learnt | {"classes_": model.classes_, "multilabel": model._multilabel}
    return learnt | {
        "offset": list(model.scale_.offset),
        "scale": list(model.scale_.scale),
        "matrix": model._matrix,
    }


def _network_to_dict(network: Network) -> dict[str, Any]:
    """The arguments that make the network again."""
    layers = list(_flat(network.layers))
    affine = [layer for layer in layers if isinstance(layer, Affine)]
    usual = [activation.initializer for activation in network.activations] + ["glorot_uniform"]
    drawn = [name_of("initializer", layer.initializer) for layer in affine]
    return {
        "sizes": list(network.sizes),
        "activation": [name_of("activation", activation) for activation in network.activations],
        "loss": name_of("loss", network.loss),
        "bias": affine[0].bias,
        "initializer": None if drawn == usual else drawn[0],
        "dropout": next((layer.rate for layer in layers if isinstance(layer, Dropout)), 0.0),
        "layer_norm": any(isinstance(layer, Normalize) for layer in layers),
        "residual": any(isinstance(layer, Residual) for layer in network.layers),
        "l1": network.l1,
        "l2": network.l2,
        "label_smoothing": network.label_smoothing,
    }


def _flat(layers: tuple[Layer, ...]) -> Iterator[Layer]:
    for layer in layers:
        if isinstance(layer, Residual):
            yield from _flat(layer.layers)
        else:
            yield layer


def _names(parameters: Parameters) -> list[str]:
    """A name for each array, in the order of ``jax.tree.leaves``: W1, b1, gain1, shift1, W2."""
    names: list[str] = []

    def walk(part: Parameters) -> None:
        for entry in part:
            match entry:
                case Weights() | Norm():
                    number = sum(name.startswith("W") for name in names) + isinstance(entry, Weights)
                    fields = zip(entry._fields, entry, strict=True)
                    names.extend(f"{field}{number}" for field, leaf in fields if leaf is not None)
                case _:
                    walk(entry)

    walk(parameters)
    return names


def _restored_network(described: dict[str, Any], arrays: Arrays) -> Network:
    sizes = described["sizes"]
    # Before anything of that size is made.
    _require(2 <= len(sizes) <= 1 + len(arrays), "the network does not fit the arrays")
    return Network(**{str(name): value for name, value in described.items()})


def _restored_parameters(network: Network, arrays: Arrays) -> Parameters:
    expected = shapes(network)
    leaves, structure = jax.tree.flatten(expected)
    names = _names(expected)
    _require(set(names) == set(arrays), "the arrays are not those of the network")
    for name, leaf in zip(names, leaves, strict=True):
        _require(
            arrays[name].shape == leaf.shape,
            f"{name} has shape {arrays[name].shape}, the network's {leaf.shape}",
        )
    parameters: Parameters = jax.tree.unflatten(structure, [arrays[name] for name in names])
    return parameters


def _restore_classes(model: DeepClassifier, network: Network, learnt: dict[str, Any]) -> None:
    classes, multilabel = learnt["classes_"], learnt["multilabel"]
    _require(isinstance(classes, np.ndarray) and type(multilabel) is bool, "the classes are not an array")
    if multilabel or len(classes) > 2:
        fits = network.sizes[-1] == len(classes)
    else:
        fits = len(classes) == 2 and network.sizes[-1] in (1, 2)
    _require(fits, "the classes do not fit the network")
    model.classes_, model._multilabel = classes, multilabel


def _restore_scale(model: DeepRegressor, network: Network, learnt: dict[str, Any]) -> None:
    scale = Scale(tuple(learnt["offset"]), tuple(learnt["scale"]))
    fits = len(scale.offset) == len(scale.scale) == network.targets
    _require(
        fits and bool(np.isfinite([scale.offset, scale.scale]).all()), "the scale does not fit the network"
    )
    model.scale_, model._matrix = scale, learnt["matrix"] is True


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ValueError(otherwise)
