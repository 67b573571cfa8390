"""What was taken for what: the table of confusions, or the commonest ones of many classes."""

import numpy as np

from chainrule.report.findings import ClassAnswers
from chainrule.report.texts import brief, esc, fold, paragraph, percent, plural, table

__all__ = ["DARKEST", "confusions"]

_FIRST, _LAST = 20, 10
DARKEST = 38
"""Per cent of colour at most, so that the number upon it stays readable."""


def confusions(answers: ClassAnswers, target: str) -> str:
    """A table of all pairs of classes where they are few; else the worst classes and confusions."""
    if answers.matrix is not None:
        return _matrix(answers, answers.matrix, target)
    return _classes(answers, target) + _commonest(answers, target)


def _matrix(answers: ClassAnswers, matrix: np.ndarray, target: str) -> str:
    names = [esc(brief(name, 24)) for name in answers.classes]
    rows = []
    for true, name in enumerate(names):
        total = max(int(matrix[true].sum()), 1)
        cells = [
            _cell(int(count), int(count) / total, "hit" if true == said else "miss")
            for said, count in enumerate(matrix[true])
        ]
        rows.append(f'<tr><th scope="row">{name}</th>{"".join(cells)}</tr>')
    heads = "".join(f'<th scope="col">{name}</th>' for name in names)
    caption = f"Confusions of {esc(target)}"
    told = (
        "A line for each true class, a column for each predicted one: right answers are blue, wrong ones "
        "orange, the stronger the greater their share of the line."
    )
    return (
        f'<div class="wide matrix" tabindex="0" role="region" aria-label="{caption}"><table>'
        f'<caption>{caption}</caption><thead><tr><th scope="col">true ↓ predicted →</th>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>" + paragraph(told, "soft")
    )


def _cell(count: int, share: float, kind: str) -> str:
    if not count:
        return "<td>0</td>"
    return f'<td class="{kind}" style="--share:{DARKEST * share:.0f}%">{count:,}</td>'


def _classes(answers: ClassAnswers, target: str) -> str:
    """Class by class, those that are recognised least first."""
    rows = np.asarray(answers.rows)
    found = np.divide(answers.right, rows, out=np.full(len(rows), np.nan), where=rows > 0)
    order = np.lexsort((-rows, np.nan_to_num(found, nan=2.0))).tolist()  # classes without rows last
    first, left_out, last = fold(order, _FIRST, _LAST)
    lines = [_line(answers, found, k) for k in first]
    ending = f"… {plural(left_out, 'class', 'classes')} between them" if left_out else ""
    caption = f"How often each {esc(target)} is recognised, the worst first"
    head = ("class", "scored rows", "recognised")
    return table(caption, head, lines, numeric=(1, 2), ending=ending) + (
        table("The best", head, [_line(answers, found, k) for k in last], numeric=(1, 2)) if last else ""
    )


def _line(answers: ClassAnswers, found: np.ndarray, k: int) -> tuple[str, str, str]:
    return esc(brief(answers.classes[k])), f"{int(answers.rows[k]):,}", percent(float(found[k]))


def _commonest(answers: ClassAnswers, target: str) -> str:
    if not answers.confused:
        return ""
    rows = [
        (esc(brief(answers.classes[true])), esc(brief(answers.classes[said])), f"{count:,}")
        for true, said, count in answers.confused
    ]
    return table(f"Commonest confusions of {esc(target)}", ("true", "predicted", "rows"), rows, numeric=(2,))
