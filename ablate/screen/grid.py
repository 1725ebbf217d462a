"""Tables of text that fit a terminal: broken between words, and nothing cut off.

Where not even that is narrow enough, every row is a card: its name, and below it what stands under
each heading.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import zip_longest

from rich.console import Console
from rich.text import Text

from ablate.screen.letters import NAMES, broken, cells, spelled

Lines = Sequence[Sequence[str]]  # the headings, then the rows
GAP = 2  # columns between two of a table
NOTHING = ("", "\N{EN DASH}", "-")  # what a card leaves out
STEP = "  "  # what stands below a name


def draw(
    lines: Lines,
    console: Console,
    *,
    wraps: Collection[int] = (0,),
    right: Collection[int] = (),
    styles: Mapping[str, str] | None = None,
) -> None:
    """Print a table, or cards.

    Args:
        lines: Headings and rows, all of one length; a newline in a cell is kept.
        console: Where to.
        wraps: Columns whose cells may be broken.
        right: Columns that are set to the right.
        styles: What a cell is -> its style.
    """
    shown = [[spelled(cell, console.encoding) for cell in line] for line in lines]
    widths = widths_of(shown, console.width, wraps)
    if widths is None:
        cards(shown, console, styles or {})
    else:
        table(shown, widths, console, right, styles or {})


def fits(lines: Lines, console: Console, wraps: Collection[int] = (0,)) -> bool:
    """Return whether a table need not become cards."""
    shown = [[spelled(cell, console.encoding) for cell in line] for line in lines]
    return widths_of(shown, console.width, wraps) is not None


def widths_of(lines: Lines, most: int, wraps: Collection[int]) -> list[int] | None:
    """Return the width of each column, None where there is no room for all.

    Headings give first, then the columns that may be broken, always the widest of them, down to
    the longest piece that may not be.
    """
    columns = list(zip(*lines, strict=True))
    widths = [max(map(longest, column)) for column in columns]
    named = [max([longest(name, 1), *map(longest, body)]) for name, *body in columns]
    least = [
        max(longest(cell, 1) for cell in column) if place in wraps else named[place]
        for place, column in enumerate(columns)
    ]
    for floor in (named, least):
        while taken(widths) > most and (free := [i for i, n in enumerate(floor) if widths[i] > n]):
            widths[max(free, key=widths.__getitem__)] -= 1
    return widths if taken(widths) <= most else None


def taken(widths: Sequence[int]) -> int:
    """Return the columns of a whole table."""
    return sum(widths) + GAP * (len(widths) - 1)


def longest(cell: str, width: int | None = None) -> int:
    """Return the columns of the longest line of a cell, if broken to `width`."""
    lines = cell.split("\n")
    if width is not None:
        lines = [part for line in lines for part in broken(line, width, where=NAMES)]
    return max(map(cells, lines))


def table(
    lines: Lines,
    widths: Sequence[int],
    console: Console,
    right: Collection[int],
    styles: Mapping[str, str],
) -> None:
    """Print a table of columns that are so wide."""
    for n, line in enumerate(lines):
        if not any(line):
            continue
        looks = [styles.get(cell, "") if n else "bold" for cell in line]
        shown = [within(cell, width).split("\n") for cell, width in zip(line, widths, strict=True)]
        for parts in zip_longest(*shown, fillvalue=""):
            row = Text()
            for place, part in enumerate(parts):
                gap = " " * (widths[place] - cells(part))
                row.append(gap if place in right else "")
                row.append(part, looks[place])
                row.append(" " * GAP if place in right else gap + " " * GAP)
            row.rstrip()
            put(row, console)


def put(line: Text, console: Console) -> None:
    """Print a line as it is; the terminal breaks what has no place to be broken."""
    console.print(line, no_wrap=True, overflow="ignore", crop=False)


def within(cell: str, width: int) -> str:
    """Return a cell in lines of at most `width`."""
    return "\n".join(part for line in cell.split("\n") for part in broken(line, width, where=NAMES))


def cards(lines: Lines, console: Console, styles: Mapping[str, str]) -> None:
    """Print every row by itself: its name, and below it its cells, each with its heading."""
    heading, *rows = [[" ".join(cell.split()) for cell in line] for line in lines]
    for name, *rest in rows:
        put(Text(within(name, console.width), "bold"), console)
        told = [
            Text.assemble(f"{title} " if len(rest) > 1 else "", (cell, styles.get(cell, "")))
            for title, cell in zip(heading[1:], rest, strict=True)
            if cell not in NOTHING
        ]
        for line in gathered(told, console.width):
            put(line, console)


def gathered(told: Sequence[Text], width: int) -> list[Text]:
    """Return what is told in as few lines as it takes; none of it is broken that need not be."""
    found = list[Text]()
    for text in told:
        if found and found[-1].cell_len + text.cell_len + 2 <= width:
            found[-1] = Text.assemble(found[-1], "; ", text)
        elif text.cell_len + len(STEP) <= width:
            found.append(Text.assemble(STEP, text))
        else:
            found += [Text(part) for part in broken(STEP + text.plain, width, STEP, NAMES)]
    return found
