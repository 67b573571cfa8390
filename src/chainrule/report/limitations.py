"""What to be careful about: only what applies to this model."""

from chainrule.report.findings import Answers, Findings, Score
from chainrule.report.scores import better_than_baseline, meaning_of
from chainrule.report.texts import esc, percent, plural

__all__ = ["limitations"]

_FEW_SCORED = 200
_FEW_PER_COLUMN = 10
_OFF = 0.05
_RARE = 10


def limitations(findings: Findings) -> list[str]:
    """Sentences of HTML, the gravest first."""
    return [
        *_of_scores(findings),
        *_of_data(findings),
        *(text for answers in findings.answers for text in _of_answers(answers, findings)),
        *_of_training(findings),
        *_of_use(findings),
    ]


def _of_scores(findings: Findings) -> list[str]:
    found = []
    if not findings.unseen:
        found.append("The scores are of rows that the network learnt from: on new rows it will do worse.")
    elif findings.scored_rows < _FEW_SCORED:
        rows = plural(findings.scored_rows, "row")
        found.append(
            f"The scores are of only {rows}: other rows may give quite other ones; see the intervals."
        )
    weak = [answers.target for answers in findings.answers if _in_doubt(answers.scores)]
    if weak:
        some = ", ".join(esc(name) for name in weak[:5]) + (", …" if len(weak) > 5 else "")
        found.append(f"It is not surely better than always saying {esc(findings.baseline)}: {some}.")
    return found


def _in_doubt(scores: tuple[Score, ...]) -> bool:
    """Whether a score, at the worse end of its interval, is no better than the baseline's."""
    verdicts = [better_than_baseline(score) for score in scores if meaning_of(score.name) is not None]
    return bool(verdicts) and not any(verdicts)


def _of_data(findings: Findings) -> list[str]:
    found = []
    kinds = {notice.kind for notice in findings.noticed}
    if "leak" in kinds:
        found.append(
            "A column may give the target away (see what was noticed): if it is not known when predictions "
            "are needed, the scores are too good."
        )
    if "rows in both parts" in kinds:
        found.append(
            "Some scored rows are also among the training rows (see what was noticed): if they are many, the "
            "scores are too good."
        )
    if findings.rows < _FEW_PER_COLUMN * len(findings.columns):
        found.append(
            f"{plural(findings.rows, 'row')} are few for {plural(len(findings.columns), 'column')}: some of "
            "what was learnt may be chance."
        )
    return found


def _of_answers(answers: Answers, findings: Findings) -> list[str]:
    found, target = [], esc(answers.target)
    if answers.classes is not None:
        rare = [
            name
            for name, rows in zip(answers.classes.classes, answers.classes.rows, strict=True)
            if rows < _RARE
        ]
        if rare:
            some = ", ".join(esc(name) for name in rare[:5]) + (", …" if len(rare) > 5 else "")
            found.append(
                f"{plural(len(rare), 'class', 'classes')} of {target} ({some}) had fewer than {_RARE} scored "
                "rows: how well they are recognised is hardly known."
            )
    if answers.calibration is not None and (answers.calibration.error or 0) > _OFF:
        found.append(
            f"Probabilities of {target} are off by {percent(answers.calibration.error)} on average: do not "
            "take them at their word."
        )
    for coverage in answers.coverages:
        slack = 2 * (coverage.level * (1 - coverage.level) / max(coverage.rows, 1)) ** 0.5
        if coverage.share < coverage.level - slack:
            found.append(
                f"Intervals of {target} that promise to hold {percent(coverage.level, 0)} of the values held "
                f"{percent(coverage.share)}."
            )
    return found


def _of_training(findings: Findings) -> list[str]:
    curves = findings.curves
    if curves is None:
        return []
    if curves.interrupted:
        return ["Training was interrupted: with more epochs the model may get better."]
    if curves.ran_out and len(curves.training) == curves.kept:
        return ["The last epoch allowed was the best one: with more epochs the model may get better."]
    return []


def _of_use(findings: Findings) -> list[str]:
    found = []
    kinds = " ".join(column.kind for column in findings.columns)
    if "number" in kinds or "date" in kinds:
        found.append(
            "Outside the ranges in the table of columns it has seen nothing: predictions there are guesses."
        )
    if "categor" in kinds:
        found.append("Categories that it has not seen are treated as unknown.")
    found.append("What it learnt holds as long as new rows come about as those in the table did.")
    return found
