"""Exact sign flips, other policies for failures, guarded variance, ranks, reliability."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ablate.analysis import Decisions, compare, interactions, policies, ranks, reliability, steps
from ablate.analysis.bootstrap import percentile
from ablate.analysis.policies import signed_ranks
from ablate.analysis.reliability import mcnemar_p
from ablate.analysis.signflip import signflip
from ablate.errors import UserError
from tests.analysis.designs import FD, results, study
from tests.analysis.table import FD as OPTIONS
from tests.analysis.table import table
from tests.analysis.test_compare import W1, W4


def differences(values):
    logs = {arm: np.log(row) for arm, row in values.items()}
    return np.stack([logs[arm] - logs["reference"] for arm in values if arm != "reference"], 1)


def by_arm(values, **options):
    return compare(table(values), "fd", **OPTIONS, **options).set_index("arm")


def noise(arms, seeds, sd=0.1, seed=0):
    rng = np.random.default_rng(seed)
    common = rng.normal(0, 0.2, seeds)
    rows = 20 * np.exp(common + rng.normal(0, sd, (arms, seeds)))
    return {f"t{k}" if k else "reference": list(row) for k, row in enumerate(rows)}


def test_signflip_worked_example_w1():
    columns = differences(W1).T[:, :, None]
    assert [float(signflip(column)[0]) for column in columns] == [0.0625, 0.5625, 0.0625]


@pytest.mark.parametrize("seeds", [6, 9, 14])  # 14: more than one block of patterns
def test_signflip_is_scipys_permutation_test(seeds):
    x = np.random.default_rng(seeds).normal(0.3, 1, seeds)
    theirs = stats.permutation_test(
        (x,), np.mean, permutation_type="samples", n_resamples=np.inf
    ).pvalue
    np.testing.assert_allclose(signflip(x[:, None]), theirs)


def test_step_down_max_t_by_brute_force():
    x = np.random.default_rng(3).normal([0.0, 1.2, 0.7], 1, (7, 3))

    def t(values):
        return np.abs(values.mean(0)) / (values.std(0, ddof=1) / np.sqrt(7))

    flips = np.array([t(x * np.array(s)[:, None]) for s in product((1, -1), repeat=7)])
    order, adjusted, last = np.argsort(-t(x)), np.empty(3), 0.0
    for place, arm in enumerate(order):
        rest = flips[:, order[place:]].max(1)
        last = max(last, float((rest >= t(x)[arm] * (1 - 1e-12)).mean()))
        adjusted[arm] = last
    np.testing.assert_allclose(signflip(x), adjusted)


def test_equal_sums_in_another_order_are_ties():
    x = np.array([0.1, 0.2, 0.3, -0.6, 0.25, 0.15])
    shuffled = [signflip(np.random.default_rng(i).permutation(x)[:, None])[0] for i in range(8)]
    assert len(set(shuffled)) == 1


def test_the_second_opinion_is_computed_from_six_seeds_on():
    few, enough = by_arm(noise(4, 5)), by_arm(noise(4, 6))
    assert few["p_flip"].isna().all() and enough["p_flip"].iloc[1:].notna().all()
    assert set(few["second_opinion"].iloc[1:]) == {"not computed under 6 seeds"}


def test_a_different_answer_is_told():
    values = noise(2, 6, sd=0.01)
    values["t1"] = list(np.array(values["reference"]) * [0.8, 0.81, 0.8, 0.82, 0.8, 0.81])
    assert by_arm(values).loc["t1", "second_opinion"] == "same"
    values["t1"][0] = values["reference"][0] * 1.001  # one seed against: 4 of 64 patterns
    values["t1"][1:] = [r * 0.7 for r in values["reference"][1:]]
    values["t1"][2] *= 1.01
    row = by_arm(values).loc["t1"]
    assert row["p_holm"] <= 0.05 < row["p_flip"] and row["second_opinion"] == "differs"


def test_guarded_worked_example_w1():
    found = by_arm(W1, decisions=Decisions(variance="guarded"))
    p = [0.0002537297, 0.8041726215, 0.0000068773]
    np.testing.assert_allclose(found.loc[["a", "b", "c"], "p"], p, rtol=0, atol=6e-11)
    variances = (found["effect_mean"] / found["t"])[["a", "b", "c"]] ** 2 * 5
    np.testing.assert_allclose(variances, [0.0094868034, 0.0094868034, 0.0116019140], atol=6e-11)
    assert set(found["df"].iloc[1:]) == {12} and set(found["variance"].iloc[1:]) == {"guarded"}


def test_guarded_needs_four_arms_of_five_seeds():
    guard = Decisions(variance="guarded")
    three = {arm: W1[arm] for arm in ("reference", "a", "b")}
    few = {arm: row[:4] for arm, row in W1.items()}
    for values in (three, few):
        pd.testing.assert_frame_equal(by_arm(values, decisions=guard), by_arm(values))
    one_short = by_arm(W1 | {"d": [20, None, 21, 22, 23.5]}, decisions=guard)
    assert one_short["variance"].to_dict() == {
        "reference": "own", "a": "guarded", "b": "guarded", "c": "guarded", "d": "own"
    }  # fmt: skip
    assert set(one_short.loc[["a", "b", "c"], "df"]) == {12}


def test_bh_worked_example_w1_and_decides_only_a_screen():
    found = by_arm(W1)
    p = [0.0016355727, 0.6587386564, 0.0024885633]
    np.testing.assert_allclose(found.loc[["a", "b", "c"], "p_bh"], p, rtol=0, atol=6e-11)
    values = noise(9, 5, sd=0.05)
    for k in range(1, 5):
        values[f"t{k}"] = [v * 0.86 for v in values[f"t{k}"]]
    holm, screened = by_arm(values), by_arm(values, decisions=Decisions(screen=True))
    better = [sum(f["verdict"] == "better") for f in (holm, screened)]
    assert better[0] < better[1]
    pd.testing.assert_series_equal(holm["p_holm"], screened["p_holm"])


def test_policies_worked_example_w4():
    rows = policies(results(W4), "reference", FD).set_index("policy")
    numbers = {
        "exclude": [4, 0.7970822522, 0.74597475, 0.85169118, 0.0016562423],
        "worst": [6, 0.9118058907, 0.73062336, 1.13791869, 0.3329742726],
    }
    for name, expected in numbers.items():
        found = rows.loc[name, ["pairs", "effect", "low", "high", "p"]].astype(float)
        np.testing.assert_allclose(found, expected, rtol=0, atol=6e-9)
    assert rows.loc["censor", ["pairs", "p", "seeds_better"]].tolist() == [6, 1, 4]
    assert rows.loc["censor", ["effect", "low"]].isna().all()


def test_ranks_of_differences_worked_example_w4():
    both = np.array([W4["arm"], W4["reference"]], dtype=float).T
    assert signed_ranks(both, FD).tolist() == [-2, -3, 6, -4, -1, 5]
    twice = np.vstack([both, [np.nan, np.nan]])
    assert signed_ranks(twice, FD).tolist() == [-3, -4, 7, -5, -2, 6, 0]


def test_censor_is_scipys_exact_signed_rank_test_without_ties():
    x = noise(2, 8)
    theirs = stats.wilcoxon(np.log(x["t1"]), np.log(x["reference"]), method="exact").pvalue
    rows = policies(results(x), "reference", FD, ["censor"])
    np.testing.assert_allclose(rows["p"], theirs)


def test_marked_shows_what_a_suspect_trial_does():
    values = {"reference": [20, 21, 22, 20.5, 21.5], "a": [18, 19, 20, 18.5, 99]}
    rows = policies(results(values), "reference", FD).set_index("policy")
    assert rows.loc["marked", "pairs"] == 4 and rows.loc["exclude", "pairs"] == 5
    assert rows.loc["marked", "effect"] < 1 < rows.loc["exclude", "effect"]


@pytest.mark.parametrize(
    ("name", "why"), [("mean", "doubles to triples"), ("tobit", "tail"), ("drop", "0.19")]
)
def test_policies_that_lie_are_refused_with_the_reason(name, why):
    with pytest.raises(UserError, match=f"failures={name} is not done: .*{why}.*choose exclude"):
        policies(results(W4), "reference", FD, [name])
    with pytest.raises(UserError, match="failures=best is not known; choose exclude, or read"):
        policies(results(W4), "reference", FD, ["best"])


@pytest.mark.parametrize(
    ("split", "exact", "mid"),
    [((6, 1), 0.125, 0.0703125), ((5, 0), 0.0625, 0.03125), ((0, 0), 1, 1), ((3, 3), 1, 1)],
)
def test_mcnemar_worked_example_w5(split, exact, mid):
    for one in (split, split[::-1]):
        np.testing.assert_allclose(mcnemar_p(*one), (exact, mid), rtol=1e-12)


def test_reliability_is_judged_where_seeds_could_tell():
    bad = [None] * 8 + [20.0] * 4
    values = {
        "reference": [20.0 + i for i in range(12)],
        "a": bad,
        "b": [19.0 + i for i in range(11)] + [None],
    }
    found = reliability(results(values), "reference").set_index("arm")
    assert found.loc["a", "verdict"] == "fails more"
    assert found.loc["b", "verdict"] == "too few to tell from chance"
    # the only test of the family: 2 x 0.5^8
    np.testing.assert_allclose(found.loc["a", ["p_exact", "p_holm"]].astype(float), 2 / 2**8)
    assert np.isnan(found.loc["b", "p_holm"])
    six = {arm: row[2:] for arm, row in values.items()}
    found = reliability(results(six), "reference").set_index("arm")
    assert set(found["verdict"]) == {"too few to tell from chance"}
    swapped = reliability(results(values), "a").set_index("arm")
    assert swapped.loc["reference", "verdict"] == "fails less"


def test_ranks_are_as_sure_as_all_pairs():
    values = noise(4, 6, sd=0.02)
    values["t3"] = [v * 2 for v in values["t3"]]
    values["t2"] = [v / 2 for v in values["t2"]]
    found = ranks(results(values), FD, Decisions()).set_index("arm")
    assert found.loc["t2"].tolist() == [1, 1, 1] and found.loc["t3"].tolist() == [4, 4, 4]
    assert (
        found.loc[["t1", "reference"], ["rank_low", "rank_high"]].to_numpy().tolist()
        == [[2, 3]] * 2
    )
    alike = ranks(results(noise(4, 3)), FD, Decisions())
    assert list(alike["rank"]) == [1, 2, 3, 4]
    assert set(alike["rank_low"]) == {1} and set(alike["rank_high"]) == {4}


LADDER = {
    "design": "ladder",
    "arms": [{"arm": arm, "refused": []} for arm in ("reference", "a", "b", "c")],
}


def test_steps_hold_each_rung_against_the_one_before():
    found = steps(results(W1), LADDER, FD, Decisions()).set_index("arm")
    assert found["reference"].to_dict() == {
        "reference": "reference",
        "a": "reference",
        "b": "a",
        "c": "b",
    }
    assert found.loc["reference", "verdict"] == "reference"
    for arm, before in (("a", "reference"), ("b", "a"), ("c", "b")):
        theirs = stats.ttest_rel(np.log(W1[arm]), np.log(W1[before]))
        np.testing.assert_allclose(found.loc[arm, "p"], theirs.pvalue)
        np.testing.assert_allclose(
            found.loc[arm, "effect"], np.exp(np.mean(np.log(np.array(W1[arm]) / W1[before])))
        )
    np.testing.assert_allclose(found["p_holm"].min(), 3 * found["p"].min())


def test_a_rung_that_cannot_be_is_stepped_over():
    arms = [arm | {"refused": ["no"] if arm["arm"] == "b" else []} for arm in LADDER["arms"]]
    found = steps(results(W1), {"arms": arms}, FD, Decisions()).set_index("arm")
    assert found.loc["c", "reference"] == "a" and "b" not in found.index


def test_a_declared_margin_can_find_no_difference():
    values = {"reference": [20, 22, 19, 25, 21.0]}
    values["a"] = [
        v * f for v, f in zip(values["reference"], [1.01, 0.99, 1.0, 1.005, 0.995], strict=True)
    ]
    values["b"] = [
        v * f for v, f in zip(values["reference"], [1.1, 0.93, 1.0, 1.05, 0.9], strict=True)
    ]
    found = by_arm(values, decisions=Decisions(margin=5))
    assert found["verdict"].to_dict() == {
        "reference": "reference", "a": "no difference beyond 5 %", "b": "inconclusive"
    }  # fmt: skip
    assert by_arm(values).loc["a", "verdict"] == "inconclusive"
    with pytest.raises(UserError, match="margin=5 is a percentage and fd is compared by differ"):
        compare(
            table(values),
            "fd",
            scale="difference",
            higher_is_better=False,
            decisions=Decisions(margin=5),
        )


def test_equivalence_is_the_interval_at_90_percent_inside_the_margin():
    rng = np.random.default_rng(0)
    agreed = 0
    for _ in range(40):
        logs = rng.normal(0.02, 0.03, 6)
        values = {"reference": [20.0] * 6, "a": list(20 * np.exp(logs))}
        p = by_arm(values, decisions=Decisions(margin=5)).loc["a", "p_equivalence"]
        interval = stats.ttest_1samp(logs, 0).confidence_interval(0.9)
        inside = max(-interval.low, interval.high) < np.log(1.05)
        assert (p <= 0.05) == inside
        agreed += inside
    assert 0 < agreed < 40


def test_planned_looks_share_the_error():
    values = noise(2, 5, sd=0.05)
    values["t1"] = [v * 0.95 for v in values["t1"]]
    one, two = (
        by_arm(values).loc["t1"],
        by_arm(values, decisions=Decisions(looks=(5, 10))).loc["t1"],
    )
    assert 0.025 < one["p_holm"] <= 0.05 and one["p_holm"] == two["p_holm"]
    assert (one["verdict"], two["verdict"]) == ("better", "inconclusive")
    early = by_arm(values, decisions=Decisions(looks=(8,))).loc["t1"]
    assert (
        early["verdict"] == "too few seeds"
        and early["reason"] == "the first planned look is at 8 seeds"
    )


def test_bootstrap_is_refused_under_twenty_seeds():
    x = noise(2, 20)
    arm, reference = np.array(x["t1"]), np.array(x["reference"])
    low, high = percentile(arm, reference, FD)
    t = by_arm(x).loc["t1"]
    assert t["low"] < low < t["effect"] < high < t["high"]
    assert (low, high) == percentile(arm, reference, FD)
    with pytest.raises(UserError, match="A bootstrap over 19 seeds is not done: under 20"):
        percentile(arm[:19], reference[:19], FD)


def test_pairs_of_a_design_without_factors_are_not_guessed():
    with pytest.raises(UserError, match="This study has no factors"):
        interactions(results(W1), study({}), FD, Decisions())
