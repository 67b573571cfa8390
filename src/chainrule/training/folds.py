"""Members as folds: which rows each member of an ensemble learns from, and which judge it."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.intp]


class Folds(NamedTuple):
    """For each member, the numbers of the rows that it learns from, and of those that judge it.

    Rows that a member does not learn from say honestly how good it is. Where each member leaves out another
    part, every row is predicted by a network that never saw it, and none is lost to validation.
    """

    learn: tuple[Rows, ...]
    judge: tuple[Rows, ...]
    """As many, or none at all."""

    @property
    def members(self) -> int:
        """How many there are."""
        return len(self.learn)

    @property
    def learnt(self) -> Rows:
        """The rows that at least one member learns from: in its order where they are the same for all."""
        first = self.learn[0]
        same = all(part is first for part in self.learn)
        return first if same else np.unique(np.concatenate(self.learn))

    @property
    def judged(self) -> Rows:
        """The rows that judge at least one member, sorted."""
        return np.unique(np.concatenate(self.judge)) if self.judge else np.empty(0, np.intp)

    @classmethod
    def same(cls, members: int, learn: Rows, judge: Rows | None = None) -> "Folds":
        """All members learn from the same rows, and the same others judge them."""
        return cls((learn,) * members, () if judge is None else (judge,) * members)

    @classmethod
    def crossed(cls, rounds: list[Rows]) -> "Folds":
        """A member for each part of each round; a round has the number of each row's part, from 0."""
        learn, judge = [], []
        for parts in rounds:
            for part in range(int(parts.max()) + 1):
                learn.append(np.flatnonzero(parts != part))
                judge.append(np.flatnonzero(parts == part))
        return cls(tuple(learn), tuple(judge))

    def taken(self, members: slice) -> "Folds":
        """Of these members only."""
        return Folds(self.learn[members], self.judge[members])

    def twice(self) -> "Folds":
        """All members, then as many again with the same rows."""
        return Folds(2 * self.learn, 2 * self.judge)

    @property
    def judges(self) -> Rows:
        """Which members each judged row judges, (times, judged rows); all rows do so equally often."""
        rows = np.concatenate(self.judge)
        members = np.repeat(np.arange(self.members), list(map(len, self.judge)))
        return members[np.argsort(rows, kind="stable")].reshape(len(self.judged), -1).T
