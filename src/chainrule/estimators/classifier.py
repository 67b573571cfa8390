"""DeepClassifier: classes, or several labels, from a table."""

from typing import Any, Self

import jax
import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted

from chainrule.errors import ArgumentError, TableError
from chainrule.estimators import conformal_sets
from chainrule.estimators.base import DeepEstimator
from chainrule.estimators.calibration import calibration_error, fit_label_temperature, fit_temperature
from chainrule.estimators.conformal import Nonconformity
from chainrule.estimators.documentation import ATTRIBUTES, PARAMETERS
from chainrule.estimators.entrance import refuse_no_classes
from chainrule.estimators.explanation import Asked, place_of
from chainrule.estimators.rows import Rows
from chainrule.estimators.targets import as_indicators
from chainrule.mathematics.loss import DISTRIBUTION, PROBABILITY, Loss
from chainrule.mathematics.losses import find_loss
from chainrule.network.prediction import in_blocks

SETS = {"least_likely": conformal_sets.least_likely, "adaptive": conformal_sets.adaptive}
"""How far off each class of a row is, by the methods of ``predict_set``."""


def _gives_probabilities(loss: Loss) -> bool:
    return "logit" in loss.link


def _has_probabilities(estimator: "DeepClassifier") -> bool:
    if estimator.loss != "auto" and not _gives_probabilities(find_loss(estimator.loss)):
        raise AttributeError(f"the loss {estimator.loss!r} gives no probabilities; use decision_function.")
    return True


_COOLED_BY_AVERAGING = 1.3


class DeepClassifier(ClassifierMixin, DeepEstimator):
    __doc__ = f"""Predict classes by a deep network, to scikit-learn's contract.

    Two classes, several, or several labels of which each holds or not (y of zeros and ones, one column for
    each label). Classes may be texts or numbers.

    Parameters
    ----------
    {
        PARAMETERS.strip().format(
            loss='''loss
        "auto" is softmax_cross_entropy for several classes, else binary_cross_entropy; or a name in
        ``chainrule.LOSSES`` such as "focal" or "hinge", a formula in ``y_hat`` and ``y`` (0 or 1), a pair
        of functions (value, gradient), or a Loss. A loss on single outputs takes several classes one
        against the rest.''',
            extra='''class_weight
        None, "balanced" (inverse to the classes' frequencies), or a dict of class to weight; multiplies
        the sample weights. Probabilities are then those of a table in which the classes are so frequent.
    label_smoothing
        ε: the target of a class becomes 1 − ε + ε / classes, that of the others ε / classes.
    ''',
        )
    }

    Attributes
    ----------
    classes_
        The classes, in the order of the columns of ``predict_proba``.
    {ATTRIBUTES.strip()}
    temperature_
        What logits are divided by so that probabilities are calibrated (arXiv:1706.04599), found on the
        rows kept back; 1 without them.
    calibration_error_
        The expected calibration error on the rows kept back before and after the temperature, or None.
    nonconformity_
        How far off probabilities were on the rows kept back, for ``predict_set``; None without them.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]] * 8)
    >>> y = np.array(["same", "differ", "differ", "same"] * 8)
    >>> DeepClassifier((16,), random_state=0).fit(X, y).score(X, y)
    1.0
    """

    def __init__(
        self,
        hidden_layer_sizes: Any = (128, 128, 128),
        activation: Any = "silu",
        *,
        loss: Any = "auto",
        solver: Any = "auto",
        learning_rate: Any = "one_cycle",
        learning_rate_init: Any = "auto",
        batch_size: Any = "auto",
        max_iter: Any = "auto",
        alpha: float = 0.0,
        l1: float = 0.0,
        weight_decay: Any = "auto",
        max_norm: float | None = None,
        dropout: Any = "auto",
        layer_norm: bool = False,
        residual: bool = False,
        categorical_features: Any = "from_dtype",
        scaling: str = "robust",
        numeric_embedding: str | None = "auto",
        scoring: Any = "loss",
        effort: str = "balanced",
        n_members: Any = "auto",
        time_limit: float | None = None,
        class_weight: Any = None,
        label_smoothing: float = 0.0,
        early_stopping: Any = "auto",
        validation_fraction: float = 0.1,
        n_iter_no_change: Any = "auto",
        tol: float = 1e-4,
        shuffle: bool = True,
        warm_start: bool = False,
        device: str | None = None,
        precision: str = "float32",
        random_state: Any = None,
        verbose: bool = False,
    ) -> None:
        super().__init__(
            hidden_layer_sizes=hidden_layer_sizes,
            activation=activation,
            loss=loss,
            solver=solver,
            learning_rate=learning_rate,
            learning_rate_init=learning_rate_init,
            batch_size=batch_size,
            max_iter=max_iter,
            alpha=alpha,
            l1=l1,
            weight_decay=weight_decay,
            max_norm=max_norm,
            dropout=dropout,
            layer_norm=layer_norm,
            residual=residual,
            categorical_features=categorical_features,
            scaling=scaling,
            numeric_embedding=numeric_embedding,
            scoring=scoring,
            effort=effort,
            n_members=n_members,
            time_limit=time_limit,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            tol=tol,
            shuffle=shuffle,
            warm_start=warm_start,
            device=device,
            precision=precision,
            random_state=random_state,
            verbose=verbose,
        )
        self.class_weight = class_weight
        self.label_smoothing = label_smoothing

    def decision_function(self, X: Any) -> np.ndarray:
        """Calibrated raw output: for two classes shape (rows,), above 0 the second; else (rows, classes)."""
        raw = self._logits(X)
        if self._multilabel or len(self.classes_) > 2:
            return raw
        return raw[:, 0] if raw.shape[1] == 1 else raw[:, 1] - raw[:, 0]

    def predict(self, X: Any) -> np.ndarray:
        """Predict the most probable class of each row; for labels, zeros and ones of shape (rows, labels)."""
        decision = self.decision_function(X)
        if self._multilabel:
            return (decision > 0).astype(int)
        codes = (decision > 0).astype(int) if decision.ndim == 1 else decision.argmax(axis=1)
        return self.classes_[codes]

    def _logits(self, X: Any) -> np.ndarray:
        return self._raw(X).astype(np.float64) / self.temperature_

    @available_if(_has_probabilities)
    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities of shape (rows, classes), each row of sum 1; for labels, of each label.

        They are calibrated: the logits are divided by ``temperature_``, found on the rows kept back.
        """
        logits = self._logits(X)
        with jax.enable_x64(True):  # in float32, 1 − p is 0 from logits of 17 on
            p = in_blocks(self.network_.loss.inverse_link, logits)
        if self._multilabel:
            return p.clip(np.finfo(p.dtype).tiny, 1 - np.finfo(p.dtype).epsneg)  # never quite certain
        if p.shape[1] == 1:
            return np.hstack([1 - p, p])
        return p / p.sum(axis=1, keepdims=True)

    @available_if(_has_probabilities)
    def predict_set(
        self, X: Any, coverage: float = 0.9, *, method: str = "least_likely", allow_empty: bool = False
    ) -> np.ndarray:
        """Say which classes are likely, shape (rows, classes) of booleans, in the order of ``classes_``.

        Split conformal sets: for rows like those of training, a share of at least ``coverage`` of the sets
        holds the true class, on average over rows and draws of the rows kept back. The most probable class
        is always in, unless ``allow_empty``: without it, a model that is right more often than asked for
        covers more.

        The ``method`` "least_likely" makes the smallest sets (Sadinle et al. 2019, arXiv:1609.00451);
        "adaptive" makes them larger where a row is hard, so that hard rows are covered as often as easy
        ones (Romano et al. 2020, arXiv:2006.02544), and never empty.

        Raises
        ------
        ArgumentError
            For several labels or another method, if no rows were kept back, or ``coverage`` is not between
            0 and 1.
        """
        check_is_fitted(self, "members_")
        if self._multilabel:
            raise ArgumentError("predict_set must be asked of classes; the model has several labels.")
        if self.nonconformity_ is None:
            raise self._need_unseen("predict_set")
        if method not in SETS:
            raise ArgumentError(f"method must be one of {', '.join(SETS)}; got {method!r}.")
        scores = SETS[method](self.predict_proba(X))
        threshold = self.nonconformity_[method].quantile(coverage)
        if np.isinf(threshold):
            self._tell_too_few(coverage, "each set has all classes")
        return conformal_sets.sets(scores, threshold, empty=allow_empty)

    @available_if(_has_probabilities)
    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Logarithms of :meth:`predict_proba`."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Go once over these rows; the first call must name all ``classes`` that will ever come."""
        if not hasattr(self, "classes_"):
            if classes is None:
                raise ArgumentError("classes must be passed on the first call to partial_fit.")
        elif classes is not None and not np.array_equal(np.unique(np.asarray(classes)), self.classes_):
            raise ArgumentError(
                f"classes must be as in the first call to partial_fit, {self.classes_}; got {classes}."
            )
        return self._partial_fit(X, y, sample_weight, classes)

    def _found_loss(self) -> Loss:
        if self.loss != "auto":
            loss = find_loss(self.loss)
        elif self._multilabel or len(self.classes_) == 2:
            loss = find_loss("binary_cross_entropy")
        else:
            loss = find_loss("softmax_cross_entropy")
        if loss.domain not in (PROBABILITY, DISTRIBUTION) and "own" not in loss.use:
            raise ArgumentError(
                f"loss must be one for classes; got {loss.name!r}, which needs {loss.domain.text}."
            )
        if self._multilabel and loss.domain is DISTRIBUTION:
            raise ArgumentError(f"loss must be one on single outputs for several labels; got {loss.name!r}.")
        return loss

    def _outputs(self, loss: Loss, targets: int) -> int:
        return max(targets, 2) if loss.domain is DISTRIBUTION else targets

    def _checked_targets(self, y: np.ndarray) -> np.ndarray:
        refuse_no_classes(y)
        if type_of_target(y, input_name="y") == "multilabel-indicator":
            return check_array(y, dtype=int)
        if type_of_target(y) == "multiclass-multioutput":
            raise TableError(
                "y must be one column of classes, or columns of zeros and ones; got several columns of "
                "classes. Fit one classifier for each (sklearn.multioutput.MultiOutputClassifier)."
            )
        return column_or_1d(y, warn=True)

    def _begin_targets(self, y: np.ndarray, weight: np.ndarray | None, classes: Any) -> None:
        self._multilabel = y.ndim == 2
        if self._multilabel:
            self.classes_ = np.arange(y.shape[1])
            return
        self.classes_ = np.unique(y if classes is None else np.asarray(classes))
        if len(self.classes_) < 2:
            raise TableError(
                f"y must have at least two classes; got one class, {self.classes_.tolist()[0]!r}. "
                "There is nothing to learn."
            )

    def _learned(self, y: np.ndarray) -> np.ndarray:
        if self._multilabel:
            if y.ndim != 2 or y.shape[1] != len(self.classes_):
                raise TableError(
                    f"y must have {len(self.classes_)} columns of zeros and ones; got {y.shape}."
                )
            return y.astype(np.float32)
        strange = np.flatnonzero(~np.isin(y, self.classes_))
        if strange.size:
            raise TableError(
                f"y must be one of the classes {self.classes_[:10].tolist()}; "
                f"got {y[strange].tolist()[0]!r} in row {strange[0] + 1}. "
                "Leave such rows out, or learn from some of them."
            )
        indicators = as_indicators(np.searchsorted(self.classes_, y), len(self.classes_))
        if indicators.shape[1] == 1 and self._found_loss().domain is DISTRIBUTION:
            return np.hstack([1 - indicators, indicators])
        return indicators

    def _weighted(self, y: np.ndarray, weight: np.ndarray | None) -> np.ndarray | None:
        if self.class_weight is None:
            return weight
        if self.class_weight == "balanced" and weight is not None and y.ndim == 1:
            # "balanced" by what the rows count, so that weight 2 is the same as the row twice.
            classes, codes = np.unique(y, return_inverse=True)
            totals = np.bincount(codes, weight)
            return weight * (weight.sum() / (len(classes) * totals))[codes]
        try:
            by_class = np.asarray(compute_sample_weight(self.class_weight, y), np.float64)
        except (TypeError, ValueError) as error:
            raise ArgumentError(
                "class_weight must be None, 'balanced', or a dict with numbers for some of the classes "
                f"{self.classes_[:10].tolist()}; got {self.class_weight!r:.80} ({error})."
            ) from None
        return by_class if weight is None else weight * by_class

    def _scores_there_are(self) -> str:
        if self._multilabel:
            return "For several labels there are accuracy, f1_macro and average_precision."
        two = len(self.classes_) == 2
        return (
            f"For {'two' if two else 'more than two'} classes there are accuracy, f1_macro, neg_log_loss and "
            f"{'roc_auc' if two else 'roc_auc_ovr'}."
        )

    def _learn_from(self, unseen: Rows | None, training: Rows) -> None:
        self.temperature_ = 1.0
        self.calibration_error_: tuple[float, float] | None = None
        self.nonconformity_: dict[str, Nonconformity] | None = None
        if unseen is None or not _gives_probabilities(self.network_.loss):
            return
        before = self._off_by(unseen)
        raw = self._raw(unseen)
        if self._multilabel:
            self.temperature_ = self._of_the_mean(fit_label_temperature(raw, unseen.truth, unseen.weight))
        else:
            codes = np.searchsorted(self.classes_, unseen.truth)
            self.temperature_ = self._of_the_mean(fit_temperature(raw, codes, unseen.weight))
            p = self.predict_proba(unseen)
            self.nonconformity_ = {
                method: Nonconformity.of(conformal_sets.true_class(score(p), codes), unseen.counts)
                for method, score in SETS.items()
            }
        self.calibration_error_ = before, self._off_by(unseen)

    def _of_the_mean(self, temperature: float) -> float:
        """The temperature of the members' mean, from one that was found on answers of single members.

        A mean is less sure than its members: on nine tables, what was too sure in these was made good by
        averaging, up to a temperature of 1.3.
        """
        if len(self.folds_.judges) == self.n_members_ or temperature <= 1:
            return temperature
        return max(1.0, temperature / _COOLED_BY_AVERAGING)

    def _off_by(self, rows: Rows) -> float:
        """The calibration error of the probabilities; of several labels, the mean of theirs."""
        p = self.predict_proba(rows)
        if not self._multilabel:
            return calibration_error(p, np.searchsorted(self.classes_, rows.truth), rows.weight)
        labels = zip(p.T, rows.truth.T, strict=True)
        return float(np.mean([calibration_error(*label, rows.weight) for label in labels]))

    def _asked(self, output: Any, raw: np.ndarray) -> Asked:
        """The decision for a class: of two, that for the other is the same with another sign."""
        rows, outputs = raw.shape
        two = not self._multilabel and len(self.classes_) == 2
        directions = np.eye(outputs)  # of each class, or label
        if two:
            directions = np.array([[-1.0], [1.0]]) if outputs == 1 else np.array([[1.0, -1.0], [-1.0, 1.0]])
        if self._multilabel:
            places = np.full(rows, place_of(output, outputs, "labels"))
        elif output is None:
            places = (raw @ directions.T).argmax(axis=1)
        else:
            places = np.full(rows, self._place_of_class(output))
        link = self.network_.loss.link
        unit = "log-odds" if link == "logit" or (two and "logit" in link) else "logit"
        unit = unit if "logit" in link else "decision"
        return Asked(self.classes_[places], directions[places] / self.temperature_, np.zeros(rows), unit)

    def _place_of_class(self, output: Any) -> int:
        places = [k for k, value in enumerate(self.classes_.tolist()) if value == output]
        if not places:
            raise ArgumentError(
                f"output must be one of the classes {self.classes_[:10].tolist()}; got {output!r}."
            )
        return places[0]

    def _stratifies(self, y: np.ndarray) -> bool:
        return y.ndim == 1

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
