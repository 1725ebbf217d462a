"""Numbers of other places: read only if they can be read in one way."""

import numpy as np
import pandas as pd
import pytest

from ablate.importer.cells import numbers
from ablate.importer.numerals import plain


def read(texts, decimal=None, **others):
    """Return the numbers of column `value`, and what was told."""
    problems = []
    frame = plain(pd.DataFrame({"value": texts} | others), ["value", *others], decimal, problems)
    return numbers(frame["value"], problems), problems


def written(value, decimal, between):
    """Return a number as a place writes it, by Python's own formatting."""
    return f"{value:,.4f}".translate(str.maketrans({",": between, ".": decimal}))


BETWEEN = ("", ",", " ", "\N{NO-BREAK SPACE}", "'", ".")
MARKS = [(decimal, between) for decimal in ".," for between in BETWEEN if between != decimal]


@pytest.mark.parametrize(("decimal", "between"), MARKS)
def test_numbers_as_places_write_them(decimal, between):
    values = np.round(np.random.default_rng(0).lognormal(6, 3, size=200), 4)
    values[::2] *= -1
    found, problems = read([written(value, decimal, between) for value in values])
    assert not problems
    np.testing.assert_array_equal(found, [float(f"{value:.4f}") for value in values])


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["20,5", "1e-3", "7"], [20.5, 0.001, 7.0]),
        (["1.234,5", "1.234"], [1234.5, 1234.0]),
        (["1,234.5", "1,234"], [1234.5, 1234.0]),
        (["1,234,567", "2"], [1234567.0, 2.0]),
        (["1.234.567", "0,5"], [1234567.0, 0.5]),
        (["0,125", "0,250"], [0.125, 0.25]),
        (["-0,5", "\N{MINUS SIGN}0,5", "+1,5"], [-0.5, -0.5, 1.5]),
        (["2,5e3", "nan", "", "NA"], [2500.0, np.nan, np.nan, np.nan]),
        (["1.234", "5.678"], [1.234, 5.678]),
    ],
)
def test_what_can_be_read_in_one_way(texts, expected):
    found, problems = read(texts)
    assert not problems
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        (["20,169", "16,171"], "20,169', which is 20.169 or 20169; type --decimal"),
        (["20,5", "20.5"], "decimal commas (as in value) and decimal points (as in value)"),
        (["1,2,3", "20,5"], "is no number"),
        (["12,34,56"], "is no number"),
        (["20,5 %"], "is no number"),
        (["20.5 ± 0.1"], "is no number"),
        (["1 2"], "is no number"),
    ],
)
def test_what_cannot_be_is_told(texts, told):
    _, problems = read(texts)
    assert told in " ".join(problems)


def test_the_mark_may_be_typed():
    assert read(["20,169"], ",")[0].tolist() == [20.169]
    assert read(["20,169"], ".")[0].tolist() == [20169.0]


def test_another_column_settles_it_only_where_it_is_not_doubtful():
    found, problems = read(["20,5", "1,25"], seconds=["1200", "3,5"])
    assert not problems and found.tolist() == [20.5, 1.25]
    _, problems = read(["20,5"], seconds=["1.200"])
    assert "seconds has '1.200', which is 1.200 or 1200" in problems[0]
