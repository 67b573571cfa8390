"""What both estimators share: from a table to a trained network."""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from math import inf
from typing import Any, Self, cast

import jax
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import check_scoring
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from chainrule.errors import ArgumentError, DivergedError, TableError
from chainrule.estimators import recipes
from chainrule.estimators.input_columns import categorical_positions, embedding_of
from chainrule.estimators.mlp_attributes import MlpAttributes
from chainrule.estimators.options import found, refuse_wrong
from chainrule.estimators.rows import Given, Rows, given
from chainrule.mathematics.loss import Loss
from chainrule.network.network import Network, shapes
from chainrule.network.parameters import Parameters
from chainrule.network.prediction import raw_output
from chainrule.tables.encoders import TableEncoder, encode, fit_encoder
from chainrule.tables.numeric_columns import Scaling
from chainrule.tables.splits import validation_split
from chainrule.training import interrupt, progress
from chainrule.training.early_stopping import Patience
from chainrule.training.epoch import State, restored
from chainrule.training.loop import Epoch, train
from chainrule.training.optimizers import Optimizer, find_optimizer
from chainrule.training.schedules import SCHEDULES, find_schedule


class DeepEstimator(MlpAttributes, BaseEstimator, ABC):
    """The part of DeepRegressor and DeepClassifier that does not depend on what the target is."""

    encoder_: TableEncoder
    validation_rows_: np.ndarray | None
    best_iteration_: int
    n_iter_: int
    _state: tuple[Optimizer, State] | None

    def __init__(
        self,
        *,
        hidden_layer_sizes: Any,
        activation: Any,
        loss: Any,
        solver: Any,
        learning_rate: Any,
        learning_rate_init: Any,
        batch_size: Any,
        max_iter: Any,
        alpha: float,
        l1: float,
        weight_decay: Any,
        max_norm: float | None,
        dropout: float,
        layer_norm: bool,
        residual: bool,
        categorical_features: Any,
        scaling: str,
        numeric_embedding: str | None,
        scoring: Any,
        early_stopping: Any,
        validation_fraction: float,
        n_iter_no_change: int,
        tol: float,
        shuffle: bool,
        warm_start: bool,
        random_state: Any,
        verbose: bool,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.loss = loss
        self.solver = solver
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.alpha = alpha
        self.l1 = l1
        self.weight_decay = weight_decay
        self.max_norm = max_norm
        self.dropout = dropout
        self.layer_norm = layer_norm
        self.residual = residual
        self.categorical_features = categorical_features
        self.scaling = scaling
        self.numeric_embedding = numeric_embedding
        self.scoring = scoring
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.shuffle = shuffle
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
        groups: Any = None,
        time: Any = None,
    ) -> Self:
        """Learn from a table.

        Parameters
        ----------
        X
            An array, a sparse matrix or a frame (pandas, polars, pyarrow) of shape (rows, columns).
            Numbers, texts and dates may be missing; in frames, texts are categories or dates.
        y
            Targets of shape (rows,) or (rows, targets).
        sample_weight
            What each row counts, ≥ 0; a row of weight 0 is left out.
        X_val, y_val, sample_weight_val
            Rows of one's own to choose the best epoch by.
        groups
            A label for each row: the rows of a group are all kept back to validate, or none is.
        time
            A value for each row, such as a date: the latest rows are kept back to validate.

        Raises
        ------
        TableError, ArgumentError
            For data or options that cannot be used, with what to do.
        DivergedError
            When there is no finite loss from the first epoch on.
        """
        with _unchanged_if_it_fails(self):
            refuse_wrong(self.get_params(deep=False))
            again = self.warm_start and hasattr(self, "parameters_")
            kept, rows = self._begun(X, y, sample_weight, again=again)
            seed = self._seed()
            held_out, training = None, rows
            if self._brings_its_own(X_val, y_val, sample_weight_val, groups, time):
                held_out = self._rows(self._checked(X_val, y_val, sample_weight_val, reset=False))
                self.validation_rows_ = None
            elif groups is not None or time is not None or self._keeps_back(len(kept.y)):
                learnt, unseen = validation_split(
                    kept.y,
                    self.validation_fraction,
                    seed,
                    stratify=self._stratifies(kept.y),
                    groups=kept.of(groups, "groups"),
                    time=kept.of(time, "time"),
                )
                training, held_out = rows.take(learnt), rows.take(unseen)
                self.validation_rows_ = unseen if kept.kept is None else kept.kept[unseen]
            else:
                self.validation_rows_ = None
            self._train(training, held_out, seed, again=again)
            self._learn_from(held_out, training)
        return self

    def _brings_its_own(self, X_val: Any, y_val: Any, weight: Any, groups: Any, time: Any) -> bool:
        if (X_val is None) != (y_val is None) or (X_val is None and weight is not None):
            raise ArgumentError("X_val and y_val must come together; got one of them.")
        if X_val is not None and not (groups is time is None):
            raise ArgumentError(
                "X_val must be left out where groups or time say which rows validate; got both."
            )
        if self.early_stopping is False and not (groups is time is None):
            raise ArgumentError(
                "early_stopping must not be False where groups or time say which rows validate; got both."
            )
        return X_val is not None

    def _partial_fit(self, X: Any, y: Any, sample_weight: Any, classes: Any = None) -> Self:
        with _unchanged_if_it_fails(self):
            refuse_wrong(self.get_params(deep=False))
            if self.early_stopping is True:
                raise ArgumentError(
                    "early_stopping must be False or 'auto' for partial_fit, which keeps no rows back "
                    "(partial_fit does not support early_stopping=True); got True."
                )
            again = hasattr(self, "parameters_")
            _, rows = self._begun(X, y, sample_weight, again=again, classes=classes)
            self.validation_rows_ = None
            self._train(rows, None, self._seed(), again=again, one_epoch=True)
            self._learn_from(None, rows)
        return self

    def _begun(
        self, X: Any, y: Any, sample_weight: Any, *, again: bool, classes: Any = None
    ) -> tuple[Given, Rows]:
        """Learn how to encode inputs and targets, unless that is known; the rows as given, and encoded."""
        kept = self._checked(X, y, sample_weight, reset=not again)
        if not again:
            self.encoder_ = fit_encoder(
                kept.X,
                sample_weight=kept.weight,
                categorical=categorical_positions(self.categorical_features, kept.X),
                scaling=cast(Scaling, self.scaling),
                bins=recipes.BINS if self._embeds(kept.X) == "piecewise_linear" else 0,
            )
            self._begin_targets(kept.y, kept.weight, classes)
        return kept, self._rows(kept)

    def _rows(self, kept: Given) -> Rows:
        weight = self._weighted(kept.y, kept.weight)
        return Rows(encode(self.encoder_, kept.X), self._learned(kept.y), weight, kept.y, kept.weight)

    def _train(
        self, rows: Rows, held_out: Rows | None, seed: int, *, again: bool, one_epoch: bool = False
    ) -> None:
        optimizer = found("solver", find_optimizer, self.solver)
        schedule = found("learning_rate", find_schedule, self.learning_rate)
        if one_epoch or optimizer.full_batch or optimizer.own_rate:
            schedule = SCHEDULES["constant"]
        batch = recipes.batch_size(len(rows.x)) if self.batch_size == "auto" else int(self.batch_size)
        batch = len(rows.x) if optimizer.full_batch else batch
        wished = recipes.epochs(len(rows.x), batch) if self.max_iter == "auto" else int(self.max_iter)
        epochs = 1 if one_epoch else wished
        if again:
            network = self._made_network(rows, batch)
            self._refuse_another(network)
            state = self._taken_up(held_out, optimizer)
            self.loss_curve_ = [*self.loss_curve_]
            if held_out:
                self.validation_scores_ = [*(self.validation_scores_ or [])]
        else:
            network, state = self._made_network(rows, batch), None
            self.loss_curve_ = []
            self.validation_scores_ = [] if held_out else None
            self.n_iter_ = 0
        stops = held_out is not None and self.early_stopping is not False and not one_epoch
        scored = held_out is not None and self.scoring not in (None, "loss")
        run = train(
            network,
            rows.x,
            rows.y,
            weight=rows.weight,
            validation=(held_out.x, held_out.y, held_out.weight) if held_out else None,
            parameters=self.parameters_ if again else None,
            state=state,
            optimizer=optimizer,
            learning_rate=recipes.learning_rate(self.learning_rate_init, optimizer, schedule),
            schedule=schedule,
            weight_decay=None if self.weight_decay == "auto" else self.weight_decay,
            max_norm=None if self.max_norm is None else float(self.max_norm),
            batch_size=batch,
            epochs=epochs,
            patience=self.n_iter_no_change if stops and not scored and self.n_iter_no_change < inf else None,
            tol=self.tol,
            shuffle=bool(self.shuffle),
            seed=(seed + self.n_iter_) % 2**32,
        )
        before = getattr(self, "parameters_", None)
        self.network_ = network
        if scored and held_out is not None:
            run = self._scored(run, held_out, again=again)
        kept = self._follow(run, epochs, again=again, one_epoch=one_epoch)
        best = kept.best_parameters if kept is not None else before
        self.parameters_ = jax.tree.map(np.asarray, best)
        if kept is not None:
            self._state = (optimizer, kept.state) if self.warm_start or one_epoch else None

    def _scored(self, run: Iterator[Epoch], held_out: Rows, *, again: bool) -> Iterator[Epoch]:
        """The epochs as the user's own score sees them: it says which is the best, and when to end."""
        score = check_scoring(self, scoring=self.scoring)

        def measured(parameters: Parameters) -> float:
            self.parameters_ = jax.tree.map(np.asarray, parameters)
            self._learn_from(held_out, held_out)
            return float(score(self, held_out, held_out.truth, **self._weight_of_score(held_out)))

        best: Parameters = ()
        reached = -np.inf
        if again:
            best, reached = restored(self.network_, self.parameters_), measured(self.parameters_)
        patience = Patience(self.n_iter_no_change if self.early_stopping is not False else None, self.tol)
        for epoch in run:
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
            if patience.exhausted:
                return

    def _follow(self, run: Iterator[Epoch], epochs: int, *, again: bool, one_epoch: bool) -> Epoch | None:
        """Watch the epochs go by; return the last good one, None if there is none."""
        kept = None
        done = self.n_iter_
        with interrupt.noticed() as interrupted:
            for epoch in progress.shown(run, epochs, bool(self.verbose)):
                if epoch.diverged:
                    self._tell_divergence(epoch.number, kept is not None or again, 6 if one_epoch else 5)
                    break
                self.loss_curve_.append(epoch.loss)
                if self.validation_scores_ is not None and epoch.validation_loss is not None:
                    self.validation_scores_.append(-epoch.validation_loss)
                self.n_iter_ += 1
                kept = epoch
                if epoch.improved:
                    self.best_iteration_ = done + epoch.number
                if interrupted():
                    break
            self.interrupted_ = interrupted()
        return kept

    def _refuse_another(self, network: Network) -> None:
        """Refuse to go on with a network that cannot take the parameters, or that learns something else."""
        if network.loss != self.network_.loss or shapes(network) != shapes(self.network_):
            raise ArgumentError(
                "loss, hidden_layer_sizes and layer_norm must stay as they were where learning goes on "
                "(warm_start, partial_fit); got others. Fit a clone of this estimator."
            )

    def _taken_up(self, held_out: Rows | None, optimizer: Optimizer) -> State | None:
        """Where the last training ended; its best epoch counts by its loss on the rows that validate now.

        Another optimizer begins with an empty memory.
        """
        if self._state is None or self._state[0] != optimizer:
            return None
        state = self._state[1]
        if held_out is None:
            return state
        loss = self.network_.evaluate(self.parameters_, held_out.x, held_out.y, held_out.weight)
        return state._replace(best_loss=loss)

    def _made_network(self, rows: Rows, batch: int) -> Network:
        loss = self._found_loss()
        return Network(
            (rows.x.shape[1], *self._hidden(), self._outputs(loss, rows.y.shape[1])),
            self.activation,
            loss,
            dropout=float(self.dropout),
            layer_norm=bool(self.layer_norm),
            residual=bool(self.residual),
            l1=float(self.l1),
            l2=recipes.l2(
                self.alpha, batch, len(rows.x), 1.0 if rows.weight is None else float(rows.weight.mean())
            ),
            label_smoothing=float(getattr(self, "label_smoothing", 0.0)),
            embedding=embedding_of(self.encoder_, self._embeds(self.encoder_.columns)),
        )

    def _embeds(self, columns: Any) -> str | None:
        number = columns.shape[1] if hasattr(columns, "shape") else len(columns)
        return recipes.numeric_embedding(self.numeric_embedding, len(self._hidden()), number)

    def _hidden(self) -> tuple[int, ...]:
        sizes = self.hidden_layer_sizes
        return tuple(map(int, sizes if isinstance(sizes, Iterable) else (sizes,)))

    def _raw(self, X: Any) -> np.ndarray:
        """ŷ of shape (rows, outputs), of a table or of rows that are encoded already."""
        check_is_fitted(self, "parameters_")
        x = X.x if isinstance(X, Rows) else encode(self.encoder_, self._table(X, reset=False))
        return raw_output(self.network_, self.parameters_, x)

    def _table(self, X: Any, reset: bool) -> Any:
        """Check a table as scikit-learn does; frames keep their columns' types."""
        frame = hasattr(X, "columns") and not hasattr(X, "sparse_columns")
        if frame:
            validate_data(self, X, reset=reset, skip_check_array=True)
            return X
        texts = not hasattr(X, "tocsr") and np.asarray(X).dtype.kind in "OUST"
        return validate_data(
            self,
            X,
            reset=reset,
            dtype=object if texts else "numeric",
            ensure_all_finite="allow-nan",
            accept_sparse="csr",
        )

    def _checked(self, X: Any, y: Any, sample_weight: Any, reset: bool) -> Given:
        """Check rows that belong together, and leave out those of weight 0."""
        if y is None:
            raise TableError(
                f"{type(self).__name__} requires y to be passed, but the target y is None. Give y."
            )
        return given(self._table(X, reset), self._checked_targets(y), sample_weight)

    def _keeps_back(self, rows: int) -> bool:
        wished = recipes.validates(rows) if self.early_stopping == "auto" else self.early_stopping
        return bool(wished) and rows >= 2

    def _seed(self) -> int:
        return int(check_random_state(self.random_state).randint(2**31 - 1))

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

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        tags.target_tags.single_output = True
        tags.target_tags.multi_output = True
        return tags

    def _weight_of_score(self, rows: Rows) -> dict[str, np.ndarray]:
        return {} if rows.counts is None else {"sample_weight": rows.counts}

    def _tell_too_few(self, coverage: float, so: str) -> None:
        warnings.warn(
            f"too few rows were kept back for a coverage of {coverage:g}, so that {so}. Ask for less, or fit "
            "with more rows or a greater validation_fraction.",
            UserWarning,
            stacklevel=3,
        )

    def _need_unseen(self, method: str) -> ArgumentError:
        """Why there is no honest width or set: every row was learnt from."""
        return ArgumentError(
            f"{method} must know how far off predictions are on rows that were not learnt from; none were "
            "kept back. Fit with early_stopping=True, or give X_val and y_val."
        )

    def _weighted(self, y: np.ndarray, weight: np.ndarray | None) -> np.ndarray | None:
        """What each row counts; classes may have a weight too."""
        return weight

    @abstractmethod
    def _found_loss(self) -> Loss:
        """The loss, chosen by the target where the user leaves it open."""

    @abstractmethod
    def _outputs(self, loss: Loss, targets: int) -> int:
        """How many outputs the network has."""

    @abstractmethod
    def _checked_targets(self, y: Any) -> np.ndarray:
        """Refuse targets that cannot be learnt."""

    @abstractmethod
    def _begin_targets(self, y: np.ndarray, weight: np.ndarray | None, classes: Any) -> None:
        """Learn what there is to know of the targets: their scale, their classes."""

    @abstractmethod
    def _learned(self, y: np.ndarray) -> np.ndarray:
        """Targets as the loss sees them, shape (rows, targets)."""

    @abstractmethod
    def _learn_from(self, unseen: Rows | None, training: Rows) -> None:
        """Learn from rows that the network did not see how far its answers can be trusted."""

    @abstractmethod
    def _stratifies(self, y: np.ndarray) -> bool:
        """Whether a validation part should have the classes in proportion."""


@contextmanager
def _unchanged_if_it_fails(estimator: DeepEstimator) -> Iterator[None]:
    """Whatever is raised leaves the estimator as it was, so that a model once learnt stays usable."""
    before = dict(estimator.__dict__)
    try:
        yield
    except BaseException:
        estimator.__dict__ = before
        raise
