"""Numbers and headings as a reader meets them, on paper and on the terminal alike."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ablate.analysis.metric import Metric

NONE = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
ARROW = "\N{RIGHTWARDS ARROW}"
TIMES = "\N{MULTIPLICATION SIGN}"
JOINS = re.compile(
    rf"(?<=\+)|(?<=, )|(?=\()|(?<={TIMES} )|(?=[={ARROW}] )"
)  # where a name may be broken
Row = Mapping[Any, Any]


def headings(metric: Metric, screen: bool = False) -> list[str]:
    """Return the headings of the main table."""
    mean = "geometric mean" if metric.is_ratio else "mean"
    against = "ratio to" if metric.is_ratio else "difference from"
    return [
        "arm",
        f"{metric.name} {arrow(metric)} ({mean} ± seed SD)",
        f"{against} reference [95 % CI]",
        "BH p" if screen else "Holm p",
        "verdict",
        "failed",
        f"cost {TIMES}",
    ]


def cells(row: Row, screen: bool = False) -> list[str]:
    """Return what stands under `headings` for one row of a comparison."""
    return [
        str(row["arm"]),
        spread(row["mean"], row["seed_sd"]),
        effect(row),
        p_value(row["p_bh" if screen else "p_holm"]),
        str(row["verdict"]),
        f"{row['failed']} of {row['trials']}",
        number(row["relative_cost"], 2),
    ]


def arrow(metric: Metric) -> str:
    """Return an arrow to where better is."""
    return "↑" if metric.higher_is_better else "↓"


def number(value: float, decimals: int) -> str:
    """Return `value` with `decimals`; a dash if there is none."""
    return NONE if not math.isfinite(value) else f"{value:.{decimals}f}".replace("-", MINUS)


def decimals_for(error: float, size: float) -> int:
    """Return how many decimals show two digits of `error`, and of `size` five at most."""
    wanted = 1 - _exponent(error) if error > 0 else 3 - _exponent(size)
    return max(0, min(wanted, 4 - _exponent(size)))


def spread(mean: float, sd: float) -> str:
    """Return `17.1 ± 2.6`; without an SD the mean alone."""
    if not math.isfinite(mean):
        return NONE
    if not math.isfinite(sd):
        return number(mean, decimals_for(0.0, mean))
    decimals = decimals_for(sd, mean)
    return f"{number(mean, decimals)} ± {number(sd, decimals)}"


def effect(row: Row) -> str:
    """Return `0.80 [0.75, 0.85]`; under three pairs the point alone."""
    value, low, high = row["effect"], row["low"], row["high"]
    if not math.isfinite(value):
        return NONE
    sign = "+" if row["scale"] == "difference" and value > 0 else ""
    if not math.isfinite(low):
        return sign + number(value, decimals_for(0.0, value))
    decimals = decimals_for((high - low) / 2, max(abs(low), abs(high)))
    return f"{sign}{number(value, decimals)} [{number(low, decimals)}, {number(high, decimals)}]"


def p_value(p: float) -> str:
    """Return p with two digits."""
    if not math.isfinite(p):
        return NONE
    return "< 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def rate(row: Row) -> str:
    """Return `1 of 5, 4 to 62 %`, and at no failure `0 of 5, up to 43 %`."""
    low, high = 100 * row["failed_low"], 100 * row["failed_high"]
    interval = f"{low:.0f} to {high:.0f} %" if row["failed"] else f"up to {high:.0f} %"
    return f"{row['failed']} of {row['trials']}, {interval}"


def listing(items: Sequence[str], most: int = 5) -> str:
    """Return `a, b and c`, and no more than `most` of them."""
    shown = list(items[:most])
    if len(items) > most:
        shown.append(f"{len(items) - most} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def wrapped(arm: str, width: int) -> str:
    """Return a name in lines of at most `width`, broken behind a `+` or before what joins names."""
    lines = [""]
    for piece in JOINS.sub("\0", arm).split("\0"):
        if lines[-1] and len(lines[-1]) + len(piece) > width:
            lines.append("")
        lines[-1] += piece
    return "\n".join(line.strip() for line in lines)


def _exponent(value: float) -> int:
    return math.floor(math.log10(abs(value))) if value else 0
