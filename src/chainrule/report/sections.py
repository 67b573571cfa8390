"""The parts of the page below its head, each from its findings to HTML; "" where there is nothing to say."""

from collections.abc import Iterable

from chainrule.report import charts
from chainrule.report.classes import confusions
from chainrule.report.findings import Answers, Column, Coverage, Findings
from chainrule.report.scores import headline, meaning_of, score_table, shown
from chainrule.report.texts import brief, esc, fold, number, paragraph, percent, plural, table
from chainrule.tables.notice import Notice

__all__ = ["columns", "importance", "learning", "limits", "network", "noticed", "quality"]

_DETAILED = 4
_TARGETS = 40
_FIRST, _LAST = 60, 10
_SAME = 6
_LAYERS = 40
_GRAVE = ("constant target", "leak", "rows in both parts")


def quality(findings: Findings) -> str:
    """Scores and pictures, target by target; of many targets the first in detail."""
    several = len(findings.answers) > 1
    detailed = findings.answers[:_DETAILED] if several else findings.answers
    rows = f"{plural(findings.scored_rows, 'row')}: {esc(findings.scored)}"
    told = (
        f"Measured on {rows}. Were there very many rows of this kind, the score would most likely "
        f"({percent(0.95, 0)}) lie in the interval; the last column is what one gets by always saying "
        f"{esc(findings.baseline)}."
    )
    parts = [paragraph(told), _all_targets(findings) if several else ""]
    for answers in detailed:
        parts += [
            f"<h3>{esc(brief(answers.target, 80))}</h3>" if several else "",
            _answers(answers, findings),
        ]
    if len(findings.answers) > len(detailed):
        parts.append(paragraph(f"The first {len(detailed)} targets are shown in detail.", "soft"))
    return "".join(parts)


def learning(findings: Findings) -> str:
    """The learning curves and how long it took."""
    curves = findings.curves
    if curves is None:
        return ""
    epochs = plural(len(curves.training), "epoch")
    took = f" in {number(findings.seconds)} seconds" if findings.seconds is not None else ""
    ended = ", then it was interrupted" if curves.interrupted else ""
    return paragraph(f"Training ran for {epochs}{took}{ended}.") + _figures([charts.learning_curves(curves)])


def importance(findings: Findings) -> str:
    """Bars of the columns, and what was not looked at one by one."""
    found = findings.importance
    if found is None:
        return ""
    parts = [_figures([charts.bars(found)])]
    rest = len(found.single) - charts.BARS
    if rest > 0:
        most = max(item.fall for item in found.single[charts.BARS :])
        verb = "matters less" if rest == 1 else "matter less"
        how = f", at most {number(most, 2)} each" if most > 0 else ", if at all"
        parts.append(paragraph(f"{plural(rest, 'more column')} {verb}{how}."))
    if found.together is not None:
        parts.append(
            paragraph(
                f"The other {plural(len(found.together.columns), 'column')} were looked at in groups, which "
                "told which ones to look at singly; all of them shuffled together cost "
                f"{number(found.together.fall, 2)}."
            )
        )
    return "".join(parts)


def noticed(findings: Findings) -> str:
    """What is worth knowing of the data, kind by kind."""
    if not findings.noticed:
        return paragraph(
            "Nothing: no column that gives the target away, no repeated rows, no empty columns, no "
            "identifiers."
        )
    kinds: dict[str, list[Notice]] = {}
    for notice in findings.noticed:
        kinds.setdefault(notice.kind, []).append(notice)
    items: list[str] = []
    for kind, notices in kinds.items():
        some, left_out, _ = fold(notices, _SAME)
        grave = ' class="grave"' if kind in _GRAVE else ""
        items += [f"<li{grave}>{esc(_sentence(notice.text))}</li>" for notice in some]
        if left_out:
            items.append(f'<li class="soft">… and {left_out:,} more of this kind ({esc(kind)}).</li>')
    return f"<ul>{''.join(items)}</ul>"


def columns(findings: Findings) -> str:
    """A line for each column; of very many, the first and the last."""
    first, left_out, last = fold(findings.columns, _FIRST, _LAST)
    head = ("column", "kind", "missing", "values", "example")
    caption = f"{plural(len(findings.columns), 'column')} to learn from"
    if not left_out:
        return table(caption, head, _lines(first), numeric=(2,))
    return table(
        caption, head, _lines(first), numeric=(2,), ending=f"… {plural(left_out, 'column')} between them"
    ) + table("The last columns", head, _lines(last), numeric=(2,))


def network(findings: Findings) -> str:
    """Layers, and the options that were set."""
    found = findings.network
    first, left_out, last = fold(found.layers, _LAYERS, 4)
    lines = [
        (
            esc(brief(row.name, 60)),
            esc(brief(row.output)),
            esc(brief(row.parameters, 60)),
            f"{row.size:,}" if row.size else "",
        )
        for row in (*first, *last)
    ]
    ending = (
        f"{left_out:,} layers between the first {_LAYERS} and the last 4 are left out" if left_out else ""
    )
    head = ("map", "output", "parameters", "count")
    caption = f"{found.parameters:,} parameters in all"
    parts = [paragraph(esc(brief(found.text, 400))), table(caption, head, lines, numeric=(3,), ending=ending)]
    if findings.options:
        some, more, _ = fold(findings.options, _FIRST)
        rows = [
            (f"<code>{esc(brief(name))}</code>", f"<code>{esc(brief(value, 200))}</code>")
            for name, value in some
        ]
        end = f"… and {more:,} more" if more else ""
        parts.append(table("Options that were set", ("option", "value"), rows, ending=end))
    return "".join(parts)


def limits(sentences: Iterable[str]) -> str:
    """A list of sentences that are HTML already."""
    return f"<ul>{''.join(f'<li>{sentence}</li>' for sentence in sentences)}</ul>"


def _answers(answers: Answers, findings: Findings) -> str:
    figures = []
    if answers.numbers is not None and answers.numbers.rows:
        figures += [
            charts.predicted_and_true(answers.numbers, answers.target),
            charts.residuals(answers.numbers),
        ]
    if answers.calibration is not None and len(answers.calibration.rows):
        figures.append(charts.reliability_diagram(answers.calibration))
    if answers.classes is not None:
        figures.append(charts.roc_curve(answers.classes))
    matrix = "" if answers.classes is None else confusions(answers.classes, brief(answers.target))
    return score_table(answers, findings) + _figures(figures) + matrix + _coverages(answers.coverages)


def _coverages(coverages: tuple[Coverage, ...]) -> str:
    if not coverages:
        return ""
    rows = [
        (percent(item.level, 0), percent(item.share), f"{item.rows:,}", number(item.width))
        for item in coverages
    ]
    head = ("promised", "found", "of rows", "median width")
    told = (
        "An interval around a prediction promises to hold the true value for a share of the rows; found is "
        "how often it did, on rows that were not used to make it."
    )
    return table("Intervals of predictions", head, rows, numeric=(1, 2, 3)) + paragraph(told, "soft")


def _all_targets(findings: Findings) -> str:
    some, left_out, _ = fold(findings.answers, _TARGETS)
    rows = []
    for answers in some:
        score = headline(answers)
        if score is None:
            rows.append((esc(brief(answers.target)), "–", "–", "–"))
            continue
        meaning = meaning_of(score.name)
        name = esc(meaning.name if meaning else score.name)
        rows.append(
            (esc(brief(answers.target)), name, shown(score, score.value), shown(score, score.baseline))
        )
    head = ("target", "score", "model", esc(findings.baseline))
    ending = f"… and {plural(left_out, 'more target')}" if left_out else ""
    return table("All targets", head, rows, numeric=(2, 3), ending=ending)


def _figures(drawn: list[str]) -> str:
    some = [one for one in drawn if one]
    return f'<div class="figures">{"".join(some)}</div>' if some else ""


def _lines(some: Iterable[Column]) -> list[tuple[str, ...]]:
    return [
        (
            esc(brief(column.name, 60)),
            esc(brief(column.kind, 60)),
            percent(column.missing) if column.missing else "–",
            esc(brief(column.values, 80)),
            esc(brief(column.example)),
        )
        for column in some
    ]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
