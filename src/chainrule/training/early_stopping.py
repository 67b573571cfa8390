"""When to stop: after a number of epochs without a better one."""

from typing import NamedTuple


class Patience(NamedTuple):
    """The best score so far, lower is better, and how long ago it was."""

    epochs: int | None
    """How many epochs without improvement end the training; None never ends it."""
    tol: float = 0.0
    """How much lower a score must be to count as an improvement."""
    best: float = float("inf")
    waited: int = 0

    def after(self, score: float) -> "Patience":
        """Return the state after one more epoch."""
        if score < self.best - self.tol:
            return self._replace(best=score, waited=0)
        return self._replace(best=min(score, self.best), waited=self.waited + 1)

    @property
    def exhausted(self) -> bool:
        """Whether it is time to stop."""
        return self.epochs is not None and self.waited >= self.epochs
