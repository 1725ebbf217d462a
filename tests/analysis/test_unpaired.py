"""Welch's t where no seed is shared, against scipy; never without being asked for."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ablate.analysis import Decisions, compare
from ablate.analysis.final import final_values
from ablate.analysis.metric import Metric
from ablate.analysis.ranks import pairwise_welch, ranks
from ablate.analysis.unpaired import more_failures, welch_t, worst_unpaired
from tests.analysis.table import FD, table

UNPAIRED = Decisions(unpaired=True)
SCALES = {"ratio": np.log, "difference": np.asarray}


def apart(sizes, seed=0, failed=()):
    """Return a table whose arms share no seed; `failed` are (arm, place)."""
    draw = np.random.default_rng(seed)
    values = {
        arm: list(draw.lognormal(3.0 - 0.2 * n, 0.05 * (1 + 2 * n), size))
        for n, (arm, size) in enumerate(sizes.items())
    }
    for arm, place in failed:
        values[arm][place] = None
    frame = table(values)
    frame["seed"] += 100 * frame["arm"].map({arm: n for n, arm in enumerate(sizes)})
    return frame, {arm: [v for v in row if v is not None] for arm, row in values.items()}


def found(frame, scale="ratio"):
    options = FD | {"scale": scale}
    return compare(frame, "fd", **options, decisions=UNPAIRED).set_index("arm")


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("sizes", [(5, 5, 5), (3, 8, 20), (12, 3, 4)])
def test_interval_and_test_are_scipys(scale, sizes):
    frame, values = apart(dict(zip(("reference", "a", "b"), sizes, strict=True)), sum(sizes))
    got = found(frame, scale)
    forward = SCALES[scale]
    for arm in ("a", "b"):
        own = stats.ttest_ind(forward(values[arm]), forward(values["reference"]), equal_var=False)
        interval = own.confidence_interval(0.95)
        back = np.exp if scale == "ratio" else np.asarray
        np.testing.assert_allclose(
            got.loc[arm, ["t", "p", "df", "low", "high"]].to_numpy("float64"),
            [own.statistic, own.pvalue, own.df, back(interval.low), back(interval.high)],
            rtol=1e-9,
        )
        mean = forward(values[arm]).mean() - forward(values["reference"]).mean()
        np.testing.assert_allclose(got.loc[arm, "effect"], back(mean), rtol=1e-9)
    assert set(got["variance"]) == {"welch"}
    assert got["pairs"].to_dict() == {
        "reference": 0, "a": min(sizes[0], sizes[1]), "b": min(sizes[0], sizes[2])
    }  # fmt: skip


def test_failures_are_left_out_and_counted():
    frame, values = apart({"reference": 6, "a": 6}, failed=[("a", 1), ("a", 4)])
    got = found(frame).loc["a"]
    own = stats.ttest_ind(np.log(values["a"]), np.log(values["reference"]), equal_var=False)
    np.testing.assert_allclose(got["p"], own.pvalue, rtol=1e-9)
    assert (got["more_failures"], got["failed"]) == (2, 2)
    worst = max(values["a"] + values["reference"])
    filled = np.log([*values["a"], worst, worst]).mean() - np.log(values["reference"]).mean()
    np.testing.assert_allclose(got["worst_effect"], np.exp(filled), rtol=1e-12)


def test_an_arm_that_fails_more_is_a_trade_off():
    values = {"reference": [20.0, 21.0, 22.0, 20.5, 21.5], "a": [10.0, 10.5, 11.0, None, None]}
    got = found(table(values)).loc["a"]
    assert got["verdict"] == "trade-off"
    assert got["reason"].startswith("better, with 2 failed seeds more")


def test_without_being_asked_nothing_is_compared_and_the_seeds_are_named():
    frame, _ = apart({"reference": 5, "a": 5})
    got = compare(frame, "fd", **FD).set_index("arm").loc["a"]
    assert got["verdict"] == "too few seeds" and np.isnan(got["p"])
    assert got["reason"] == "no seed is shared: a has 100-104, reference has 0-4"


def test_order_and_names_of_seeds_change_nothing():
    frame, _ = apart({"reference": 5, "a": 7})
    mixed = frame.sample(frac=1.0, random_state=0).assign(seed=lambda own: own["seed"] * 7 % 1009)
    columns = ["effect", "low", "high", "p"]
    pd.testing.assert_frame_equal(found(mixed)[columns], found(frame)[columns], rtol=1e-12)


def test_under_three_seeds_of_either_arm_there_is_no_interval():
    frame, _ = apart({"reference": 5, "a": 2})
    got = found(frame).loc["a"]
    assert got["verdict"] == "too few seeds" and np.isnan(got["low"])
    assert got["reason"] == "seeds of the smaller arm: 2 of the 3 needed"


def test_arms_without_spread_have_no_test():
    same = welch_t(np.array([1.0, 1.0, 1.0]), np.array([1.0, 1.0, 1.0]))
    assert (same.mean, same.sd) == (0.0, 0.0) and np.isnan(same.p)
    assert welch_t(np.array([]), np.array([1.0])).pairs == 0


def test_failures_of_arms_of_other_sizes_are_compared_by_rates():
    nan = float("nan")
    assert more_failures(np.array([nan, 1, 1, 1, 1.0]), np.array([1, 1, 1, 1, 1.0])) == 1
    ten = np.array([nan] * 4 + [1.0] * 6)
    assert more_failures(ten, np.array([1.0] * 5)) == 2
    assert more_failures(np.array([1.0] * 5), ten) == -2
    assert np.isnan(worst_unpaired(np.array([nan]), np.array([nan]), Metric("m", "ratio", False)))


def test_ranks_are_by_welch_too():
    values = np.random.default_rng(0).normal(size=(8, 3))
    values[5:, 1] = np.nan
    mean, p = pairwise_welch(values, np.array([0, 0, 1]), np.array([1, 2, 2]))
    for place, (one, other) in enumerate([(0, 1), (0, 2), (1, 2)]):
        a, b = (values[np.isfinite(values[:, n]), n] for n in (one, other))
        own = stats.ttest_ind(a, b, equal_var=False)
        np.testing.assert_allclose([mean[place], p[place]], [a.mean() - b.mean(), own.pvalue])
    frame, _ = apart({"reference": 8, "a": 8})
    metric = Metric("fd", "ratio", higher_is_better=False)
    final = final_values(frame, metric)
    assert ranks(final, metric, UNPAIRED)["rank_high"].tolist() == [1, 2]
    assert ranks(final, metric, Decisions())["rank_high"].tolist() == [2, 2]
