"""What the page shows of what one clicks on: rows of the table, a row's two passes, a weight, a unit."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from chainrule.errors import ArgumentError
from chainrule.estimators.rows import Rows
from chainrule.network.parameters import weights
from chainrule.page.frames import Frames
from chainrule.page.plain import cell, plain, spread
from chainrule.page.run import Run, value_of

_ROWS = 200  # that are shown together
_DERIVED = 256  # rows of a batch whose gradient is derived
_PAST = 200  # moments in the history of a weight
_INPUTS = 32  # of a unit
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
    return {
        "header": [*run.problem.X.columns, frames.target],
        "count": total,
        "rows": [
            {
                "row": number,
                "cells": [cell(value) for value in run.problem.X.row(number)],
                "truth": cell(rows.truth[k]),
                "answer": cell(said[k]),
                "loss": plain(losses[k]),
                "validates": bool(places[k] >= run.learnt),
            }
            for k, number in enumerate(numbers.tolist())
        ],
    }


def row(frames: Frames, number: int) -> dict[str, Any]:
    """Both passes of one row of the table, step by step."""
    run, last = frames.run, len(frames.widths) - 1
    rows = _one(run, number)
    seen = {
        name: plain(np.asarray(value)[0])
        for name, value in run.network.trace(run.parameters_of(run.now), rows.x, rows.y).items()
        if name.startswith(("x", "e", "z", "h", "y_hat", "delta", "de"))
    }
    layers = [
        {"z": seen[f"z{layer}"], "h": seen[frames.names[layer]], "delta": seen[f"delta{layer}"]}
        for layer in range(1, last + 1)
    ]
    return table(frames, number, 1)["rows"][0] | {
        "x": seen[frames.names[0]],
        "layers": layers,
        "y_hat": seen["y_hat"],
        "loss_name": run.network.loss.name,
        "steps": [_step(frames, layer) for layer in range(1, last + 1)],
    }


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
    derived = derive(run.network, parameters, rows.x, rows.y, name, names=names)
    past = [old for old in run.history.moments() if old.epoch <= moment.epoch]
    past = [past[k] for k in spread(np.arange(len(past)), _PAST)]
    return {
        "name": name,
        "value": plain(value),
        "gradient": plain(derived.compiled),
        "rows": len(rows.y),
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
    """One unit, counted from 1: what comes in, what it makes of it, and what it says of all rows."""
    run, last = frames.run, len(frames.widths) - 1
    if not (1 <= layer <= last and 1 <= unit <= frames.widths[layer]):
        raise ArgumentError(
            f"a unit must be of the layers 1 to {last}, which have {frames.widths[1:]} of them; "
            f"got unit {unit} of layer {layer}."
        )
    parameters, name = run.parameters_of(run.now), frames.names[layer]
    W, b = list(weights(parameters))[layer - 1]
    into = np.asarray(W)[unit - 1]
    says = np.asarray(run.network.trace(parameters, frames.rows.x, frames.rows.y)[name])[:, unit - 1]
    before = frames.inputs
    if layer > 1:
        before = [f"{frames.names[layer - 1]}[{k + 1}]" for k in range(len(into))]
    values, own = [None] * len(into), {"z": None, "h": None, "delta": None}
    if number is not None:
        rows = _one(run, number)
        seen = run.network.trace(parameters, rows.x, rows.y)
        values = plain(np.asarray(seen[frames.names[layer - 1]])[0])
        keys = {"z": f"z{layer}", "h": name, "delta": f"delta{layer}"}
        own = {key: plain(np.asarray(seen[key_there])[0, unit - 1]) for key, key_there in keys.items()}
    finite = says[np.isfinite(says)]
    counts, edges = np.histogram(finite, _BARS)
    strongest = np.sort(np.argsort(-np.abs(into), kind="stable")[:_INPUTS]).tolist()
    return {
        "name": f"{'ŷ' if layer == last else name}[{unit}]",
        "inputs": [
            {
                "name": before[k],
                "weight": plain(into[k]),
                "value": values[k],
                "weight_name": f"W{layer}[{unit},{k + 1}]",
            }
            for k in strongest
        ],
        "inputs_in_all": len(into),
        "bias": None if b is None else plain(np.asarray(b)[unit - 1]),
        "bias_name": f"b{layer}[{unit}]",
        **own,
        "histogram": {"edges": plain(edges), "counts": counts.tolist()},
        "zero_share": plain((says == 0).mean()),
    }


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
