"""Two methods on the same splits: ratios, wins, ties and losses."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

Run = dict[str, Any]
LEAST = 1e-6  # of a score, so that a perfect one has a ratio


class Comparison(NamedTuple):
    """Of ``one`` relative to ``other``, over the tables and seeds that both were measured on.

    Ratios are geometric means over tables of the ratio of means over seeds; below 1, ``one`` is better. A tie
    is a difference smaller than the standard error over seeds of the paired differences; with a single seed
    there is no spread, and no tie. A table where ``one`` failed is a loss; one where only ``other`` failed is
    no win: neither counts in the ratios.
    """

    one: str
    other: str
    tables: int
    score: float
    wins: int
    ties: int
    losses: int
    worst: float
    worst_table: str
    fit: float
    fit_processor: float
    predict: float
    memory: float
    failed: int
    other_failed: int


def ok(run: Run) -> bool:
    return "failed" not in run


def by_split(runs: Iterable[Run]) -> dict[str, dict[int, Run]]:
    """Runs of one method by table and seed."""
    found: dict[str, dict[int, Run]] = defaultdict(dict)
    for run in runs:
        found[run["table"]][run["seed"]] = run
    return found


def compare(one: str, one_runs: list[Run], other: str, other_runs: list[Run]) -> Comparison | None:
    """Nothing where they have no split in common."""
    ones, others = by_split(one_runs), by_split(other_runs)
    ratios: dict[str, dict[str, float]] = {}
    counts = dict.fromkeys(("wins", "ties", "losses", "failed", "other_failed"), 0)
    tables = 0
    for table in ones:
        seeds = sorted(ones[table].keys() & others.get(table, {}).keys())
        if not seeds:
            continue
        tables += 1
        pairs = [(ones[table][seed], others[table][seed]) for seed in seeds]
        if not all(ok(a) for a, _ in pairs):
            counts["failed"] += 1
            counts["losses"] += 1
        elif not all(ok(b) for _, b in pairs):
            counts["other_failed"] += 1
        else:
            counts[verdict(pairs)] += 1
            ratios[table] = ratios_of(pairs)
    if not tables:
        return None
    worst = max(ratios, key=lambda table: ratios[table]["score"], default="")
    return Comparison(
        one,
        other,
        tables=tables,
        worst=ratios[worst]["score"] if worst else float("nan"),
        worst_table=worst,
        **{name: geometric(row[name] for row in ratios.values()) for name in NAMES},
        **counts,
    )


NAMES = {
    "score": "score",
    "fit": "fit_seconds",
    "fit_processor": "fit_processor_seconds",
    "predict": "predict_seconds",
    "memory": "peak_megabytes",
}


def ratios_of(pairs: list[tuple[Run, Run]]) -> dict[str, float]:
    return {
        name: max(np.mean([a[field] for a, _ in pairs]), LEAST)
        / max(np.mean([b[field] for _, b in pairs]), LEAST)
        for name, field in NAMES.items()
    }


def verdict(pairs: list[tuple[Run, Run]]) -> str:
    differences = np.array([a["score"] - b["score"] for a, b in pairs])
    mean = differences.mean()
    spread = differences.std(ddof=1) / np.sqrt(len(pairs)) if len(pairs) > 1 else 0.0
    if mean == 0 or abs(mean) < spread:
        return "ties"
    return "wins" if mean < 0 else "losses"


def geometric(values: Iterable[float]) -> float:
    logs = np.log(list(values))
    return float(np.exp(logs.mean())) if len(logs) else float("nan")
