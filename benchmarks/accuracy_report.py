"""What accuracy.py measured, as tables: to a terminal, and as a page."""

import argparse
import os
import platform
from collections import defaultdict
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import comparing
import peers
from comparing import Comparison, Run, ok

PACKAGES = (
    "chainrule",
    "jax",
    "numpy",
    "pandas",
    "polars",
    "scikit-learn",
    "lightgbm",
    "xgboost-cpu",
    "xgboost",
    "catboost",
    "pytabkit",
    "torch",
)


class Section(NamedTuple):
    """A table with what it says."""

    title: str
    says: str
    header: list[str]
    rows: list[list[str]]


def name_of(run: Run) -> str:
    """A method as it is shown: with its label, and whether XLA's cache was warm."""
    more = " ".join(filter(None, (run["label"], "warm" if run["warm"] else "")))
    return run["method"] + (f" ({more})" if more else "")


def by_method(runs: list[Run]) -> dict[str, list[Run]]:
    """Ours first, then the peers, each in the order of the list of methods."""
    found: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        found[name_of(run)].append(run)
    order = [peers.OURS, *peers.PEERS]
    return dict(sorted(found.items(), key=lambda pair: order.index(pair[1][0]["method"].partition(":")[0])))


def sections(runs: list[Run]) -> list[Section]:
    methods = by_method(runs)
    ours = [name for name, some in methods.items() if peers.is_ours(some[0]["method"])]
    found = [
        per_table(
            "Scores",
            "RMSE / standard deviation, 1 − AUC for two classes, log-loss for more; mean over seeds ± "
            "standard error; lower is better, * is the best.",
            methods,
            "score",
            4,
        ),
        per_table("Error rates", "Of classes; mean over seeds.", methods, "error_rate", 4),
        per_table("Fit seconds", "Mean over seeds.", methods, "fit_seconds", 1),
    ]
    found += [
        compared(
            f"{name} relative to each", [_pair(methods, name, other) for other in methods if other != name]
        )
        for name in ours
    ]
    if "catboost" in methods:
        rows = [_pair(methods, name, "catboost") for name in methods if name != "catboost"]
        found.append(compared("Each relative to CatBoost", rows, first=True))
    failures = [
        [name, run["table"], str(run["seed"]), run["failed"]]
        for name in methods
        for run in methods[name]
        if not ok(run)
    ]
    if failures:
        found.append(Section("Failures", "", ["method", "table", "seed", "why"], failures))
    return [section for section in found if section.rows]


def per_table(title: str, says: str, methods: dict[str, list[Run]], field: str, digits: int) -> Section:
    splits = {name: comparing.by_split(some) for name, some in methods.items()}
    tables = list(dict.fromkeys(run["table"] for some in methods.values() for run in some))
    rows = []
    for table in tables:
        cells, means = [], []
        for name in methods:
            some = list(splits[name].get(table, {}).values())
            values = [run[field] for run in some if ok(run) and run[field] is not None]
            whole = values and len(values) == len(some)
            means.append(np.mean(values) if whole else np.inf)
            cells.append(_cell(values, some, digits, field == "score"))
        if field == "score" and np.isfinite(min(means)):
            cells[int(np.argmin(means))] += "*"
        if any(cells):
            rows.append([table, *cells])
    return Section(title, says, ["table", *methods], rows)


def _cell(values: list[float], runs: list[Run], digits: int, spread: bool) -> str:
    failed = sum(not ok(run) for run in runs)
    text = f"{np.mean(values):.{digits}f}" if values else ""
    if spread and len(values) > 1:
        text += f" ±{np.std(values, ddof=1) / len(values) ** 0.5:.{digits}f}"
    return text + (f" ({failed} failed)" if failed else "")


def _pair(methods: dict[str, list[Run]], one: str, other: str) -> Comparison | None:
    return comparing.compare(one, methods[one], other, methods[other])


def every_pair(runs: list[Run]) -> list[dict[str, Any]]:
    """Each method relative to each other, for programs."""
    methods = by_method(runs)
    pairs = [_pair(methods, one, other) for one in methods for other in methods if one != other]
    return [pair._asdict() for pair in pairs if pair]


def compared(title: str, pairs: list[Comparison | None], first: bool = False) -> Section:
    header = [
        "method" if first else "peer", "tables", "score", "wins", "ties", "losses", "worst score", "fit time",
        "fit CPU", "predict time", "memory", "failed", "peer failed",
    ]  # fmt: skip
    rows = [
        [
            pair.one if first else pair.other,
            str(pair.tables),
            f"{pair.score:.3f}",
            str(pair.wins),
            str(pair.ties),
            str(pair.losses),
            f"{pair.worst:.3f} {pair.worst_table}",
            *(f"{value:.3g}" for value in (pair.fit, pair.fit_processor, pair.predict, pair.memory)),
            str(pair.failed),
            str(pair.other_failed),
        ]
        for pair in pairs
        if pair
    ]
    says = (
        "Geometric means over tables of ratios of means over common seeds: below 1 is better. A tie is a "
        "difference below the standard error over seeds. A table where it failed is a loss, one where the "
        "other failed is no win; neither counts in the ratios."
    )
    return Section(title, says, header, rows)


def as_text(found: list[Section]) -> str:
    parts = []
    for section in found:
        widths = [max(map(len, column)) for column in zip(section.header, *section.rows, strict=True)]
        lines = [
            "  ".join(
                [row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))]
            ).rstrip()
            for row in (section.header, *section.rows)
        ]
        parts.append("\n".join([f"\n{section.title}. {section.says}", *lines]))
    return "\n".join(parts)


def as_page(found: list[Section], command: str, options: argparse.Namespace) -> str:
    parts = [
        "# Accuracy beside other tools",
        f"Written by `{command}`. Splits 80/20 by seed, stratified by class; at most {options.rows:,} rows "
        f"to learn from, the same for all; {options.threads} threads for each; a process of its own for each "
        "run, methods in turn. All at their public defaults, told the categories and, where there is one, "
        "the metric; fit times include encoders and compilation.",
        "\n".join(f"- {name}: {value}" for name, value in machine().items()),
    ]
    for section in found:
        body = [section.header, ["---", *["--:"] * (len(section.header) - 1)], *section.rows]
        table = "\n".join("| " + " | ".join(cell.replace("|", "/") for cell in row) + " |" for row in body)
        parts.append(f"## {section.title}\n\n{section.says}\n\n{table}".replace("\n\n\n\n", "\n\n"))
    return "\n\n".join(parts) + "\n"


def machine() -> dict[str, str]:
    return {"Machine": f"{_processor()}, {os.cpu_count()} cores", "Python": platform.python_version()} | {
        name: version for name in PACKAGES if (version := _version(name))
    }


def _processor() -> str:
    told = Path("/proc/cpuinfo")
    lines = told.read_text().splitlines() if told.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
