"""What the page shows of a run again and again, in plain values."""

from math import inf
from time import monotonic
from typing import Any, NamedTuple

import numpy as np

from chainrule.estimators.classifier import DeepClassifier
from chainrule.estimators.rows import Rows
from chainrule.estimators.target_columns import Task
from chainrule.network.embedding_layers import Parallel
from chainrule.network.network import Network
from chainrule.network.parameters import weights
from chainrule.page.drawn import encoded, fields
from chainrule.page.hints import Health, hints
from chainrule.page.history import Moment
from chainrule.page.looking import COARSE, FINE, Painted, Seen, look, paint
from chainrule.page.plain import in_bytes, plain, spread
from chainrule.page.run import Run
from chainrule.tables.encoders import NumericColumn

_SHOWN = 16  # units of a layer
_LOOKED_AT = 512  # rows of each kind that a frame looks at
_ANSWERS = 300
_POINTS = 600
_CURVE = 400
_CLASSES = 12  # for a table of who is taken for whom
_DRAWN = 4  # targets
_BARS = 20  # of a histogram
_HINTED = 0.5  # seconds between two looks for hints, while it learns
_CHOSEN = 3.0  # seconds between two choices of units, while it learns
_CLEARLY = 1.5
_PAINTED = 0.06  # seconds between two looks at the plane, while it learns: they cost most


class Plane(NamedTuple):
    """That of two columns of numbers, a tenth larger than what the rows span."""

    names: tuple[str, str]
    low: np.ndarray
    high: np.ndarray
    x: np.ndarray
    """Encoded points: the fine grid's, then the coarse one's, row by row from the top."""


class _Paintings(NamedTuple):
    """Pictures of the plane as the page takes them."""

    pictures: tuple[list[str], ...]
    surface: str | None
    surface_range: list[float] | None


class Frames:
    """Looks at a run; what does not change from frame to frame is made once."""

    def __init__(self, run: Run, targets: tuple[str, ...]) -> None:
        self.run = run
        self.targets = targets
        """Names of the columns that are predicted."""
        self.network: Network = run.network
        entries = list(weights(run.parameters_of(run.now)))
        self.widths = [entries[0].W.shape[1], *(entry.W.shape[0] for entry in entries)]
        """Units of each column: the inputs of the first affine map, and the outputs of each."""
        last = len(self.widths) - 1
        embedded = isinstance(self.network.layers[0], Parallel)
        self.names = ("e" if embedded else "x", *(f"h{layer}" for layer in range(1, last)), "y_hat")
        """What a trace calls their values."""
        names = run.model.encoder_.feature_names
        self.inputs = [f"e[{k + 1}]" for k in range(self.widths[0])] if embedded else list(names)
        learnt = spread(np.arange(run.learnt), _LOOKED_AT)
        validating = spread(np.arange(run.learnt, len(run.rows.y)), _LOOKED_AT)
        looked_at = np.concatenate([learnt, validating])
        self.rows = run.rows.take(looked_at)
        self._validates = looked_at >= run.learnt
        self.plane = _plane_of(run)
        self._hinted, self._hints_then = -inf, list[dict[str, str]]()
        self._held, self._chosen, self._units = False, -inf, list[np.ndarray]()
        self._painted, self._paintings_then = -inf, _Paintings((), None, None)

    def description(self) -> dict[str, Any]:
        """What the run is."""
        run, plane = self.run, self.plane
        return {
            "setup": run.setup.to_dict(),
            "task": "regression" if run.problem.task is Task.REGRESSION else "classification",
            "targets": list(self.targets),
            "told": run.told,
            "members": run.members,
            "fields": None if run.told else fields(run.model.encoder_, run.problem.X.row(0)),
            "sizes": list(self.network.sizes),
            "inputs": self.inputs,
            "outputs": self._outputs(),
            "classes": self._classes(),
            "rows": {"learn": run.learnt, "validate": len(run.rows.y) - run.learnt},
            "loss": self.network.loss.name,
            "plane": None
            if plane is None
            else {
                "names": list(plane.names),
                "x": plain([plane.low[0], plane.high[0]]),
                "y": plain([plane.low[1], plane.high[1]]),
                "n": FINE,
            },
            "points": self._points(),
        }

    def frame(self, moment: Moment | None = None) -> dict[str, Any]:
        """The network at a moment, by default as it is: its weights, what it says, and how it does."""
        run = self.run
        moment = run.now if moment is None else moment
        seen = look(self.network, self.names, moment.state.parameters, self.rows.x, self.rows.y)
        painted = self._paintings(moment)
        entries = [(np.asarray(entry.W), entry.b) for entry in weights(seen.parameters)]
        shown = self._shown(seen, [W for W, _ in entries])
        raw = np.asarray(seen.values[-1])
        newest = run.history.newest.epoch
        return {
            "epoch": moment.epoch,
            "step": moment.step,
            "playing": run.playing,
            "newest": moment.epoch >= newest,
            "last": newest,
            "loss": plain(moment.loss),
            "validation_loss": plain(moment.validation_loss),
            "scores": self._scores(raw),
            "speed": plain(run.speed),
            "diverged": moment.diverged,
            "error": run.error,
            "columns": [
                self._column(layer, units, entries[layer - 1][1] if layer else None, seen, painted)
                for layer, units in enumerate(shown)
            ],
            "links": [_links(W, shown[layer], shown[layer + 1]) for layer, (W, _) in enumerate(entries)],
            "surface": painted.surface,
            "surface_range": painted.surface_range,
            **self._said(raw),
            "deltas": [
                {"layer": layer, "size": size} for layer, size in enumerate(plain(np.asarray(seen.sizes)), 1)
            ],
            "hints": self._hints(moment, seen),
        }

    def curve(self) -> dict[str, Any]:
        """The losses so far, for a drawing."""
        epochs, losses, validated = zip(*self.run.history.curve(_CURVE), strict=True)
        return {"epoch": list(epochs), "loss": plain(losses), "validation": plain(validated)}

    def answering(self, raw: np.ndarray) -> Any:
        """Rows whose raw output is known, for the model to answer in its own terms."""
        unknown = np.full((len(raw), self.network.targets), np.nan)
        return Rows(np.empty((len(raw), 0)), unknown, None, unknown, raw=raw)

    @property
    def _labels(self) -> bool:
        """Whether several things are asked of a row, each of which holds or not."""
        return self.run.problem.task is Task.LABELS

    def _outputs(self) -> list[str]:
        outputs, classes = self.network.sizes[-1], self._classes()
        if classes is not None and len(classes) == outputs:
            return classes
        if len(self.targets) == outputs > 1:
            return list(self.targets)
        return ["ŷ"] if outputs == 1 else [f"ŷ[{k + 1}]" for k in range(outputs)]

    def _classes(self) -> list[str] | None:
        model = self.run.model
        if isinstance(model, DeepClassifier) and not self._labels:
            return [str(name) for name in model.classes_.tolist()]
        return None

    def _points(self) -> list[list[Any]]:
        """Of rows within the plane: where, what they are, whether they validate, and their number."""
        run = self.run
        if self.plane is None or not run.told:
            return []
        places = spread(np.arange(len(run.rows.y)), _POINTS)
        rows = run.order[places]
        across, up = (run.problem.X[name].to_numpy()[rows] for name in self.plane.names)
        told = np.stack([across, up, self._codes(run.rows.truth[places])], axis=1)
        return [
            [*point, int(place >= run.learnt), int(row)]
            for point, place, row in zip(plain(told), places, rows, strict=True)
        ]

    def _codes(self, truth: np.ndarray) -> np.ndarray:
        """Numbers, and classes as the numbers of their places."""
        classes = isinstance(self.run.model, DeepClassifier) and not self._labels
        return np.searchsorted(self.run.model.classes_, truth) if classes else truth

    def hold(self, held: object) -> None:
        """Keep to the units that are shown, because somebody is among them; or no longer."""
        self._held = bool(held)

    def _shown(self, seen: Seen, matrices: list[np.ndarray]) -> list[np.ndarray]:
        """Of each column of units, those that are drawn: where there are many, those with most to say.

        The choice must not flicker: while it learns it is looked at now and then only, and a unit gives way
        to one that has clearly more to say.
        """
        again = not self._held and (not self.run.playing or monotonic() - self._chosen > _CHOSEN)
        if self._units and not again:
            return self._units
        before, found = self._units, list[np.ndarray]()
        self._chosen = monotonic()
        for layer, units in enumerate(self.widths):
            with np.errstate(all="ignore"):  # of weights that nearly overflow
                if layer < len(matrices):
                    say = np.asarray(seen.deviations[layer]) * np.linalg.norm(matrices[layer], axis=0)
                else:
                    say = np.linalg.norm(matrices[-1], axis=1)
                say = np.nan_to_num(say)
                if before:
                    say[before[layer]] *= _CLEARLY
            chosen = np.argsort(-say, kind="stable")[:_SHOWN] if units > _SHOWN else np.arange(units)
            found.append(np.sort(chosen))
        self._units = found  # whole, because two threads may look at once
        return found

    def _column(
        self, layer: int, units: np.ndarray, bias: Any, seen: Seen, painted: "_Paintings"
    ) -> dict[str, Any]:
        means, deviations = (plain(np.asarray(told[layer])[units]) for told in (seen.means, seen.deviations))
        biases = [None] * len(units) if bias is None else plain(np.asarray(bias)[units])
        return {
            "name": {"e": "e", "x": "x", "y_hat": "ŷ"}.get(self.names[layer], self.names[layer]),
            "size": self.widths[layer],
            "units": [
                {
                    "unit": unit,
                    "bias": biases[k],
                    "mean": means[k],
                    "strength": deviations[k],
                    "heat": painted.pictures[layer][unit] if painted.pictures else None,
                }
                for k, unit in enumerate(units.tolist())
            ],
        }

    def _paintings(self, moment: Moment) -> "_Paintings":
        """What units and network say of the plane; while it learns, looked at some times a second only."""
        if self.plane is not None and (not self.run.playing or monotonic() - self._painted > _PAINTED):
            kept = moment.state.parameters
            seen = paint(self.network, self.names, kept, self.plane.x, self.rows.y[0])
            pictures = tuple([in_bytes(one) for one in np.asarray(column)] for column in seen.pictures)
            self._paintings_then = _Paintings(pictures, *self._surface(seen))
            self._painted = monotonic()
        return self._paintings_then

    def _surface(self, seen: Painted) -> tuple[str, list[float]]:
        """The second class's probability, or the answers' codes, and what 0 and 255 stand for."""
        model = self.run.model
        if hasattr(model, "predict_proba") and self.network.sizes[-1] == 1:
            values, low, high = np.asarray(seen.answers)[:, 0], 0.0, 1.0
        else:
            said = self._codes(model.predict(self.answering(np.asarray(seen.surface))))
            values = said.astype(float).reshape(FINE * FINE, -1)[:, 0]
            classes = self._classes()
            if classes is not None:
                known = np.arange(len(classes), dtype=float)
            else:
                known = self.rows.truth.astype(float) if self.run.told else values
            low, high = float(known.min()), float(known.max())
        return in_bytes(255 * (values - low) / ((high - low) or 1.0)), plain([low, high])

    def _said(self, raw: np.ndarray) -> dict[str, Any]:
        """Where there is no plane: truth and prediction, or who is taken for whom."""
        nothing: dict[str, Any] = {"answers": None, "confusion": None, "spread": None}
        model, classes = self.run.model, self._classes()
        if self.plane is not None:
            return nothing
        if not self.run.told:
            return nothing | {"spread": self._spread(model.predict(self.answering(raw)))}
        if classes is None:
            return nothing | {"answers": self._answers(raw)}
        if len(classes) > _CLASSES:
            return nothing
        said = self._codes(model.predict(self.answering(raw)))
        return nothing | {"confusion": _confusion(classes, self._codes(self.rows.truth), said)}

    def _answers(self, raw: np.ndarray) -> list[dict[str, Any]]:
        """Of each target: truth, prediction, and whether the row validates. Of a label, its probability."""
        model, places = self.run.model, spread(np.arange(len(raw)), _ANSWERS)
        said = model.predict_proba if hasattr(model, "predict_proba") else model.predict
        truth, answer = (
            np.asarray(told, np.float64).reshape(len(places), -1)
            for told in (self.rows.truth[places], said(self.answering(raw[places])))
        )
        return [
            {
                "target": target,
                "points": plain(np.stack([truth[:, k], answer[:, k], self._validates[places]], axis=1)),
            }
            for k, target in enumerate(self.targets[:_DRAWN])
        ]

    def _spread(self, said: np.ndarray) -> list[dict[str, Any]]:
        """Of each target, how often which answer is given."""
        found: list[dict[str, Any]] = []
        for k, target in enumerate(self.targets[:_DRAWN]):
            answers = said.reshape(len(said), -1)[:, k]
            if self.run.problem.task is not Task.REGRESSION:
                names, counts = np.unique(answers, return_counts=True)
                order = np.argsort(-counts, kind="stable")[:_CLASSES]
                told = {"names": [str(names[j]) for j in order], "counts": counts[order].tolist()}
            else:
                counts, edges = np.histogram(answers[np.isfinite(answers)], _BARS)
                told = {"edges": plain(edges), "counts": counts.tolist()}
            found.append({"target": target, **told})
        return found

    def _scores(self, raw: np.ndarray) -> dict[str, Any]:
        """R², or the share of right answers, of the rows that a frame looks at."""
        model, truth = self.run.model, self.rows.truth
        classes = isinstance(model, DeepClassifier)
        if not self.run.told:
            return {"name": "Accuracy" if classes else "R²", "learn": None, "validate": None}
        with np.errstate(all="ignore"):
            said = model.predict(self.answering(raw)).reshape(truth.shape)
            off = (said == truth) if classes else (said - truth) ** 2

        def score(part: np.ndarray) -> float | None:
            if not part.any():
                return None
            if classes:
                return float(off[part].mean())
            total = float(((truth[part] - truth[part].mean(axis=0)) ** 2).sum())
            return float(1 - off[part].sum() / total) if total else None

        return {
            "name": "Accuracy" if classes else "R²",
            "learn": plain(score(~self._validates)),
            "validate": plain(score(self._validates)),
        }

    def _hints(self, moment: Moment, seen: Seen) -> list[dict[str, str]]:
        """While it learns, looked for a few times a second only."""
        if not self.run.playing or monotonic() - self._hinted > _HINTED:
            losses, validated = self.run.history.losses()
            health = Health(
                moment,
                self.run.history.first,
                losses[: moment.epoch],
                validated[: moment.epoch],
                tuple(activation.name for activation in self.network.activations),
                tuple(map(np.asarray, seen.values[1:-1])),
                tuple(map(np.asarray, seen.z[:-1])),
                tuple(map(np.asarray, seen.deltas)),
            )
            self._hints_then = [hint._asdict() for hint in hints(health)]
            self._hinted = monotonic()
        return self._hints_then


def _confusion(classes: list[str], truth: np.ndarray, said: np.ndarray) -> dict[str, Any]:
    counts = np.zeros((len(classes), len(classes)), int)
    np.add.at(counts, (truth, said), 1)
    return {"classes": classes, "counts": counts.tolist()}


def _links(W: np.ndarray, before: np.ndarray, after: np.ndarray) -> list[list[Any]]:
    of = before.tolist()
    rows = zip(after.tolist(), plain(W[np.ix_(after, before)]), strict=True)
    return [[to, *pair] for to, row in rows for pair in zip(of, row, strict=True)]


def _plane_of(run: Run) -> Plane | None:
    """The plane, where two columns of numbers without gaps are all there is to learn from."""
    import polars as pl

    columns = run.model.encoder_.columns
    numbers = [c for c in columns if isinstance(c, NumericColumn) and c.missing == "never"]
    if len(columns) != 2 or len(numbers) != 2 or run.rows.truth.ndim > 1:
        return None
    names = (columns[0].name, columns[1].name)
    told = run.problem.X.select(pl.col(names).cast(pl.Float64)).to_numpy()
    low, high = told.min(axis=0), told.max(axis=0)
    beyond = 0.05 * (high - low)
    low, high = low - beyond, high + beyond
    points = []
    for n in (FINE, COARSE):
        across, up = np.linspace(low[0], high[0], n), np.linspace(high[1], low[1], n)
        points.append(np.stack([np.tile(across, n), np.repeat(up, n)], axis=1))
    frame = pl.DataFrame(dict(zip(names, np.concatenate(points).T, strict=True)))
    return Plane(names, low, high, encoded(run.model, frame))
