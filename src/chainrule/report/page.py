"""The whole page: one file, which needs nothing else to be read."""

from chainrule.report import sections
from chainrule.report.document import document, section
from chainrule.report.findings import Findings, Score
from chainrule.report.limitations import limitations
from chainrule.report.scores import headline, meaning_of, shown
from chainrule.report.texts import brief, esc, paragraph, percent, plural
from chainrule.report.usage import usage

__all__ = ["render"]


def render(findings: Findings) -> str:
    """Write the report as HTML.

    It has no script and loads nothing; names and values of the table are escaped. However many columns or
    classes there are, it stays below a megabyte: of many, the first and the last are shown.
    """
    parts = [
        ("quality", "How good it is", sections.quality(findings)),
        ("limits", "What to be careful about", sections.limits(limitations(findings))),
        ("importance", "Which columns matter", sections.importance(findings)),
        ("noticed", "What was noticed in the data", sections.noticed(findings)),
        ("learning", "How it learned", sections.learning(findings)),
        ("use", "How to use it", usage(findings)),
        ("columns", "The columns", sections.columns(findings)),
        ("network", "The network", sections.network(findings)),
    ]
    told = [(anchor, title, body) for anchor, title, body in parts if body]
    main = "".join(section(*part) for part in told)
    links = "".join(f'<a href="#{anchor}">{title}</a>' for anchor, title, _ in told)
    body = f"{_head(findings, links)}<main>{main}</main>{_foot(findings)}"
    return document(_title(findings), body)


def _title(findings: Findings) -> str:
    names = [brief(answers.target) for answers in findings.answers]
    told = " and ".join(names) if len(names) <= 2 else f"{names[0]} and {len(names) - 1:,} more targets"
    return f"Predicting {told}"


def _head(findings: Findings, links: str) -> str:
    source = f" from {esc(brief(findings.table, 80))}" if findings.table else ""
    where = f" · {esc(brief(findings.model, 80))}" if findings.model else ""
    lead = (
        f"A neural network learned this {_task(findings)} from {plural(findings.rows, 'row')} and "
        f"{plural(len(findings.columns), 'column')}{source}. {_verdict(findings)}"
    )
    return (
        f"<header>{paragraph(f'chainrule report · {esc(findings.date)}{where}', 'eyebrow')}"
        f"<h1>{esc(_title(findings))}</h1>{paragraph(lead, 'lead')}{_tiles(findings)}"
        f'<nav aria-label="Parts of this page">{links}</nav></header>'
    )


def _task(findings: Findings) -> str:
    return {"regression": "number", "classification": "class", "labels": "set of labels"}[findings.task] + (
        "" if len(findings.answers) < 2 or findings.task == "labels" else " of each target"
    )


def _verdict(findings: Findings) -> str:
    """The first score in a sentence, beside the baseline's."""
    score = headline(findings.answers[0]) if findings.answers else None
    if score is None:
        return "There is no score to tell how well."
    learnt = "never" if findings.unseen else "also"
    where = f"On {plural(findings.scored_rows, 'row')} that it {learnt} learnt from, "
    if len(findings.answers) > 1:
        where += f"for {esc(brief(findings.answers[0].target))}, "
    value, baseline = f"<strong>{shown(score, score.value)}</strong>", shown(score, score.baseline)
    if score.name == "accuracy":
        return (
            f"{where}it is right in {value}; always saying {esc(findings.baseline)} is right in {baseline}."
        )
    meaning = meaning_of(score.name)
    name = "typical error (RMSE)" if score.name == "rmse" else esc(meaning.name if meaning else score.name)
    return f"{where}its {name} is {value}; that of always saying {esc(findings.baseline)} is {baseline}."


def _tiles(findings: Findings) -> str:
    if len(findings.answers) != 1:
        return ""
    tiles = "".join(map(_tile, findings.answers[0].scores[:4]))
    return f'<dl class="tiles">{tiles}</dl>' if tiles else ""


def _tile(score: Score) -> str:
    meaning = meaning_of(score.name)
    name = esc(meaning.name if meaning else score.name)
    between = ""
    if score.low is not None and score.high is not None:
        between = (
            f"<small>{percent(0.95, 0)}: {shown(score, score.low)} to {shown(score, score.high)}</small>"
        )
    return f"<div><dt>{name}</dt><dd>{shown(score, score.value)}{between}</dd></div>"


def _foot(findings: Findings) -> str:
    seed = f", seed {findings.seed}" if findings.seed is not None else ""
    return (
        f"<footer><p>Written by chainrule {esc(findings.version)} on {esc(findings.date)}{seed}. This page "
        "loads nothing and runs no script. It shows examples and single values of the table: share it with "
        "those who may see the table.</p></footer>"
    )
