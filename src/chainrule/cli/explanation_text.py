"""Explanations in the terminal: steps and bars, in colours where there are some."""

from rich.console import Console
from rich.text import Text

from chainrule.report.explained import Explained, Part, folded
from chainrule.report.texts import brief, number, plural

_BAR = 32  # characters
_NAME = 36


def print_row(said: Explained) -> None:
    """From the baseline to the output of a row, a step for each column."""
    row = said.row
    assert row
    shown = folded(row.parts)
    texts = [brief(_named(part), _NAME) for part in shown]
    width = max(map(len, [*texts, "baseline"]))
    steps = [row.baseline]
    for part in shown:
        steps.append(steps[-1] + part.adds)
    low, high = min(steps), max(steps)

    def place(value: float) -> int:
        return round((value - low) / (high - low) * _BAR) if high > low else 0

    numbers = [number(row.baseline, 4), *(signed(part.adds) for part in shown), number(row.output, 4)]
    column = max(map(len, numbers))
    console = _console()
    console.print(f"Row {row.number:,}: the {said.unit} for {row.of}, compared with {said.compared}\n")
    slopes = any(part.gradient is not None for part in shown)
    if slopes:
        console.print(Text(f"{'':{width + column + _BAR + 5}}  one more unit adds", "dim"))
    ends = (("baseline", place(row.baseline)), ("output", place(row.output)))
    console.print(_line(ends[0][0], numbers[0], " " * ends[0][1] + "│", width, column))
    for k, (part, text) in enumerate(zip(shown, texts, strict=True)):
        a, b = sorted((place(steps[k]), place(steps[k + 1])))
        sign, style = ("░", "yellow") if part.adds < 0 else ("█", "blue")
        line = _line(text, numbers[k + 1], "", width, column)
        line.append((" " * a + sign * max(b - a, int(part.adds != 0))).ljust(_BAR + 1), style)
        if part.gradient is not None:
            line.append(f"  {signed(part.gradient)}", "dim")
        line.rstrip()
        console.print(line)
    console.print(_line(ends[1][0], numbers[-1], " " * ends[1][1] + "│", width, column))
    if row.remainder:
        console.print(
            f"\nNumerical integration missed {number(abs(row.remainder), 2)} of the difference, which is "
            "shared among the columns."
        )


def print_importance(said: Explained, rows: int) -> None:
    """The mean size of what each column adds, the largest first."""
    console = _console()
    of = f"{said.rows:,} of {rows:,} rows" if said.rows < rows else plural(rows, "row")
    console.print(
        f"What moves the {said.unit} for {said.of}: the mean size of what each column adds, in {of}, "
        f"compared with {said.compared}\n"
    )
    texts = [brief(name, _NAME) for name, _ in said.importance]
    numbers = [number(value) for _, value in said.importance]
    width, column = max(map(len, texts)), max(map(len, numbers))
    most = said.importance[0][1] or 1.0
    for text, told, (_, value) in zip(texts, numbers, said.importance, strict=True):
        line = _line(text, told, "", width, column)
        line.append("█" * round(value / most * _BAR), "blue")
        line.rstrip()
        console.print(line)


def signed(value: float) -> str:
    """A number with its sign."""
    return f"+{number(value)}" if value > 0 else number(value)


def _line(name: str, told: str, bar: str, width: int, column: int) -> Text:
    return Text(f"{name.ljust(width)}  {told.rjust(column)}  {bar}")


def _named(part: Part) -> str:
    return f"{part.column} = {part.value}" if part.value else part.column


def _console() -> Console:
    return Console(highlight=False, soft_wrap=True, markup=False)
