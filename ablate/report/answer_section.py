"""The part of the report that answers what the design asks: table, legend, figures."""

from __future__ import annotations

from ablate.report.figures.forest import MOST_ROWS
from ablate.report.study import Study
from ablate.report.tables import arms as tables
from ablate.report.tables import effects as effect_tables
from ablate.report.tables.arms import code, escape

HALF_NORMAL = (
    "With so few seeds there is no test and no verdict. Effects of every order against what as "
    "many half-normal numbers would be: those on a line through zero are noise, those far above it "
    "stand out; beyond Lenth's margin one effect in twenty does so by chance."
)
FIGURES = {
    "effects": "Effects with their intervals, main effects first",
    "shares": "Shares with their intervals",
    "steps": "Steps with their intervals, lowest rung first",
}


def answer_section(study: Study, figures: list[str]) -> list[str]:
    """Return the lines between the report's answer and its table of arms."""
    answer = study.answer
    lines = [*tables.answer_table(study), ""] if len(answer.table) else []
    lines += answer_text(study)
    if f"{answer.kind}.png" in figures:
        lines += [f"![{FIGURES[answer.kind]}]({answer.kind}.png)", ""]
        if len(answer.table) > MOST_ROWS:
            lines += [f"The first {MOST_ROWS} rows; report.html draws all.", ""]
    if "half_normal.png" in figures:
        lines += ["![Half-normal plot of all effects](half_normal.png)", "", HALF_NORMAL, ""]
    return lines


def answer_text(study: Study) -> list[str]:
    """Return what the numbers of the answer's table are, and the reasons behind its verdicts."""
    headline = effect_tables.headline(study.answer, study.metric)
    return [headline + _levels(study), "", *_reasons(study)]


def beside(study: Study) -> str:
    """Return what the table of arms is where another one answers the question."""
    text = "A second family of comparisons, adjusted by itself: the table above answers the study."
    if study.plan.get("reference") not in set(study.table["arm"]):
        text += (
            " This design has no arm without its tricks; "
            f"{code(study.reference)}, one with the fewest, stands in as the reference."
        )
    return text


def _reasons(study: Study) -> list[str]:
    """Return why, each reason once, and an empty line behind them."""
    rows = zip(study.answer.names, study.answer.table.to_dict("records"), strict=True)
    told: dict[tuple[str, str], list[str]] = {}
    for name, row in rows:
        if row["reason"]:
            key = (row["verdict"], row["reason"])
            told.setdefault(key, []).append(code(effect_tables.term(name)))
    lines = [
        f"- {'all' if len(names) == len(study.answer.names) else ', '.join(names)}: {verdict}, "
        f"{escape(reason)}."
        for (verdict, reason), names in told.items()
    ]
    return [*lines, ""] if lines else []


def _levels(study: Study) -> str:
    """Return what each factor was switched between, where that is not off and on."""
    told = [
        f"{name} {' or '.join(map(str, levels[1:]))} against {levels[0]}"
        for name, levels in (study.plan.get("factors") or {}).items()
        if list(map(str, levels)) != ["off", "on"]
    ]
    return f" Levels: {escape('; '.join(told))}." if told and study.answer.kind == "effects" else ""
