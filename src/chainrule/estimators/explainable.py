"""Methods that say what an estimator's predictions come from."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from chainrule.errors import ArgumentError
from chainrule.estimators.explanation import Asked, Explanation, explained, gradients
from chainrule.network import devices
from chainrule.network.network import Network
from chainrule.network.parameters import Parameters
from chainrule.network.prediction import mean_output
from chainrule.tables.encoders import TableEncoder
from chainrule.tables.matrix import encode
from chainrule.tables.slopes import encoded_slopes


class Explainable(ABC):
    """A fitted estimator whose predictions can be taken apart."""

    encoder_: TableEncoder
    network_: Network
    members_: Parameters
    device: str | None

    def explain(self, X: Any, output: Any = None, *, background: Any = None) -> Explanation:
        """Say what each column adds to each prediction, by integrated gradients.

        Explained is the raw output of all networks together, before the link: the prediction itself, in the
        units of y; its logarithm where the loss or ``target_transform`` has one; for classes, what
        ``decision_function`` gives. All that stands for a column, such as its bins, its levels or its mark of
        missing cells, counts for that column, and the attributions of a row add up to its output less the
        baseline. Sources: arXiv:1703.01365; for several rows to compare with arXiv:1906.10670.

        Parameters
        ----------
        X
            The rows to explain.
        output
            Of classes, the one to explain; by default the predicted one, row by row. Of several labels,
            targets or quantiles, the column of ``predict``, counted from 0.
        background
            A table of rows to compare with, of which 64 are taken, evenly spread, where it has more. By
            default those of X; but a single row is compared with "typical", which is a made-up row with each
            number and date at its middle and each category a level never seen.

        Raises
        ------
        ArgumentError
            If there is no such output, or background has no rows.
        TableError
            If a table does not fit the model.

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import DeepRegressor
        >>> X = np.random.default_rng(0).normal(size=(64, 2))
        >>> model = DeepRegressor((8,), n_members=1, random_state=0).fit(X, X[:, 0])
        >>> found = model.explain(X)
        >>> bool(np.allclose(found.baseline + found.attributions.sum(axis=1), model.predict(X)))
        True
        >>> found.importance()["column"][0]
        'x0'
        """
        with devices.on(self.device):
            return self._explained(X, output, background)

    def _explained(self, X: Any, output: Any, background: Any) -> Explanation:
        x, r, asked = self._asked_of(X, output)
        if isinstance(background, str):
            if background != "typical":
                raise ArgumentError(
                    f"background must be a table, 'typical' or None; got {background!r}. Read it first."
                )
            others = None
        elif background is None:
            others = x if len(x) > 1 else None
        else:
            others = encode(self.encoder_, self._table(background, reset=False))
        return explained(self.network_, self.members_, self.encoder_, x, r, others, asked)

    def input_gradients(self, X: Any, output: Any = None) -> np.ndarray:
        """∂output/∂column of each row, (rows, columns): what one more unit of a number would change.

        The output is that of :meth:`explain`. NaN where there is no derivative: by categories, by dates, and
        by numbers that are missing.
        """
        with devices.on(self.device):
            x, _, asked = self._asked_of(X, output)
            slopes = encoded_slopes(self.encoder_, self._table(X, reset=False))
            return gradients(self.network_, self.members_, self.encoder_, x, slopes, asked)

    def _asked_of(self, X: Any, output: Any) -> tuple[np.ndarray, np.ndarray, Asked]:
        check_is_fitted(self, "members_")
        x = encode(self.encoder_, self._table(X, reset=False))
        r = mean_output(self.network_, self.members_, x)
        return x, r, self._asked(output, r)

    @abstractmethod
    def _table(self, X: Any, reset: bool) -> Any:
        """Check a table as scikit-learn does."""

    @abstractmethod
    def _asked(self, output: Any, raw: np.ndarray) -> Asked:
        """The output that is to be explained, for rows of which the raw output is known."""
