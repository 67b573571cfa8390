"""Learning from a table that is larger than memory: its rows come in parts, read while others are learnt."""

import reprlib
from abc import abstractmethod
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from time import perf_counter
from typing import Any, NamedTuple, Self, final

import jax
import jax.numpy as jnp
import numpy as np
from sklearn.base import is_classifier

from chainrule import __version__
from chainrule.errors import ArgumentError
from chainrule.estimators import recipes
from chainrule.estimators.fingerprint import fingerprint, of_rows
from chainrule.estimators.large_problem import LargeProblem
from chainrule.estimators.options import refuse_wrong
from chainrule.estimators.problems import Problem
from chainrule.estimators.rows import Rows
from chainrule.estimators.safekeeping import Place, Safekeeping, kept_safe
from chainrule.estimators.stepwise import Stepwise
from chainrule.estimators.target_columns import Task
from chainrule.network import devices
from chainrule.tables.splits import validation_split
from chainrule.tables.stream import PIECE, Stream, open_stream
from chainrule.training import batches
from chainrule.training.epoch import restored
from chainrule.training.feeds import Part
from chainrule.training.folds import Folds
from chainrule.training.hosts import agree
from chainrule.training.loop import initial, train_fed
from chainrule.training.spread import Spread, spread_of

_VALIDATED = 20_000  # rows that are kept back, at most
_EPOCH = 262_144  # rows: a twentieth of its time judges
_MOST_ROWS = 1_048_576  # of a part
_PROGRAM = 900_000_000  # bytes that libraries, compiler and sample take


class Streamed(Stepwise):
    """Training on parts of a table."""

    def _fit_columns(
        self, source: Any, targets: Any, weight: Any, safe: Safekeeping | None = None, **others: Any
    ) -> Self:
        """Learn some columns of a stream, or of the files at a path, from the others."""
        refuse_wrong(self.get_params(deep=False))
        given = [name for name, value in others.items() if value is not None]
        if given:
            raise ArgumentError(
                f"{', '.join(given)} must be left out for a stream, which keeps rows back itself."
            )
        names = [targets] if isinstance(targets, str) else targets
        if not (isinstance(names, list | tuple) and names and all(isinstance(n, str) for n in names)):
            raise ArgumentError(
                "y must be the name of the target column, or a list of several, where X is a path or a "
                f"stream; got {reprlib.repr(targets)}."
            )
        if not isinstance(weight, str | None):
            raise ArgumentError(
                "sample_weight must be the name of a column, for a stream; got "
                f"{type(weight).__name__}. Put the weights into the files."
            )
        stream = source if isinstance(source, Stream) else open_stream(source)
        task = Task.REGRESSION
        if is_classifier(self):
            task = Task.CLASSIFICATION if len(names) == 1 else Task.LABELS
        return self._fit_parts(LargeProblem(stream, names, task, weight=weight), safe)

    def fit_large(
        self, problem: LargeProblem, *, checkpoints: Place | None = None, resume: bool = False
    ) -> Self:
        """Learn from a table in parts, as ``fit`` does with a stream."""
        with devices.on(self.device), kept_safe(checkpoints, resume, perf_counter(), self) as safe:
            return self._fit_parts(problem, safe)

    def _fit_parts(self, problem: LargeProblem, safe: Safekeeping | None) -> Self:
        started = perf_counter()
        if self.warm_start:
            raise ArgumentError("warm_start must be False for a stream; got True. Use partial_fit.")
        sample, seed = problem.sample, self._seed()
        seed = seed if safe is None else safe.seed(seed)
        kept, rows = self._begun(sample.X, sample.y, sample.weight, again=False, classes=problem.classes)
        places = problem.places if kept.kept is None else problem.places[kept.kept]
        share = min(self.validation_fraction, _VALIDATED / len(kept.y))
        learn, judge = validation_split(kept.y, share, seed, stratify=self._stratifies(kept.y))
        members = self._wished_members(judged=True)
        spread = self.spread()
        if spread is not None and safe is not None:
            raise ArgumentError(
                "checkpoints must be left out where several devices learn together; got a place for them. "
                "Leave them out, or use one device."
            )
        folds = Folds.same(members, learn, judge)
        plan = self._plan(problem.rows)
        if plan.optimizer.full_batch:
            raise ArgumentError(
                f"solver must be one that learns from batches, for a stream; got {plan.optimizer.name!r}. "
                "Choose another, such as 'adam'."
            )
        if self.batch_size == "auto":
            plan = plan._replace(batch_size=recipes.batch_size_of_stream(problem.rows))
        network = self._made_network(rows, plan.optimizer, plan.batch_size, problem.rows)
        pieces = len(problem.stream.pieces)
        if spread is not None and spread.over_rows and pieces < spread.devices:
            raise ArgumentError(
                f"devices must be at most {pieces} where they share this table's rows, one "
                f"for each {PIECE:,} of a file; got {spread.devices}. Use fewer, or more members."
            )
        held_out = rows.take(judge)
        passes = recipes.passes(problem.rows, plan.batch_size)
        if spread is not None:
            self._agree(problem, rows, seed)
        feed = Parts(
            problem,
            self._encoded_part,
            held_out,
            np.sort(places[judge]),
            most=_rows_of_part(problem.stream.memory, rows.x.shape[1]),
            passes=passes if self.max_iter == "auto" else int(self.max_iter),
            members=members,
            batch_size=plan.batch_size,
            seed=seed,
            shuffle=plan.shuffle,
            spread=spread,
        )
        if safe is not None:
            table = of_rows(rows, folds, problem.stream.files, problem.places, problem.classes)
            memory = problem.stream.memory
            this = fingerprint(self, self.encoder_, table, parts=feed.parts, memory=memory)
            safe.take_up(this, network, plan.optimizer, members)
        begun = None if safe is None else safe.state
        run = train_fed(
            network,
            feed,
            members,
            initial(network, seed, members, rows.x, folds),
            state=begun,
            position=None if safe is None else safe.position,
            deadline=self._deadline(started, safe),
            **plan.options,
            epochs=feed.epochs,
            seed=seed,
            spread=spread,
        )
        self.loss_curve_, self.validation_scores_, self.n_iter_ = [], [], 0
        self.network_, self.folds_ = network, folds
        self.validation_rows_ = places[folds.judged]
        if self.scoring not in (None, "loss"):
            run = self._scored(run, rows, None, again=False, begun=begun)
        last = self._follow(run, again=False, one_epoch=False, safe=safe)
        assert last is not None  # a first part that diverges is an error
        best = last.best if spread is None else spread.fetched(last.best)
        self.members_ = jax.tree.map(np.asarray, restored(network, best))
        self._state = None
        self._learn_from(self._unseen_of(rows), rows)
        return self

    def spread(self) -> Spread | None:
        """How a stream would be learnt from by all devices of all processes; None with a single device."""
        return spread_of(self._wished_members(judged=True), self.device)

    def _agree(self, problem: LargeProblem, rows: Rows, seed: int) -> None:
        """See to it that all processes learn the same."""
        options = {name: value for name, value in self.get_params(deep=False).items() if name != "verbose"}
        pieces = [(piece.offset, piece.rows) for piece in problem.stream.pieces]
        agree(
            {
                "version of chainrule": __version__,
                "number of devices": jax.local_device_count(),
                "options": (sorted(options.items()), seed, problem.stream.memory),
                "columns": (problem.stream.schema, problem.targets, rows.x.shape[1]),
                "table": (pieces, problem.counts.tolist(), rows.x[::7].tobytes(), rows.y.tobytes()),
            }
        )

    def _encoded_part(self, part: Problem) -> Rows:
        return self._rows(self._checked(part.X, part.y, part.weight, reset=False))

    @abstractmethod
    def _wished_members(self, *, judged: bool) -> int:
        """How many networks learn."""

    @abstractmethod
    def _stratifies(self, y: np.ndarray) -> bool:
        """Whether a validation part should have the classes in proportion."""


class _Loaded(NamedTuple):
    """Rows in memory, those that judge first, and the order in which each member sees the others."""

    table: batches.Table
    order: np.ndarray


@final
class Parts:
    """Parts of a stream, each of pieces drawn at random, and within a part every row in a drawn order.

    Rows that are far apart in the table meet in a part; those of a piece are always in the same one. While a
    part is learnt from, a thread reads the next. An epoch is a share of a part.

    Parameters
    ----------
    encoded
        From a problem to rows as the network sees them.
    held_out, places
        The rows that judge, and their numbers in the whole table: they are not learnt from.
    most
        Rows of a part, at most.
    passes
        How often the table is gone through.
    """

    def __init__(
        self,
        problem: LargeProblem,
        encoded: Callable[[Problem], Rows],
        held_out: Rows,
        places: np.ndarray,
        *,
        most: int,
        passes: int,
        members: int,
        batch_size: int,
        seed: int,
        shuffle: bool = True,
        spread: Spread | None = None,
    ) -> None:
        self._problem, self._encoded, self._held_out, self._places = problem, encoded, held_out, places
        self._members, self._seed, self._shuffle = members, seed, shuffle
        self._spread, shares = spread, 1 if spread is None else spread.shares
        batch_size = -(-batch_size // shares)
        most = max(most, PIECE) * (1 if spread is None else max(1, shares // len(spread.own)))
        firsts = [piece.first for piece in problem.stream.pieces]
        self._sizes = problem.counts - np.bincount(
            np.searchsorted(firsts, places, side="right") - 1, minlength=len(firsts)
        )
        """How many rows of each piece are learnt from."""
        self._parts = [part for turn in range(passes) for part in self._pass(turn, most)]
        self._dealt = [self._shares_of(part, shares) for part in self._parts]
        """The pieces of each share of each part."""
        self._rows = np.array([[self._sizes[own].sum() for own in part] for part in self._dealt])
        sizes = self._rows.max(axis=1).tolist()
        self._room = batches.padded(len(held_out.y) + max(sizes))
        self._block = batches.blocks_of(self._room, batch_size)[1]
        """Steps of a block: an epoch has whole ones."""
        block = batch_size * self._block
        epochs = [
            min(-(-int(rows) // _EPOCH), -(-size // block))
            for rows, size in zip(self._rows.sum(axis=1), sizes, strict=True)
        ]
        self._starts = np.concatenate([[0], np.cumsum(epochs)])
        self.epochs = int(self._starts[-1])
        """In all passes."""
        self.parts = tuple(map(tuple, self._parts))
        """The pieces of each part, in all passes."""
        self.batch_size = batch_size
        blocks = [-(-size // block) for size in sizes]
        self._blocks = max(-(-n // share) for n, share in zip(blocks, epochs, strict=True))
        self.steps = min(self._blocks * self._block, -(-max(sizes) // batch_size))
        weight = np.ones(len(held_out.y)) if held_out.weight is None else held_out.weight
        self._usual = float(weight.mean())
        members = members if spread is None else spread.members
        self._members = members
        judged = batches.judged([np.arange(len(held_out.y))] * members, weight, members)
        self._judged = judged if spread is None else spread.judged(judged)
        self._device = devices.insisted()
        self._reader = ThreadPoolExecutor(1, "chainrule-reader")
        self._under_way: dict[int, Future[_Loaded]] = {}

    def part(self, number: int) -> Part:
        """What an epoch learns from; the part after it is begun to be read."""
        part = int(np.searchsorted(self._starts, number - 1, side="right")) - 1
        share, shares = number - 1 - self._starts[part], self._starts[part + 1] - self._starts[part]
        needed = [n for n in (part, part + 1) if n < len(self._parts)]
        before = self._under_way  # what is not needed is forgotten
        self._under_way = {n: before.get(n) or self._reader.submit(self._read, n) for n in needed}
        table, order = self._under_way[part].result()
        block, rows = self._block * self.batch_size, self._rows[part]
        most = -(-int(rows.max()) // block)
        begin, end = (int(n) * most // int(shares) for n in (share, share + 1))
        own = np.maximum(np.minimum(rows, end * block) - begin * block, 0).astype(np.int32)
        order, steps = order[:, begin : begin + self._blocks], -(-int(own.max()) // self.batch_size)
        if self._spread is None:
            return Part(table, self._judged, order, np.repeat(own, self._members), steps)
        counts = self._spread.counts(own)
        return Part(table, self._judged, self._spread.order(order), counts, steps)

    def _shares_of(self, part: list[int], shares: int) -> list[list[int]]:
        """The pieces of a part, dealt so that no share has many more rows than others."""
        dealt: list[list[int]] = [[] for _ in range(shares)]
        rows = [0] * shares
        for piece in part:
            least = rows.index(min(rows))
            dealt[least].append(piece)
            rows[least] += int(self._sizes[piece])
        return dealt

    def _pass(self, turn: int, most: int) -> list[list[int]]:
        """The pieces of each part of a pass, drawn anew."""
        pieces = np.flatnonzero(self._sizes)
        if self._shuffle:
            pieces = np.random.default_rng((self._seed, turn)).permutation(pieces)
        there = int(self._sizes.sum())
        usual = -(-there // -(-there // most))  # so that no part is much smaller than others
        parts: list[list[int]] = [[]]
        size = 0
        for piece in pieces.tolist():
            rows = int(self._sizes[piece])
            if size >= usual or size + rows > most:
                parts.append([])
                size = 0
            parts[-1].append(piece)
            size += rows
        return parts

    def _read(self, part: int) -> _Loaded:
        with jax.default_device(self._device):
            return self._load(part)

    def _load(self, part: int) -> _Loaded:
        spread = self._spread
        if spread is None:
            arrays, order = self._load_share(part, 0, range(self._members))
            on_device = [jnp.asarray(array) for array in arrays]
            return _Loaded(batches.Table(on_device[0], on_device[1], on_device[2], self._room), order)
        shares = spread.own if spread.over_rows else range(1)
        loaded = [self._load_share(part, share, spread.own_members) for share in shares]
        x, y, weight = (np.concatenate(each) for each in zip(*(arrays for arrays, _ in loaded), strict=True))
        orders = np.concatenate([order for _, order in loaded], axis=-1)
        return _Loaded(spread.table(x, y, weight, self._room), orders)

    def _load_share(self, part: int, share: int, members: range) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
        """Rows of a share of a part, those that judge before them, and the order of each member."""
        held_out = self._held_out
        first = end = len(held_out.y)
        x = np.zeros((self._room, held_out.x.shape[1]), held_out.x.dtype)
        y = np.repeat(held_out.y[:1], self._room, axis=0).astype(x.dtype)
        weight = np.zeros(self._room, x.dtype)
        x[:first], y[:first] = held_out.x, held_out.y
        for piece in self._dealt[part][share]:
            problem, places = self._problem.read(piece)
            learnt = self._encoded(problem.take(np.flatnonzero(~np.isin(places, self._places))))
            begin, end = end, end + len(learnt.y)
            x[begin:end], y[begin:end] = learnt.x, learnt.y
            weight[begin:end] = (1.0 if learnt.weight is None else learnt.weight) / self._usual
        rows = np.arange(first, end)
        orders = []
        for member in members:
            numbers = batches.shuffling(self._seed, part, member, share) if self._shuffle else None
            orders.append(batches.order(rows, self._room, self.batch_size, numbers))
        order = np.stack(orders)
        # As many blocks more as an epoch has, so that the last one has them too.
        beyond = np.full_like(order[:, : self._blocks], self._room - 1)
        return (x, y, weight), np.concatenate([order, beyond], axis=1)


def is_large(stream: Stream) -> bool:
    """Whether a table has more rows than can be learnt from in memory."""
    bytes_of_row = 40 * len(stream.names) + 100  # as read, as numbers, encoded, and its place in each order
    return _PROGRAM + stream.rows * bytes_of_row > stream.memory


def _rows_of_part(memory: int, width: int) -> int:
    """As many as leave room for the program: two parts encoded, what is read, the orders of members."""
    return int(min((memory - _PROGRAM) / (4 * (2.5 * width + 50)), _MOST_ROWS))
