"""Words on their way to a person: as wide as the terminal is, and in letters that it takes.

A terminal gets lines that are broken between words. A file gets one line a sentence, whatever its
length, for grep and for logs. What an encoding lacks is spelled, never an error.
"""

from __future__ import annotations

import codecs
import os
import re
import shutil
import sys
import unicodedata
from typing import IO, TYPE_CHECKING

from ablate.secrets import said

if TYPE_CHECKING:
    from rich.console import Console

PAPER = 120  # columns of a table where there is no terminal to ask
WIDEST = 120  # of a terminal: longer lines are hard to read
SPELLED = "ablate.spelled"  # how streams take letters that they do not have
TIED = "\N{NO-BREAK SPACE}"  # between words that stay on one line; shown as a space
SPELLINGS = {
    "±": "+/-",
    "↓": "(lower)",
    "↑": "(higher)",
    "→": "->",
    "…": "...",
    "≤": "<=",
    "≥": ">=",
    "•": "*",
    "·": ".",
    "“": '"',
    "”": '"',
    "ß": "ss",
    "λ": "lambda",  # Unicode spells it otherwise
    TIED: " ",
    "\N{MULTIPLICATION SIGN}": "x",
    "\N{MINUS SIGN}": "-",
    "\N{EN DASH}": "-",
    "\N{EM DASH}": "-",
    "\N{LEFT SINGLE QUOTATION MARK}": "'",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
}
WORDS = re.compile(r"(?<=[ \t])(?=\S)")
# Names of arms may be broken behind the signs that join names as well, but not within a number.
NAMES = re.compile(r"(?<=[ \t])(?=\S)|(?<=[+,])(?=[^\W\d]|[\[(])")
# Control characters but for tab and newline, and those that turn the direction of writing.
STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
QUOTED = re.compile(r"`[^`\n]+`")  # what is to be typed
COLUMN = re.compile(r"(\s*\S.*?\s{2,})\S")  # what stands before the second column of a line


def spell(error: UnicodeError) -> tuple[str, int]:
    """Return in ASCII what an encoding has no letter for, and where to go on (see `codecs`)."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(letter, error.object[error.start : error.end])), error.end


def letter(one: str) -> str:
    """Return a letter in ASCII: as it is spelled, without its accent, by name, or by number."""
    if one in SPELLINGS:
        return SPELLINGS[one]
    plain = unicodedata.normalize("NFKD", one).encode("ascii", "ignore").decode()
    if plain or unicodedata.combining(one):
        return plain
    kind, _, name = unicodedata.name(one, "").rpartition(" LETTER ")
    return name.lower() if kind.startswith("GREEK") else ascii(one)[1:-1]


codecs.register_error(SPELLED, spell)


def visible(text: str) -> str:
    r"""Return `text` with what would steer a terminal as letters: an escape as `\x1b`."""
    return STEERING.sub(lambda found: ascii(found[0])[1:-1], text)


def spelled(text: str, encoding: str) -> str:
    """Return `text` as an encoding shows it, so that a table can be laid out for it."""
    return visible(text).encode(encoding, SPELLED).decode(encoding)


def take_any_letter() -> None:
    """Let standard output and error spell what they have no letter for, whoever prints."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=SPELLED)


def columns(stream: IO[str] | None) -> int | None:
    """Return how wide a terminal is, None where the stream is none."""
    if stream is None or not stream.isatty():
        return None
    found = shutil.get_terminal_size((0, 0)).columns
    if not found:
        try:
            found = os.get_terminal_size(stream.fileno()).columns
        except (OSError, ValueError):
            found = 0
    return max(20, min(found or 80, WIDEST))


def console(stream: IO[str] | None = None) -> Console:
    """Return what draws tables and bars on a stream, standard output by default."""
    from rich.console import Console  # a help page needs none

    stream = sys.stdout if stream is None else stream
    lines = shutil.get_terminal_size().lines
    width = columns(stream) or PAPER
    return Console(
        file=stream, width=width, height=lines, highlight=False, emoji=False, markup=False
    )  # fmt: skip


def cells(text: str) -> int:
    """Return the columns that a text takes; letters of East Asia take two, accents none."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(one) in "WF" for one in text)
    return len(text) + wide - sum(bool(unicodedata.combining(one)) for one in text)


def broken(text: str, width: int, hang: str = "", where: re.Pattern[str] = WORDS) -> list[str]:
    """Return `text` in lines of at most `width` columns; what has no place to break is not cut.

    Args:
        text: One line.
        width: Columns.
        hang: What all lines but the first begin with.
        where: A line may be broken: `WORDS` or `NAMES`.
    """
    lines = [""]
    for piece in where.split(text):
        if lines[-1].strip() and cells(lines[-1]) + cells(piece.rstrip()) > width:
            lines.append(hang)
        lines[-1] += piece
    return [line.rstrip() for line in lines]


def fitted(text: str, width: int | None) -> str:
    """Return `text` with its lines broken to `width`, None for a file, where they stay whole."""
    if width is None:
        return text.replace(TIED, " ")
    text = QUOTED.sub(lambda found: tied(found[0]) if len(found[0]) < width else found[0], text)
    lines = [part for line in text.split("\n") for part in folded(line, width)]
    return "\n".join(lines).replace(TIED, " ")


def folded(line: str, width: int) -> list[str]:
    """Return a line broken under itself or, where it has two columns, under its second one."""
    if cells(line) <= width:
        return [line]
    lead, column = line[: len(line) - len(line.lstrip())], COLUMN.match(line)
    if column is None:
        return broken(line, width, lead)
    if cells(column[1]) <= width // 2:
        return broken(line, width, " " * cells(column[1]))
    below = f"{lead}    "
    return [column[1].rstrip(), *broken(below + line[len(column[1]) :], width, below)]


def say(text: object, stream: IO[str] | None = None) -> None:
    """Print sentences to a stream, standard output by default, at once.

    By `print`, which a bar that moves lets through above itself.
    """
    stream = sys.stdout if stream is None else stream
    shown = spelled(said(str(text)), getattr(stream, "encoding", None) or "utf-8")
    print(fitted(shown, columns(stream)), file=stream, flush=True)


def tied(command: str) -> str:
    """Return a command that stays on one line, so that it can be copied from a terminal."""
    return command.replace(" ", TIED)


def counted(n: int, what: str) -> str:
    """Return `1 seed`, `2 seeds`, `1,000 seeds`."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"
