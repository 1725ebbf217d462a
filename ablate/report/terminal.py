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
from ablate.report import words

WIDTH = 100
ARM_WIDTH = 26
STYLES = {"better": "bold green", "worse": "red", "trade-off": "yellow", "suspect": "magenta"}
ASCII = {"±": "+/-", "↓": "(lower)", "↑": "(higher)"}
ASCII |= {words.TIMES: "x", words.NONE: "-", words.MINUS: "-"}


def render(comparison: pd.DataFrame, stream: TextIO | None = None) -> None:
    """Print what `compare` gives to `stream`, standard output by default."""
    stream = sys.stdout if stream is None else stream
    console = Console(file=stream, width=WIDTH, highlight=False, emoji=False, markup=False)
    unicode = (getattr(stream, "encoding", None) or "utf-8").lower().startswith("utf")
    console.print(_table(comparison, unicode, plain=not console.is_terminal))
    console.print(Text(_spell(_footnote(comparison), unicode)))


def _table(comparison: pd.DataFrame, unicode: bool, plain: bool) -> Table:
    first = comparison.iloc[0]
    metric = Metric(first["metric"], first["scale"], bool(first["higher_is_better"]))
    kind = "ratio" if metric.is_ratio else "difference"
    names = ["arm", f"{metric.name} {words.arrow(metric)}", f"{kind} [95 % CI]"]
    table = Table(box=None if plain else box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    for place, name in enumerate([*names, *words.headings(metric)[3:]]):
        # Only what has no place to break may be wrapped by its letters.
        table.add_column(_spell(name, unicode), overflow="fold", no_wrap=place in (1, 2, 3))
    for row in comparison.to_dict("records"):
        cells = [_spell(cell, unicode) for cell in words.cells(row)]
        style = STYLES.get(row["verdict"], "")
        verdict = Text(cells[4], style=style)
        table.add_row(words.wrapped(cells[0], ARM_WIDTH), *cells[1:4], verdict, *cells[5:])
    return table


def _footnote(comparison: pd.DataFrame) -> str:
    mean = "Geometric mean" if comparison["scale"].iloc[0] == "ratio" else "Mean"
    pairs = sorted(comparison["pairs"].iloc[1:].unique())
    used = f"{pairs[0]}" if len(pairs) == 1 else f"{pairs[0]} to {pairs[-1]}" if pairs else "no"
    return (
        f"{mean} ± SD over seeds; {used} seed pairs; each interval is of its comparison alone, "
        "p is adjusted for all arms (Holm). Inconclusive is not equal."
    )


def _spell(text: str, unicode: bool) -> str:
    if unicode:
        return text
    for letter, spelled in ASCII.items():
        text = text.replace(letter, spelled)
    return text.encode("ascii", "replace").decode()
