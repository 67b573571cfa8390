"""What the floors below say, in the words of the command line."""

import ast
import re
import shlex

_SAME = ("activation", "checkpoints", "device", "dropout", "effort", "loss", "precision", "solver")
_OPTIONS = {
    "hidden_layer_sizes": "--hidden",
    "learning_rate_init": "--learning-rate",
    "learning_rate": "--schedule",
    "max_iter": "--epochs",
    "batch_size": "--batch-size",
    "weight_decay": "--weight-decay",
    "max_norm": "--max-norm",
    "scoring": "--metric",
    "n_members": "--members",
    "time_limit": "--time-limit",
    "class_weight": "--balanced",
    "target_transform": "--log",
    "random_state": "--seed",
    "categorical_features": "--categorical",
    "every": "--checkpoint-every",
} | {name: f"--{name}" for name in _SAME}
_AT_THE_BEGINNING = re.compile(
    r"^(\w+)(?:: (?:optimizer|the learning-rate schedule)(?= must be)|(?= must be|: ))"
)
_ANYWHERE = re.compile(r"(?<!['\w])\w+_\w+(?!['\w])")  # in quotes, it is the name of a column
_ONLY_IN_PYTHON = re.compile(
    r", or (?:'auto'|None|a numpy RandomState|a chainrule\.\w+)|(?<=must be )None, "
    r"|, a pair \([^)]*\)|, an optax transformation"
)
_TEXT = r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_MARKED = re.compile(rf"read_table\(…, missing=\[({_TEXT}(?:, {_TEXT})*)(, …)?\]\), or as None")


def option_of(name: str) -> str:
    """What an argument of an estimator is called on the command line; others keep their names."""
    return _OPTIONS.get(name, name)


def in_options(message: str) -> str:
    """What an estimator says of its arguments, in the words of the command line."""
    message = message.replace("X_val and y_val, or early_stopping=True", "--validation, or more rows")
    message = message.replace("by resume=True", "by --resume")
    begun = _AT_THE_BEGINNING.sub(lambda name: _OPTIONS.get(name[1], name[0]), message)
    return _ONLY_IN_PYTHON.sub("", _ANYWHERE.sub(lambda name: option_of(name[0]), begun))


def with_marks(message: str) -> str:
    """How to mark what means missing (see ``tables.notice.marked``) by options."""

    def options(found: re.Match[str]) -> str:
        texts = ast.literal_eval(f"[{found[1]}]")
        return " ".join(f"--missing {shlex.quote(text)}" for text in texts) + (" …" if found[2] else "")

    return _MARKED.sub(options, message)
