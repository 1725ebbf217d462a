"""Effects with their intervals, one below the other: what the table says, at a glance."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from ablate.analysis.metric import Metric
from ablate.report import style, words
from ablate.report.answer import Answer
from ablate.report.effect_tables import term

MOST_ROWS = 48
ROW_INCHES = 0.21
EDGE_INCHES = 1.0  # legend above, axis label below
LABEL_WIDTH = 34  # letters
WORSE_WORDS = ("worse", "worse together")
BETTER_WORDS = ("better", "better together")


def forest_figure(answer: Answer, metric: Metric) -> bytes | None:
    """Return a PNG of `answer`, at most 48 rows; None where no row has an effect."""
    rows = [row for row in answer.table.to_dict("records") if np.isfinite(row["effect"])]
    rows = rows[:MOST_ROWS]
    if not rows:
        return None
    labels = [_label(answer, row) for row in rows]
    heights = [max(1.0, 0.72 * (1 + label.count("\n"))) for label in labels]
    with style.look():
        height = ROW_INCHES * sum(heights) + EDGE_INCHES
        figure = Figure(figsize=(style.WIDTH_INCHES, height), facecolor="white")
        axis = figure.subplots()
        places = -(np.cumsum(heights) - np.array(heights) / 2)
        for place, row in zip(places, rows, strict=True):
            _draw(axis, place, row)
        _frame(axis, metric, _axis_label(answer, metric))
        axis.set_yticks(places, labels, fontsize=7.5)
        axis.set_ylim(-sum(heights), 0)
        _divide(axis, answer, places, rows)
        _legend(figure, rows, height)
        figure.subplots_adjust(left=0.33, right=0.97, top=1 - 0.4 / height, bottom=0.5 / height)
        return style.png(figure)


def _label(answer: Answer, row: dict[Any, Any]) -> str:
    """Return the name of a row, every alias on a line of its own."""
    name = str(row[{"effects": "term", "shares": "factor", "steps": "arm"}[answer.kind]])
    lines = [words.wrapped(part, LABEL_WIDTH) for part in term(name).split(" = ")]
    return "\n= ".join(lines)


def colour_of(verdict: str) -> str:
    """Return blue for better, red for worse, grey for all that is not sure."""
    if verdict in BETTER_WORDS:
        return style.BLUE
    return style.RED if verdict in WORSE_WORDS else style.GREY


def _draw(axis: Axes, place: float, row: dict[Any, Any]) -> None:
    colour = colour_of(row["verdict"])
    if np.isfinite(row["low"]):
        axis.plot([row["low"], row["high"]], [place, place], color=colour, lw=1.6)
    varies = bool(row.get("varies", 0))
    face = "white" if varies else colour
    axis.plot(row["effect"], place, "o", ms=4.5, color=colour, mfc=face, mew=1.2)


def _frame(axis: Axes, metric: Metric, label: str) -> None:
    axis.axvline(1.0 if metric.is_ratio else 0.0, color=style.INK, lw=0.7, zorder=1)
    axis.grid(axis="x", color="#e6e6e6", lw=0.5)
    axis.set_axisbelow(True)
    axis.spines["left"].set_visible(False)
    axis.tick_params(axis="y", length=0)
    axis.set_xlabel(label, fontsize=7.5)
    if metric.is_ratio:
        _ratio_axis(axis)
    else:
        axis.xaxis.set_major_locator(MaxNLocator(7))


def _ratio_axis(axis: Axes) -> None:
    axis.set_xscale("log")
    low, high = axis.dataLim.x0, axis.dataLim.x1
    low, high = min(low, 1.0) / 1.04, max(high, 1.0) * 1.04
    axis.set_xlim(low, high)
    axis.xaxis.set_minor_formatter(NullFormatter())
    if high / low > 20:
        axis.xaxis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
    else:
        # even steps of a ratio: a logarithmic axis this short has no decades to mark
        locator = MaxNLocator(7, steps=[1, 2, 5, 10])  # steps that meet 1
        axis.set_xticks([tick for tick in locator.tick_values(low, high) if low < tick < high])
        axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _axis_label(answer: Answer, metric: Metric) -> str:
    kind = "ratio" if metric.is_ratio else "difference"
    against = "ratio to" if metric.is_ratio else "difference from"
    side = "right" if metric.higher_is_better else "left"
    of = {"effects": kind, "shares": f"share as a {kind}", "steps": f"{against} the rung before"}
    level = ", 95 % intervals" if answer.table["low"].notna().any() else ", no intervals"
    return f"{metric.name}: {of[answer.kind]}{level}; better is to the {side}"


def _divide(axis: Axes, answer: Answer, places: Any, rows: list[dict[Any, Any]]) -> None:
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
