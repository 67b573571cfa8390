"""A fitted estimator as a description in JSON and named arrays, and back."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from typing import Any, TypeAlias

import jax
import numpy as np

import chainrule
from chainrule.errors import ArgumentError
from chainrule.estimators.classifier import SETS, DeepClassifier
from chainrule.estimators.conformal import MondrianNonconformity, Nonconformity
from chainrule.estimators.regressor import DeepRegressor
from chainrule.estimators.targets import Scale
from chainrule.files.plain import from_plain, name_of, to_plain
from chainrule.mathematics.activations import find_activation
from chainrule.mathematics.initializers import find_initializer
from chainrule.network.embedding_layers import Lookup, Parallel, Periodic, PiecewiseLinear, Rescale
from chainrule.network.layer import Layer
from chainrule.network.layers import Activate, Affine, Dropout, Normalize, Residual
from chainrule.network.network import Network, shapes
from chainrule.network.parameters import Parameters, named
from chainrule.tables.encoder_description import describe_encoder, restore_encoder

FORMAT = 4
"""The version of the description that this library writes: arrays have a leading axis of members."""

READ = (2, 3, FORMAT)
"""The versions that it reads; in version 2 there is one network, without that axis."""

Model: TypeAlias = DeepRegressor | DeepClassifier
Arrays: TypeAlias = dict[str, np.ndarray]

_ESTIMATORS: dict[str, type[Model]] = {cls.__name__: cls for cls in (DeepRegressor, DeepClassifier)}
_LAYERS: dict[str, Callable[..., Layer]] = {
    cls.__name__: cls
    for cls in (Lookup, Periodic, PiecewiseLinear, Rescale, Affine, Activate, Normalize, Dropout)
}
_FINDERS: dict[str, Callable[[Any], Any]] = {
    "activation": find_activation,
    "initializer": find_initializer,
}


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
    if not hasattr(model, "members_"):
        raise ArgumentError("a model to save must be fitted; this one is not. Call fit first.")
    described = getattr(model, "about_", {}) if about is None else about
    description = {
        "format": FORMAT,
        "version": chainrule.__version__,
        "estimator": type(model).__name__,
        "parameters": {
            name: to_plain(name, value)
            for name, value in model.get_params(deep=False).items()
            if name != "device"  # of the machine that learnt, not of the model
        },
        "encoder": describe_encoder(model.encoder_),
        "network": _network_to_dict(model.network_),
        "learnt": {name: to_plain(name, value) for name, value in _learnt(model).items()},
        "about": to_plain("about", dict(described)),
    }
    return description, {name: np.ascontiguousarray(leaf) for name, leaf in named(model.members_)}


def restore(description: dict[str, Any], arrays: Arrays) -> Model:
    """The estimator; any exception means that the description is not one of ours."""
    model: Model = _ESTIMATORS[description["estimator"]](
        **{str(name): from_plain(value) for name, value in description["parameters"].items()}
    )
    encoder = restore_encoder(description["encoder"])
    network = _restored_network(description["network"], arrays)
    if description["format"] == 2:
        arrays = {name: array[None] for name, array in arrays.items()}
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
    model.members_ = _restored_members(network, arrays)
    model.n_features_in_, model.n_iter_ = learnt["n_features_in_"], learnt["n_iter_"]
    model.best_iteration_, model.interrupted_ = learnt["best_iteration_"], learnt["interrupted_"] is True
    model.loss_curve_, model.validation_scores_ = curve, scores
    if names is not None:
        model.feature_names_in_ = np.array(names, object)
    model.about_ = about
    model.validation_rows_ = None  # a file holds no rows, nor their numbers
    model._state = None
    model._fold_seed = 0
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
        errors = model.calibration_error_
        return learnt | {
            "classes_": model.classes_,
            "multilabel": model._multilabel,
            "temperature": model.temperature_,
            "calibration_error": None if errors is None else list(errors),
            "nonconformity": None
            if model.nonconformity_ is None
            else {method: scores.to_dict() for method, scores in model.nonconformity_.items()},
        }
    spreads = model.nonconformity_
    return learnt | {
        "scale": {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in model.scale_._asdict().items()
        },
        "matrix": model._matrix,
        "nonconformity": None if spreads is None else [spread.to_dict() for spread in spreads],
        "interval_coverage": [[level, *found] for level, found in model.interval_coverage_.items()],
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
        "embedding": next(
            (_embedding_to_list(layer) for layer in network.layers if isinstance(layer, Parallel)), None
        ),
    }


def _flat(layers: tuple[Layer, ...]) -> Iterator[Layer]:
    for layer in layers:
        if isinstance(layer, Residual):
            yield from _flat(layer.layers)
        else:
            yield layer


def _embedding_to_list(embedding: Parallel) -> list[dict[str, Any]]:
    return [
        {"columns": columns, "layers": [_layer_to_dict(layer) for layer in layers]}
        for columns, layers in embedding.parts
    ]


def _layer_to_dict(layer: Layer) -> dict[str, Any]:
    if type(layer) not in _LAYERS.values():
        raise ArgumentError(
            f"an embedding to save must be made of {', '.join(_LAYERS)}; got a {type(layer).__name__}."
        )
    said = {field.name: to_plain(field.name, getattr(layer, field.name)) for field in fields(layer)}
    return {"layer": type(layer).__name__, **said}


def _restored_embedding(described: list[dict[str, Any]]) -> list[tuple[int, list[Layer]]]:
    return [(part["columns"], [_restored_layer(**layer) for layer in part["layers"]]) for part in described]


def _restored_layer(layer: str, **said: Any) -> Layer:
    found = {name: _FINDERS.get(name, from_plain)(value) for name, value in said.items()}
    return _LAYERS[layer](**found)


def _restored_network(described: dict[str, Any], arrays: Arrays) -> Network:
    sizes, embedding = described["sizes"], described["embedding"]
    # Before anything of that size is made.
    _require(2 <= len(sizes) <= 1 + len(arrays), "the network does not fit the arrays")
    if embedding is not None:
        embedding = _restored_embedding(embedding)
        learns = sum(layer.learns for _, layers in embedding for layer in layers)
        _require(learns <= len(arrays), "the embedding does not fit the arrays")
    options = {str(name): value for name, value in described.items()}
    return Network(**{**options, "embedding": embedding})


def _restored_members(network: Network, arrays: Arrays) -> Parameters:
    expected = shapes(network)
    shape_of = {name: leaf.shape for name, leaf in named(expected)}
    _require(set(shape_of) == set(arrays), "the arrays are not those of the network")
    members = {array.shape[:1] for array in arrays.values()}
    _require(len(members) == 1 and members != {()} and members != {(0,)}, "the arrays differ in members")
    for name, shape in shape_of.items():
        own = arrays[name].shape[1:]
        _require(own == shape, f"{name} has shape {own}, the network's {shape}")
        _require(bool(np.isfinite(arrays[name]).all()), f"{name} is not finite")
    structure = jax.tree.structure(expected)
    restored: Parameters = jax.tree.unflatten(structure, [arrays[name] for name in shape_of])
    return restored


def _restore_classes(model: DeepClassifier, network: Network, learnt: dict[str, Any]) -> None:
    classes, multilabel = learnt["classes_"], learnt["multilabel"]
    _require(isinstance(classes, np.ndarray) and type(multilabel) is bool, "the classes are not an array")
    if multilabel or len(classes) > 2:
        fits = network.sizes[-1] == len(classes)
    else:
        fits = len(classes) == 2 and network.sizes[-1] in (1, 2)
    _require(fits, "the classes do not fit the network")
    model.classes_, model._multilabel = classes, multilabel
    temperature, errors, spread = (
        learnt[name] for name in ("temperature", "calibration_error", "nonconformity")
    )
    _require(type(temperature) is float and 0 < temperature < np.inf, "the temperature is not above 0")
    _require(errors is None or len(errors) == 2, "the calibration errors are not two")
    model.temperature_ = temperature
    model.calibration_error_ = None if errors is None else (float(errors[0]), float(errors[1]))
    _require(spread is None or set(spread) == set(SETS), "the sets are not of the known methods")
    model.nonconformity_ = spread and {method: Nonconformity.from_dict(spread[method]) for method in SETS}


def _restore_scale(model: DeepRegressor, network: Network, learnt: dict[str, Any]) -> None:
    said = learnt["scale"]
    offset, spread, factor = (tuple(map(float, said[name])) for name in ("offset", "scale", "factor"))
    fits = len(offset) == len(spread) == network.targets and len(factor) in (0, network.targets)
    _require(
        fits and bool(np.isfinite([*offset, *spread, *factor]).all()), "the scale does not fit the network"
    )
    model.scale_, model._matrix = Scale(offset, spread, said["log"] is True, factor), learnt["matrix"] is True
    spreads = learnt["nonconformity"]
    _require(spreads is None or len(spreads) == network.targets, "the intervals do not fit the network")
    model.nonconformity_ = None if spreads is None else tuple(map(_restored_spread, spreads))
    model.interval_coverage_ = {
        float(level): (list(map(float, shares)), list(map(float, widths)))
        for level, shares, widths in learnt["interval_coverage"]
    }


def _restored_spread(said: dict[str, Any]) -> Nonconformity | MondrianNonconformity:
    return MondrianNonconformity.from_dict(said) if "edges" in said else Nonconformity.from_dict(said)


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ValueError(otherwise)
