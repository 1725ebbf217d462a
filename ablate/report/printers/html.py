"""Tables of the page: texts, where their numbers lead, and their intervals drawn beside them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import pandas as pd

from ablate.analysis.decisions import Decisions
from ablate.analysis.metric import Metric
from ablate.report import words
from ablate.report.figures.bars import Bar, Forest, forest
from ablate.report.study import Study
from ablate.report.tables import effects as effect_tables
from ablate.report.tables.tuned import changed_lines

TONES = {"better": "good", "better together": "good", "worse": "bad", "worse together": "bad"}
WIDTH = 220  # pixels of an interval's axis
LETTER = 6.5  # pixels of a letter under it, at most


class Row(NamedTuple):
    """One row: texts, where its numbers lead, its verdict's tone, its interval."""

    cells: list[str]
    leads_to: str
    tone: str
    bar: Bar | None


class Table(NamedTuple):
    """A table to be sorted and filtered.

    Attributes:
        name: Its id in the page.
        caption: What it is.
        headings: One a column; the column of verdicts is called so.
        effect: Place of the column of effects; its interval is drawn beside it.
        axis: Of the intervals; None where there are none.
        rows: In their order.
    """

    name: str
    caption: str
    headings: list[str]
    effect: int
    axis: Forest | None
    rows: list[Row]


def arms_table(
    comparison: pd.DataFrame, metric: Metric, decisions: Decisions, prefix: str = ""
) -> Table:
    """Return a table of arms, columns `columns.COMPARISON`; `prefix` is of its name and places."""
    rows, screen = comparison.to_dict("records"), decisions.screen
    lines = [
        words.headings(metric, screen, decisions.unit),
        *(words.cells(row, screen) for row in rows),
    ]
    caption = f"{'Tuned: arms' if prefix else 'Arms'} against the reference"
    leads = trials_of(comparison["arm"], comparison, prefix)
    return table(f"{prefix}arms", caption, lines, comparison, leads, metric)


def answer_table(study: Study, prefix: str = "") -> Table | None:
    """Return the table of effects, shares or steps; `prefix` is of its name and places."""
    if study.answer.kind == "arms" or study.answer.table.empty:
        return None
    caption = {"effects": "Effects of tricks", "shares": "Shares of tricks", "steps": "Steps"}
    lines = effect_tables.lines(study.answer, study.metric)
    kind = study.answer.kind
    told = f"Tuned: {caption[kind].lower()}" if prefix else caption[kind]
    if kind == "steps":
        leads = trials_of(study.answer.table["arm"], study.table, prefix)
    else:
        leads = [f"{prefix}{kind[:-1]}-{place}" for place in range(len(study.answer.table))]
    return table(f"{prefix}{kind}", told, lines, study.answer.table, leads, study.metric)


def trials_of(arms: Iterable[object], comparison: pd.DataFrame, prefix: str = "") -> list[str]:
    """Return where the trials of `arms` are, rows of `comparison`."""
    places = {str(arm): place for place, arm in enumerate(comparison["arm"])}
    return [f"{prefix}trials-{places[str(arm)]}" for arm in arms]


def changed_table(study: Study, prefix: str) -> Table:
    """Return the table of what tuning changed; `prefix` is that of the tuned study's trials."""
    assert study.tuned is not None, "only a search changes arms"
    lines, caption = changed_lines(study), "What tuning changed, arm by arm"
    leads = trials_of(study.changed["reference"], study.tuned.table, prefix)
    return table("tuning", caption, lines, study.changed, leads, study.metric)


def table(
    name: str,
    caption: str,
    lines: Sequence[list[str]],
    frame: pd.DataFrame,
    leads: Sequence[str],
    metric: Metric,
) -> Table:
    """Return a table of `lines`, headings first, one for each row of `frame`; further ones follow.

    Args:
        name: Its id.
        caption: What it is.
        lines: Texts.
        frame: Columns effect, low, high, verdict.
        leads: To where the numbers of each row lead.
        metric: Whose effects they are.
    """
    headings, *texts = lines
    axis = forest(frame, metric, WIDTH / LETTER) if len(frame) else None
    bars = axis.bars if axis else [None] * len(frame)
    rows = [
        Row(cells, lead, TONES.get(verdict, ""), bar)
        for cells, lead, verdict, bar in zip(texts, leads, frame["verdict"], bars, strict=False)
    ]
    rows += [Row(cells, "", "", None) for cells in texts[len(rows) :]]
    effect = next(i for i, text in enumerate(headings) if "[95 % CI]" in text)
    return Table(name, caption, headings, effect, axis, rows)
