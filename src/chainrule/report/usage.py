"""How to use the model: commands for a shell, lines for Python."""

import shlex

from chainrule.report.findings import Findings
from chainrule.report.texts import esc, paragraph

__all__ = ["usage"]

_NEW = "new.csv"


def usage(findings: Findings) -> str:
    """Commands for this model file and these targets, ready to be copied."""
    if findings.model in ("", "-"):
        return paragraph("This page knows no file of the model: fit it with <code>-o MODEL</code> to use it.")
    return (
        paragraph(
            f"Put new rows into a table with the same columns, such as <code>{_NEW}</code>; its target may "
            "be missing. In a shell:"
        )
        + _code(_commands(findings))
        + paragraph("In Python:")
        + _code(_lines(findings))
    )


def _commands(findings: Findings) -> list[str]:
    model = _argument(findings.model)
    missing = "".join(f" --missing={shlex.quote(text)}" for text in findings.missing)
    told = " --probabilities" if findings.task != "regression" else ""
    return [
        f"chainrule predict {model} {_NEW} -o predictions.csv{told}{missing}",
        f"chainrule evaluate {model} {_NEW}  # if the target is known there",
        f"chainrule show {model}",
    ]


def _lines(findings: Findings) -> list[str]:
    missing = f", missing={list(findings.missing)!r}" if findings.missing else ""
    lines = [
        "import chainrule",
        "",
        f"model = chainrule.load({findings.model!r})",
        f'table = chainrule.read_table("{_NEW}"{missing})',
        "X = table.select(model.feature_names_in_)",
        f"{_variable(findings)} = model.predict(X)",
    ]
    if findings.task != "regression":
        lines.append("probabilities = model.predict_proba(X)")
    return lines


def _variable(findings: Findings) -> str:
    """The target's name where Python can use it."""
    names = [answers.target for answers in findings.answers]
    usable = len(names) == 1 and names[0].isidentifier() and names[0].isascii()
    return f"predicted_{names[0]}" if usable else "predictions"


def _argument(path: str) -> str:
    """A path as an argument that is no option."""
    return shlex.quote(f"./{path}" if path.startswith("-") else path)


def _code(lines: list[str]) -> str:
    return f'<pre tabindex="0"><code>{"<br>".join(map(esc, lines))}</code></pre>'
