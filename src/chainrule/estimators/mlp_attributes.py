"""What a fitted estimator tells under the names that scikit-learn's MLP has for it."""

import jax
import numpy as np

from chainrule.estimators import kinds
from chainrule.network.network import Network
from chainrule.network.parameters import Parameters, weights

_INVERSES = {"logit": "logistic", "multinomial logit": "softmax", "log": "exp"}


class MlpAttributes:
    """Attributes of a fitted network; AttributeError before fit, as for every fitted attribute."""

    network_: Network
    members_: Parameters
    loss_curve_: list[float]
    validation_scores_: list[float] | None

    @property
    def parameters_(self) -> Parameters:
        """What the first network learnt, as NumPy arrays; ``members_`` has what all of them did."""
        return jax.tree.map(lambda leaf: leaf[0], self.members_)

    @property
    def n_members_(self) -> int:
        """How many networks were kept."""
        return int(jax.tree.leaves(self.members_)[0].shape[0])

    @property
    def smooth_members_(self) -> np.ndarray:
        """Which of the networks do not see numbers in bins, as booleans (members,)."""
        return kinds.are_smooth(self.network_, self.members_)

    @property
    def coefs_(self) -> list[np.ndarray]:
        """Wᵀ of each affine map, shape (inputs, outputs)."""
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
    def out_activation_(self) -> str:
        """What turns the raw output into predictions: "identity", "logistic", "softmax" or "exp"."""
        return _INVERSES.get(self.network_.loss.link, "identity")

    @property
    def loss_(self) -> float:
        """The training loss of the last epoch."""
        return self.loss_curve_[-1]

    @property
    def best_loss_(self) -> float | None:
        """The lowest training loss; None where the validation rows decide."""
        return None if self.validation_scores_ else min(self.loss_curve_)

    @property
    def best_validation_score_(self) -> float | None:
        """The highest of ``validation_scores_``; None without validation rows."""
        return max(self.validation_scores_) if self.validation_scores_ else None
