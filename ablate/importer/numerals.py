"""Numbers as other places write them: `20,17`, `1.234,5`, `12 500`, each only if it is clear."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd
from pandas.api.types import is_numeric_dtype

from ablate.importer.cells import MISSING, words

MARKS = (",", ".")
BLANKS = " \N{NO-BREAK SPACE}\u2009\u202f'\N{RIGHT SINGLE QUOTATION MARK}"  # between thousands
FOREIGN = re.compile(rf"[,−{BLANKS}]|\..*\.")  # noqa: RUF001
NUMERAL = re.compile(rf"[+-]?\d[\d.,{BLANKS}]*(e[+-]?\d+)?", re.IGNORECASE)
THREES = re.compile(r"[+-]?[1-9]\d{0,2}([.,])\d{3}")  # 1,234: a thousand, or one and a bit?


def plain(
    frame: pd.DataFrame, columns: Sequence[str], decimal: str | None, problems: list[str]
) -> pd.DataFrame:
    """Return `frame` with the numbers of `columns` as programs write them: `1234.5`.

    Which of comma and point is the decimal mark is a property of the file. It is taken from numbers
    that can be read in one way only; if there are none, it is asked for.

    Args:
        frame: As the file has it.
        columns: Those that hold numbers.
        decimal: The mark, if it was typed.
        problems: Gets one sentence if it is not clear.
    """
    there = [name for name in columns if name in frame]
    texts = {name: _cells(frame[name]) for name in there if not is_numeric_dtype(frame[name])}
    if decimal is None and not any(text.str.contains(FOREIGN).any() for text in texts.values()):
        return frame
    marks = {name: _marks(text) for name, text in texts.items()}
    mark = decimal or _agreed(texts, marks, problems)
    if mark is None:
        return frame
    read = {}
    for name, text in texts.items():
        unclear = text[text.str.fullmatch(THREES) & text.str.contains(_other(mark), regex=False)]
        if decimal is None and len(unclear) and mark not in marks[name]:
            problems.append(_unclear(name, str(unclear.iloc[0])))
        read[name] = _read(text, mark)
    return frame.assign(**read)


def _cells(column: pd.Series) -> pd.Series:
    """Return the cells of a column of text, empty ones as such."""
    text = words(column)
    text = text.mask(text.str.casefold().isin(MISSING))
    return text.fillna("").str.replace("−", "-")  # noqa: RUF001 - a minus as it is printed


def _marks(text: pd.Series) -> set[str]:
    """Return the decimal marks of the cells that can be read in one way only."""
    found = set()
    for one in text.unique():
        seen = [letter for letter in one if letter in MARKS]
        if not seen or not NUMERAL.fullmatch(one) or THREES.fullmatch(one):
            continue
        # the last one, unless it stands there twice: 1,234,567
        found.add(_other(seen[-1]) if len(seen) > 1 and len(set(seen)) == 1 else seen[-1])
    return found


def _agreed(
    texts: dict[str, pd.Series], marks: dict[str, set[str]], problems: list[str]
) -> str | None:
    """Return the decimal mark of all columns; None, and a sentence, if that is not clear."""
    found = set().union(*marks.values())
    if len(found) == 1:
        return str(found.pop())
    if found:
        told = {mark: next(name for name, own in marks.items() if mark in own) for mark in MARKS}
        problems.append(
            f"Numbers have decimal commas (as in {told[',']}) and decimal points (as in "
            f"{told['.']}); write them in one way, or type --decimal , or --decimal . for all."
        )
        return None
    for name, text in texts.items():
        unclear = text[text.str.fullmatch(THREES) & text.str.contains(",", regex=False)]
        if len(unclear):
            problems.append(_unclear(name, str(unclear.iloc[0])))
            return None
    return "."


def _unclear(name: str, text: str) -> str:
    whole, part = re.split("[.,]", text)
    return (
        f"{name} has {text!r}, which is {whole}.{part} or {whole}{part}; type --decimal , or "
        "--decimal . to say which mark stands before the decimals."
    )


def _read(text: pd.Series, mark: str) -> pd.Series:
    """Return numbers that fit `mark` as programs write them; what does not fit stays as it is."""
    between = f"[{re.escape(_other(mark))}{BLANKS}]"
    number = (
        rf"[+-]?(?:\d{{1,3}}(?:{between}\d{{3}})+|\d+)(?:{re.escape(mark)}\d*)?(?:[eE][+-]?\d+)?"
    )
    fits = text.str.fullmatch(number)
    short = text.str.replace(between, "", regex=True).str.replace(mark, ".", regex=False)
    return text.mask(fits, short).mask(text == "")


def _other(mark: str) -> str:
    return "." if mark == "," else ","
