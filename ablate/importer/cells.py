"""Cells as numbers and words; what does not read is told, with where it stands."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

LONGEST = 60  # letters of a cell in a sentence
MISSING = ("", "na", "n/a", "none", "null", "nan")
LARGEST = 2**53  # above it, float64 has no place for every whole number
YES, NO = ("1", "1.0", "true"), ("0", "0.0", "false")
DASHES = ("", "-", "\N{EN DASH}", "\N{EM DASH}", "\N{MINUS SIGN}")
# On and off as people write them; a cell of marks may be blank, which is off.
SWITCHES = (
    ((*YES, "yes", "on", "enabled"), (*NO, "no", "off", "disabled")),
    (("y",), ("n",)),
    (("✓", "✔", "✅", "☑"), ("✗", "✘", "✕", "❌", "☐", "x", *DASHES)),
    (("x", "\N{MULTIPLICATION SIGN}", "•", "●"), (".", "○", *DASHES)),
    (("+",), DASHES),
)
AROUND = "\ufeff\u200b\u200c\u200d\u2060"  # are no blanks to `strip` and have no width
SAME = re.compile(r"[\s_‐‑‒–—\u200b]+|-(?!\d)")  # noqa: RUF001 - a dash before a digit is a sign


def stripped(text: str) -> str:
    """Return a name without blanks around it, those of no width too."""
    inner = text.strip().strip(AROUND)
    return inner if inner == text else stripped(inner)


def words(column: pd.Series) -> pd.Series:
    """Return text without blanks around it; a missing cell stays missing."""
    text = column if column.dtype == "str" else column.astype("str")
    return text.map({one: stripped(one) for one in text.dropna().unique()}).astype("str")


def filled(column: pd.Series, text: str) -> pd.Series:
    """Return text without missing cells."""
    return words(column).fillna(text)


def alike(names: pd.Series) -> list[list[str]]:
    """Return groups of names that differ only by case, blanks, underscores or dashes."""
    groups: dict[str, list[str]] = {}
    for name in sorted(names.dropna().unique()):
        groups.setdefault(SAME.sub("", str(name).casefold()), []).append(str(name))
    return [group for group in groups.values() if len(group) > 1]


def numbers(column: pd.Series, problems: list[str]) -> pd.Series:
    """Return float64, read to the last digit; NaN where nothing stands."""
    if pd.api.types.is_numeric_dtype(column):
        return column.astype("float64")
    text = words(column)
    try:
        return _cast(text)
    except pa.ArrowInvalid:
        text = text.mask(text.str.casefold().isin(MISSING))
        wrong = text.notna() & pd.to_numeric(text, errors="coerce").isna()
        if wrong.any():
            problems.append(f"{where(text, wrong)} is no number; type digits, or leave it empty.")
        return _cast(text.mask(wrong))


def whole(column: pd.Series, problems: list[str]) -> pd.Series:
    """Return int64; where a sentence says that it is none, a number that no other row has."""
    told = len(problems)
    found = numbers(column, problems)
    wrong = ~np.isfinite(found) | (found != found.round()) | (found.abs() > LARGEST)
    if len(problems) == told and wrong.any():
        problems.append(f"{where(words(column), wrong)} is no whole number; type one, as in 3.")
    return found.mask(wrong, -1.0 - np.arange(len(found))).astype("int64")


def is_switch(column: pd.Series) -> bool:
    """Return whether a column is on or off in every row, and both occur."""
    return _sides(column) is not None


def lacks_cells(column: pd.Series) -> bool:
    """Return whether a column is on, or on and off, where it is filled: not everywhere."""
    if not column.isna().any() or is_switch(column):
        return False
    seen = set(_folded(column.dropna()).unique())
    return any(seen <= {*on, *off} and not seen.isdisjoint(on) for on, off in SWITCHES)


def switched(column: pd.Series) -> pd.Series:
    """Return whether a column of `is_switch` is on."""
    sides = _sides(column)
    assert sides is not None, column.name
    return _folded(column).isin(sides[0])


def where(text: pd.Series, wrong: pd.Series) -> str:
    """Return `value in row 3, 'abc' (and 2 more),`."""
    first = text[wrong].iloc[0]
    shown = "nothing" if pd.isna(first) else repr(short(str(first)))
    row = int(np.flatnonzero(wrong)[0]) + 1
    return f"{text.name} in row {row}, {shown} (and {int(wrong.sum()) - 1} more),"


def short(text: str) -> str:
    """Return a cell as a sentence shows it."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _sides(column: pd.Series) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    seen = set(_folded(column).unique())
    for on, off in SWITCHES:
        if seen <= {*on, *off} and not seen.isdisjoint(on) and not seen.isdisjoint(off):
            return on, off
    return None


def _folded(column: pd.Series) -> pd.Series:
    folded = {one: stripped(str(one)).casefold() for one in column.dropna().unique()}
    return column.map(folded).astype("object").fillna("")


def _cast(text: pd.Series) -> pd.Series:
    found = pc.cast(pa.array(text, pa.large_string(), from_pandas=True), pa.float64())
    return pd.Series(found.to_numpy(zero_copy_only=False), text.index, name=text.name)
