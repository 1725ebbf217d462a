"""Intervals on one axis: its ends, its ticks on the metric's scale, and what lies beyond it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.ticker import LogLocator, MaxNLocator

from ablate.analysis.metric import Metric, Values
from ablate.report import words

FAR = 24.0  # times the usual reach of an interval: what lies beyond would squeeze all others
MOST_LOG = 300.0  # of a ratio; the exponential of much more is infinite
ROOM = 0.05  # of the axis, beyond the farthest end
TICK_LETTERS = 7  # of a tick's word and of the space around it, usually
DECADES = 20.0  # from this ratio of the ends on, ticks are 1, 3, 10, ...


class Tick(NamedTuple):
    """A place on the axis, as a share of its length, and what it says."""

    at: float
    text: str


class Bar(NamedTuple):
    """An effect and its interval, as shares of the axis.

    Attributes:
        at: The effect; at an end of the axis if it lies beyond.
        low: Lower end; None without an interval.
        high: Upper end.
        beyond: -1 or 1 if the effect lies outside, to the left or to the right; else 0.
        cut: The ends of the interval that lie outside, -1 and 1.
        number: The effect in digits.
    """

    at: float
    low: float | None
    high: float | None
    beyond: int
    cut: tuple[int, ...]
    number: str


class Forest(NamedTuple):
    """Rows on one axis.

    Attributes:
        none: Where no effect is, as a share of the axis.
        ticks: From left to right; no effect is one of them.
        bars: One a row; None where there is nothing to draw.
    """

    none: float
    ticks: list[Tick]
    bars: list[Bar | None]


def forest(frame: pd.DataFrame, metric: Metric, letters: float) -> Forest | None:
    """Return the rows of `frame` on one axis, logarithmic for ratios; None if none has an effect.

    Args:
        frame: Columns effect, low, high, scale and verdict.
        metric: Whose effects they are.
        letters: How many there is room for under the axis.
    """
    ends = metric.forward(frame[["effect", "low", "high"]].to_numpy("float64", copy=True))  # [N, 3]
    ends[(frame["verdict"] == words.IDENTICAL).to_numpy()] = np.nan
    reach = np.nanmax(np.abs(ends), axis=1, initial=0.0)
    if not (reach > 0).any():
        return None
    limit = float(reach[reach <= FAR * np.median(reach[reach > 0])].max())
    limit = min(limit, MOST_LOG) if metric.is_ratio else limit
    inside = np.clip(np.nan_to_num(ends), -limit, limit)
    low, high = min(inside.min(), -limit / 90), max(inside.max(), limit / 90)
    room = ROOM * (high - low)
    low, high = low - room, high + room
    shares = (ends - low) / (high - low)
    rows = frame.to_dict("records")
    bars = [_bar(one, words.effect(row)) for one, row in zip(shares, rows, strict=True)]
    values = _ticks(low, high, metric, max(2, int(letters / TICK_LETTERS)))
    places = (metric.forward(values) - low) / (high - low)
    texts = [f"{value:.12g}".replace("-", words.MINUS) for value in values]
    none = -low / (high - low)
    return Forest(none, _spaced(list(map(Tick, places.tolist(), texts)), none, letters), bars)


def _spaced(ticks: list[Tick], none: float, letters: float) -> list[Tick]:
    """Return the ticks without those whose words would touch the words of one nearer to `none`."""
    kept: list[Tick] = []
    for tick in sorted(ticks, key=lambda tick: abs(tick.at - none)):
        if all(_apart(tick, other) * letters > 1 for other in kept):
            kept.append(tick)
    return sorted(kept)


def _apart(one: Tick, other: Tick) -> float:
    """Return how far two are apart, as a share of the axis, for every letter between them."""
    return 2 * abs(one.at - other.at) / (len(one.text) + len(other.text) + 2)


def _bar(shares: Values, text: str) -> Bar | None:
    at, low, high = (float(one) for one in shares)
    if not np.isfinite(at):
        return None
    beyond = int(at > 1) - int(at < 0)
    number = text.split(" [", maxsplit=1)[0]
    at = min(max(at, 0.0), 1.0)
    if not np.isfinite(low + high):
        return Bar(at, None, None, beyond, (), number)
    cut = (-1,) * (low < 0) + (1,) * (high > 1)
    low, high = (min(max(end, 0.0), 1.0) for end in (low, high))
    return Bar(at, low, high, beyond, cut, number)


def _ticks(low: float, high: float, metric: Metric, most: int) -> Values:
    """Return ticks between two ends of the scale of the analysis, as ratios or differences."""
    ends = metric.back(low), metric.back(high)
    if metric.is_ratio and ends[1] / ends[0] > DECADES:
        subs = (1.0, 3.0) if ends[1] / ends[0] < DECADES**2 else (1.0,)
        tried = LogLocator(subs=subs, numticks=most).tick_values(*ends)
    else:
        tried = MaxNLocator(most, steps=[1, 2, 5, 10]).tick_values(*ends)
    none = metric.back(0.0)
    inside = [one for one in tried if ends[0] <= one <= ends[1]]
    found = np.unique([float(f"{one:.12g}") for one in [*inside, none]])  # 0.1 + 0.2 is 0.3
    near = np.abs(metric.forward(found)) < (high - low) / (2 * most)
    return np.asarray(found[~near | (found == none)])
