"""What the page draws, as values and words for plotly; names are text and never markup."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sized
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from ablate.analysis.bands import bands, intervals, thin
from ablate.analysis.layout import layout_of
from ablate.analysis.metric import Metric
from ablate.report import words
from ablate.report.drilldown import factors_of
from ablate.report.figures.curve_rows import metric_intervals
from ablate.report.study import Study
from ablate.report.tables.effects import term

SIGNALS = {
    "loss_d": "Loss of D",
    "loss_g": "Loss of G",
    "grad_norm_d": "Gradient norm of D",
    "grad_norm_g": "Gradient norm of G",
    "score_real": "D's score of real images",
    "score_fake": "D's score of generated images",
}
POINTS = 120
FEW_POINTS = 60  # of failed seeds, and of every curve where arms are many
MANY_ARMS = 24
MOST_INTERACTIONS = 6
NAME_LETTERS = 26  # of a name beside a point
GREY, BLUE, RED, INK = (f"var(--{name})" for name in ("grey", "blue", "red", "ink"))  # of the page
DIGITS = 5  # of a number in a curve
Figure = dict[str, Any]


class Chart(NamedTuple):
    """One figure.

    Attributes:
        name: Its id in the page.
        title: Shown above it.
        alt: What it shows, for who does not see it.
        figure: `data` and `layout` as plotly reads them.
    """

    name: str
    title: str
    alt: str
    figure: Figure


def plain(text: object) -> str:
    """Return `text` so that plotly, which reads tags, shows every letter of it."""
    return html.escape(str(text), quote=False)


def curve_panels(study: Study) -> list[dict[str, Any]]:
    """Return one panel a signal, the metric first: mean and interval of every arm over images.

    Each holds `arms`: place of the arm -> images, mean, low, high, seeds; and `lost`: the seeds
    that failed, each with its arm's place.
    """
    places = {arm: place for place, arm in enumerate(study.table["arm"])}
    points = FEW_POINTS if len(places) > MANY_ARMS else POINTS
    done = intervals(bands(study.curves[~study.curves["failed"]], points))
    lost = thin(study.curves[study.curves["failed"]], FEW_POINTS)
    lost = lost[np.isfinite(lost["value"])]
    seeds = dict(zip(study.final["trial"], study.final["seed"], strict=True))
    table = pd.concat([metric_intervals(study), done])
    by_signal = {str(name): rows for name, rows in table.groupby("signal")}
    lost_by = {str(name): rows for name, rows in lost.groupby("signal")}
    order = [study.metric.name, *SIGNALS, *sorted({*by_signal, *lost_by})]
    return [
        {
            "name": name,
            "title": SIGNALS.get(name, f"{name} {words.arrow(study.metric)}")
            if name in (*SIGNALS, study.metric.name)
            else name,
            "log": name == study.metric.name and study.metric.is_ratio,
            "arms": {
                places[str(arm)]: _curve(rows)
                for arm, rows in by_signal.get(name, table[:0]).groupby("arm")
            },
            "lost": [
                {"arm": places[str(one["arm"].iloc[0])], "seed": int(seeds[trial])}
                | {key: _short(one[key]) for key in ("images", "value")}
                for trial, one in lost_by.get(name, lost[:0]).groupby("trial")
            ],
        }
        for name in dict.fromkeys(order)
        if name in by_signal or name in lost_by
    ]


def _curve(rows: pd.DataFrame) -> dict[str, Any]:
    kept = {key: _short(rows[key]) for key in ("images", "mean", "low", "high")}
    return kept | {"seeds": int(rows["seeds"].max())}


def _short(values: Iterable[float]) -> list[float | int | None]:
    """Return the values with five digits: a page is not where numbers are kept."""
    return [_number(float(value)) for value in values]


def _number(value: float) -> float | int | None:
    if not np.isfinite(value):
        return None
    short = float(f"{value:.{DIGITS}g}")
    return int(value) if value == int(value) and abs(value) < 1e15 else short


def charts(study: Study) -> list[Chart]:
    """Return what the design has figures for."""
    found = [*_interactions(study), *_half_normal(study)]
    return [*found, *_front(study)]


def _interactions(study: Study) -> list[Chart]:
    """Return the largest interactions: means at the levels of one factor, a line for the other."""
    if study.answer.kind != "effects":
        return []
    table = study.answer.table
    rows = table[(table["order"] == 2) & np.isfinite(table["effect"])]
    levels = layout_of(study.plan).levels
    done = study.final.loc[~study.final["failed"], ["arm", "value"]]
    done = done.merge(levels, left_on="arm", right_index=True)
    found = [
        _interaction(study, done, str(name), place)
        for place, name in enumerate(rows["term"].head(MOST_INTERACTIONS))
    ]
    means = [y for one in found for line in one.figure["data"] for y in line["y"] if y is not None]
    if means:  # one axis for all: a steep line is a large effect in every panel
        low, high = study.metric.forward(np.array([min(means), max(means)], dtype="float64"))
        ends = np.array([low, high]) + 0.08 * (high - low) * np.array([-1, 1])
        for one in found:
            axis = one.figure["layout"]["yaxis"]
            axis["range"] = list(ends / np.log(10) if study.metric.is_ratio else ends)
    return found


def _interaction(study: Study, done: pd.DataFrame, name: str, place: int) -> Chart:
    across, lines = (factor for factor, _ in factors_of(name))
    data = []
    for i, level in enumerate(study.plan["factors"][lines]):
        at = done[done[lines] == str(level)]
        cells = {
            str(one): at.loc[at[across] == str(one), "value"].to_numpy()
            for one in study.plan["factors"][across]
        }
        data.append(
            {
                "x": [plain(f"{across} {one}") for one in cells],
                "y": [_number(study.metric.mean(values)) for values in cells.values()],
                "name": plain(f"{lines} {level}"),
                "customdata": [len(values) for values in cells.values()],
                "mode": "lines+markers",
                "line": {"color": (GREY, BLUE, RED)[i % 3], "width": 2},
                "marker": {"size": 8, "symbol": ("circle-open", "circle", "square")[i % 3]},
                "hovertemplate": "%{y:.4g}, %{customdata} trials",
            }
        )
    layout = {"yaxis": _axis(study.metric), "xaxis": _levels_axis(cells), "showlegend": True}
    alt = (
        f"Mean {study.metric.name} at every level of {across} and {lines}, a line for each {lines}"
    )
    return Chart(f"interaction-{place}", term(name), alt, {"data": data, "layout": layout})


def _short_name(name: object) -> str:
    return plain(words.shortened(str(name), NAME_LETTERS))


def _levels_axis(levels: Sized) -> dict[str, Any]:
    return {"type": "category", "range": [-0.3, len(levels) - 0.7]}


def _half_normal(study: Study) -> list[Chart]:
    table = study.answer.half_normal
    if table.empty:
        return []
    out = table["stands_out"] == 1
    names = [plain(term(name)) for name in table["term"]]
    points = {
        "x": _short(table["quantile"]),
        "y": _short(table["size"]),
        "text": [
            _short_name(term(name)) if shown else ""
            for name, shown in zip(table["term"], out, strict=True)
        ],
        "customdata": names,
        "mode": "markers+text",
        "textposition": "middle left",
        "marker": {"size": 9, "color": [BLUE if one else GREY for one in out]},
        "hovertemplate": "%{customdata}: %{y:.4g}<extra></extra>",
    }
    margin = float(table["margin"].iloc[0])
    line = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": margin, "y1": margin}
    size = "|log ratio|" if study.metric.is_ratio else "|difference|"
    layout = {
        "shapes": [line | {"line": {"dash": "dash", "width": 1, "color": INK}}],
        "xaxis": {"title": {"text": "expected of as many half-normal numbers"}},
        "yaxis": {"title": {"text": plain(f"{size} of {study.metric.name}")}},
        "annotations": [
            {"xref": "paper", "x": 0, "y": margin, "yanchor": "bottom", "showarrow": False}
            | {"text": "Lenth's margin of error"}
        ],
    }
    alt = "Half-normal plot of all effects"
    return [Chart("half-normal", "Half-normal plot", alt, {"data": [points], "layout": layout})]


def _front(study: Study) -> list[Chart]:
    """Return quality against cost, with the arms that no other beats in both."""
    table = study.table[
        np.isfinite(study.table["mean"]) & np.isfinite(study.table["device_seconds"])
    ]
    if len(table) < 2:
        return []
    best = front(table, study.metric)
    names = [plain(arm) for arm in table["arm"]]
    points = {
        "x": _short(table["device_seconds"]),
        "y": _short(table["mean"]),
        "text": [
            _short_name(arm) if on else "" for arm, on in zip(table["arm"], best, strict=True)
        ],
        "customdata": [
            [name, spread, int(place)]
            for name, spread, place in zip(
                names, map(words.spread, table["mean"], table["seed_sd"]), table.index, strict=True
            )
        ],
        "mode": "markers+text",
        "textposition": "top right",
        "cliponaxis": False,
        "marker": {"size": 9, "color": [BLUE if on else GREY for on in best]},
        "error_y": {"type": "data", "array": _short(table["seed_sd"]), "width": 0}
        | {"thickness": 1, "color": GREY},
        "hovertemplate": "%{customdata[0]}<br>%{customdata[1]}<br>%{x:.3g} s<extra></extra>",
    }
    steps = table[best].sort_values("device_seconds")
    line = {
        "x": _short(steps["device_seconds"]),
        "y": _short(steps["mean"]),
        "mode": "lines",
        "line": {"color": BLUE, "width": 1, "dash": "dot", "shape": "hv"},
        "hoverinfo": "skip",
    }
    layout = {
        "xaxis": {"title": {"text": "seconds of a done trial, its share of a stack, mean"}},
        "yaxis": _axis(study.metric),
        "height": 420,
    }
    on_front = words.listing([str(arm) for arm in steps["arm"]], 12)
    alt = f"{study.metric.name} against seconds; no other arm is better and cheaper than "
    return [
        Chart(
            "front", "Quality and cost", alt + on_front, {"data": [line, points], "layout": layout}
        )
    ]


def front(table: pd.DataFrame, metric: Metric) -> npt.NDArray[np.bool_]:
    """Return which rows no other one beats in mean and seconds, as booleans `[A]`."""
    cost = table["device_seconds"].to_numpy()
    loss = -table["mean"].to_numpy() if metric.higher_is_better else table["mean"].to_numpy()
    no_worse = (cost[:, None] <= cost) & (loss[:, None] <= loss)  # [A, A], row beats column
    strictly = (cost[:, None] < cost) | (loss[:, None] < loss)
    return np.asarray(~(no_worse & strictly).any(0))


def _axis(metric: Metric) -> dict[str, Any]:
    title = {"title": {"text": plain(f"{metric.name} {words.arrow(metric)}")}}
    return title | ({"type": "log"} if metric.is_ratio else {})
