"""DeepRegressor: numbers from a table."""

from typing import Any, Self

import jax.numpy as jnp
import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.validation import check_is_fitted

from chainrule.errors import ArgumentError, TableError
from chainrule.estimators.base import DeepEstimator
from chainrule.estimators.documentation import ATTRIBUTES, PARAMETERS
from chainrule.estimators.targets import fit_scale, refuse_outside
from chainrule.mathematics.loss import Loss
from chainrule.mathematics.losses import find_loss


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
            extra="",
        )
    }

    Attributes
    ----------
    {ATTRIBUTES.strip()}

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
        solver: Any = "adam",
        learning_rate: Any = "one_cycle",
        learning_rate_init: Any = "auto",
        batch_size: Any = "auto",
        max_iter: Any = "auto",
        alpha: float = 0.0,
        l1: float = 0.0,
        weight_decay: Any = "auto",
        max_norm: float | None = None,
        dropout: float = 0.0,
        layer_norm: bool = False,
        residual: bool = False,
        early_stopping: Any = "auto",
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 20,
        tol: float = 1e-4,
        shuffle: bool = True,
        warm_start: bool = False,
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
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            tol=tol,
            shuffle=shuffle,
            warm_start=warm_start,
            random_state=random_state,
            verbose=verbose,
        )

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Predict the targets, shape (rows,) or (rows, targets), in the units of y.

        With several quantiles, shape (rows, levels · targets), level by level. With the loss
        "gaussian_nll", ``return_std`` also returns the predicted standard deviation, of the same shape.
        """
        raw = self._raw(X)
        loss, targets = self.network_.loss, self.network_.targets
        if return_std and loss.name != "gaussian_nll":
            raise ArgumentError(
                f"return_std must be False with the loss {loss.name!r}; train with loss='gaussian_nll'."
            )
        predictions = np.asarray(loss.inverse_link(jnp.asarray(raw)), np.float64)
        if loss.name == "gaussian_nll":
            mean = self.scale_.restored(predictions[:, :targets])
            if not return_std:
                return self._shaped(mean)
            return self._shaped(mean), self._shaped(
                np.sqrt(predictions[:, targets:]) * np.array(self.scale_.scale)
            )
        return self._shaped(self.scale_.restored(predictions))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """R² of the predictions; several quantiles have none."""
        check_is_fitted(self, "parameters_")
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

    def _checked_targets(self, y: Any) -> np.ndarray:
        y = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y")
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return y

    def _begin_targets(self, y: np.ndarray, weight: np.ndarray | None, classes: Any) -> None:
        self._matrix = y.ndim == 2
        self.scale_ = fit_scale(y.reshape(len(y), -1), weight, self._found_loss())

    def _learned(self, y: np.ndarray) -> np.ndarray:
        y = y.reshape(len(y), -1)
        if y.shape[1] != len(self.scale_.scale):
            raise TableError(
                f"y must have {len(self.scale_.scale)} target(s), as where learning began; got {y.shape[1]}."
            )
        refuse_outside(y, self._found_loss())
        return self.scale_.learned(y)

    def _stratifies(self, y: np.ndarray) -> bool:
        return False
