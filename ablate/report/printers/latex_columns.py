r"""Columns of a LaTeX table: as wide as their texts, or as broad a share of the line as they need.

TeX alone knows the widths of its letters; they are estimated here, a little too wide. So a table
that is found to fit does fit, and in one that is broken no part is broader than its column.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ablate.report import words

LINE = 345.0  # pt, the text of an article, the narrowest of the usual ones
FONTS = ((r"\footnotesize", 8.5, 4), (r"\scriptsize", 7.5, 3))  # command, 1 em in pt, gap in pt
HANGING = 1.0  # em, so that the lines of a name are seen to be one
BOLD = 1.16  # times as wide, at most; the name, its mean and its effect may be
NARROW = frozenset("fijlrt.,:;|![]()'` ")
WIDE = frozenset(f"mwMW%@±=<>+_{words.TIMES}{words.ARROW}{words.MINUS}")
UNBROKEN = re.compile(r"([^\s_+]{13,})")  # no word of a heading or a verdict is as long
NUMBER = re.compile(f"[0-9<+{words.MINUS}{words.NONE}]")
INSIDE = re.compile(r"(?<=\+)|(?<=_)(?=.)|(?<=\s)(?!\W)")  # where a text may be broken
SHARES = np.linspace(1.0, 0.0, 11)


class Columns(NamedTuple):
    """How a table is set.

    Attributes:
        told: For `tabular`.
        places: How many.
        font: The command of its size.
        gap: `tabcolsep`, in pt.
        lines: How many lines the table takes, about.
    """

    told: str
    places: int
    font: str
    gap: int
    lines: int


def fitted(lines: Sequence[Sequence[str]]) -> Columns:
    """Return columns for `lines`, headings first, that are no wider than a line of an article.

    What is too wide is broken where that costs the fewest lines: in names or in numbers.
    """
    cells = [[pieces(cell, place) for place, cell in enumerate(line)] for line in lines]
    natural = np.array([[sum(cell) for cell in line] for line in cells]).max(axis=0)  # [C], em
    least = np.array([[max(cell) for cell in line] for line in cells]).max(axis=0)
    least[0] += HANGING
    count = len(natural)
    rooms = [(LINE - 2 * gap * (count - 1)) / em for _, em, gap in FONTS]
    chosen = next((i for i, room in enumerate(rooms) if least.sum() <= room), len(FONTS) - 1)
    (font, _, gap), room = FONTS[chosen], rooms[chosen]
    if natural.sum() <= room:
        return Columns(f"@{{}}{'l' * count}@{{}}", count, font, gap, len(lines))
    tried = [least + share * np.maximum(natural - least, 0) for share in SHARES]
    for widths in tried:
        widths[0] = max(room - widths[1:].sum(), least[0])
    allowed = [widths for widths in tried if widths.sum() <= room + 1e-9] or tried[-1:]
    best = min(allowed, key=lambda widths: height(cells, widths))
    return Columns(_told(best), count, font, gap, height(cells, best))


def _told(widths: np.ndarray) -> str:
    line = rf"\dimexpr\linewidth-{2 * (len(widths) - 1)}\tabcolsep\relax"
    shares = np.floor(1000 * widths / widths.sum()) / 1000
    name, *rest = (rf"\arraybackslash}}p{{{share:.3f}{line}}}" for share in shares)
    columns = [rf">{{\raggedright\hangindent={HANGING:g}em{name}"]
    columns += [rf">{{\raggedright{one}" for one in rest]
    return f"@{{}}{''.join(columns)}@{{}}"


def pieces(cell: str, place: int) -> list[float]:
    """Return the widths, in em, of the parts of a cell between which it may be broken."""
    if place and NUMBER.match(cell):
        parts = cell.replace(" [", " \0[").split("\0")
    else:
        parts = [one for part in INSIDE.split(cell) for one in _letters(part)]
    return [width(part) * (BOLD if place <= 2 else 1.0) for part in parts] or [0.0]


def _letters(part: str) -> Sequence[str]:
    return part if UNBROKEN.fullmatch(part.rstrip("+_ ")) else [part]


def width(text: str) -> float:
    """Return about how wide a text is, in em."""
    return sum(0.34 if one in NARROW else 0.84 if one in WIDE else 0.54 for one in text)


def height(cells: Sequence[Sequence[Sequence[float]]], widths: np.ndarray) -> int:
    """Return about how many lines a table takes whose cells are broken into `widths`."""
    return sum(
        max(
            _lines(cell, widths[place], 0.0 if place else HANGING) for place, cell in enumerate(row)
        )
        for row in cells
    )


def _lines(cell: Sequence[float], room: float, hanging: float) -> int:
    count, used = 1, 0.0
    for part in cell:
        if used and used + part > room:
            count, used = count + 1, hanging
        used += part
    return count
