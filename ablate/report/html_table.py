"""Tables of the page: texts, where their numbers lead, and their intervals drawn beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from ablate.analysis.metric import Metric
from ablate.report import effect_tables, words
from ablate.report.study import Study
from ablate.report.tuned import changed_lines

TONES = {"better": "good", "better together": "good", "worse": "bad", "worse together": "bad"}
WHISKER_WIDTH = 130  # pixels
FAR = 20.0  # times the usual reach of an interval: what lies beyond would squeeze all others


class Whisker(NamedTuple):
    """An interval as pixels of `WHISKER_WIDTH`.

    Attributes:
        zero: Where no change is.
        at: The effect.
        low: Lower end; None without an interval.
        high: Upper end.
        beyond: -1 or 1 if the effect lies outside, to the left or to the right; else 0.
    """

    zero: float
    at: float
    low: float | None
    high: float | None
    beyond: int


class Row(NamedTuple):
    """One row: texts, where its numbers lead, its verdict's tone, its interval."""

    cells: list[str]
    leads_to: str
    tone: str
    whisker: Whisker | None


class Table(NamedTuple):
    """A table to be sorted and filtered.

    Attributes:
        name: Its id in the page.
        caption: What it is.
        headings: One a column; the column of verdicts is called so.
        effect: Place of the column of effects; its interval is drawn beside it.
        rows: In their order.
    """

    name: str
    caption: str
    headings: list[str]
    effect: int
    rows: list[Row]


def arms_table(
    comparison: pd.DataFrame, metric: Metric, screen: bool = False, prefix: str = ""
) -> Table:
    """Return a table of arms, columns `columns.COMPARISON`; `prefix` is of its name and places."""
    rows = comparison.to_dict("records")
    lines = [words.headings(metric, screen), *(words.cells(row, screen) for row in rows)]
    caption = f"{'Tuned: arms' if prefix else 'Arms'} against the reference"
    return table(f"{prefix}arms", caption, lines, comparison, f"{prefix}trials", metric)


def answer_table(study: Study, prefix: str = "") -> Table | None:
    """Return the table of effects, shares or steps; `prefix` is of its name and places."""
    if study.answer.kind == "arms" or study.answer.table.empty:
        return None
    caption = {"effects": "Effects of tricks", "shares": "Shares of tricks", "steps": "Steps"}
    lines = effect_tables.lines(study.answer, study.metric)
    kind = study.answer.kind
    leads = {"effects": "effect", "shares": "share", "steps": "step"}[kind]
    told = f"Tuned: {caption[kind].lower()}" if prefix else caption[kind]
    name, places = f"{prefix}{kind}", f"{prefix}{leads}"
    return table(name, told, lines, study.answer.table, places, study.metric)


def changed_table(study: Study) -> Table:
    """Return the table of what tuning changed."""
    lines, caption = changed_lines(study), "What tuning changed, arm by arm"
    return table("tuning", caption, lines, study.changed, "changed", study.metric)


def table(
    name: str,
    caption: str,
    lines: Sequence[list[str]],
    frame: pd.DataFrame,
    leads_to: str,
    metric: Metric,
) -> Table:
    """Return a table of `lines`, headings first, one for each row of `frame`; further ones follow.

    Args:
        name: Its id.
        caption: What it is.
        lines: Texts.
        frame: Columns effect, low, high, verdict.
        leads_to: Row 0 leads to `leads_to-0`.
        metric: Whose effects they are.
    """
    headings, *texts = lines
    whiskers = _whiskers(frame, metric)
    rows = [
        Row(cells, f"{leads_to}-{place}", TONES.get(verdict, ""), whisker)
        for place, (cells, verdict, whisker) in enumerate(
            zip(texts, frame["verdict"], whiskers, strict=False)
        )
    ]
    rows += [Row(cells, "", "", None) for cells in texts[len(rows) :]]
    effect = next(i for i, text in enumerate(headings) if "[95 % CI]" in text)
    return Table(name, caption, headings, effect, rows)


def _whiskers(frame: pd.DataFrame, metric: Metric) -> list[Whisker | None]:
    """Return the intervals on one scale, logarithmic for ratios."""
    ends = metric.forward(frame[["effect", "low", "high"]].to_numpy(dtype="float64"))  # [N, 3]
    reach = np.nanmax(np.abs(ends), axis=1, initial=0.0)
    if not (reach > 0).any():
        return [None] * len(frame)
    limit = FAR * float(np.median(reach[reach > 0]))
    inside = np.clip(np.nan_to_num(ends), -limit, limit)
    low, high = 1.05 * min(inside.min(), -limit / 9), 1.05 * max(inside.max(), limit / 9)
    pixels = (np.clip(ends, low, high) - low) / (high - low) * WHISKER_WIDTH
    beyond = (ends[:, 0] > high).astype(int) - (ends[:, 0] < low)
    zero = round(-low / (high - low) * WHISKER_WIDTH, 1)
    return [_whisker(zero, row, int(out)) for row, out in zip(pixels, beyond, strict=True)]


def _whisker(zero: float, pixels: np.ndarray, beyond: int) -> Whisker | None:
    at, low, high = (round(float(one), 1) for one in pixels)
    if not np.isfinite(at):
        return None
    known = np.isfinite(low + high)
    return Whisker(zero, at, low if known else None, high if known else None, beyond)
