"""Intervals on one axis: where things stand, and what is said of those that lie beyond."""

import io
import warnings
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ablate.analysis.metric import Metric
from ablate.report.figures import style
from ablate.report.figures.bars import forest
from ablate.report.figures.forest import arms_figure, forest_figure
from ablate.report.printers.html import LETTER, WIDTH, table
from ablate.report.study import gather
from tests.store.synthetic import write_study

FD = Metric("fd", "ratio", higher_is_better=False)
PLAIN = Metric("acc", "difference", higher_is_better=True)
LONG = ["x" * 70, "no_" + "very_long_" * 8, "a+b (r1.gamma=0.1, r1.every=4)" * 3]


def frame(*rows, scale="ratio", verdict="inconclusive"):
    columns = ["effect", "low", "high"]
    return pd.DataFrame(rows, columns=columns).assign(scale=scale, verdict=verdict)


def test_a_ratio_stands_where_its_logarithm_is():
    drawn = forest(frame((0.5, 0.25, 1.0), (2.0, 1.0, 4.0)), FD, 50)
    ends = np.log([0.25, 4.0])  # the axis reaches from the lowest to the highest, and 5 % on
    room = 0.05 * (ends[1] - ends[0])
    place = lambda value: (np.log(value) - ends[0] + room) / (ends[1] - ends[0] + 2 * room)  # noqa: E731
    for bar, (effect, low, high) in zip(drawn.bars, [(0.5, 0.25, 1), (2, 1, 4)], strict=True):
        np.testing.assert_allclose([bar.at, bar.low, bar.high], place([effect, low, high]))
        assert bar.beyond == 0 and bar.cut == ()
    assert drawn.none == pytest.approx(place(1.0)) == 0.5
    for tick in drawn.ticks:
        assert tick.at == pytest.approx(place(float(tick.text)))
    assert "1" in [tick.text for tick in drawn.ticks] and len(drawn.ticks) >= 3


def test_differences_are_on_a_plain_axis_with_no_effect_at_zero():
    rows = frame((-0.05, -0.06, -0.04), (0.02, 0.0, 0.04), scale="difference")
    drawn = forest(rows, PLAIN, 50)
    place = lambda value: (value + 0.065) / 0.11  # noqa: E731
    assert drawn.none == pytest.approx(place(0.0))
    np.testing.assert_allclose([bar.at for bar in drawn.bars], [place(-0.05), place(0.02)])
    texts = [tick.text for tick in drawn.ticks]
    assert "0" in texts and "\N{MINUS SIGN}0.04" in texts


def test_what_would_squeeze_all_others_is_cut_and_has_its_number():
    usual = [(1 + 0.01 * k, 0.98, 1.04) for k in range(5)]
    drawn = forest(frame(*usual, (63.4, 56.6, 71.0), (1.0, 1e-3, 1.02)), FD, 50)
    *inside, far, wide = drawn.bars
    assert (far.at, far.beyond, far.number) == (1.0, 1, "63.4") and far.cut == (1,)
    assert wide.beyond == 0 and wide.cut == (-1,) and wide.low == 0.0 and 0 < wide.at < 1
    assert all(0 < bar.low < bar.at < bar.high < 1 for bar in inside[:4])
    low = forest(frame(*usual, (0.01, 0.005, 0.02)), FD, 50).bars[-1]
    assert (low.at, low.beyond, low.number) == (0.0, -1, "0.0100")


def test_nothing_is_cut_that_is_not_far():
    drawn = forest(frame((0.98, 0.977, 0.985), (1.0, 0.91, 1.06), (2.37, 2.24, 2.5)), FD, 50)
    assert all(bar.beyond == 0 and bar.cut == () for bar in drawn.bars)


def test_what_is_identical_or_unknown_has_no_bar():
    rows = frame((1.0, np.nan, np.nan), (np.nan,) * 3, (0.9, np.nan, np.nan), (0.8, 0.7, 0.9))
    drawn = forest(rows.assign(verdict=["identical", *["too few seeds"] * 2, "better"]), FD, 50)
    assert drawn.bars[:2] == [None, None]
    assert drawn.bars[2].low is None and drawn.bars[3].low is not None
    assert forest(frame((np.nan,) * 3), FD, 50) is None
    assert forest(frame((1.0, np.nan, np.nan), verdict="identical"), FD, 50) is None


SPANS = [(1 / high, high) for high in (1.001, 1.1, 1.5, 3, 30, 1e3, 1e9)]


@pytest.mark.parametrize(
    ("low", "high"), [*SPANS, (0.99, 19), (0.99992, 1.00001), (2e-38, 8e23), (1e-300, 1e300)]
)
def test_words_under_the_axis_of_a_page_never_touch(low, high):
    rows = frame((1.0, low, high))
    lines = [["arm", "ratio [95 % CI]"], ["a", ""]]
    ticks = table("t", "t", lines, rows, ["a"], FD).axis.ticks
    ends = [(t.at * WIDTH - LETTER * len(t.text) / 2, t.at * WIDTH + LETTER * len(t.text) / 2)
            for t in ticks]  # fmt: skip
    assert all(left[1] < right[0] for left, right in pairwise(ends))
    assert 1 <= len(ticks) <= 9 and "1" in [t.text for t in ticks]


def bounds(png):
    """Return how many pixels at each side of a picture are white."""
    dark = np.asarray(Image.open(io.BytesIO(png)).convert("L")) < 250
    columns, rows = np.flatnonzero(dark.any(0)), np.flatnonzero(dark.any(1))
    return columns[0], dark.shape[1] - 1 - columns[-1], rows[0], dark.shape[0] - 1 - rows[-1]


def test_no_name_and_no_number_leaves_the_figure(tmp_path):
    rows = {"reference": [20.0, 22.0, 19.0]} | {
        name: [10.0 * k + 5, 11.0 * k + 5.1, 9.0 * k + 5] for k, name in enumerate(LONG)
    }
    found = gather([write_study(tmp_path / "r", rows | {"far": [1e7, 2e7, 1e7]})])
    assert min(bounds(arms_figure(found.table, found.metric))) > 3


def test_letters_that_the_font_lacks_are_told_by_their_code(tmp_path):
    assert style.label("训练 é", 40, 2) == "U+8BAD U+7EC3  é"
    names = ["训练", "技巧"]
    rows = frame((0.8, 0.7, 0.9), (1.2, 1.1, 1.3))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns of a letter that it cannot draw
        drawn = [forest_figure(rows, order, FD, "ratio") for order in (names, names[::-1])]
    assert drawn[0] != drawn[1]  # boxes would be the same


def test_a_figure_of_nothing_is_none():
    assert forest_figure(frame((np.nan,) * 3), ["a"], FD, "ratio") is None
