"""Losses and the metric over the images shown: one row per arm, the reference behind each."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from ablate.analysis.bands import bands, thin
from ablate.analysis.metric import Metric
from ablate.report import words
from ablate.report.figures import style
from ablate.report.figures.curve_rows import metric_bands
from ablate.report.study import Study

LOSSES = {"loss_d": "loss of D", "loss_g": "loss of G"}
MOST_ARMS = 16
ROW_INCHES = 0.92
EDGE_INCHES = 0.95  # titles and legend above, axis label below


def curves_figure(study: Study) -> bytes | None:
    """Return a PNG: rows are arms in the table's order, columns the losses and the metric.

    None where there is nothing to draw.

    Losses of different adversaries are not comparable, so each panel of a loss has its own axis;
    the metric's axis is the same in all rows.
    """
    if study.curves.empty and metric_bands(study).empty:
        return None
    arms = list(study.table["arm"])[:MOST_ARMS]
    with style.look():
        height = ROW_INCHES * len(arms) + EDGE_INCHES
        figure = Figure(figsize=(style.WIDTH_INCHES, height), facecolor="white")
        axes = figure.subplots(len(arms), len(LOSSES) + 1, squeeze=False)
        _draw(study, arms, axes)
        _frame(study, arms, axes)
        _legend(figure, bool(study.failed["arm"].isin(arms).any()), height)
        figure.subplots_adjust(
            left=0.24,
            right=0.985,
            top=1 - 0.58 / height,
            bottom=0.37 / height,
            wspace=0.3,
            hspace=0.3,
        )
        return style.png(figure)


def _draw(study: Study, arms: list[str], axes: np.ndarray) -> None:
    done = study.curves[~study.curves["failed"]]
    table = pd.concat([bands(done), metric_bands(study)])
    failed = thin(study.curves[study.curves["failed"]], 120)
    for i, arm in enumerate(arms):
        for j, signal in enumerate([*LOSSES, study.metric.name]):
            of_signal = table[table["signal"] == signal]
            if arm != study.reference:
                _band(axes[i, j], of_signal[of_signal["arm"] == study.reference], style.GREY, 0.18)
            _band(axes[i, j], of_signal[of_signal["arm"] == arm], style.BLUE, 0.25)
            lost = failed[(failed["arm"] == arm) & (failed["signal"] == signal)]
            for _, one in lost.groupby("trial"):
                _lost(axes[i, j], one)


def _band(axis: Axes, rows: pd.DataFrame, colour: str, alpha: float) -> None:
    if rows.empty:
        return
    marker = "." if len(rows) < 15 else None
    axis.fill_between(rows["images"], rows["low"], rows["high"], color=colour, alpha=alpha, lw=0)
    axis.plot(rows["images"], rows["mean"], color=colour, lw=1.1, marker=marker, ms=3)


def _lost(axis: Axes, rows: pd.DataFrame) -> None:
    finite = rows[np.isfinite(rows["value"])]
    axis.plot(finite["images"], finite["value"], color=style.RED, lw=0.7, alpha=0.8)
    axis.plot(finite["images"].tail(1), finite["value"].tail(1), "x", color=style.RED, ms=4)


def _frame(study: Study, arms: list[str], axes: np.ndarray) -> None:
    title = f"{study.metric.name} {words.arrow(study.metric)}"
    for axis, text in zip(axes[0], [*LOSSES.values(), title], strict=True):
        axis.set_title(text, pad=5)
    for axis in axes[-1]:
        axis.set_xlabel("real images shown to D", fontsize=6.5, color="#555555")
    _share_image_axis(axes)
    for arm, row in zip(arms, axes, strict=True):
        row[0].annotate(
            style.label(arm, 22, 6),
            (0, 0.5),
            (-32, 0),
            xycoords="axes fraction",
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=7.5,
            weight="bold" if arm == study.reference else "normal",
        )
        for axis in row[:-1]:
            axis.yaxis.set_major_locator(MaxNLocator(3))
    _share_metric_axis(axes[:, -1], study.metric)


def _share_image_axis(axes: np.ndarray) -> None:
    """Give all panels one range; matplotlib's own sharing visits all of them at every line."""
    lims = [axis.dataLim for axis in axes.ravel() if np.isfinite(axis.dataLim.x0)]
    low, high = min((lim.x0 for lim in lims), default=0), max((lim.x1 for lim in lims), default=1)
    room = 0.05 * (high - low) or 0.5
    for axis in axes.ravel():
        axis.set_xlim(low - room, high + room)
        axis.xaxis.set_major_locator(MaxNLocator(3))
        axis.xaxis.set_major_formatter(FuncFormatter(_thousands))
        axis.tick_params(labelbottom=axis in axes[-1])


def _share_metric_axis(column: np.ndarray, metric: Metric) -> None:
    for axis in column:
        if metric.is_ratio:
            axis.set_yscale("log")
        if axis is not column[0]:
            axis.sharey(column[0])
    low = min(axis.dataLim.y0 for axis in column)
    high = max(axis.dataLim.y1 for axis in column)
    if metric.is_ratio and np.isfinite([low, high]).all() and 0 < low < high:
        column[0].set_ylim(low / 1.15, high * 1.15)
        column[0].yaxis.set_major_locator(LogLocator(subs=(1.0, 3.0), numticks=4))
        column[0].yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        column[0].yaxis.set_minor_formatter(NullFormatter())


def _thousands(value: float, _: int) -> str:
    return f"{value / 1000:g}k" if value >= 1000 else f"{value:g}"


def _legend(figure: Figure, with_failed: bool, height: float) -> None:
    handles: list[Line2D | Patch] = [
        Line2D([], [], color=style.BLUE, lw=1.4, label="arm: mean of done seeds"),
        Patch(color=style.BLUE, alpha=0.25, lw=0, label="lowest to highest seed"),
        Line2D([], [], color=style.GREY, lw=1.4, label="reference, likewise"),
    ]
    if with_failed:
        handles.append(
            Line2D([], [], color=style.RED, lw=0.8, marker="x", ms=4, label="failed seed")
        )
    figure.legend(
        handles=handles, loc="upper center", bbox_to_anchor=(0.5, 1 - 0.06 / height), ncols=4
    )
