"""Tuned tables: Student's t over repeats of the search, and what a single search can say."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ablate.analysis.compare import compare
from ablate.analysis.decisions import Decisions, decisions_of
from ablate.analysis.final import final_values
from ablate.analysis.metric import metric_of
from ablate.analysis.repeats import ONE_SEARCH, by_repeat, tipping_spread
from ablate.errors import Unscored, UserError
from tests.analysis.table import FD, table

METRIC = metric_of("fd", **FD)
REPEATS = ((0, 1), (2, 3), (4, 5))
# Of statistics in `docs/coverage.md`: three repeats of two seeds, in logs.
DIFFERENCES = [-0.31, -0.25, -0.12, -0.16, -0.22, -0.20]
SEARCHED = {"search": [{"arm": "reference"}], "seeds": [0, 1, 2, 3, 4]}


def two_arms(differences, seed=0):
    """Return a reference with spread over seeds, and an arm off it by `differences` in logs."""
    logs = np.random.default_rng(seed).normal(3.0, 0.4, len(differences))
    return table({"reference": list(np.exp(logs)), "a": list(np.exp(logs + differences))})


def row(frame, **decided):
    found = compare(frame, "fd", decisions=Decisions(**decided), **FD)
    return found.set_index("arm").loc["a"]


def test_the_worked_example_of_three_repeats():
    one = row(two_arms(DIFFERENCES), repeats=REPEATS)
    assert one["pairs"] == 3
    assert one["effect_mean"] == pytest.approx(-0.21, abs=1e-10)
    assert one["effect_sd"] / np.sqrt(3) == pytest.approx(0.0404145188, abs=5e-11)
    assert one["t"] == pytest.approx(-5.1961524227, abs=5e-10)
    assert one["p"] == pytest.approx(0.0350987186, abs=5e-11)
    interval = np.log([one["low"], one["high"]])
    np.testing.assert_allclose(interval, [-0.3838896398, -0.0361103602], atol=5e-10)
    assert one["verdict"] == "better"
    assert row(two_arms(DIFFERENCES))["p"] == pytest.approx(0.0005947034, abs=5e-10)


def test_a_repeat_is_the_mean_over_its_seeds_whatever_they_share():
    values = np.random.default_rng(1).lognormal(3, 0.3, (12, 3))
    arms = {"reference": list(values[:, 0]), "a": list(values[:, 1]), "b": list(values[:, 2])}
    repeats = ((0, 5, 7), (1, 2, 3), (4, 6, 8), (9, 10, 11))
    found = compare(table(arms), "fd", decisions=Decisions(repeats=repeats), **FD)
    found = found.set_index("arm")
    for arm, column in (("a", 1), ("b", 2)):
        logs = np.log(values[:, column] / values[:, 0])
        means = [logs[list(share)].mean() for share in repeats]
        expected = stats.ttest_1samp(means, 0.0)
        assert found.loc[arm, "effect_mean"] == pytest.approx(np.mean(means), rel=1e-9)
        assert found.loc[arm, "p"] == pytest.approx(expected.pvalue, rel=1e-9)
    assert found.loc["reference", "trials"] == 4


def test_with_one_seed_a_repeat_it_is_the_test_over_seeds():
    frame = two_arms(DIFFERENCES)
    alone = row(frame, repeats=tuple((seed,) for seed in range(6)))
    pd.testing.assert_series_equal(alone[["t", "p", "low"]], row(frame)[["t", "p", "low"]])


def test_a_setting_that_fails_under_one_seed_has_failed():
    frame = table({"reference": [20.0] * 8, "a": [18.0, None, 17.0, 18.5, 17.2, 18.1, 17.7, 18.0]})
    final = final_values(frame, METRIC)
    units = by_repeat(final, METRIC, Decisions(repeats=((0, 1), (2, 3), (4, 5), (6, 7))))
    mine = units[units["arm"] == "a"]
    assert list(mine["failed"]) == [True, False, False, False]
    assert mine["status"].iloc[0] == "diverged"
    assert mine["value"].iloc[1] == pytest.approx(np.sqrt(17.0 * 18.5), rel=1e-12)
    assert mine["device_seconds"].iloc[1] == 40.0  # of both its trials


def test_a_repeat_counts_when_all_of_an_arm_s_trials_have_ended():
    frame = two_arms(DIFFERENCES)
    short = frame[~((frame["arm"] == "a") & (frame["seed"] == 5))]
    assert row(short, repeats=REPEATS)["pairs"] == 2
    assert row(short, repeats=REPEATS)["verdict"] == "too few repeats"
    with pytest.raises(Unscored, match="No repeat"):
        row(frame[frame["seed"] == 0], repeats=REPEATS)


def test_scoring_seeds_that_repeats_share_are_refused():
    with pytest.raises(UserError, match=r"share the scoring seeds \[1\]"):
        row(two_arms(DIFFERENCES), repeats=((0, 1), (1, 2), (3, 4)))


def test_seeds_of_any_repeat_s_search_score_nothing():
    with pytest.raises(UserError, match="chose the settings"):
        row(two_arms(DIFFERENCES), repeats=REPEATS, tuning_seeds=(4,))


def test_the_worked_example_of_one_search():
    found = [-0.24, -0.20, -0.27, -0.18, -0.25]
    half = stats.t.ppf(0.975, 4) * np.std(found, ddof=1) / np.sqrt(5)
    assert half == pytest.approx(0.0459583441, abs=5e-11)
    assert tipping_spread(np.mean(found), half) == pytest.approx(0.0805683679, abs=5e-11)
    one = row(two_arms(found), repeats=((0, 1, 2, 3, 4),))
    assert one["verdict"] == ONE_SEARCH
    assert one["effect"] == pytest.approx(np.exp(-0.228), rel=1e-9)
    assert one[["low", "high", "p", "p_holm", "t"]].isna().all()
    assert one["reason"] == (
        "not a result for the trick if searches of one arm differ by more than SD 8.1 %"
    )


def test_a_number_that_holds_no_change_tips_at_once():
    halves = np.array([0.2, np.nan])
    np.testing.assert_array_equal(tipping_spread(np.array([-0.1, -0.1]), halves), [0.0, np.nan])


def test_at_its_tipping_spread_an_interval_ends_at_no_change():
    mean, half, size = -0.3, 0.1, np.sqrt(3 / 8)
    tau = tipping_spread(mean, half, size)
    assert np.hypot(half, stats.norm.ppf(0.975) * size * tau) == pytest.approx(-mean, rel=1e-12)


def test_a_searched_study_of_before_was_searched_once():
    assert decisions_of(SEARCHED).repeats == ((0, 1, 2, 3, 4),)
    assert decisions_of({**SEARCHED, "repeats": [[0, 1], [2, 3]]}).repeats == ((0, 1), (2, 3))
    assert decisions_of({"seeds": [0, 1]}).repeats == ()
    assert decisions_of(SEARCHED).unit == decisions_of({}).unit == "seed"
    assert decisions_of({**SEARCHED, "repeats": [[0], [1]]}).unit == "repeat"


def test_a_search_that_ends_badly_is_no_collapse():
    logs = np.random.default_rng(3).normal(0, 0.02, (2, 8))
    logs[1, 2:4] += 2.0  # what the second repeat found
    frame = table({"reference": list(np.exp(logs[0])), "a": list(np.exp(logs[1]))})
    repeats = ((0, 1), (2, 3), (4, 5), (6, 7))
    settings = [f'{{"a":{{"x":{seed // 2}}}}}' for seed in range(8)]
    frame.loc[frame["arm"] == "a", "tricks"] = settings
    assert row(frame, repeats=repeats)["verdict"] == "inconclusive"
    frame.loc[frame["arm"] == "a", "tricks"] = settings[0]
    assert row(frame)["verdict"] == "suspect"


def test_arms_keep_their_names_whatever_their_searches_found():
    frame = table({"reference": [20.0] * 4, "a": [18.0, 17.0, 18.5, 17.7]})
    frame["tricks"] = [f'{{"adam":{{"lr":{number}}}}}' for number in range(8)]
    repeats = ((0, 1), (2,), (3,))
    found = compare(frame, "fd", "reference", decisions=Decisions(repeats=repeats), **FD)
    assert sorted(found["arm"]) == ["a", "reference"]
