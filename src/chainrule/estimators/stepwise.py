"""An estimator whose training somebody else runs, epoch by epoch: how it begins, and what has come of it."""

from abc import abstractmethod
from collections.abc import Sequence
from copy import copy
from typing import Any, NamedTuple, Self

import jax
import numpy as np

from chainrule.estimators import recipes
from chainrule.estimators.options import found, refuse_wrong
from chainrule.estimators.rows import Given, Rows
from chainrule.estimators.training import Trained
from chainrule.network.network import Network
from chainrule.network.parameters import Parameters
from chainrule.training.folds import Folds


class Prepared(NamedTuple):
    """What there is before the first epoch."""

    network: Network
    rows: Rows
    """As the network sees them: those that are learnt from, then those that validate."""
    learnt: int
    """How many are learnt from."""
    seed: int
    """For :func:`chainrule.train`."""
    batch_size: int


class Stepwise(Trained):
    """Training with somebody else at the wheel."""

    validation_rows_: np.ndarray | None

    def prepare(self, X: Any, y: Any, X_val: Any = None, y_val: Any = None) -> Prepared:
        """Learn how to encode inputs and targets, and make the network; train nothing.

        A fitted estimator keeps its encoding and its network.

        :func:`chainrule.train` on what comes back, with this estimator's solver, takes the steps that ``fit``
        takes with ``n_members=1, early_stopping=False, learning_rate="constant"``.

        Parameters
        ----------
        X, y
            What is learnt from, as for ``fit``.
        X_val, y_val
            Rows that are only looked at.

        Raises
        ------
        TableError, ArgumentError
            As ``fit`` does.
        """
        refuse_wrong(self.get_params(deep=False))
        again = hasattr(self, "members_")
        _, rows = self._begun(X, y, None, again=again)
        learnt = len(rows.y)
        if X_val is not None:
            rows = rows.joined(self._rows(self._checked(X_val, y_val, None, reset=False)))
        optimizer = found("solver", recipes.optimizer, self.solver)
        batch = recipes.batch_size(learnt) if self.batch_size == "auto" else int(self.batch_size)
        batch = learnt if optimizer.full_batch else batch
        judge = None if X_val is None else np.arange(learnt, len(rows.y))
        self.folds_ = Folds.same(1, np.arange(learnt), judge)
        if not again:
            self.network_ = self._made_network(rows, optimizer, batch, learnt)
        return Prepared(self.network_, rows, learnt, self._seed(), batch)

    def at(
        self,
        parameters: Parameters,
        rows: Rows,
        losses: Sequence[float] = (),
        validation_losses: Sequence[float] = (),
    ) -> Self:
        """A fitted copy of a prepared estimator with these parameters of its network.

        Parameters
        ----------
        parameters
            Of one network, as ``epoch.parameters`` has them.
        rows
            Those of ``prepare``.
        losses, validation_losses
            Of each epoch so far. With the latter, the rows that validate say how sure the model may be
            (calibration, intervals); without, it is taken at its word.
        """
        model = copy(self)
        model.members_ = jax.tree.map(lambda leaf: np.asarray(leaf)[None], parameters)
        model.loss_curve_ = list(losses)
        model.validation_scores_ = [-loss for loss in validation_losses] or None
        model.n_iter_ = model.best_iteration_ = len(losses)
        model.interrupted_, model.validation_rows_, model._state = False, None, None
        model._learn_from(model._unseen_of(rows) if validation_losses else None, rows)
        return model

    @abstractmethod
    def _begun(
        self, X: Any, y: Any, sample_weight: Any, *, again: bool, classes: Any = None
    ) -> tuple[Given, Rows]:
        """Learn how to encode inputs and targets, unless that is known; the rows as given, and encoded."""

    @abstractmethod
    def _rows(self, kept: Given) -> Rows:
        """Rows that were checked, encoded."""

    @abstractmethod
    def _checked(self, X: Any, y: Any, sample_weight: Any, reset: bool) -> Given:
        """Rows that belong together, checked."""

    @abstractmethod
    def _seed(self) -> int:
        """What all random numbers come of."""
