"""Effects with their intervals, one below the other: what the table says, at a glance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ablate.analysis.metric import Metric
from ablate.report import words
from ablate.report.answer import Answer
from ablate.report.figures import style
from ablate.report.figures.bars import Bar, Forest, forest
from ablate.report.tables.effects import term

MOST_ROWS = 48
ROW_INCHES = 0.21
EDGE_INCHES = 1.0  # legend above, axis label below
LABEL_WIDTH = 34  # letters
LABEL_LINES = 4
TICK_LETTERS = 55  # under the axis
LEFT, RIGHT = 0.33, 0.76  # of the figure; names stand before, numbers behind
WORSE_WORDS = ("worse", "worse together")
BETTER_WORDS = ("better", "better together")


def answer_figure(answer: Answer, metric: Metric) -> bytes | None:
    """Return a PNG of what the design asks, at most 48 rows; None where no row has an effect."""
    kind = "ratio" if metric.is_ratio else "difference"
    against = "ratio to" if metric.is_ratio else "difference from"
    of = {"effects": kind, "shares": f"share as a {kind}", "steps": f"{against} the rung before"}
    return forest_figure(answer.table, answer.names, metric, of[answer.kind])


def arms_figure(table: pd.DataFrame, metric: Metric) -> bytes | None:
    """Return a PNG of arms against their reference, at most 48; None where none has an effect.

    Args:
        table: Columns `columns.COMPARISON`.
        metric: That was compared.
    """
    against = "ratio to" if metric.is_ratio else "difference from"
    tested = table[table["arm"] != table["reference"]]
    reference = style.label(str(table["reference"].iloc[0]), 40, 2).replace("\n", " ")
    return forest_figure(tested, list(map(str, tested["arm"])), metric, f"{against} {reference}")


def forest_figure(
    table: pd.DataFrame, names: Sequence[str], metric: Metric, what: str
) -> bytes | None:
    """Return a PNG of intervals on one axis, what is better to its own side.

    Args:
        table: Columns effect, low, high, scale and verdict.
        names: Of its rows.
        metric: Whose effects they are.
        what: Said of the axis.
    """
    kept = np.isfinite(table["effect"].to_numpy(dtype="float64"))
    chosen, named = table[kept].head(MOST_ROWS), np.array(names, dtype=object)[kept][:MOST_ROWS]
    drawn = forest(chosen, metric, TICK_LETTERS) if len(chosen) else None
    if drawn is None:
        return None
    rows, labels = chosen.to_dict("records"), [_label(name) for name in named]
    heights = [max(1.0, 0.72 * (1 + label.count("\n"))) for label in labels]
    with style.look():
        height = ROW_INCHES * sum(heights) + EDGE_INCHES
        figure = Figure(figsize=(style.WIDTH_INCHES, height), facecolor="white")
        axis = figure.subplots()
        places = -(np.cumsum(heights) - np.array(heights) / 2)
        for place, row, bar in zip(places, rows, drawn.bars, strict=True):
            _draw(axis, place, row, bar, drawn.none)
        _frame(axis, drawn, _axis_label(table, metric, what))
        axis.set_yticks(places, labels, fontsize=7.5)
        axis.set_ylim(-sum(heights), 0)
        _divide(axis, places, rows)
        _legend(figure, rows, height)
        figure.subplots_adjust(left=LEFT, right=RIGHT, top=1 - 0.4 / height, bottom=0.5 / height)
        return style.png(figure)


def _label(name: str) -> str:
    """Return the name of a row, every alias on a line of its own."""
    lines = [style.label(part, LABEL_WIDTH, LABEL_LINES) for part in term(name).split(" = ")]
    return "\n= ".join(lines)


def colour_of(verdict: str) -> str:
    """Return blue for better, red for worse, grey for all that is not sure."""
    if verdict in BETTER_WORDS:
        return style.BLUE
    return style.RED if verdict in WORSE_WORDS else style.GREY


def _draw(axis: Axes, place: float, row: dict[Any, Any], bar: Bar | None, none: float) -> None:
    colour = colour_of(row["verdict"])
    told = words.effect(row) if bar else row["verdict"]
    axis.annotate(
        told, (1, place), (8, 0), xycoords=("axes fraction", "data"), textcoords="offset points",
        va="center", fontsize=7, color=style.INK, annotation_clip=False,
    )  # fmt: skip
    if bar is None:
        axis.plot(none, place, "|", ms=6, color=colour)
        return
    if bar.low is not None and bar.high is not None:
        axis.plot([bar.low, bar.high], [place, place], color=colour, lw=1.6)
    for end in bar.cut:
        axis.plot(max(end, 0), place, _arrow(end), ms=4, color=colour, clip_on=False)
    if bar.beyond:
        _draw_beyond(axis, place, bar, colour)
        return
    face = "white" if row.get("varies", 0) else colour
    axis.plot(bar.at, place, "o", ms=4.5, color=colour, mfc=face, mew=1.2)


def _draw_beyond(axis: Axes, place: float, bar: Bar, colour: str) -> None:
    """Draw an arrow at the end of the axis, its number beside it."""
    axis.plot(bar.at, place, _arrow(bar.beyond), ms=6, color=colour, clip_on=False)
    axis.annotate(
        bar.number, (bar.at, place), (-8 * bar.beyond, 0), textcoords="offset points",
        ha="right" if bar.beyond > 0 else "left", va="center", fontsize=7, color=colour,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
    )  # fmt: skip


def _arrow(side: int) -> str:
    return ">" if side > 0 else "<"


def _frame(axis: Axes, drawn: Forest, label: str) -> None:
    axis.axvline(drawn.none, color=style.INK, lw=0.7, zorder=1)
    axis.grid(axis="x", color="#e6e6e6", lw=0.5)
    axis.set_axisbelow(True)
    axis.spines["left"].set_visible(False)
    axis.tick_params(axis="y", length=0)
    axis.set_xlim(0, 1)
    axis.set_xticks([tick.at for tick in drawn.ticks], [tick.text for tick in drawn.ticks])
    axis.set_xlabel(label, fontsize=7.5)


def _axis_label(table: pd.DataFrame, metric: Metric, what: str) -> str:
    side = "right" if metric.higher_is_better else "left"
    level = ", 95 % intervals" if table["low"].notna().any() else ", no intervals"
    return f"{metric.name}: {what}{level}; better is to the {side}"


def _divide(axis: Axes, places: Any, rows: list[dict[Any, Any]]) -> None:
    """Draw a line between main effects and interactions."""
    orders = [row.get("order", 1) for row in rows]
    for i in range(1, len(rows)):
        if orders[i] != orders[i - 1]:
            axis.axhline((places[i - 1] + places[i]) / 2, color="#777777", lw=0.5, ls=(0, (2, 2)))


def _legend(figure: Figure, rows: list[dict[Any, Any]], height: float) -> None:
    shown = {colour_of(row["verdict"]) for row in rows}
    named = {style.BLUE: "better", style.RED: "worse", style.GREY: "no verdict of better or worse"}
    handles = [
        Line2D([], [], color=colour, lw=1.6, marker="o", ms=4.5, label=label)
        for colour, label in named.items()
        if colour in shown
    ]
    if any(row.get("varies", 0) for row in rows):
        label = "hollow: varies by seed"
        handles.append(Line2D([], [], color=style.INK, lw=0, marker="o", mfc="white", label=label))
    figure.legend(
        handles=handles, loc="upper center", bbox_to_anchor=(0.5, 1 - 0.05 / height), ncols=4
    )
