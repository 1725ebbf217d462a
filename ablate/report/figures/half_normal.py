"""Half-normal plot of a factorial that ran too few seeds for a test."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from ablate.analysis.metric import Metric
from ablate.report.figures import style
from ablate.report.tables.effects import term

HEIGHT_INCHES = 3.6


def half_normal_figure(table: pd.DataFrame, metric: Metric) -> bytes:
    """Return a PNG of what `analysis.half_normal` gives."""
    with style.look():
        figure = Figure(figsize=(style.WIDTH_INCHES, HEIGHT_INCHES), facecolor="white")
        axis = figure.subplots()
        out = table["stands_out"].to_numpy() == 1
        for chosen, colour in ((~out, style.GREY), (out, style.BLUE)):
            rows = table[chosen]
            axis.plot(rows["quantile"], rows["size"], "o", ms=4, color=colour)
        margin = float(table["margin"].iloc[0])
        axis.axhline(margin, color=style.INK, lw=0.6, ls=(0, (4, 3)))
        place = (0.01, margin)
        axis.annotate(
            "Lenth's margin of error", place, (0, 3), textcoords="offset points",
            xycoords=("axes fraction", "data"), fontsize=6.5, color="#555555",
        )  # fmt: skip
        for row in (table[out] if out.any() else table.tail(1)).to_dict("records"):
            name, place = style.label(term(row["term"]), 40, 2), (row["quantile"], row["size"])
            axis.annotate(
                name, place, (-6, 0), ha="right", va="center", textcoords="offset points",
                fontsize=7,
            )  # fmt: skip
        axis.set_xlim(0, float(table["quantile"].max()) * 1.08)
        axis.set_ylim(0, 1.08 * max(margin, float(table["size"].max())))
        axis.set_xlabel("expected of as many half-normal numbers", fontsize=7.5)
        size = "|log ratio|" if metric.is_ratio else "|difference|"
        axis.set_ylabel(f"{size} of {metric.name}", fontsize=7.5)
        figure.subplots_adjust(left=0.09, right=0.98, top=0.97, bottom=0.13)
        return style.png(figure)
