"""The comparison on a terminal: at most 100 columns, plain where it is no terminal."""

from __future__ import annotations

import sys
from typing import TextIO

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ablate.analysis.metric import Metric
from ablate.report import effect_tables, words
from ablate.report.answer import Answer

WIDTH = 100
ARM_WIDTHS = (26, 20)
STYLES = {"better": "bold green", "worse": "red", "trade-off": "yellow", "suspect": "magenta"}
STYLES |= {"better together": "bold green", "worse together": "red"}
ASCII = {"±": "+/-", "↓": "(lower)", "↑": "(higher)"}
ASCII |= {words.TIMES: "x", words.NONE: "-", words.MINUS: "-", words.ARROW: "->"}


def render(comparison: pd.DataFrame, stream: TextIO | None = None, *, screen: bool = False) -> None:
    """Print what `compare` gives to `stream`, standard output by default."""
    console, unicode = _console(stream)
    console.print(_table(comparison, unicode, screen, plain=not console.is_terminal))
    console.print(Text(_spell(_footnote(comparison, screen), unicode)))


def render_answer(answer: Answer, metric: Metric, stream: TextIO | None = None) -> None:
    """Print a table of effects, shares or steps, with what its numbers are."""
    console, unicode = _console(stream)
    heading, *rows = effect_tables.short(effect_tables.lines(answer, metric))
    lines = [[words.wrapped(name, ARM_WIDTHS[1]), *rest] for name, *rest in rows]
    spelled = [[_spell(cell, unicode) for cell in line] for line in [heading, *lines]]
    console.print(_grid(_fitted(spelled), plain=not console.is_terminal))
    text = effect_tables.headline(answer, metric).replace("*", "")
    console.print(Text(_spell(text, unicode)))


def _console(stream: TextIO | None) -> tuple[Console, bool]:
    """Return a console on `stream`, and whether it takes more than ASCII."""
    stream = sys.stdout if stream is None else stream
    console = Console(file=stream, width=WIDTH, highlight=False, emoji=False, markup=False)
    return console, (getattr(stream, "encoding", None) or "utf-8").lower().startswith("utf")


def _table(comparison: pd.DataFrame, unicode: bool, screen: bool, plain: bool) -> Table:
    first = comparison.iloc[0]
    metric = Metric(first["metric"], first["scale"], bool(first["higher_is_better"]))
    kind = "ratio" if metric.is_ratio else "difference"
    names = ["arm", f"{metric.name} {words.arrow(metric)}", f"{kind} [95 % CI]"]
    lines = [names + words.headings(metric, screen)[3:]]
    lines += [words.cells(row, screen) for row in comparison.to_dict("records")]
    return _grid(_fitted([[_spell(cell, unicode) for cell in line] for line in lines]), plain)


def _grid(lines: list[list[str]], plain: bool) -> Table:
    """Return a table of the heading and the rows; a verdict has its colour."""
    heading, *rows = lines
    table = Table(box=None if plain else box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    for place, name in enumerate(heading):
        table.add_column(name, overflow="fold", no_wrap=place > 0)
    for row in rows:
        table.add_row(*(Text(cell, STYLES.get(cell, "")) for cell in row))
    return table


def _fitted(lines: list[list[str]]) -> list[list[str]]:
    """Break arms behind a `+` and, only if all is too wide, intervals behind their number."""
    for width in ARM_WIDTHS:
        fitted = [[words.wrapped(arm, width), *rest] for arm, *rest in lines]
        if _width(fitted) <= WIDTH:
            return fitted
    return [[arm, mean, effect.replace(" [", "\n["), *rest] for arm, mean, effect, *rest in fitted]


def _width(lines: list[list[str]]) -> int:
    """Return the columns that a table of `lines` takes, two between neighbours."""
    columns = list(zip(*lines, strict=True))
    widths = [max(len(part) for cell in column for part in cell.split("\n")) for column in columns]
    return sum(widths) + 2 * (len(columns) - 1)


def _footnote(comparison: pd.DataFrame, screen: bool) -> str:
    mean = "Geometric mean" if comparison["scale"].iloc[0] == "ratio" else "Mean"
    pairs = sorted(comparison["pairs"].iloc[1:].unique())
    used = f"{pairs[0]}" if len(pairs) == 1 else f"{pairs[0]} to {pairs[-1]}" if pairs else "no"
    return (
        f"{mean} ± SD over seeds; {used} seed pairs; each interval is of its comparison alone, "
        f"p is adjusted for all arms ({'Benjamini-Hochberg' if screen else 'Holm'}). "
        "Inconclusive is not equal."
    )


def _spell(text: str, unicode: bool) -> str:
    if unicode:
        return text
    for letter, spelled in ASCII.items():
        text = text.replace(letter, spelled)
    return text.encode("ascii", "replace").decode()
