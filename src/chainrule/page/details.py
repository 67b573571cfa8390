"""What the page shows of what one clicks on: rows of the table, a row's two passes, a weight, a unit."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from chainrule.errors import ArgumentError
from chainrule.estimators.rows import Rows
from chainrule.network.parameters import weights
from chainrule.page.drawn import typed, typed_truth
from chainrule.page.frames import Frames
from chainrule.page.plain import cell, plain, spread
from chainrule.page.run import Run, value_of

_ROWS = 200  # that are shown together
_DERIVED = 256  # rows of a batch whose gradient is derived
_PAST = 200  # moments in the history of a weight
_LISTED = 16  # weights of a side of a unit
_COLUMNS = 40  # of the table
_BARS = 24  # of a histogram


def table(frames: Frames, start: int, count: int) -> dict[str, Any]:
    """Rows of the table, by their numbers from 0, with what the network says of them."""
    run = frames.run
    total = len(run.order)
    if not (0 <= start < total and 1 <= count <= _ROWS):
        raise ArgumentError(
            f"rows must be asked for from 0 to {total - 1}, 1 to {_ROWS} at a time; got {count} from {start}."
        )
    numbers = np.arange(start, min(start + count, total))
    places = np.argsort(run.order)[numbers]
    rows = run.rows.take(places)
    raw = np.asarray(run.network.forward(run.parameters_of(run.now), rows.x))
    said = run.model.predict(frames.answering(raw))
    losses = run.network.loss.value(jnp.asarray(raw), jnp.asarray(rows.y))
    columns, known = run.problem.X.columns, np.isfinite(rows.y).all(axis=1)
    return {
        "columns": columns[:_COLUMNS],
        "columns_in_all": len(columns),
        "count": total,
        "rows": [
            {
                "row": number,
                "cells": [cell(value) for value in run.problem.X[number, :_COLUMNS].row(0)],
                "truth": _told(rows.truth[k]) if known[k] else None,
                "answer": _told(said[k]),
                "loss": plain(losses[k]),
                "validates": bool(places[k] >= run.learnt),
            }
            for k, number in enumerate(numbers.tolist())
        ],
    }


def _told(value: Any) -> str:
    """One target, or several with commas between."""
    return ", ".join(map(cell, value.tolist())) if isinstance(value, np.ndarray) else cell(value)


def row(frames: Frames, number: int) -> dict[str, Any]:
    """Both passes of one row of the table, step by step."""
    run, last = frames.run, len(frames.widths) - 1
    rows = _one(run, number)
    seen = {
        name: plain(np.asarray(value)[0])
        for name, value in _seen(run, rows).items()
        if name.startswith(("x", "e", "z", "h", "y_hat", "delta", "de"))
    }
    layers = [
        {"z": seen[f"z{layer}"], "h": seen[frames.names[layer]], "delta": seen[f"delta{layer}"]}
        for layer in range(1, last + 1)
    ]
    return table(frames, number, 1)["rows"][0] | {
        "columns": run.problem.X.width,
        "x": seen[frames.names[0]],
        "layers": layers,
        "y_hat": seen["y_hat"],
        "loss_name": run.network.loss.name,
        "steps": [_step(frames, layer) for layer in range(1, last + 1)],
    }


def write(frames: Frames, cells: object, truth: object) -> int:
    """Add a row that somebody typed in; its number."""
    model = frames.run.model
    return frames.run.write(typed(model.encoder_, cells), typed_truth(model, frames.targets, truth))


def weight(frames: Frames, name: str, number: int | None) -> dict[str, Any]:
    """One weight: its value over time, its gradient and the derivation, for a row or for a batch of many."""
    from chainrule.explain.derivation import derive  # with SymPy, which a page that is opened can do without
    from chainrule.explain.documents import html_body

    run = frames.run
    moment = run.now
    parameters = run.parameters_of(moment)
    value = value_of(parameters, name)
    many = spread(np.arange(run.learnt), _DERIVED)
    rows = run.rows.take(many) if number is None else _one(run, number)
    names = tuple(run.model.encoder_.feature_names)
    of = "L"
    if not np.isfinite(np.asarray(rows.y)).all():  # no truth, no loss: an output of one row
        number = 0 if number is None else number
        rows, of = _one(run, number), "y_hat[1]"
    derived = derive(run.network, parameters, rows.x, _admissible(run, rows), name, of=of, names=names)
    past = [old for old in run.history.moments() if old.epoch <= moment.epoch]
    past = [past[k] for k in spread(np.arange(len(past)), _PAST)]
    return {
        "name": name,
        "value": plain(value),
        "gradient": plain(derived.compiled),
        "of": "L" if of == "L" else "ŷ₁",
        "row": number,
        "rows": len(rows.y),
        "learnt": run.learnt,
        "history": {
            "epoch": [old.epoch for old in past],
            "value": [plain(value_of(run.parameters_of(old), name)) for old in past],
        },
        "derived": derived.derived,
        "compiled": derived.compiled,
        "finite_difference": derived.finite_difference,
        "html": html_body(derived),
    }


def unit(frames: Frames, layer: int, unit: int, number: int | None) -> dict[str, Any]:
    """One unit, counted from 1: what comes in, what it makes of it, where it goes, what it says of the rows.

    Layer 0 are the inputs.
    """
    run, last = frames.run, len(frames.widths) - 1
    if not (0 <= layer <= last and 1 <= unit <= frames.widths[layer]):
        raise ArgumentError(
            f"a unit must be of the layers 0 to {last}, which have {frames.widths} of them; "
            f"got unit {unit} of layer {layer}."
        )
    parameters, name = run.parameters_of(run.now), frames.names[layer]
    affine = [(np.asarray(entry.W), entry.b) for entry in weights(parameters)]
    says = np.asarray(_seen(run, frames.rows)[name])[:, unit - 1]
    seen: dict[str, Any] = {}
    if number is not None:
        rows = _one(run, number)
        seen = _seen(run, rows)

    def at(value: str, place: int) -> float | None:
        found: float | None = plain(np.asarray(seen[value])[0, place]) if value in seen else None
        return found

    def weight(layer: int, to: int, of: int, value: float | None) -> dict[str, Any]:
        entry = f"W{layer}[{to + 1},{of + 1}]"
        return {"weight": plain(affine[layer - 1][0][to, of]), "weight_name": entry, "value": value}

    into = affine[layer - 1][0][unit - 1] if layer else np.empty(0)
    out = affine[layer][0][:, unit - 1] if layer < last else np.empty(0)
    bias = affine[layer - 1][1] if layer else None
    finite = says[np.isfinite(says)]
    counts, edges = np.histogram(finite, _BARS)
    return {
        "name": _unit_name(frames, layer, unit - 1),
        "layer": layer,
        "inputs": [
            {"name": _unit_name(frames, layer - 1, k)}
            | weight(layer, unit - 1, k, at(frames.names[layer - 1], k))
            for k in _strongest(into)
        ],
        "inputs_in_all": len(into),
        "outputs": [
            {"name": _unit_name(frames, layer + 1, k)} | weight(layer + 1, k, unit - 1, None)
            for k in _strongest(out)
        ],
        "outputs_in_all": len(out),
        "bias": None if bias is None else plain(np.asarray(bias)[unit - 1]),
        "bias_name": f"b{layer}[{unit}]",
        "value": at(name, unit - 1),
        "z": at(f"z{layer}", unit - 1),
        "h": at(name, unit - 1),
        "delta": at(f"delta{layer}", unit - 1),
        "histogram": {"edges": plain(edges), "counts": counts.tolist()},
        "zero_share": plain((says == 0).mean()),
    }


def _strongest(values: np.ndarray) -> list[int]:
    found: list[int] = np.sort(np.argsort(-np.abs(values), kind="stable")[:_LISTED]).tolist()
    return found


def _unit_name(frames: Frames, layer: int, unit: int) -> str:
    """As the page calls it: inputs by their columns, others by their place, counted from 1."""
    if layer == 0:
        return frames.inputs[unit]
    return f"{'ŷ' if layer == len(frames.widths) - 1 else frames.names[layer]}[{unit + 1}]"


def _seen(run: Run, rows: Rows) -> dict[str, Any]:
    """All values of both passes; δ is not a number where nobody knows the truth."""
    seen: dict[str, Any] = dict(run.network.trace(run.parameters_of(run.now), rows.x, _admissible(run, rows)))
    known = np.isfinite(rows.y).all(axis=1)[:, None]
    if known.all():
        return seen
    back = [name for name in seen if name.startswith("de")]
    return seen | {name: np.where(known, np.asarray(seen[name]), np.nan) for name in back}


def _admissible(run: Run, rows: Rows) -> np.ndarray:
    """Targets that the loss admits: the answers themselves in the place of truths that nobody knows."""
    if np.isfinite(rows.y).all():
        return rows.y
    raw = run.network.forward(run.parameters_of(run.now), rows.x)
    answers = np.asarray(run.network.loss.inverse_link(raw))[:, : run.network.targets]
    return np.where(np.isfinite(rows.y), rows.y, answers)


def _one(run: Run, number: int) -> Rows:
    """A row of the table, by its number from 0."""
    if not 0 <= number < len(run.order):
        raise ArgumentError(f"row must be from 0 to {len(run.order) - 1}; got {number}.")
    return run.rows.take(np.flatnonzero(run.order == number))


def _step(frames: Frames, layer: int) -> dict[str, str]:
    """What the pass forward does in a layer."""
    title = f"z{layer} = W{layer} {frames.names[layer - 1]} + b{layer}"
    if layer == len(frames.widths) - 1:
        return {"title": title, "says": "The output: weighted sums of the last hidden layer, and a bias."}
    activation = frames.network.activations[layer - 1].name
    says = f"Weighted sums of what comes in, and a bias; then h{layer} = {activation}(z{layer})."
    return {"title": title, "says": says}
