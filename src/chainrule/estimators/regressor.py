"""DeepRegressor: numbers from a table."""

from typing import Any, Self, TypeAlias

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils import column_or_1d
from sklearn.utils.validation import check_is_fitted

from chainrule.errors import ArgumentError, TableError
from chainrule.estimators import conformal
from chainrule.estimators.base import DeepEstimator
from chainrule.estimators.conformal import MondrianNonconformity, Nonconformity
from chainrule.estimators.documentation import ATTRIBUTES, PARAMETERS
from chainrule.estimators.entrance import to_numbers
from chainrule.estimators.explanation import Asked, place_of
from chainrule.estimators.rows import Rows
from chainrule.estimators.targets import fit_scale, refuse_enormous, refuse_log, refuse_outside
from chainrule.mathematics.loss import NON_NEGATIVE, POSITIVE, Loss
from chainrule.mathematics.losses import find_loss
from chainrule.network.prediction import in_blocks

LEVELS = (0.8, 0.9)
"""The coverages of which a fit finds out how well its intervals keep them."""

_FEWEST_FOR_COVERAGE = 40  # rows; of fewer, half set no width at 0.9

_Spreads: TypeAlias = tuple[Nonconformity | MondrianNonconformity, ...]


class DeepRegressor(RegressorMixin, DeepEstimator):
    __doc__ = f"""Predict numbers by a deep network, to scikit-learn's contract.

    Several targets at once are learnt by one network.

    Parameters
    ----------
    {
        PARAMETERS.strip().format(
            loss='''loss
        A name in ``chainrule.LOSSES``, such as "squared_error", "quantile(0.1, 0.5, 0.9)" or "poisson"; a
        formula in ``y_hat`` and ``y``; a pair of functions (value, gradient); or a Loss. The built-in
        losses on any real number see targets of mean 0 and spread 1 (so huber's delta is in standard
        deviations), those with a log link of mean 1, the
        others and one's own see them as they are.''',
            extra='''target_transform
        None, or "log" for targets above 0 that spread over orders of magnitude: the network learns log y,
        and predictions of the squared error are still means of y, by Duan's smearing (Duan 1983) on the
        rows kept back. Skewed counts and amounts may do better with the loss "poisson", "gamma" or
        "tweedie", which learn the mean itself through a logarithm.
    ''',
        )
    }

    Attributes
    ----------
    {ATTRIBUTES.strip()}
    scale_
        How targets become what the loss sees, and back.
    nonconformity_
        How far off predictions were on the rows kept back, for ``predict_interval``; None without them.
    interval_coverage_
        For each of the levels 0.8 and 0.9 the shares that intervals held, target by target, and their
        median widths: half of the rows kept back sets the widths for the other half.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.linspace(-1, 1, 64)[:, None]
    >>> model = DeepRegressor((16,), random_state=0).fit(X, X[:, 0] ** 2)
    >>> bool(abs(model.predict([[0.5]])[0] - 0.25) < 0.1)
    True
    """

    def __init__(
        self,
        hidden_layer_sizes: Any = (128, 128, 128),
        activation: Any = "silu",
        *,
        loss: Any = "squared_error",
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
        target_transform: str | None = None,
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
        self.target_transform = target_transform

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Predict the targets, shape (rows,) or (rows, targets), in the units of y.

        With several quantiles, shape (rows, levels · targets), level by level. With the loss
        "gaussian_nll", ``return_std`` also returns the predicted standard deviation, of the same shape.
        """
        raw = self._raw(X)
        loss = self.network_.loss
        if return_std and loss.name != "gaussian_nll":
            raise ArgumentError(
                f"return_std must be False with the loss {loss.name!r}; train with loss='gaussian_nll'."
            )
        parts = self._parts(raw)
        if loss.name != "gaussian_nll":
            return self._shaped(np.hstack(parts))
        mean, deviation = map(self._shaped, parts)
        return (mean, deviation) if return_std else mean

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """R² of the predictions; several quantiles have none."""
        check_is_fitted(self, "members_")
        loss = self.network_.loss
        if loss.outputs_per_target > 1 and loss.name != "gaussian_nll":
            raise ArgumentError(
                f"score must have one prediction for each target; the loss {loss.name!r} gives "
                f"{loss.outputs_per_target}. Score a column of predict(X), as by d2_pinball_score."
            )
        return float(super().score(X, y, sample_weight))

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Go once over these rows; the first call also learns the encoding and the targets' scale."""
        return self._partial_fit(X, y, sample_weight)

    def _shaped(self, predictions: np.ndarray) -> np.ndarray:
        return predictions[:, 0] if predictions.shape[1] == 1 and not self._matrix else predictions

    def _found_loss(self) -> Loss:
        return find_loss(self.loss)

    def _outputs(self, loss: Loss, targets: int) -> int:
        return targets * loss.outputs_per_target

    def _checked_targets(self, y: np.ndarray) -> np.ndarray:
        y = to_numbers(y)
        refuse_enormous(y)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return y

    def _begin_targets(self, y: np.ndarray, weight: np.ndarray | None, classes: Any) -> None:
        self._matrix = y.ndim == 2
        log = self.target_transform == "log"
        self.scale_ = fit_scale(y.reshape(len(y), -1), weight, self._found_loss(), log)

    def _learned(self, y: np.ndarray) -> np.ndarray:
        y = y.reshape(len(y), -1)
        if y.shape[1] != len(self.scale_.scale):
            raise TableError(
                f"y must have {len(self.scale_.scale)} target(s), as where learning began; got {y.shape[1]}."
            )
        loss = self._found_loss()
        refuse_outside(y, loss)
        if self.scale_.log:
            refuse_log(y, loss)
        self.scale_ = self.scale_.widened(y)
        return self.scale_.learned(y)

    def _scores_there_are(self) -> str:
        if self.network_.loss.outputs_per_target > 1 and self.network_.loss.name != "gaussian_nll":
            return "Several quantiles are judged by their loss."
        return "For numbers there are r2, neg_mean_absolute_error and neg_root_mean_squared_error."

    def _learn_from(self, unseen: Rows | None, training: Rows) -> None:
        if self.scale_.log and self.network_.loss.name == "squared_error":
            rows = unseen or training
            truth = rows.truth.reshape(len(rows.truth), -1)
            self.scale_ = self.scale_.smeared(self._raw(rows), truth, rows.weight)
        self.nonconformity_ = None if unseen is None else self._nonconformity(unseen)
        few = unseen is None or len(unseen.truth) < _FEWEST_FOR_COVERAGE
        self.interval_coverage_ = {} if few or unseen is None else self._found_coverages(unseen)

    def _nonconformity(self, unseen: Rows) -> _Spreads:
        """How far off the predictions of each target are."""
        truth = unseen.truth.reshape(len(unseen.truth), -1).T
        parts = self._parts(self._raw(unseen))
        if len(parts) == 1:  # by groups of the prediction: the errors of large values are often larger
            return tuple(
                MondrianNonconformity.of(conformal.absolute(y, point), point, unseen.counts)
                for y, point in zip(truth, parts[0].T, strict=True)
            )
        score = conformal.scaled if self.network_.loss.name == "gaussian_nll" else conformal.quantile_pair
        return tuple(
            Nonconformity.of(score(y, first, second), unseen.counts)
            for y, first, second in zip(truth, parts[0].T, parts[-1].T, strict=True)
        )

    def predict_interval(self, X: Any, coverage: float = 0.9) -> np.ndarray:
        """Say between which values each target is: [low, high], shape (rows, 2) or (rows, targets, 2).

        Split conformal intervals: for rows like those of training, a share ``coverage`` of the truths is
        inside, whatever the data; it is guaranteed on average over rows and draws of the rows kept back,
        by which the widths are set (the best epoch, too, was chosen by them, which is no more than a
        hair's optimism). Widths follow the prediction; with several quantiles they are those of the
        outermost two (CQR), with "gaussian_nll" the predicted deviation. Source: arXiv:1604.04173,
        arXiv:1905.03222.

        Raises
        ------
        ArgumentError
            If no rows were kept back, or ``coverage`` is not between 0 and 1.
        """
        check_is_fitted(self, "members_")
        if self.nonconformity_ is None:
            raise self._need_unseen("predict_interval")
        bounds = self._bounds(self._raw(X), self.nonconformity_, coverage)
        if np.isinf(bounds).any():
            self._tell_too_few(coverage, "the intervals are without end")
        return bounds if self._matrix else bounds[:, 0]

    def _bounds(self, raw: np.ndarray, nonconformities: _Spreads, coverage: float) -> np.ndarray:
        """Interval ends, shape (rows, targets, 2)."""
        parts = self._parts(raw)
        bounds = []
        for k, nonconformity in enumerate(nonconformities):
            first, second = parts[0][:, k], parts[-1][:, k]
            if isinstance(nonconformity, MondrianNonconformity):
                bounds.append(conformal.absolute_interval(first, nonconformity.quantiles(first, coverage)))
                continue
            threshold = nonconformity.quantile(coverage)
            if self.network_.loss.name == "gaussian_nll":
                bounds.append(conformal.scaled_interval(first, second, threshold))
            else:
                bounds.append(conformal.quantile_pair_interval(first, second, threshold))
        ends = np.stack(bounds, axis=1)
        # What cannot be is cut off, which takes no truth out of an interval.
        above = self.scale_.log or self.network_.loss.domain in (NON_NEGATIVE, POSITIVE)
        return np.maximum(ends, 0) if above else ends

    def _found_coverages(self, unseen: Rows) -> dict[float, tuple[list[float], list[float]]]:
        """How much intervals held of each target, and their median width, at each level.

        One half of the rows sets the widths for the other half: rows that set them say nothing of them.
        """
        halves = np.arange(len(unseen.truth)) % 2 == 0
        inside: dict[float, list[np.ndarray]] = {level: [] for level in LEVELS}
        widths: dict[float, list[np.ndarray]] = {level: [] for level in LEVELS}
        for half in (halves, ~halves):
            setting, other = unseen.take(np.flatnonzero(half)), unseen.take(np.flatnonzero(~half))
            nonconformities, raw = self._nonconformity(setting), self._raw(other)
            truth = other.truth.reshape(len(other.truth), -1)
            for level in LEVELS:
                low, high = np.moveaxis(self._bounds(raw, nonconformities, level), 2, 0)
                inside[level].append((low <= truth) & (truth <= high))
                widths[level].append(high - low)
        return {
            level: (
                np.concatenate(inside[level]).mean(axis=0).tolist(),
                np.median(np.concatenate(widths[level]), axis=0).tolist(),
            )
            for level in LEVELS
        }

    def _parts(self, raw: np.ndarray) -> list[np.ndarray]:
        """Predictions, (rows, targets) each: the point; mean and deviation; or quantile by quantile."""
        loss, targets = self.network_.loss, self.network_.targets
        predictions = in_blocks(loss.inverse_link, raw).astype(np.float64)
        if loss.name == "gaussian_nll":
            deviation = np.sqrt(predictions[:, targets:]) * np.array(self.scale_.scale)
            return [self.scale_.restored(predictions[:, :targets]), deviation]
        parts = np.split(self.scale_.restored(predictions), loss.outputs_per_target, axis=1)
        # Quantiles learnt apart may cross; in order they are nearer to the true ones (arXiv:0704.3649).
        return list(np.sort(parts, axis=0)) if len(parts) > 1 else parts

    def _asked(self, output: Any, raw: np.ndarray) -> Asked:
        """A column of ``predict``, in the units of y, or its logarithm where that is what is learnt."""
        loss, targets = self.network_.loss, self.network_.targets
        columns = targets if loss.name == "gaussian_nll" else raw.shape[1]
        place = place_of(output, columns, "columns of predict")
        scale, offset = self.scale_.scale[place % targets], self.scale_.offset[place % targets]
        log_link = loss.link == "log"
        if log_link:  # ŷ = scale · exp(raw)
            scale, offset = 1.0, float(np.log(scale))
        elif self.scale_.factor:
            offset += float(np.log(self.scale_.factor[place % targets]))
        direction = np.zeros(raw.shape)
        direction[:, place] = scale
        unit = "log of the prediction" if log_link or self.scale_.log else "prediction"
        return Asked(np.full(len(raw), place), direction, np.full(len(raw), offset), unit)

    def _stratifies(self, y: np.ndarray) -> bool:
        return False
