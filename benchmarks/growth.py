"""How does a step grow: trial-steps/s against K, against width, against resolution.

    python -m benchmarks.growth [--forms eager compiled graph] [--blocks 7] [--seconds 0.3]
    [--device cuda] [--out docs/growth.png]

Prints the numbers and draws them. All arms of a panel run in turns, so that its lines can be
compared; bars are from the slowest to the fastest block. T trains one trial after the other.

Legend: K trials.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

from ablate.report.figures import style
from benchmarks.interleave import Rates, interleave, paced
from benchmarks.workload import FORMS, Workload, forms_on, played

LOOKS = {
    "T": (style.GREY, "o"),
    "eager": (style.BLUE, "o"),
    "compiled": (style.RED, "o"),
    "graph": (style.INK, "o"),
}
WORDS = {"T": "textbook", "eager": "stack", "compiled": "stack, compiled",
         "graph": "stack, compiled, one graph"}  # fmt: skip


@dataclass(frozen=True)
class Panel:
    """What varies, and what is trained at each of its values.

    Attributes:
        title: What stays the same.
        label: Of the axis.
        points: Value -> workload and K.
    """

    title: str
    label: str
    points: Mapping[int, tuple[str, int]]


PANELS = (
    Panel("perceptron, 128 wide", "trials in a stack", {k: ("mlp", k) for k in (1, 4, 16, 64)}),
    Panel("8x8, 16 wide", "trials in a stack", {k: ("dc8", k) for k in (1, 4, 16, 64)}),
    Panel("8x8, 8 trials", "channels", {w: (f"dc8-w{w}", 8) for w in (8, 16, 32, 64)}),
    Panel("16 wide, 4 trials", "pixels a side", {p: (f"dc{p}", 4) for p in (8, 32, 64)}),
)


def measure(panel: Panel, forms: Sequence[str], blocks: int, seconds: float, device: str) -> Rates:
    """Return "form value" -> trial-steps/s, T under its own name."""
    arms = {}
    for value, (name, trials) in panel.points.items():
        workload = Workload.of(name)
        arms[f"T {value}"] = paced(workload.loop(device).round, 1, device)
        for form in forms:
            gan = workload.stack(range(trials), device)
            period = played(gan, FORMS[form](gan))
            arms[f"{form} {value}"] = paced(period, trials, device)
    return interleave(arms, blocks, seconds)


def show(panel: Panel, rates: Rates, forms: Sequence[str]) -> None:
    print(f"{panel.title}: trial-steps/s, median [lowest, highest]")
    for value in panel.points:
        told = [f"{form} {spread(rates[f'{form} {value}'])}" for form in ("T", *forms)]
        print(f"  {panel.label} {value:>4}:  " + "   ".join(told), flush=True)


def spread(rates: Sequence[float]) -> str:
    return f"{statistics.median(rates):8.1f} [{min(rates):.1f}, {max(rates):.1f}]"


def figure(panels: Sequence[Panel], found: Sequence[Rates], forms: Sequence[str]) -> bytes:
    """Return a PNG, one panel a question."""
    with style.look():
        drawn = Figure(figsize=(style.WIDTH_INCHES, 2.5), facecolor="white")
        axes = drawn.subplots(1, len(panels), squeeze=False)[0]
        for axis, panel, rates in zip(axes, panels, found, strict=True):
            for form in ("T", *forms):
                curve(axis, [*panel.points], [rates[f"{form} {x}"] for x in panel.points], form)
            axis.set_title(panel.title, pad=6)
            axis.set_xlabel(panel.label)
            ticks(axis, [*panel.points])
        axes[0].set_ylabel("trial-steps/s")
        handles, labels = axes[0].get_legend_handles_labels()
        drawn.legend(handles, labels, loc="upper center", ncols=len(handles))
        drawn.subplots_adjust(left=0.07, right=0.985, top=0.8, bottom=0.17, wspace=0.3)
        return style.png(drawn)


def curve(axis: Axes, values: Sequence[int], rates: Sequence[Sequence[float]], form: str) -> None:
    colour, marker = LOOKS[form]
    middle = [statistics.median(r) for r in rates]
    below = [m - min(r) for m, r in zip(middle, rates, strict=True)]
    above = [max(r) - m for m, r in zip(middle, rates, strict=True)]
    axis.errorbar(values, middle, (below, above), color=colour, marker=marker, ms=3, lw=1.2,
                  elinewidth=0.6, label=WORDS[form])  # fmt: skip


def ticks(axis: Axes, values: Sequence[int]) -> None:
    """Put one tick at every value measured, and plain numbers on both logarithmic axes."""
    axis.set_xscale("log", base=2)
    axis.set_yscale("log")
    axis.xaxis.set_major_locator(FixedLocator(values))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    low, high = axis.get_ylim()
    steps = [m * 10.0**e for e in range(-2, 8) for m in (1, 2, 5) if low <= m * 10.0**e <= high]
    axis.yaxis.set_major_locator(FixedLocator(steps if len(steps) < 7 else steps[::2]))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:,g}"))
    axis.yaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_minor_formatter(NullFormatter())
    axis.grid(axis="y", color="#e5e5e5", lw=0.5)
    axis.set_axisbelow(True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--forms", nargs="+", choices=FORMS)
    parser.add_argument("--blocks", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, default=Path("docs/growth.png"))
    args = parser.parse_args()
    forms = args.forms or forms_on(args.device)
    torch.set_num_threads(args.threads)
    print(f"batch 64, {args.device}, {args.threads} thread(s), {args.blocks} blocks of "
          f"{args.seconds} s")  # fmt: skip
    found = []
    for panel in PANELS:
        found.append(measure(panel, forms, args.blocks, args.seconds, args.device))
        show(panel, found[-1], forms)
    args.out.write_bytes(figure(PANELS, found, forms))


if __name__ == "__main__":
    main()
