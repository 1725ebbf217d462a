"""The comparison on a terminal, as wide as that is; plain and 100 columns where it is none."""

from __future__ import annotations

import sys
from collections.abc import Collection
from itertools import product
from typing import TextIO

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ablate.analysis.metric import Metric
from ablate.report import effect_tables, words
from ablate.report.answer import Answer
from ablate.report.shown import cut_short
from ablate.report.study import Study
from ablate.report.tuned import CHANGED, changed_lines

WIDTH = 100  # where there is no terminal to ask
WIDEST = 120
ARM_WIDTHS = (40, 26, 20, 14)
STYLES = {"better": "bold green", "worse": "red", "trade-off": "yellow", "suspect": "magenta"}
STYLES |= {"better together": "bold green", "worse together": "red"}
ASCII = {"±": "+/-", "↓": "(lower)", "↑": "(higher)"}
ASCII |= {words.TIMES: "x", words.NONE: "-", words.MINUS: "-", words.ARROW: "->"}


def render(
    comparison: pd.DataFrame,
    stream: TextIO | None = None,
    *,
    screen: bool = False,
    arms: Collection[str] = (),
) -> None:
    """Print what `compare` gives to `stream`, standard output by default.

    Args:
        comparison: Columns `columns.COMPARISON`, the reference first.
        stream: Where to.
        screen: Show p by Benjamini-Hochberg.
        arms: Only these and the reference; p stays adjusted for all. All if there are none.
    """
    console, unicode = _console(stream)
    shown = comparison
    if arms:
        shown = comparison[comparison["arm"].isin([*arms, *comparison["reference"].unique()])]
    console.print(_table(shown, unicode, screen, console))
    note = _footnote(comparison, screen)
    if len(shown) < len(comparison):
        note += f" Not shown: {len(comparison) - len(shown)} of these arms."
    console.print(Text(_spell(note, unicode)))


def render_answer(answer: Answer, metric: Metric, stream: TextIO | None = None) -> None:
    """Print a table of effects, shares or steps, with what its numbers are."""
    console, unicode = _console(stream)
    _print(console, unicode, effect_tables.short(effect_tables.lines(answer, metric)))
    text = effect_tables.headline(answer, metric).replace("*", "")
    console.print(Text(_spell(text, unicode)))


def render_changed(study: Study, stream: TextIO | None = None) -> None:
    """Print what a search has changed, arm by arm."""
    console, unicode = _console(stream)
    _print(console, unicode, [line[:-1] for line in changed_lines(study)])  # counts stand above
    console.print(Text(_spell(CHANGED.replace("`", ""), unicode)))


def _print(console: Console, unicode: bool, lines: list[list[str]]) -> None:
    heading, *rows = lines
    rows = [[words.wrapped(name, ARM_WIDTHS[2]), *rest] for name, *rest in rows]
    spelled = [[_spell(cell, unicode) for cell in line] for line in [heading, *rows]]
    console.print(_grid(_fitted(spelled, console.width), plain=not console.is_terminal))


def _console(stream: TextIO | None) -> tuple[Console, bool]:
    """Return a console on `stream`, and whether it takes more than ASCII."""
    stream = sys.stdout if stream is None else stream
    console = Console(file=stream, highlight=False, emoji=False, markup=False)
    console.width = min(console.width, WIDEST) if console.is_terminal else WIDTH
    return console, (getattr(stream, "encoding", None) or "utf-8").lower().startswith("utf")


def _table(comparison: pd.DataFrame, unicode: bool, screen: bool, console: Console) -> Table:
    first = comparison.iloc[0]
    metric = Metric(first["metric"], first["scale"], bool(first["higher_is_better"]))
    kind = "ratio" if metric.is_ratio else "difference"
    names = ["arm", f"{metric.name} {words.arrow(metric)}", f"{kind} [95 % CI]"]
    lines = [names + words.headings(metric, screen)[3:]]
    lines += [words.cells(row, screen) for row in comparison.to_dict("records")]
    spelled = [[_spell(cell, unicode) for cell in line] for line in lines]
    return _grid(_fitted(spelled, console.width), plain=not console.is_terminal)


def _grid(lines: list[list[str]], plain: bool) -> Table:
    """Return a table of the heading and the rows; a verdict has its colour."""
    heading, *rows = lines
    table = Table(
        box=None if plain else box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 2 if plain else 1, 0, 0),
        pad_edge=False,
    )
    for place, name in enumerate(heading):
        table.add_column(name, overflow="fold", no_wrap=place > 0)
    for row in rows:
        table.add_row(*(Text(cell, STYLES.get(cell, "")) for cell in row))
    return table


def _fitted(lines: list[list[str]], most: int) -> list[list[str]]:
    """Break names and, only if all is too wide, intervals; at last leave out the cost."""
    broken = [[cell.replace(" [", "\n[") for cell in line] for line in lines]
    narrow = [line[:-1] if lines[0][-1].startswith("cost") else line for line in broken]
    narrow[0] = [text if "\n" in text else text.replace(" ", "\n") for text in narrow[0]]
    for table, width in product((lines, broken, narrow), ARM_WIDTHS):
        fitted = [[words.wrapped(arm, width), *rest] for arm, *rest in table]
        if _width(fitted) <= most:
            break
    return fitted


def _width(lines: list[list[str]]) -> int:
    """Return the columns that a table of `lines` takes, two between neighbours."""
    columns = list(zip(*lines, strict=True))
    widths = [max(len(part) for cell in column for part in cell.split("\n")) for column in columns]
    return sum(widths) + 2 * (len(columns) - 1)


def _footnote(comparison: pd.DataFrame, screen: bool) -> str:
    mean = "Geometric mean" if comparison["scale"].iloc[0] == "ratio" else "Mean"
    pairs = sorted(comparison["pairs"].iloc[1:].unique())
    used = f"{pairs[0]}" if len(pairs) == 1 else f"{pairs[0]} to {pairs[-1]}" if pairs else "no"
    pairing = f"{used} seed pairs"
    if "welch" in set(comparison["variance"]):
        pairing = "unpaired (Welch's t over all seeds)"
    cut = cut_short(comparison)
    return (f"{cut} " if cut else "") + (
        f"{mean} ± SD over seeds; {pairing}; each interval is of its comparison alone, "
        f"p is adjusted for all arms ({'Benjamini-Hochberg' if screen else 'Holm'}). "
        "Inconclusive is not equal."
    )


def _spell(text: str, unicode: bool) -> str:
    if unicode:
        return text
    for letter, spelled in ASCII.items():
        text = text.replace(letter, spelled)
    return text.encode("ascii", "replace").decode()
