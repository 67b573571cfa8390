"""Deep learning for tables, with nothing hidden.

Public names load on first use, so that ``import chainrule`` is quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chainrule.errors import (
        ArgumentError,
        ChainruleError,
        DerivativeError,
        DivergedError,
        FileError,
        FormulaError,
        ModelFileError,
        TableError,
    )
    from chainrule.estimators.classifier import DeepClassifier
    from chainrule.estimators.regressor import DeepRegressor
    from chainrule.explain.derivation import Derivation, derive
    from chainrule.explain.directional import directional
    from chainrule.explain.of_model import derive_model
    from chainrule.files.model_file import load, save
    from chainrule.mathematics.activation import Activation
    from chainrule.mathematics.activations import ACTIVATIONS
    from chainrule.mathematics.initializers import INITIALIZERS, Initializer
    from chainrule.mathematics.loss import Loss
    from chainrule.mathematics.losses import LOSSES, focal, huber, quantile, softmax_focal, tweedie
    from chainrule.network.embedding_layers import Lookup, Periodic, PiecewiseLinear, Rescale
    from chainrule.network.network import Network
    from chainrule.tables.reading import read_table, write_table
    from chainrule.tables.stream import Stream, open_stream
    from chainrule.training.checkpoints import Checkpoints
    from chainrule.training.loop import Epoch, train
    from chainrule.training.optimizers import OPTIMIZERS, Optimizer, adam, sgd
    from chainrule.training.schedules import SCHEDULES

__version__ = "0.1.0"

_HOMES = {
    "chainrule.errors": (
        "ArgumentError",
        "ChainruleError",
        "DerivativeError",
        "DivergedError",
        "FileError",
        "FormulaError",
        "ModelFileError",
        "TableError",
    ),
    "chainrule.estimators.classifier": ("DeepClassifier",),
    "chainrule.estimators.regressor": ("DeepRegressor",),
    "chainrule.explain.derivation": ("Derivation", "derive"),
    "chainrule.explain.directional": ("directional",),
    "chainrule.explain.of_model": ("derive_model",),
    "chainrule.files.model_file": ("load", "save"),
    "chainrule.mathematics.activation": ("Activation",),
    "chainrule.mathematics.activations": ("ACTIVATIONS",),
    "chainrule.mathematics.initializers": ("INITIALIZERS", "Initializer"),
    "chainrule.mathematics.loss": ("Loss",),
    "chainrule.mathematics.losses": ("LOSSES", "focal", "huber", "quantile", "softmax_focal", "tweedie"),
    "chainrule.network.embedding_layers": ("Lookup", "Periodic", "PiecewiseLinear", "Rescale"),
    "chainrule.network.network": ("Network",),
    "chainrule.tables.reading": ("read_table", "write_table"),
    "chainrule.tables.stream": ("Stream", "open_stream"),
    "chainrule.training.checkpoints": ("Checkpoints",),
    "chainrule.training.loop": ("Epoch", "train"),
    "chainrule.training.optimizers": ("OPTIMIZERS", "Optimizer", "adam", "sgd"),
    "chainrule.training.schedules": ("SCHEDULES",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "ACTIVATIONS",
    "INITIALIZERS",
    "LOSSES",
    "OPTIMIZERS",
    "SCHEDULES",
    "Activation",
    "ArgumentError",
    "ChainruleError",
    "Checkpoints",
    "DeepClassifier",
    "DeepRegressor",
    "Derivation",
    "DerivativeError",
    "DivergedError",
    "Epoch",
    "FileError",
    "FormulaError",
    "Initializer",
    "Lookup",
    "Loss",
    "ModelFileError",
    "Network",
    "Optimizer",
    "Periodic",
    "PiecewiseLinear",
    "Rescale",
    "Stream",
    "TableError",
    "adam",
    "derive",
    "derive_model",
    "directional",
    "focal",
    "huber",
    "load",
    "open_stream",
    "quantile",
    "read_table",
    "save",
    "sgd",
    "softmax_focal",
    "train",
    "tweedie",
    "write_table",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'chainrule' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
