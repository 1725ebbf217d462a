"""One look for all figures, and bytes that depend on nothing but what is drawn."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font

from ablate.report import words

DPI = 160
WIDTH_INCHES = 7.5
INK = "#222222"
GREY = "#9a9a9a"
BLUE = "#2166ac"
RED = "#c2402a"

LOOK = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so every machine has it
    "font.size": 7.5,
    "axes.titlesize": 8,
    "axes.edgecolor": "#777777",
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.formatter.useoffset": False,
    "text.color": INK,
    "text.parse_math": False,  # a `$` in a name is a letter
    "xtick.color": "#555555",
    "ytick.color": "#555555",
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "legend.frameon": False,
}


@contextmanager
def look() -> Iterator[None]:
    """Draw inside with our settings, whatever the user's own matplotlib file says."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(LOOK)  # type: ignore[arg-type]
        yield


def label(name: str, width: int, most: int) -> str:
    """Return `words.label` of a name; letters that the font lacks as their code, U+4E2D."""
    font = get_font(findfont("DejaVu Sans"))
    told = (one if font.get_char_index(ord(one)) else f"U+{ord(one):04X} " for one in name)
    return words.label("".join(told).rstrip(), width, most)


def png(figure: Figure) -> bytes:
    """Return the figure as PNG without the version and the date that matplotlib would add."""
    sink = io.BytesIO()
    figure.savefig(sink, format="png", dpi=DPI, metadata={"Software": None})
    return sink.getvalue()
