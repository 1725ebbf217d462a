"""The comparison on a terminal, as wide as that is; plain and 120 columns where it is none."""

from __future__ import annotations

from collections.abc import Collection
from typing import TextIO

import pandas as pd

from ablate.analysis.metric import Metric
from ablate.analysis.repeats import ONE_SEARCH
from ablate.report import words
from ablate.report.answer import Answer
from ablate.report.shown import cut_short
from ablate.report.study import Study
from ablate.report.tables import effects as effect_tables
from ablate.report.tables.tuned import changed_about, changed_lines
from ablate.screen.grid import draw, fits
from ablate.screen.letters import console, say

STYLES = {"better": "bold green", "worse": "red", "trade-off": "yellow", "suspect": "magenta"}
STYLES |= {"better together": "bold green", "worse together": "red"}
STYLES |= {"fails more": "red", "fails less": "green"}


def render(
    comparison: pd.DataFrame,
    stream: TextIO | None = None,
    *,
    screen: bool = False,
    arms: Collection[str] = (),
    unit: str = "seed",
) -> None:
    """Print what `compare` gives to `stream`, standard output by default.

    Args:
        comparison: Columns `columns.COMPARISON`, the reference first.
        stream: Where to.
        screen: Show p by Benjamini-Hochberg.
        arms: Only these and the reference; p stays adjusted for all. All if there are none.
        unit: What is counted, as `Decisions.unit` names it.
    """
    shown = comparison
    if arms:
        shown = comparison[comparison["arm"].isin([*arms, *comparison["reference"].unique()])]
    _print(_lines(shown, screen), stream)
    note = _footnote(comparison, screen)
    if len(shown) < len(comparison):
        note += f" Not shown: {len(comparison) - len(shown)} of these arms."
    say(words.in_units(note, unit), stream)


def render_answer(answer: Answer, metric: Metric, stream: TextIO | None = None) -> None:
    """Print a table of effects, shares or steps, with what its numbers are."""
    _print(effect_tables.short(effect_tables.lines(answer, metric)), stream)
    say(effect_tables.headline(answer, metric).replace("*", ""), stream)


def render_changed(study: Study, stream: TextIO | None = None) -> None:
    """Print what a search has changed, arm by arm."""
    _print([line[:-1] for line in changed_lines(study)], stream)  # counts stand above
    say(changed_about(study).replace("`", ""), stream)


def _lines(comparison: pd.DataFrame, screen: bool) -> list[list[str]]:
    first = comparison.iloc[0]
    metric = Metric(first["metric"], first["scale"], bool(first["higher_is_better"]))
    kind = "ratio" if metric.is_ratio else "difference"
    names = ["arm", f"{metric.name} {words.arrow(metric)}", f"{kind} [95 % CI]"]
    headings = names + words.headings(metric, screen)[3:]
    return [headings, *(words.cells(row, screen) for row in comparison.to_dict("records"))]


def _print(lines: list[list[str]], stream: TextIO | None) -> None:
    """Print a table, or cards where there is no room for it.

    To save room, intervals go below their numbers first, and at last the cost is left out.
    """
    where = console(stream)
    below = [[cell.replace(" [", "\n[") for cell in line] for line in lines]
    narrow = [line[:-1] if lines[0][-1].startswith("cost") else line for line in below]
    layouts = (table for table in (lines, below, narrow) if fits(table, where))
    draw(next(layouts, lines), where, styles=STYLES)


def _footnote(comparison: pd.DataFrame, screen: bool) -> str:
    mean = "Geometric mean" if comparison["scale"].iloc[0] == "ratio" else "Mean"
    pairs = sorted(comparison["pairs"].iloc[1:].unique())
    used = f"{pairs[0]}" if len(pairs) == 1 else f"{pairs[0]} to {pairs[-1]}" if pairs else "no"
    pairing = f"{used} seed pairs"
    if "welch" in set(comparison["variance"]):
        pairing = "unpaired (Welch's t over all seeds)"
    cut = cut_short(comparison)
    adjusted = f"p is adjusted for all arms ({'Benjamini-Hochberg' if screen else 'Holm'})"
    if words.DESCRIBED in set(comparison["verdict"]):
        adjusted = "and none is tested: another metric was planned to decide"
    test = f"each interval is of its comparison alone, {adjusted}. Inconclusive is not equal."
    if ONE_SEARCH in set(comparison["verdict"]):
        test = f"no interval. {words.OF_ONE_SEARCH}"
    return f"{cut} " * bool(cut) + f"{mean} ± SD over seeds; {pairing}; {test}"
