"""What both estimators share: from a table to a trained network."""

import warnings
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from time import perf_counter
from typing import Any, Self, cast

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from chainrule.errors import ArgumentError
from chainrule.estimators import recipes
from chainrule.estimators.entrance import given_targets, refuse_no_table
from chainrule.estimators.explainable import Explainable
from chainrule.estimators.input_columns import categorical_positions
from chainrule.estimators.options import found, refuse_wrong
from chainrule.estimators.rows import Given, Rows, given
from chainrule.estimators.safekeeping import Place, kept_safe
from chainrule.estimators.streaming import Streamed
from chainrule.network import devices
from chainrule.network.prediction import mean_output
from chainrule.tables.encoders import fit_encoder
from chainrule.tables.matrix import encode
from chainrule.tables.numeric_columns import Scaling
from chainrule.tables.splits import cross_parts, validation_split
from chainrule.tables.stream import Stream
from chainrule.training.folds import Folds


class DeepEstimator(Explainable, Streamed):
    """The part of DeepRegressor and DeepClassifier that does not depend on what the target is."""

    validation_rows_: np.ndarray | None

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
        dropout: Any,
        layer_norm: bool,
        residual: bool,
        categorical_features: Any,
        scaling: str,
        numeric_embedding: str | None,
        scoring: Any,
        effort: str,
        n_members: Any,
        time_limit: float | None,
        early_stopping: Any,
        validation_fraction: float,
        n_iter_no_change: Any,
        tol: float,
        shuffle: bool,
        warm_start: bool,
        device: str | None,
        precision: str,
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
        self.effort = effort
        self.n_members = n_members
        self.time_limit = time_limit
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.shuffle = shuffle
        self.warm_start = warm_start
        self.device = device
        self.precision = precision
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
        checkpoints: Place | None = None,
        resume: bool = False,
    ) -> Self:
        """Learn from a table.

        Parameters
        ----------
        X
            An array, a sparse matrix or a frame (pandas, polars, pyarrow) of shape (rows, columns).
            Numbers, texts and dates may be missing; in frames, texts are categories or dates. Or a table
            that is larger than memory: a path, pattern or folder of Parquet or Arrow files, or what
            :func:`chainrule.open_stream` made of it.
        y
            Targets of shape (rows,) or (rows, targets). Of a larger table, the names of its target columns.
        sample_weight
            What each row counts, ≥ 0; a row of weight 0 is left out. Of a larger table, a column's name.
        X_val, y_val, sample_weight_val
            Rows of one's own to choose the best epoch by.
        groups
            A label for each row: all rows of a group are kept back from a network, or none is.
        time
            A number or a date for each row: the latest rows are kept back to validate.
        checkpoints
            A folder for checkpoints, which are removed once the model has learnt; or what
            :class:`chainrule.Checkpoints` made of one, which says how often, and when they are removed.
        resume
            Whether to go on from the last of them, if there is one, as if nothing had happened.

        Raises
        ------
        TableError, ArgumentError
            For data or options that cannot be used, with what to do.
        DivergedError
            When there is no finite loss from the first epoch on.
        """
        started = perf_counter()
        with (
            _unchanged_if_it_fails(self),
            devices.on(self.device),
            kept_safe(checkpoints, resume, started, self) as safe,
        ):
            if isinstance(X, Stream | str | PathLike):
                others = {"X_val": X_val, "y_val": y_val, "groups": groups, "time": time}
                return self._fit_columns(X, y, sample_weight, safe, **others)
            refuse_wrong(self.get_params(deep=False))
            again = self.warm_start and hasattr(self, "members_")
            if again and safe is not None:
                raise ArgumentError(
                    "checkpoints must be left out where warm_start goes on from an earlier fit, which they "
                    "do not hold; got both. Fit a clone of this estimator."
                )
            kept, rows = self._begun(X, y, sample_weight, again=again)
            seed = self._seed()
            seed = seed if safe is None else safe.seed(seed)
            if not again:
                self._fold_seed = seed
            if self._brings_its_own(X_val, y_val, sample_weight_val, groups, time):
                own = self._rows(self._checked(X_val, y_val, sample_weight_val, reset=False))
                there = len(kept.y)
                judge = np.arange(there, there + len(own.truth))
                folds = Folds.same(self._wished_members(judged=True), np.arange(there), judge)
                rows, self.validation_rows_ = rows.joined(own), None
            else:
                folds = self._folds_of(kept, kept.of(groups, "groups"), kept.of(time, "time"))
                judged = folds.judged if kept.kept is None else kept.kept[folds.judged]
                self.validation_rows_ = judged if folds.judge else None
            self._train(rows, folds, seed, again=again, started=started, safe=safe)
            held_out = self._unseen_of(rows)
            self._learn_from(held_out, rows)
        return self

    def _folds_of(self, kept: Given, groups: np.ndarray | None, time: np.ndarray | None) -> Folds:
        """Which rows each member learns from: without a wish, each member leaves out another part of them."""
        rows, seed, stratify = len(kept.y), self._fold_seed, self._stratifies(kept.y)
        members = self._wished_members(judged=True)
        if groups is None and time is None and not self._keeps_back(rows, members):
            return Folds.same(self._wished_members(judged=False), np.arange(rows))
        if members > 1 and time is None and self.early_stopping == "auto":
            rounds = [
                cross_parts(kept.y, parts, (seed + turn) % 2**32, stratify=stratify, groups=groups)
                for turn, parts in enumerate(recipes.rounds(members))
            ]
            return Folds.crossed(rounds)
        learn, judge = validation_split(
            kept.y, self.validation_fraction, seed, stratify=stratify, groups=groups, time=time
        )
        return Folds.same(members, learn, judge)

    def _wished_members(self, *, judged: bool) -> int:
        if self.n_members != "auto":
            return int(self.n_members)
        whole = found("solver", recipes.optimizer, self.solver).full_batch
        several = judged and self.early_stopping == "auto" and not whole
        return recipes.members(self.effort) if several else 1

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
        with _unchanged_if_it_fails(self), devices.on(self.device):
            refuse_wrong(self.get_params(deep=False))
            if self.early_stopping is True:
                raise ArgumentError(
                    "early_stopping must be False or 'auto' for partial_fit, which keeps no rows back "
                    "(partial_fit does not support early_stopping=True); got True."
                )
            again, started = hasattr(self, "members_"), perf_counter()
            _, rows = self._begun(X, y, sample_weight, again=again, classes=classes)
            self.validation_rows_ = None
            if not again:
                self._fold_seed = 0
            members = self.n_members_ if again else self._wished_members(judged=False)
            folds = Folds.same(members, np.arange(len(rows.y)))
            self._train(rows, folds, self._seed(), again=again, started=started, one_epoch=True)
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
                bins=recipes.bins(self._recipe(), self.effort, self.n_features_in_)
                if self._embeds(self.n_features_in_) == "piecewise_linear"
                else 0,
            )
            self._begin_targets(kept.y, kept.weight, classes)
        return kept, self._rows(kept)

    def _rows(self, kept: Given) -> Rows:
        weight = self._weighted(kept.y, kept.weight)
        return Rows(encode(self.encoder_, kept.X), self._learned(kept.y), weight, kept.y, kept.weight)

    def _raw(self, X: Any) -> np.ndarray:
        """ŷ of shape (rows, outputs), of a table or of rows that are encoded already."""
        check_is_fitted(self, "members_")
        if isinstance(X, Rows) and X.raw is not None:
            return X.raw
        x = X.x if isinstance(X, Rows) else encode(self.encoder_, self._table(X, reset=False))
        with devices.on(self.device):
            return mean_output(self.network_, self.members_, x)

    def encoded(self, X: Any) -> np.ndarray:
        """A table as the networks see it, (rows, inputs): columns as ``encoder_.feature_names`` has them."""
        check_is_fitted(self, "members_")
        return encode(self.encoder_, self._table(X, reset=False))

    def targets_as_learnt(self, y: Any) -> np.ndarray:
        """Targets as the loss sees them, shape (rows, targets): standardised, or a 1 for each class."""
        return self._learned(self._checked_targets(given_targets(y, type(self).__name__)))

    def unseen(self, X: Any, rows: Any = None) -> Rows:
        """Rows that validated, to be answered by the networks that did not learn from them.

        Give what comes to ``predict``, ``predict_proba`` or ``predict_interval`` instead of a table: their
        answers are then as honest as those to new rows.

        Parameters
        ----------
        X
            ``validation_rows_`` of the table that was learnt from, in their order; or some of them.
        rows
            Which of them, by their places in ``validation_rows_``; None for all.

        Raises
        ------
        ArgumentError
            If no rows of the table were kept back, or not so many.
        """
        check_is_fitted(self, "members_")
        judged = 0 if self.validation_rows_ is None else len(self.validation_rows_)
        x = encode(self.encoder_, self._table(X, reset=False))
        places = np.arange(judged) if rows is None else np.asarray(rows)
        if len(x) != len(places) or not judged:
            raise ArgumentError(
                f"X must have the rows that validated, of which there are {judged} (those chosen: "
                f"{len(places)}); got {len(x)} rows."
            )
        unknown = np.full((len(x), self.network_.targets), np.nan)
        return Rows(x, unknown, None, unknown, raw=self._raw_unseen(x, places))

    def _table(self, X: Any, reset: bool) -> Any:
        """Check a table as scikit-learn does; frames keep their columns' types."""
        refuse_no_table(X)
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
            ensure_all_finite=False,  # the encoder refuses infinities, with column and row
            accept_sparse="csr",
        )

    def _checked(self, X: Any, y: Any, sample_weight: Any, reset: bool) -> Given:
        """Check rows that belong together, and leave out those of weight 0."""
        targets = self._checked_targets(given_targets(y, type(self).__name__))
        return given(self._table(X, reset), targets, sample_weight)

    def _keeps_back(self, rows: int, members: int) -> bool:
        wished = recipes.validates(rows, members) if self.early_stopping == "auto" else self.early_stopping
        return bool(wished) and rows >= 2

    def _seed(self) -> int:
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        tags.target_tags.single_output = True
        tags.target_tags.multi_output = True
        return tags

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
    def _checked_targets(self, y: np.ndarray) -> np.ndarray:
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
