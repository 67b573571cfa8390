"""How a network looks in a terminal and in a notebook."""

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

from chainrule.network.embedding_layers import Lookup, Parallel, Periodic, PiecewiseLinear, Rescale
from chainrule.network.layer import Layer
from chainrule.network.layers import Activate, Affine, Dropout, Normalize, Residual
from chainrule.network.parameters import Entry, Parameters, count

if TYPE_CHECKING:
    from chainrule.network.network import Network

Row = tuple[str, str, str, int]


def text(network: "Network") -> str:
    """Layers, shapes and parameter counts, one line each."""
    rows, total = table(network)
    head = ("map", "output", "parameters", "count")
    cells = [head, *((a, b, c, f"{n:,}" if n else "") for a, b, c, n in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(4)]
    lines = [
        "  ".join(
            (*(cell.ljust(w) for cell, w in zip(row[:3], widths, strict=False)), row[3].rjust(widths[3]))
        )
        for row in cells
    ]
    return "\n".join((title(network), *(line.rstrip() for line in lines), f"{total:,} parameters"))


def html(network: "Network") -> str:
    """The same as a table for notebooks, readable on light and dark."""
    rows, total = table(network)
    body = "".join(
        f"<tr><td style='text-align:left'>{escape(a)}</td><td>{escape(b)}</td>"
        f"<td style='text-align:left'>{escape(c)}</td><td>{f'{n:,}' if n else ''}</td></tr>"
        for a, b, c, n in rows
    )
    return (
        f"<table><caption style='text-align:left'>{escape(title(network))}</caption>"
        "<thead><tr><th style='text-align:left'>map</th><th>output</th>"
        "<th style='text-align:left'>parameters</th><th>count</th></tr></thead>"
        f"<tbody>{body}</tbody><tfoot><tr><td colspan='4'>{total:,} parameters</td></tr></tfoot></table>"
    )


def title(network: "Network") -> str:
    """Sizes, activations and loss in a line."""
    names = list(dict.fromkeys(activation.name for activation in network.activations))
    sizes = "-".join(map(str, network.sizes))
    return f"Network {sizes}, {' and '.join(names) or 'linear'}, loss {network.loss.name}"


def table(network: "Network") -> tuple[list[Row], int]:
    """Name, output, parameters and their number for each map, and the number of all."""
    from chainrule.network.network import shapes

    parameters = shapes(network)
    rows: list[Row] = [("x", f"{network.sizes[0]:,}", "", 0)]
    rows.extend(_rows(network.layers, parameters, network.sizes[0], ""))
    return rows, count(parameters)


def _rows(layers: tuple[Layer, ...], parameters: Parameters, width: int, indent: str) -> Iterator[Row]:
    own = iter(parameters)
    for layer in layers:
        p = next(own) if layer.learns else None
        width = layer.width(width)
        match layer:
            case Residual(inside):
                yield f"{indent}residual: input +", f"{width:,}", "", 0
                yield from _rows(inside, p, width, indent + "  ")  # type: ignore[arg-type]
            case Parallel():
                yield f"{indent}embedding", f"{width:,}", "", 0
                for part in layer.with_parameters(p):  # type: ignore[arg-type]
                    yield from _part(*part, indent + "  ")
            case _:
                yield f"{indent}{_name(layer)}", f"{width:,}", _shapes(p), count((p,)) if p else 0


def _part(columns: int, inside: tuple[Layer, ...], p: Parameters, indent: str) -> Iterator[Row]:
    """The maps of some columns, which stand before the first of them."""
    head = f"{indent}{columns:,} column{'s' * (columns > 1)}"
    if not inside:
        yield f"{head} as they are", f"{columns:,}", "", 0
    for place, row in enumerate(_rows(inside, p, columns, "")):
        yield f"{indent}  {row[0]}" if place else f"{head}: {row[0]}", *row[1:]


def _name(layer: Layer) -> str:
    match layer:
        case Affine():
            return "affine"
        case Normalize():
            return "layer norm"
        case Activate(activation):
            return activation.name
        case Dropout(rate):
            return f"dropout {rate:g}"
        case Lookup():
            return "lookup"
        case Periodic():
            return "periodic"
        case PiecewiseLinear():
            return "piecewise linear"
        case Rescale():
            return "rescale"
    return type(layer).__name__


def _shapes(p: "Entry | Parameters | None") -> str:
    if not isinstance(p, Entry):
        return ""
    named = zip(p._fields, p, strict=True)
    return ", ".join(f"{name} {'×'.join(map(str, leaf.shape))}" for name, leaf in named if leaf is not None)
