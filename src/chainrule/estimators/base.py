"""What both estimators share: from a table to a trained network."""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import jax
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from chainrule.errors import ArgumentError, DivergedError, TableError
from chainrule.estimators import recipes
from chainrule.estimators.options import found, refuse_wrong
from chainrule.mathematics.loss import Loss
from chainrule.network.network import Network, shapes
from chainrule.network.parameters import Parameters, weights
from chainrule.network.prediction import raw_output
from chainrule.tables.encoders import TableEncoder, encode, fit_encoder
from chainrule.tables.splits import validation_split
from chainrule.training import interrupt, progress
from chainrule.training.epoch import State
from chainrule.training.loop import Epoch, train
from chainrule.training.optimizers import Optimizer, find_optimizer
from chainrule.training.schedules import SCHEDULES, find_schedule


@dataclass(frozen=True)
class _Rows:
    """Rows as the network sees them: x (rows, inputs), y (rows, targets), weight (rows,) or None."""

    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None

    def take(self, rows: np.ndarray) -> "_Rows":
        return _Rows(self.x[rows], self.y[rows], None if self.weight is None else self.weight[rows])


class DeepEstimator(BaseEstimator, ABC):
    """The part of DeepRegressor and DeepClassifier that does not depend on what the target is."""

    encoder_: TableEncoder
    network_: Network
    parameters_: Parameters
    loss_curve_: list[float]
    validation_scores_: list[float] | None
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
    ) -> Self:
        """Learn from a table.

        Parameters
        ----------
        X
            An array or a frame (pandas, polars, pyarrow) of shape (rows, columns). Numbers may be
            missing; in frames, texts are categories.
        y
            Targets of shape (rows,) or (rows, targets).
        sample_weight
            What each row counts, ≥ 0; a row of weight 0 is left out.
        X_val, y_val, sample_weight_val
            Rows of one's own to choose the best epoch by.

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
            rows, y = self._begun(X, y, sample_weight, again=again)
            if (X_val is None) != (y_val is None) or (X_val is None and sample_weight_val is not None):
                raise ArgumentError("X_val and y_val must come together; got one of them.")
            seed = self._seed()
            held_out = None
            if X_val is not None:
                y_val, weight_val, X_val = self._checked(X_val, y_val, sample_weight_val, reset=False)
                weight_val = self._weighted(y_val, weight_val)
                held_out = _Rows(encode(self.encoder_, X_val), self._learned(y_val), weight_val)
            elif self._keeps_back(len(y)):
                training, validation = validation_split(
                    y, self.validation_fraction, seed, stratify=self._stratifies(y)
                )
                rows, held_out = rows.take(training), rows.take(validation)
            self._train(rows, held_out, seed, again=again)
        return self

    def _partial_fit(self, X: Any, y: Any, sample_weight: Any, classes: Any = None) -> Self:
        with _unchanged_if_it_fails(self):
            refuse_wrong(self.get_params(deep=False))
            again = hasattr(self, "parameters_")
            rows, _ = self._begun(X, y, sample_weight, again=again, classes=classes)
            self._train(rows, None, self._seed(), again=again, one_epoch=True)
        return self

    def _begun(
        self, X: Any, y: Any, sample_weight: Any, *, again: bool, classes: Any = None
    ) -> tuple[_Rows, np.ndarray]:
        """Learn how to encode inputs and targets, unless that is known; return the rows, and y as it came."""
        y, weight, X = self._checked(X, y, sample_weight, reset=not again)
        if not again:
            self.encoder_ = fit_encoder(X, sample_weight=weight)
            self._begin_targets(y, weight, classes)
        return _Rows(encode(self.encoder_, X), self._learned(y), self._weighted(y, weight)), y

    def _train(
        self, rows: _Rows, held_out: _Rows | None, seed: int, *, again: bool, one_epoch: bool = False
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
        stops = held_out is not None and self.early_stopping is not False
        patience = self.n_iter_no_change if stops else None
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
            patience=None if one_epoch else patience,
            tol=self.tol,
            shuffle=bool(self.shuffle),
            seed=(seed + self.n_iter_) % 2**32,
        )
        kept = self._follow(run, epochs, again=again, one_epoch=one_epoch)
        self.network_ = network
        if kept is not None:
            self.parameters_ = jax.tree.map(np.asarray, kept.best_parameters)
            self._state = (optimizer, kept.state) if self.warm_start or one_epoch else None

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

    def _taken_up(self, held_out: _Rows | None, optimizer: Optimizer) -> State | None:
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

    def _made_network(self, rows: _Rows, batch: int) -> Network:
        loss = self._found_loss()
        sizes = self.hidden_layer_sizes
        hidden = map(int, sizes if isinstance(sizes, Iterable) else (sizes,))
        return Network(
            (rows.x.shape[1], *hidden, self._outputs(loss, rows.y.shape[1])),
            self.activation,
            loss,
            dropout=float(self.dropout),
            layer_norm=bool(self.layer_norm),
            residual=bool(self.residual),
            l1=float(self.l1),
            l2=recipes.l2(self.alpha, batch, len(rows.x)),
            label_smoothing=float(getattr(self, "label_smoothing", 0.0)),
        )

    def _raw(self, X: Any) -> np.ndarray:
        """ŷ of shape (rows, outputs)."""
        check_is_fitted(self, "parameters_")
        return raw_output(self.network_, self.parameters_, encode(self.encoder_, self._table(X, reset=False)))

    def _table(self, X: Any, reset: bool) -> Any:
        """Check a table as scikit-learn does; frames keep their columns' types."""
        frame = hasattr(X, "columns") and not hasattr(X, "sparse_columns")
        if frame:
            validate_data(self, X, reset=reset, skip_check_array=True)
            return X
        return validate_data(self, X, reset=reset, dtype="numeric", ensure_all_finite="allow-nan")

    def _checked(
        self, X: Any, y: Any, sample_weight: Any, reset: bool
    ) -> tuple[np.ndarray, np.ndarray | None, Any]:
        """Check rows that belong together, and leave out those of weight 0."""
        if y is None:
            raise TableError(
                f"{type(self).__name__} requires y to be passed, but the target y is None. Give y."
            )
        X, y = self._table(X, reset), self._checked_targets(y)
        check_consistent_length(X, y, sample_weight)
        if sample_weight is None:
            return y, None, X
        weight = _check_sample_weight(sample_weight, y, dtype=np.float64, ensure_non_negative=True)
        counts = weight > 0
        if counts.all():
            return y, weight, X
        if not counts.any():
            raise TableError("sample_weight must be above 0 in at least one row; got only zeros.")
        kept = np.flatnonzero(counts)
        return y[kept], weight[kept], X[kept] if isinstance(X, np.ndarray) else _taken(X, kept)

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
        tags.target_tags.single_output = True
        tags.target_tags.multi_output = True
        return tags

    def _weighted(self, y: np.ndarray, weight: np.ndarray | None) -> np.ndarray | None:
        """What each row counts; classes may have a weight too."""
        return weight

    @property
    def coefs_(self) -> list[np.ndarray]:
        """Wᵀ of each affine map, shape (inputs, outputs), as scikit-learn's MLP has them."""
        return [np.asarray(entry.W).T for entry in weights(self.parameters_)]

    @property
    def intercepts_(self) -> list[np.ndarray]:
        """b of each affine map."""
        return [np.asarray(entry.b) for entry in weights(self.parameters_)]

    @property
    def n_layers_(self) -> int:
        """Layers of units: inputs, hidden layers, outputs."""
        return len(self.network_.sizes)

    @property
    def n_outputs_(self) -> int:
        """Outputs of the network."""
        return self.network_.sizes[-1]

    @property
    def loss_(self) -> float:
        """The training loss of the last epoch."""
        return self.loss_curve_[-1]

    @property
    def best_loss_(self) -> float | None:
        """The lowest training loss; None where the validation rows decide, as in scikit-learn's MLP."""
        return None if self.validation_scores_ else min(self.loss_curve_)

    @property
    def best_validation_score_(self) -> float | None:
        """The highest of ``validation_scores_``; None without validation rows."""
        return max(self.validation_scores_) if self.validation_scores_ else None

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


def _taken(frame: Any, rows: np.ndarray) -> Any:
    import narwhals as nw

    return nw.from_native(frame, eager_only=True)[rows.tolist()].to_native()
