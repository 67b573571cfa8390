"""What both estimators share of training: a network, its epochs, and the best of them."""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from sklearn.base import BaseEstimator, is_regressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import check_scoring

from chainrule.errors import ArgumentError, DivergedError
from chainrule.estimators import kinds, recipes
from chainrule.estimators.fingerprint import fingerprint, of_rows
from chainrule.estimators.input_columns import embedding_of
from chainrule.estimators.mlp_attributes import MlpAttributes
from chainrule.estimators.options import found
from chainrule.estimators.rows import Rows
from chainrule.estimators.safekeeping import Safekeeping
from chainrule.mathematics.averaging import mean_raw
from chainrule.mathematics.loss import Loss
from chainrule.network.network import Network, shapes
from chainrule.network.parameters import Parameters
from chainrule.network.prediction import outputs_of_each
from chainrule.tables.encoders import TableEncoder
from chainrule.training import interrupt, progress
from chainrule.training.early_stopping import Patience
from chainrule.training.epoch import State, restored
from chainrule.training.folds import Folds
from chainrule.training.loop import Epoch, initial, train_members
from chainrule.training.optimizers import Optimizer
from chainrule.training.schedules import SCHEDULES, Schedule, find_schedule
from chainrule.training.spread import any_of


class Plan(NamedTuple):
    """How rows are learnt from."""

    optimizer: Optimizer
    schedule: Schedule
    batch_size: int
    epochs: int
    steps: dict[str, Any]
    """How long a step is: learning_rate, rates and weight_decay."""
    max_norm: float | None
    tol: float
    shuffle: bool
    precision: str

    @property
    def options(self) -> dict[str, Any]:
        """As ``train`` takes them."""
        told = self._asdict()
        del told["epochs"]
        return told.pop("steps") | told


class Trained(MlpAttributes, BaseEstimator, ABC):
    """An estimator with a network: what its options say of the training, and what training leaves behind."""

    encoder_: TableEncoder
    best_iteration_: int
    n_iter_: int
    interrupted_: bool
    _state: tuple[Optimizer, State] | None
    folds_: Folds

    hidden_layer_sizes: Any
    activation: Any
    loss: Any
    solver: Any
    learning_rate: Any
    learning_rate_init: Any
    batch_size: Any
    max_iter: Any
    alpha: float
    l1: float
    weight_decay: Any
    max_norm: float | None
    dropout: Any
    layer_norm: bool
    residual: bool
    numeric_embedding: str | None
    scoring: Any
    effort: str
    n_members: Any
    time_limit: float | None
    early_stopping: Any
    n_iter_no_change: Any
    tol: float
    shuffle: bool
    warm_start: bool
    device: str | None
    precision: str
    verbose: bool

    def _train(
        self,
        rows: Rows,
        folds: Folds,
        seed: int,
        *,
        again: bool,
        started: float,
        one_epoch: bool = False,
        safe: Safekeeping | None = None,
    ) -> None:
        learnt = max(map(len, folds.learn))
        plan = self._plan(learnt, one_epoch)
        optimizer, batch = plan.optimizer, plan.batch_size
        epochs = 1 if one_epoch else plan.epochs
        judged = bool(folds.judge)
        network = self._made_network(rows, optimizer, batch, learnt)
        wished = self.scoring not in (None, "loss")
        scored = judged and wished
        twins = (
            judged
            and not (again or scored)
            and plan.steps["rates"] == "by_kind"
            and kinds.has_bins(network)
            and recipes.both_kinds(self.n_members, self.effort, folds.members, learnt)
        )
        first_seed = (seed + (self.n_iter_ if again else 0)) % 2**32
        parameters = state = None
        if again:
            if self.n_members == "auto" and self.n_members_ == 2 * folds.members:
                folds = folds.twice()
            self._refuse_another(network, folds)
            parameters, state = self.members_, self._taken_up(rows, folds, optimizer)
            self.loss_curve_ = [*self.loss_curve_]
            if judged:
                self.validation_scores_ = [*(self.validation_scores_ or [])]
        else:
            self.loss_curve_ = []
            self.validation_scores_ = [] if judged else None
            self.n_iter_ = 0
        if twins:
            begun = initial(network, first_seed, folds.members, rows.x, folds)
            folds, parameters = folds.twice(), kinds.with_smooth_twins(network, begun)
        if safe is not None:
            this = fingerprint(self, self.encoder_, of_rows(rows, folds))
            safe.take_up(this, network, optimizer, folds.members)
            state = safe.state
        patience = recipes.patience(self.n_iter_no_change, plan.schedule)
        stops = judged and self.early_stopping is not False and not one_epoch
        run = train_members(
            network,
            rows.x,
            rows.y,
            folds,
            weight=rows.weight,
            parameters=parameters,
            state=state,
            deadline=self._deadline(started, safe),
            position=None if safe is None else safe.position,
            **plan.options,
            epochs=epochs,
            patience=patience if stops and not scored else None,
            cycles=recipes.cycles(epochs, learnt, batch)
            if stops and not scored and self.max_iter == "auto"
            else 1,
            seed=first_seed,
        )
        before = getattr(self, "members_", None)
        self.network_, self.folds_ = network, folds
        if scored:
            known = None if safe is None else safe.state
            run = self._scored(run, rows, patience if stops else None, again=again, begun=known)
        elif wished and not one_epoch:
            run = self._tried(run, rows)
        kept = self._follow(run, again=again, one_epoch=one_epoch, safe=safe)
        best = restored(network, kept.best) if kept is not None else before
        self.members_ = jax.tree.map(np.asarray, best)
        if kept is not None:
            self._state = (optimizer, kept) if self.warm_start or one_epoch else None
        if twins and kept is not None:
            self._keep(kinds.better(np.asarray(kept.best_loss)))

    def _deadline(self, started: float, safe: Safekeeping | None) -> float | None:
        """When to be done; what a training that was interrupted had taken before counts too."""
        begun = started if safe is None else safe.started
        return None if self.time_limit is None else begun + float(self.time_limit)

    def _plan(self, learnt: int, one_epoch: bool = False) -> "Plan":
        """How so many rows are learnt from, where the user leaves it open as the recipe says."""
        optimizer = found("solver", recipes.optimizer, self.solver)
        schedule = found("learning_rate", find_schedule, self.learning_rate)
        if one_epoch or optimizer.full_batch or optimizer.own_rate:
            schedule = SCHEDULES["constant"]
        batch = recipes.batch_size(learnt) if self.batch_size == "auto" else int(self.batch_size)
        batch = learnt if optimizer.full_batch else batch
        recipe = self._recipe()
        planned = recipes.epochs(recipe, learnt, batch, self.effort)
        epochs = planned if self.max_iter == "auto" else int(self.max_iter)
        steps = recipes.steps(
            recipe, self.solver, optimizer, schedule, self.learning_rate_init, self.weight_decay
        )
        norm = None if self.max_norm is None else float(self.max_norm)
        return Plan(
            optimizer, schedule, batch, epochs, steps, norm, self.tol, bool(self.shuffle), self.precision
        )

    def _keep(self, members: slice) -> None:
        """Forget the other members."""
        self.folds_ = self.folds_.taken(members)
        self.members_ = jax.tree.map(lambda leaf: leaf[members], self.members_)
        if self._state is not None:
            optimizer, state = self._state
            self._state = optimizer, jax.tree.map(lambda leaf: leaf[members], state)

    def _unseen_of(self, rows: Rows) -> Rows | None:
        """The rows that judged, with what the members say of them that did not learn from them."""
        if not self.folds_.judge:
            return None
        unseen = rows.take(self.folds_.judged)
        return unseen._replace(raw=self._raw_unseen(unseen.x, np.arange(len(unseen.x))))

    def _raw_unseen(self, x: np.ndarray, places: np.ndarray) -> np.ndarray:
        """ŷ of encoded rows that stand for some of those that judged, by the members that they judge."""
        each = outputs_of_each(self.network_, self.members_, x)
        asked = each[self.folds_.judges[:, places], np.arange(len(places))]
        return np.asarray(mean_raw(self.network_.loss.link, jnp.asarray(asked)))

    def _scored(
        self,
        run: Iterator[Epoch],
        rows: Rows,
        no_change: int | None,
        *,
        again: bool,
        begun: State | None = None,
    ) -> Iterator[Epoch]:
        """The epochs as the user's own score sees them: it says which is the best, and when to end.

        ``begun`` is the state of a training that is taken up, whose scores so far are known.
        """
        score = check_scoring(self, scoring=self.scoring)

        def measured(parameters: Parameters) -> float:
            self.members_ = jax.tree.map(np.asarray, parameters)
            held_out = self._unseen_of(rows)
            assert held_out is not None
            self._learn_from(held_out, held_out)
            return self._score_by(score, held_out)

        best: Parameters = ()
        reached = -np.inf
        if again:
            best, reached = restored(self.network_, self.members_), measured(self.members_)
        patience = Patience(no_change, self.tol)
        if begun is not None:
            for now in self.validation_scores_ or []:
                reached = now if not best or now >= reached else reached
                best, patience = begun.best, patience.after(-now)
        while not patience.exhausted:
            epoch = next(run, None)
            if epoch is None:
                return
            if epoch.diverged:
                yield epoch
                return
            now = measured(epoch.parameters)
            improved = not best or now >= reached
            if improved:
                best, reached = epoch.state.parameters, now
            yield epoch._replace(
                validation_loss=-now, improved=improved, state=epoch.state._replace(best=best)
            )
            patience = patience.after(-now)

    def _tried(self, run: Iterator[Epoch], rows: Rows) -> Iterator[Epoch]:
        """The epochs as they are, where no rows validate: the user's own score is but tried."""
        score = check_scoring(self, scoring=self.scoring)
        for epoch in run:
            if epoch.number == 1 and not epoch.diverged:
                self.members_ = jax.tree.map(np.asarray, epoch.parameters)
                self._learn_from(None, rows)
                with warnings.catch_warnings(action="ignore"):  # of what the first epoch does not know yet
                    self._score_by(score, rows)
                warnings.warn(
                    f"scoring must be judged by rows that validate; there are none, so that {self.scoring!r} "
                    "chooses nothing. Give X_val and y_val, or early_stopping=True.",
                    UserWarning,
                    stacklevel=6,
                )
            yield epoch

    def _score_by(self, score: Callable[..., Any], rows: Rows) -> float:
        try:
            return float(score(self, rows, rows.truth, **self._weight_of_score(rows)))
        except (AttributeError, TypeError, ValueError) as error:
            said = " ".join(str(error).split()).rstrip(".")
            raise ArgumentError(
                f"scoring must be a score that this model can have; {self.scoring!r} says: {said}. "
                f"{self._scores_there_are()}"
            ) from error

    def _follow(
        self, run: Iterator[Epoch], *, again: bool, one_epoch: bool, safe: Safekeeping | None = None
    ) -> State | None:
        """Watch the epochs go by; return the state after the last good one, None if there is none."""
        stopped, done = False, self.n_iter_
        kept = None if safe is None else safe.give_back(self)
        with interrupt.noticed() as interrupted, interrupt.postponed(safe is not None) as terminated:
            for epoch in progress.shown(run, bool(self.verbose)):
                if epoch.diverged:
                    self._tell_divergence(epoch.number, kept is not None or again, 6 if one_epoch else 5)
                    break
                self.loss_curve_.append(epoch.loss)
                if self.validation_scores_ is not None and epoch.validation_loss is not None:
                    self.validation_scores_.append(-epoch.validation_loss)
                self.n_iter_ += 1
                kept = epoch.state
                if epoch.improved:
                    self.best_iteration_ = done + epoch.number
                stopped = any_of(epoch.program.spread, interrupted())
                ends = stopped or terminated()
                if safe is not None:
                    safe.after(epoch, self, now=ends)
                if ends:
                    break
            self.interrupted_ = stopped or interrupted()
        return kept

    def _refuse_another(self, network: Network, folds: Folds) -> None:
        """Refuse to go on with networks that cannot take the parameters, or that learn something else."""
        if network.loss != self.network_.loss or shapes(network) != shapes(self.network_):
            raise ArgumentError(
                "loss, hidden_layer_sizes and layer_norm must stay as they were where learning goes on "
                "(warm_start, partial_fit); got others. Fit a clone of this estimator."
            )
        if folds.members != self.n_members_:
            raise ArgumentError(
                f"there must be as many members as before where learning goes on, {self.n_members_}; got "
                f"{folds.members}. Set n_members, or fit a clone of this estimator."
            )

    def _taken_up(self, rows: Rows, folds: Folds, optimizer: Optimizer) -> State | None:
        """Where the last training ended; the best epochs count by their loss on the rows that judge now.

        Another optimizer begins with an empty memory.
        """
        if self._state is None or self._state[0] != optimizer:
            return None
        state = self._state[1]
        if not folds.judge:
            return state
        losses = []
        for k, judge in enumerate(folds.judge):
            own, asked = jax.tree.map(lambda leaf, k=k: leaf[k], self.members_), rows.take(judge)
            losses.append(self.network_.evaluate(own, asked.x, asked.y, asked.weight))
        return state._replace(best_loss=jnp.stack(losses))

    def _made_network(self, rows: Rows, optimizer: Optimizer, batch: int, learnt: int) -> Network:
        loss = self._found_loss()
        return Network(
            (rows.x.shape[1], *self._hidden(), self._outputs(loss, rows.y.shape[1])),
            self.activation,
            loss,
            dropout=recipes.dropout(self.dropout, self._recipe(), optimizer, self._hidden()),
            layer_norm=bool(self.layer_norm),
            residual=bool(self.residual),
            l1=float(self.l1),
            l2=recipes.l2(
                self.alpha, batch, learnt, 1.0 if rows.weight is None else float(rows.weight.mean())
            ),
            label_smoothing=float(getattr(self, "label_smoothing", 0.0)),
            embedding=embedding_of(self.encoder_, self._embeds(len(self.encoder_.columns))),
        )

    def _tell_divergence(self, number: int, something_kept: bool, stacklevel: int) -> None:
        advice = (
            "Lower learning_rate_init, set max_norm (such as 1.0), or look for enormous values in the table."
        )
        if not something_kept:
            raise DivergedError(f"the loss must stay finite; it was not in the first epoch. {advice}")
        warnings.warn(
            f"The loss was not finite in epoch {number}; the best parameters before it are kept. {advice}",
            ConvergenceWarning,
            stacklevel=stacklevel,
        )

    def _weight_of_score(self, rows: Rows) -> dict[str, np.ndarray]:
        return {} if rows.counts is None else {"sample_weight": rows.counts}

    def _embeds(self, columns: int) -> str | None:
        return recipes.numeric_embedding(self.numeric_embedding, len(self._hidden()), columns)

    def _recipe(self) -> recipes.Recipe:
        return recipes.REGRESSION if is_regressor(self) else recipes.CLASSIFICATION

    def _hidden(self) -> tuple[int, ...]:
        sizes = self.hidden_layer_sizes
        return tuple(map(int, sizes if isinstance(sizes, Iterable) else (sizes,)))

    @abstractmethod
    def _found_loss(self) -> Loss:
        """The loss, chosen by the target where the user leaves it open."""

    @abstractmethod
    def _outputs(self, loss: Loss, targets: int) -> int:
        """How many outputs the network has."""

    @abstractmethod
    def _scores_there_are(self) -> str:
        """Scores that the model can have, in a sentence."""

    @abstractmethod
    def _learn_from(self, unseen: Rows | None, training: Rows) -> None:
        """Learn from rows that the network did not see how far its answers can be trusted."""
