"""What a fit does with checkpoints: it takes up the last, and writes down all that the rest depends on."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeAlias, cast, final

import jax
import jax.numpy as jnp
import numpy as np

from chainrule.errors import ArgumentError
from chainrule.estimators.fingerprint import Fingerprint, difference
from chainrule.network.network import Network, shapes
from chainrule.training.checkpoints import Checkpoints
from chainrule.training.early_stopping import Patience
from chainrule.training.epoch import Program, State, begin
from chainrule.training.loop import Cycle, Epoch, Position
from chainrule.training.optimizers import Optimizer
from chainrule.training.schedules import SCHEDULES

if TYPE_CHECKING:
    from chainrule.estimators.training import Trained

Place: TypeAlias = str | os.PathLike[str] | Checkpoints
"""Where the user wants checkpoints."""


@final
class Safekeeping:
    """The checkpoints of one fit.

    Parameters
    ----------
    checkpoints
        Where they are.
    started
        When the fit began, by ``time.perf_counter()``.
    """

    def __init__(self, checkpoints: Checkpoints, started: float) -> None:
        self._checkpoints, self._found = checkpoints, checkpoints.found
        self.started = started - (0.0 if self._found is None else float(self._found.about["seconds"]))
        """When it would have begun, had it never been interrupted: a time limit counts from there."""
        self.state: State | None = None
        """What training goes on from, with ``position``; None where it begins."""
        self.position: Position | None = None
        self._noted: dict[str, Any] = {}

    def seed(self, drawn: int) -> int:
        """That of the training that is taken up: only a number as random_state draws the same again."""
        self._noted["seed"] = drawn if self._found is None else int(self._found.about["seed"])
        return self._noted["seed"]

    def take_up(self, this: Fingerprint, network: Network, optimizer: Optimizer, members: int) -> None:
        """Find where to go on from.

        Raises
        ------
        ArgumentError
            If the checkpoint is of another training, with what differs.
        """
        machine = f"JAX {jax.__version__} on {jax.default_backend()}"
        self._noted |= {"fingerprint": this, "machine": machine}
        like = _like(network, optimizer, members)
        if any(jnp.issubdtype(leaf.dtype, jax.dtypes.extended) for leaf in jax.tree.leaves(like)):
            raise ArgumentError(
                "solver must keep plain numbers where checkpoints are written; got one that keeps others. "
                "Choose another, such as 'adam', or leave checkpoints out."
            )
        if self._found is None:
            return
        differs = difference(self._found.about["fingerprint"], this)
        arrays = self._found.arrays
        shaped = {name: (leaf.shape, _stored(leaf.dtype)) for name, leaf in _named(like)}
        if not differs and shaped != {name: (array.shape, array.dtype) for name, array in arrays.items()}:
            differs = "the network or the solver's memory has another shape"
        if differs:
            raise ArgumentError(
                f"checkpoints must be of the same training to go on from; of those in "
                f"{str(self._checkpoints.folder)!r}, {differs}. Give all as before, or empty the folder to "
                "begin again."
            )
        before = self._found.about["machine"]
        if before != machine:
            self._checkpoints.tell(
                f"the checkpoint was written by {before}, and this is {machine}: the rest of the training "
                "may differ in its last bits."
            )
        leaves = [jnp.asarray(arrays[name].view(leaf.dtype)) for name, leaf in _named(like)]
        self.state = jax.tree.unflatten(jax.tree.structure(like), leaves)
        self.position = _position_of(self._found.about["position"])

    def give_back(self, model: "Trained") -> State | None:
        """What the model knew of its epochs; the state it had, or None where training begins."""
        if self._found is not None:
            about, scores = self._found.about, self._found.about["validation_scores"]
            model.loss_curve_ = [*about["loss_curve"]]
            model.validation_scores_ = None if scores is None else [*scores]
            model.n_iter_, model.best_iteration_ = self._found.epochs, about["best_iteration"]
            if about["scale"] is not None:
                model.scale_ = model.scale_._replace(scale=tuple(about["scale"]))
        return self.state

    def after(self, epoch: Epoch, model: "Trained", *, now: bool) -> None:
        """Write a checkpoint if it is time for one, or ``now``, and be sure then that it is there."""
        if not (now or self._checkpoints.due()):
            return
        scale = getattr(model, "scale_", None)
        about = {
            **self._noted,
            "position": epoch.position,
            "seconds": perf_counter() - self.started,
            "loss_curve": [*model.loss_curve_],
            "validation_scores": None if model.validation_scores_ is None else [*model.validation_scores_],
            "best_iteration": model.best_iteration_,
            "scale": None if scale is None else list(scale.scale),
        }
        state = _named(jax.device_get(epoch.state))
        arrays = {name: np.asarray(leaf).view(_stored(leaf.dtype)) for name, leaf in state}
        self._checkpoints.write(epoch.number, about, arrays)
        if now:
            self._checkpoints.settle()


@contextmanager
def kept_safe(
    place: Place | None, resume: bool, started: float, model: "Trained"
) -> Iterator[Safekeeping | None]:
    """The checkpoints that ``fit`` is asked for; those in a folder that it was told of end with it."""
    if place is None:
        if resume:
            raise ArgumentError("resume must come with checkpoints, a folder; got no folder.")
        yield None
        return
    own = not isinstance(place, Checkpoints)
    if not own and resume:
        raise ArgumentError("resume must be said to Checkpoints where fit is given one; fit got it too.")
    checkpoints = Checkpoints(cast(Any, place), resume=resume) if own else cast(Checkpoints, place)
    if own and resume and checkpoints.found is None:
        warnings.warn(
            f"there is no checkpoint in {str(place)!r} to go on from; training begins from its start.",
            UserWarning,
            stacklevel=4,
        )
    try:
        yield Safekeeping(checkpoints, started)
    finally:
        checkpoints.close()
    if own and not model.interrupted_:
        checkpoints.remove()


def _like(network: Network, optimizer: Optimizer, members: int) -> State:
    """A state of such a training, with shapes and types in place of numbers."""
    one = shapes(network)
    public = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct((members, *leaf.shape), leaf.dtype), one)
    program = Program(network, optimizer, SCHEDULES["constant"], None, 1, members)
    found: State = jax.eval_shape(partial(begin, program), public)
    return found


def _named(state: State) -> list[tuple[str, Any]]:
    leaves, _ = jax.tree_util.tree_flatten_with_path(state)
    return [(jax.tree_util.keystr(path), leaf) for path, leaf in leaves]


def _stored(dtype: np.dtype) -> np.dtype:
    """Numbers that NumPy does not know itself, such as bfloat16, are stored as the bits that they are."""
    return dtype if dtype.isbuiltin == 1 else np.dtype(f"u{dtype.itemsize}")


def _position_of(plain: list[Any]) -> Position:
    number, cycle, patience, fastest = plain
    return Position(number, Cycle(*cycle), Patience(*patience), fastest)
