"""Cells as numbers and words; what does not read is told, with where it stands."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

MISSING = ("", "na", "n/a", "none", "null", "nan")
LARGEST = 2**53  # above it, float64 has no place for every whole number
YES, NO = ("1", "1.0", "true"), ("0", "0.0", "false")


def words(column: pd.Series) -> pd.Series:
    """Return text; a missing cell stays missing."""
    return column if column.dtype == "str" else column.astype("str")


def filled(column: pd.Series, text: str) -> pd.Series:
    """Return text without missing cells."""
    return words(column).fillna(text)


def numbers(column: pd.Series, problems: list[str]) -> pd.Series:
    """Return float64, read to the last digit; NaN where nothing stands."""
    if pd.api.types.is_numeric_dtype(column):
        return column.astype("float64")
    text = words(column)
    try:
        return _cast(text)
    except pa.ArrowInvalid:
        text = text.str.strip()
        text = text.mask(text.str.casefold().isin(MISSING))
        wrong = text.notna() & pd.to_numeric(text, errors="coerce").isna()
        if wrong.any():
            problems.append(f"{_where(text, wrong)} is no number; type digits, or leave it empty.")
        return _cast(text.mask(wrong))


def whole(column: pd.Series, problems: list[str]) -> pd.Series:
    """Return int64; where a sentence says that it is none, a number that no other row has."""
    told = len(problems)
    found = numbers(column, problems)
    wrong = ~np.isfinite(found) | (found != found.round()) | (found.abs() > LARGEST)
    if len(problems) == told and wrong.any():
        problems.append(f"{_where(words(column), wrong)} is no whole number; type one, as in 3.")
    return found.mask(wrong, -1.0 - np.arange(len(found))).astype("int64")


def is_switch(column: pd.Series) -> bool:
    """Return whether a column is 0 or 1 in every row, and both occur."""
    seen = {str(value).casefold() for value in column.unique()}
    return seen <= {*YES, *NO} and not seen.isdisjoint(YES) and not seen.isdisjoint(NO)


def switched(column: pd.Series) -> pd.Series:
    """Return whether a 0/1 column is on."""
    on = {value: str(value).casefold() in YES for value in column.unique()}
    return column.map(on).astype("bool")


def _cast(text: pd.Series) -> pd.Series:
    found = pc.cast(pa.array(text, pa.large_string(), from_pandas=True), pa.float64())
    return pd.Series(found.to_numpy(zero_copy_only=False), text.index, name=text.name)


def _where(text: pd.Series, wrong: pd.Series) -> str:
    first = text[wrong].iloc[0]
    shown = "nothing" if pd.isna(first) else repr(first)
    row = int(np.flatnonzero(wrong)[0]) + 1
    return f"{text.name} in row {row}, {shown} (and {int(wrong.sum()) - 1} more),"
