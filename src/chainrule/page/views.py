"""What the page shows of a run, in plain values: how it is now, its rows; a weight, a unit, a row."""

from base64 import b64encode
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from chainrule.errors import ArgumentError
from chainrule.estimators.classifier import DeepClassifier
from chainrule.estimators.rows import Rows
from chainrule.estimators.target_columns import Task
from chainrule.explain.derivation import derive
from chainrule.explain.documents import html_body
from chainrule.network.network import Network
from chainrule.network.parameters import Parameters, weights
from chainrule.network.trace import named_passes
from chainrule.page.hints import Health, hints
from chainrule.page.history import Moment
from chainrule.page.run import Run, value_of
from chainrule.tables.encoders import NumericColumn
from chainrule.training.epoch import restored

_SHOWN = 16  # units of a layer
_LOOKED_AT = 512  # rows of each kind that a frame looks at
_ANSWERS = 300
_POINTS = 600
_FINE, _COARSE = 40, 12  # points along an edge of the decision surface, and of a unit's small picture
_ROWS_DERIVED = 256  # of a batch whose gradient is derived


class Grid(NamedTuple):
    """The plane of two columns of numbers."""

    names: tuple[str, str]
    low: np.ndarray
    high: np.ndarray
    x: np.ndarray
    """Encoded points: those of the fine grid, then those of the coarse one, row by row from the top."""


class View:
    """Looks at a run; what does not change from frame to frame is made once."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.network: Network = run.network
        learnt = _spread(np.arange(run.learnt), _LOOKED_AT)
        validating = _spread(np.arange(run.learnt, len(run.rows.y)), _LOOKED_AT)
        self._looked = np.concatenate([learnt, validating])
        self._validates = self._looked >= run.learnt
        self.rows = run.rows.take(self._looked)
        self.grid = _grid_of(run)
        self.inputs = _inputs_of(run)
        self.columns = _affine_widths(run)

    def description(self) -> dict[str, Any]:
        """What the run is."""
        run, model = self.run, self.run.model
        grid = self.grid
        table = run.problem
        return {
            "setup": run.setup.to_dict(),
            "task": "regression" if table.task is Task.REGRESSION else "classification",
            "target": self.target,
            "sizes": list(self.network.sizes),
            "inputs": self.inputs,
            "outputs": _outputs_of(run),
            "classes": [str(name) for name in model.classes_.tolist()]
            if isinstance(model, DeepClassifier)
            else None,
            "rows": {"learn": run.learnt, "validate": len(run.rows.y) - run.learnt},
            "header": [*table.X.columns, self.target],
            "loss": self.network.loss.name,
            "plane": None
            if grid is None
            else {
                "names": list(grid.names),
                "x": _plain([grid.low[0], grid.high[0]]),
                "y": _plain([grid.low[1], grid.high[1]]),
                "n": _FINE,
            },
            "points": self._points(),
        }

    @property
    def target(self) -> str:
        """The name of the column that is predicted."""
        data = self.run.setup.data
        return getattr(data, "target", "y")

    def _points(self) -> list[list[Any]]:
        if self.grid is None:
            return []
        run = self.run
        places = _spread(np.arange(len(run.rows.y)), _POINTS)
        across, up = (run.problem.X[name].to_numpy() for name in self.grid.names)
        y = self._codes(run.rows.truth[places])
        return [
            [*_plain([across[row], up[row], y[k]]), int(place >= run.learnt), int(row)]
            for k, (place, row) in enumerate(zip(places, run.order[places], strict=True))
        ]

    def _codes(self, truth: np.ndarray) -> np.ndarray:
        model = self.run.model
        if isinstance(model, DeepClassifier) and truth.ndim == 1:
            return np.searchsorted(model.classes_, truth)
        return truth

    def frame(self, moment: Moment | None = None) -> dict[str, Any]:
        """The network as it is, what it says, and how it does."""
        run = self.run
        moment = run.now if moment is None else moment
        grid = None if self.grid is None else self.grid.x
        seen = _look(self.network, moment.state.parameters, self.rows.x, self.rows.y, grid)
        seen = jax.tree.map(np.asarray, seen)
        parameters = seen.parameters
        shown = self._shown(seen)
        raw = seen.values["y_hat"]
        found: dict[str, Any] = {
            "epoch": moment.epoch,
            "step": moment.step,
            "playing": run.playing,
            "newest": moment.epoch >= run.history.newest.epoch,
            "last": run.history.newest.epoch,
            "loss": _plain(moment.loss),
            "validation_loss": _plain(moment.validation_loss),
            "scores": self._scores(raw),
            "speed": _plain(run.speed),
            "diverged": moment.diverged,
            "error": run.error,
            "columns": [self._column(layer, units, parameters, seen) for layer, units in enumerate(shown)],
            "links": [
                _links(entry.W, shown[layer], shown[layer + 1])
                for layer, entry in enumerate(weights(parameters))
            ],
            **self._surface(seen),
            **self._answers(raw),
            "deltas": [
                {"layer": layer, "size": _plain(float(np.sqrt(np.mean(seen.deltas[f"delta{layer}"] ** 2))))}
                for layer in range(1, len(shown))
            ],
            "hints": [hint._asdict() for hint in hints(self._health(moment, seen))],
        }
        return found

    def curve(self) -> dict[str, Any]:
        """The losses so far, for a drawing."""
        epochs, losses, validated = zip(*self.run.history.curve(400), strict=True)
        return {"epoch": list(epochs), "loss": _plain(losses), "validation": _plain(validated)}

    def _shown(self, seen: "_Seen") -> list[np.ndarray]:
        """Of each column of units, those that are drawn: where there are many, those with most to say."""
        values = [self._values(layer, seen) for layer in range(len(self.columns))]
        matrices = [entry.W for entry in weights(seen.parameters)]
        shown = []
        for layer, value in enumerate(values[:-1]):
            strength = value.std(axis=0) * np.linalg.norm(matrices[layer], axis=0)
            shown.append(_strongest(strength))
        shown.append(_strongest(np.linalg.norm(matrices[-1], axis=1)))
        return shown

    def _values(self, layer: int, seen: "_Seen") -> np.ndarray:
        """What the units of a column say, (rows, units)."""
        return seen.values[self._name(layer)]

    def _name(self, layer: int) -> str:
        if layer == 0:
            return "e" if self.network.layers[0].__class__.__name__ == "Parallel" else "x"
        return "y_hat" if layer == len(self.columns) - 1 else f"h{layer}"

    def _column(self, layer: int, units: np.ndarray, parameters: Parameters, seen: "_Seen") -> dict[str, Any]:
        values = self._values(layer, seen)[:, units]
        bias = None if layer == 0 else list(weights(parameters))[layer - 1].b
        heat = None
        if self.grid is not None:
            on_grid = seen.on_grid[self._name(layer)][_FINE * _FINE :, units]
            most = np.abs(on_grid).max(axis=0)
            heat = _bytes(128 + 127 * on_grid / np.where(most > 0, most, 1))
        return {
            "name": ("x" if layer == 0 else "ŷ" if layer == len(self.columns) - 1 else f"h{layer}"),
            "size": self.columns[layer],
            "units": [
                {
                    "unit": int(unit),
                    "bias": None if bias is None else _plain(bias[unit]),
                    "mean": _plain(values[:, k].mean()),
                    "strength": _plain(values[:, k].std()),
                    "heat": None if heat is None else _text(heat[:, k]),
                }
                for k, unit in enumerate(units)
            ],
        }

    def _surface(self, seen: "_Seen") -> dict[str, Any]:
        if self.grid is None:
            return {"surface": None, "surface_range": None}
        raw = seen.on_grid["y_hat"][: _FINE * _FINE]
        model = self.run.model
        answering = self._answering(raw)
        if isinstance(model, DeepClassifier) and len(model.classes_) == 2 and self.network.loss.link:
            values, low, high = model.predict_proba(answering)[:, 1], 0.0, 1.0
        else:
            values = self._codes(model.predict(answering)).astype(float).reshape(len(raw), -1)[:, 0]
            known = self._codes(self.rows.truth).astype(float).reshape(len(self.rows.y), -1)[:, 0]
            low, high = float(known.min()), float(known.max())
        scaled = (values - low) / ((high - low) or 1.0)
        return {"surface": _text(_bytes(255 * scaled)), "surface_range": _plain([low, high])}

    def _answering(self, raw: np.ndarray) -> Any:
        """Rows whose raw output is known, for the model to answer in its own terms."""
        none = np.full((len(raw), self.network.targets), np.nan)
        return Rows(np.empty((len(raw), 0)), none, None, none, raw=raw)

    def _answers(self, raw: np.ndarray) -> dict[str, Any]:
        nothing: dict[str, Any] = {"answers": None, "confusion": None}
        if self.grid is not None:
            return nothing
        places = _spread(np.arange(len(raw)), _ANSWERS)
        model = self.run.model
        if not isinstance(model, DeepClassifier):
            said = model.predict(self._answering(raw[places])).reshape(len(places), -1)[:, 0]
            truth = self.rows.truth[places].reshape(len(places), -1)[:, 0]
            told = np.stack([truth, said, self._validates[places]], axis=1)
            return nothing | {"answers": _plain(told)}
        if self.rows.truth.ndim > 1 or len(model.classes_) > 12:
            return nothing
        said = self._codes(model.predict(self._answering(raw)))
        counts = np.zeros((len(model.classes_), len(model.classes_)), int)
        np.add.at(counts, (self._codes(self.rows.truth), said), 1)
        names = [str(name) for name in model.classes_.tolist()]
        return nothing | {"confusion": {"classes": names, "counts": counts.tolist()}}

    def _scores(self, raw: np.ndarray) -> dict[str, Any]:
        """R² or the share of right answers, of the rows that a frame looks at."""
        model, truth = self.run.model, self.rows.truth
        right = isinstance(model, DeepClassifier)
        with np.errstate(all="ignore"):
            said = model.predict(self._answering(raw)).reshape(truth.shape)

        def score(part: np.ndarray) -> float | None:
            if not part.any():
                return None
            if right:
                return float((said[part] == truth[part]).mean())
            off = truth[part] - truth[part].mean(axis=0)
            return float(1 - ((said[part] - truth[part]) ** 2).sum() / max(float((off**2).sum()), 1e-300))

        return {
            "name": "accuracy" if right else "R²",
            "learn": _plain(score(~self._validates)),
            "validate": _plain(score(self._validates)),
        }

    def _health(self, moment: Moment, seen: "_Seen") -> Health:
        layers = len(self.columns) - 2
        return Health(
            moment,
            self.run.history,
            tuple(activation.name for activation in self.network.activations),
            tuple(seen.values[f"h{layer}"] for layer in range(1, layers + 1)),
            tuple(seen.values[f"z{layer}"] for layer in range(1, layers + 1)),
            tuple(seen.deltas[f"delta{layer}"] for layer in range(1, layers + 2)),
        )

    # What one clicks on

    def table(self, start: int, count: int) -> dict[str, Any]:
        """Rows of the table, with what the network says of them."""
        run = self.run
        total = len(run.rows.y)
        if not (0 <= start <= total and 1 <= count <= 200):
            raise ArgumentError(f"rows must be from 0 to {total}, 1 to 200 of them; got {start}, {count}.")
        # In the order of the table, not in that of learning.
        wanted = np.arange(start, min(start + count, total))
        place = np.argsort(run.order)[wanted]
        rows, moment = run.rows.take(place), run.now
        raw = np.asarray(self.network.forward(run.parameters_of(moment), rows.x))
        said = run.model.predict(self._answering(raw))
        losses = np.asarray(self.network.loss.value(jnp.asarray(raw), jnp.asarray(rows.y)))
        return {
            "header": [*run.problem.X.columns, self.target],
            "count": total,
            "rows": [
                {
                    "row": int(row),
                    "cells": [_cell(value) for value in run.problem.X.row(int(row))],
                    "truth": _cell(rows.truth[k]),
                    "answer": _cell(said[k]),
                    "loss": _plain(losses[k]),
                    "validates": bool(place[k] >= run.learnt),
                }
                for k, row in enumerate(wanted)
            ],
        }

    def row(self, number: int) -> dict[str, Any]:
        """Both passes of one row of the table."""
        run = self.run
        rows, parameters = self._one(number), run.parameters_of(run.now)
        seen = self.network.trace(parameters, rows.x, rows.y)
        names = ["x" if self._name(0) == "x" else "e", *(f"h{k}" for k in range(1, len(self.columns) - 1))]
        told = self.table(number, 1)["rows"][0]
        layers, last = [], len(self.columns) - 1
        steps = []
        for layer in range(1, last + 1):
            z, delta = np.asarray(seen[f"z{layer}"])[0], np.asarray(seen[f"delta{layer}"])[0]
            h = np.asarray(seen["y_hat" if layer == last else f"h{layer}"])[0]
            layers.append({"z": _plain(z), "h": _plain(h), "delta": _plain(delta)})
            before = names[layer - 1] if layer > 1 else names[0]
            steps.append(
                {"title": f"z{layer} = W{layer} {before} + b{layer}", "says": self._says(layer, last)}
            )
        return told | {
            "x": _plain(np.asarray(seen[names[0]])[0]),
            "layers": layers,
            "y_hat": _plain(np.asarray(seen["y_hat"])[0]),
            "dx": _plain(np.asarray(seen["de"])[0]) if "de" in seen else None,
            "loss_name": self.network.loss.name,
            "steps": steps,
        }

    def _says(self, layer: int, last: int) -> str:
        if layer == last:
            return "The output: a weighted sum of the last hidden layer, and a bias."
        activation = self.network.activations[layer - 1].name
        return f"Weighted sums of what comes in, and a bias; then h{layer} = {activation}(z{layer})."

    def weight(self, name: str, row: int | None) -> dict[str, Any]:
        """One weight: its value over time, its gradient, and its derivation, for a row or a batch of many."""
        run = self.run
        moment = run.now
        parameters = run.parameters_of(moment)
        value = value_of(parameters, name)
        rows = run.rows.take(_spread(np.arange(run.learnt), _ROWS_DERIVED)) if row is None else self._one(row)
        derived = derive(
            self.network, parameters, rows.x, rows.y, name, names=tuple(run.model.encoder_.feature_names)
        )
        kept = _spread(np.arange(len(run.history.epochs)), 200)
        moments = run.history.moments()
        past = [moments[k] for k in kept if k < len(moments) and moments[k].epoch <= moment.epoch]
        return {
            "name": name,
            "value": _plain(value),
            "gradient": _plain(derived.compiled),
            "rows": len(rows.y),
            "history": {
                "epoch": [old.epoch for old in past],
                "value": [_plain(value_of(run.parameters_of(old), name)) for old in past],
            },
            "derived": derived.derived,
            "compiled": derived.compiled,
            "finite_difference": derived.finite_difference,
            "html": html_body(derived),
        }

    def unit(self, layer: int, unit: int, row: int | None) -> dict[str, Any]:
        """One unit: what comes in, what it makes of it, and what it says of all rows; counted from 1."""
        last = len(self.columns) - 1
        if not (1 <= layer <= last and 1 <= unit <= self.columns[layer]):
            raise ArgumentError(
                f"a unit must be one of layers 1 to {last}; got unit {unit} of layer {layer}."
            )
        run = self.run
        parameters = run.parameters_of(run.now)
        entry = list(weights(parameters))[layer - 1]
        all_rows = self.network.trace(parameters, self.rows.x, self.rows.y)
        name = "y_hat" if layer == last else f"h{layer}"
        says = np.asarray(all_rows[name])[:, unit - 1]
        before = (
            self.inputs if layer == 1 else [f"h{layer - 1}[{k + 1}]" for k in range(self.columns[layer - 1])]
        )
        values = [None] * len(before)
        z = h = delta = None
        if row is not None:
            rows = self._one(row)
            seen = self.network.trace(parameters, rows.x, rows.y)
            values = _plain(np.asarray(seen[self._name(layer - 1)])[0])
            z, h, delta = (
                _plain(np.asarray(seen[key])[0, unit - 1]) for key in (f"z{layer}", name, f"delta{layer}")
            )
        finite = says[np.isfinite(says)]
        counts, edges = np.histogram(finite, 24) if len(finite) else (np.zeros(1), np.zeros(2))
        order = np.argsort(-np.abs(np.asarray(entry.W)[unit - 1]), kind="stable")[: 2 * _SHOWN]
        return {
            "name": f"{'ŷ' if layer == last else f'h{layer}'}[{unit}]",
            "inputs": [
                {
                    "name": before[k],
                    "weight": _plain(np.asarray(entry.W)[unit - 1, k]),
                    "value": values[k],
                    "weight_name": f"W{layer}[{unit},{k + 1}]",
                }
                for k in sorted(order.tolist())
            ],
            "inputs_in_all": len(before),
            "bias": None if entry.b is None else _plain(np.asarray(entry.b)[unit - 1]),
            "bias_name": f"b{layer}[{unit}]",
            "z": z,
            "h": h,
            "delta": delta,
            "histogram": {"edges": _plain(edges), "counts": counts.astype(int).tolist()},
            "zero_share": _plain(float((says == 0).mean())),
        }

    def _one(self, row: int) -> Rows:
        """A row of the table, by its number from 0."""
        run = self.run
        if not 0 <= row < len(run.order):
            raise ArgumentError(f"row must be from 0 to {len(run.order) - 1}; got {row}.")
        return run.rows.take(np.flatnonzero(run.order == row))


class _Seen(NamedTuple):
    parameters: Parameters
    values: dict[str, Any]
    deltas: dict[str, Any]
    on_grid: dict[str, Any]


@partial(jax.jit, static_argnums=0)
def _look(network: Network, kept: Parameters, x: Array, y: Array, grid: Array | None) -> _Seen:
    """Every value and delta of some rows, and the values on a grid, in one compiled call."""
    parameters = restored(network, kept)
    seen = named_passes(network, parameters, x, y, jnp.ones(len(x)))
    on_grid = {}
    if grid is not None:
        any_targets = jnp.broadcast_to(y[:1], (len(grid), y.shape[1]))
        on_grid = named_passes(network, parameters, grid, any_targets, jnp.ones(len(grid))).values
    deltas = {name: delta for name, delta in seen.deltas.items() if name.startswith("delta")}
    return _Seen(parameters, seen.values, deltas, on_grid)


def _grid_of(run: Run) -> Grid | None:
    """Where two columns of numbers are all there is, the plane that they span, a tenth beyond the rows."""
    columns = run.model.encoder_.columns
    if len(columns) != 2 or not all(
        isinstance(column, NumericColumn) and column.missing == "never" for column in columns
    ):
        return None
    names = (columns[0].name, columns[1].name)
    import polars as pl

    told = np.stack([run.problem.X[name].cast(pl.Float64).to_numpy() for name in names], axis=1)
    low, high = told.min(axis=0), told.max(axis=0)
    beyond = 0.05 * (high - low)
    low, high = low - beyond, high + beyond
    points = []
    for n in (_FINE, _COARSE):
        across, up = np.linspace(low[0], high[0], n), np.linspace(high[1], low[1], n)
        points.append(np.stack([np.tile(across, n), np.repeat(up, n)], axis=1))
    frame = pl.DataFrame(dict(zip(names, np.concatenate(points).T, strict=True)))
    return Grid(names, low, high, run.model.encoded(frame))


def _inputs_of(run: Run) -> list[str]:
    """The names of what the first affine map receives."""
    names = list(run.model.encoder_.feature_names)
    width = _affine_widths(run)[0]
    return names if len(names) == width else [f"e[{k + 1}]" for k in range(width)]


def _outputs_of(run: Run) -> list[str]:
    model, outputs = run.model, run.network.sizes[-1]
    if isinstance(model, DeepClassifier) and outputs == len(model.classes_):
        return [str(name) for name in model.classes_.tolist()]
    return ["ŷ"] if outputs == 1 else [f"ŷ[{k + 1}]" for k in range(outputs)]


def _affine_widths(run: Run) -> list[int]:
    """Of the inputs of the first affine map, and of the output of each."""
    entries = list(weights(run.parameters_of(run.now)))
    return [entries[0].W.shape[1], *(entry.W.shape[0] for entry in entries)]


def _spread(numbers: np.ndarray, most: int) -> np.ndarray:
    """At most so many of them, evenly spread."""
    if len(numbers) <= most:
        return numbers
    return numbers[np.linspace(0, len(numbers) - 1, most).astype(int)]


def _strongest(strength: np.ndarray) -> np.ndarray:
    order = np.argsort(-np.nan_to_num(strength), kind="stable")[:_SHOWN]
    return np.sort(order)


def _links(matrix: Array, before: np.ndarray, after: np.ndarray) -> list[list[Any]]:
    W = np.asarray(matrix)
    return [[int(to), int(of), _plain(W[to, of])] for to in after for of in before]


def _bytes(values: np.ndarray) -> np.ndarray:
    return np.nan_to_num(values, nan=0, posinf=255, neginf=0).clip(0, 255).astype(np.uint8)


def _text(values: np.ndarray) -> str:
    return b64encode(np.ascontiguousarray(values).tobytes()).decode()


def _plain(value: Any) -> Any:
    """Numbers as JSON has them, with five digits; None for what is not finite."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.ndim):
        return [_plain(entry) for entry in value]
    number = float(value)
    return float(f"{number:.5g}") if np.isfinite(number) else None


def _cell(value: Any) -> str:
    if isinstance(value, float | np.floating):
        return f"{value:.6g}"
    return "" if value is None else str(value)
