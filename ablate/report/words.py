"""Numbers and headings as a reader meets them, on paper and on the terminal alike."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ablate.analysis.failures import FEWEST_TRIALS, bound
from ablate.analysis.metric import Metric

NONE = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
ARROW = "\N{RIGHTWARDS ARROW}"
ABOUT = "~"
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
TIMES = "\N{MULTIPLICATION SIGN}"
IDENTICAL = "identical"
OF_ONE_SEARCH = (
    "These settings were found by one search; another may end elsewhere. So there is no interval "
    "and no verdict for a trick; search.repeats=5 gives them."
)
SEED = re.compile(r"\b([Ss])eed(?=s?\b)")
DESCRIBED = "described"  # of a metric that was chosen after looking
JOINS = re.compile(
    rf"(?<=\+)|(?<=, )|(?=\()|(?<={TIMES} )|(?=[={ARROW}] )"
)  # where a name may be broken
SPACES = re.compile(r"(?<= )")
INSIDE = re.compile(r"(?<=[_\-./:])")  # where only a very long word is
LONG_WORD = 26  # letters; a shorter one is never broken
Row = Mapping[Any, Any]


def headings(metric: Metric, screen: bool = False, unit: str = "seed") -> list[str]:
    """Return the headings of the main table."""
    mean = "geometric mean" if metric.is_ratio else "mean"
    against = "ratio to" if metric.is_ratio else "difference from"
    return [
        "arm",
        f"{metric.name} {arrow(metric)} ({mean} ± {unit} SD)",
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
        cost(row),
    ]


def arrow(metric: Metric) -> str:
    """Return an arrow to where better is."""
    return "↑" if metric.higher_is_better else "↓"


def number(value: float, decimals: int) -> str:
    """Return `value` with `decimals`; a dash if there is none."""
    return NONE if not math.isfinite(value) else f"{value:.{max(decimals, 0)}f}".replace("-", MINUS)


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


def in_units(text: str, unit: str) -> str:
    """Return a text on seeds as one on what is counted: of tuned arms on repeats of a search."""
    capital = unit[0].upper() + unit[1:]
    return SEED.sub(lambda found: capital if found[1] == "S" else unit, text)


def effect(row: Row) -> str:
    """Return `0.80 [0.75, 0.85]`; under three pairs the point alone, of what is identical none."""
    value, low, high = row["effect"], row["low"], row["high"]
    if not math.isfinite(value) or row.get("verdict") == IDENTICAL:
        return NONE
    sign = "+" if row["scale"] == "difference" and value > 0 else ""
    if not math.isfinite(low):
        return sign + number(value, decimals_for(0.0, value))
    decimals = decimals_for((high - low) / 2, max(abs(low), abs(high)))
    return f"{sign}{number(value, decimals)} [{number(low, decimals)}, {number(high, decimals)}]"


def cost(row: Row) -> str:
    """Return `1.42 ± 0.05`; `~1` or `~0.7`, one digit, where no spread is known.

    The reference's own is 1 by what it means.
    """
    value, sd = row["relative_cost"], row["relative_cost_sd"]
    if not math.isfinite(value) or row["arm"] == row["reference"]:
        return NONE if not math.isfinite(value) else "1"
    return spread(value, sd) if math.isfinite(sd) else f"{ABOUT}{float(f'{value:.1g}'):g}"


def p_value(p: float) -> str:
    """Return p with two digits."""
    if not math.isfinite(p):
        return NONE
    return "< 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def rate(row: Row) -> str:
    """Return `1 of 5, 4 to 62 %`; `0 of 10, under 26 %` and `10 of 10, over 74 %` from 10 on.

    Between none and all it is Wilson's interval, at the ends the exact bound.
    """
    failed, trials = row["failed"], row["trials"]
    told = f"{failed} of {trials}"
    if 0 < failed < trials:
        return f"{told}, {100 * row['failed_low']:.0f} to {100 * row['failed_high']:.0f} %"
    if trials < FEWEST_TRIALS:
        return told
    return f"{told}, {'over' if failed else 'under'} {percent(bound(failed, trials))} %"


def percent(rate: float) -> str:
    """Return a rate in percent with two digits."""
    return f"{100 * rate:.2g}"


def listing(items: Sequence[str], most: int = 5) -> str:
    """Return `a, b and c`, and no more than `most` of them."""
    shown = list(items[:most])
    if len(items) > most:
        shown.append(f"{len(items) - most} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def wrapped(arm: str, width: int, longest: int = LONG_WORD) -> str:
    """Return a name in lines of at most `width`, or one word where that is longer.

    Args:
        arm: The name.
        width: In letters.
        longest: A word of more letters is broken as well, where its parts are joined if it can be.
    """
    lines = [""]
    for piece in _pieces(arm, width, max(width, longest)):
        if lines[-1] and len(lines[-1]) + len(piece.rstrip()) > width:
            lines.append("")
        lines[-1] += piece
    return "\n".join(line.strip() for line in lines)


def _pieces(arm: str, width: int, longest: int) -> Iterator[str]:
    """Yield the parts between which a name is broken."""
    for piece in JOINS.sub("\0", arm).split("\0"):
        for word in [piece] if len(piece.strip()) <= width else SPACES.split(piece):
            parts = [word] if len(word.strip()) <= longest else INSIDE.split(word)
            for part in parts:
                yield from (part[i : i + longest] for i in range(0, len(part), longest))


def label(arm: str, width: int, most: int) -> str:
    """Return a name for a figure: no line is longer, and of more than `most` the middle is lost."""
    lines = wrapped(arm, width, width).split("\n")
    if len(lines) <= most:
        return "\n".join(lines)
    cut = lines[most // 2 - 1][: width - 1] + ELLIPSIS
    return "\n".join([*lines[: most // 2 - 1], cut, *lines[len(lines) - most + most // 2 :]])


def shortened(name: str, most: int) -> str:
    """Return a name of at most `most` letters: a longer one loses its middle."""
    if len(name) <= most:
        return name
    return f"{name[: most // 2]}{ELLIPSIS}{name[len(name) - (most - most // 2 - 1) :]}"


def _exponent(value: float) -> int:
    return math.floor(math.log10(abs(value))) if value else 0
