"""A study in a few lines of Markdown, for a pull request or an issue."""

from __future__ import annotations

from ablate.report import words
from ablate.report.headline import answer
from ablate.report.prose import question
from ablate.report.shown import cut_short, shown
from ablate.report.study import Study
from ablate.report.tables import arms as tables
from ablate.report.tables import effects as effect_tables
from ablate.report.tables.arms import escape
from ablate.report.tables.tuned import AFTER, BEFORE

MOST = 30  # rows of the table


def summarize(study: Study) -> str:
    """Return question, answer, the table that answers it, and what it rests on."""
    lines = [f"### {question(study)}", "", *_told(study)]
    if study.tuned is not None:
        lines[2] = f"{BEFORE}. {lines[2]}"
        told = _told(study.tuned)
        lines += ["", f"{AFTER}. {told[0]}", *told[1:]]
    return "\n".join(lines) + "\n"


def _told(study: Study) -> list[str]:
    is_arms = study.answer.kind == "arms"
    head, rule, *rows = tables.main_table(study) if is_arms else tables.answer_table(study)
    lines = [answer(study), "", head, rule, *rows[:MOST]]
    if len(rows) > MOST:
        lines += ["", f"{len(rows) - MOST} more rows are in the report."]
    if not is_arms:
        lines += ["", effect_tables.headline(study.answer, study.metric)]
    return [*lines, "", _basis(study)]


def _basis(study: Study) -> str:
    seeds = [str(seed) for seed in sorted(study.final["seed"].unique())]
    budget, cut = shown(study), cut_short(study.table)
    protocols = sorted(set(study.table["protocol"]) - {""})
    each = " in each that is done" if budget.isdigit() else ""
    decisions = study.decisions
    over = "" if decisions.unit == "seed" else f" over {decisions.unit}s"
    pairing = "unpaired (Welch)" if decisions.unpaired else "paired"
    tested = f"{pairing} t{over}, each interval for one comparison (95 %), p adjusted for all"
    told = [
        f"{len(study.final)} trials, seeds {words.listing(seeds, 12)}",
        f"{budget} real images shown to D{each}" if budget else "budget not told",
        f"protocol {escape(words.listing(protocols or ['none']))}",
        "no test" if decisions.one_search else tested,
    ]
    if damaged := len(study.frame.attrs["damaged"]):
        told.append(f"{damaged} trials cannot be read and are left out")
    return "; ".join(told) + f".{f' {escape(cut)}' if cut else ''} Inconclusive is not equal."
