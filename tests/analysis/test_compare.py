import json

import numpy as np
import pandas as pd
import pytest

from ablate.analysis import compare, where
from ablate.analysis.columns import COMPARISON
from ablate.analysis.metric import metric_of
from ablate.errors import UserError
from tests.analysis.table import FD, table

W1 = {
    "reference": [20, 22, 19, 25, 21],
    "a": [16, 18, 14, 21, 17],
    "b": [19, 23, 18, 24, 22],
    "c": [30, 27, 28, 41, 29],
}
W4 = {"reference": [30, 34, 28, 33, 31, 29], "arm": [24, 27, None, 25, 26, None]}
EFFECT = ["effect_mean", "effect_sd", "t", "p", "effect", "low", "high", "p_holm"]
CHANGED_BY_A_FAILURE = ["trials", "failed", "failed_low", "failed_high", "device_seconds_spent"]


def by_arm(values, **options):
    return compare(table(values), "fd", **FD, **options).set_index("arm")


def test_worked_example_w1():
    found = by_arm(W1)
    expected = {
        "a": [
            -0.2229716754,
            0.0494684770,
            -10.07873810,
            0.0005451909,
            0.8001375125,
            0.7524694341,
            0.8508253092,
            0.0016355727,
        ],
        "b": [
            -0.0110421464,
            0.0518438226,
            -0.47625713,
            0.6587386564,
            0.9890185943,
            0.9273587804,
            1.0547781513,
            0.6587386564,
        ],
        "c": [
            0.3630989372,
            0.1077121812,
            7.53780953,
            0.0016590422,
            1.4377781019,
            1.2577904866,
            1.6435216297,
            0.0033180845,
        ],
    }
    for arm, numbers in expected.items():
        np.testing.assert_allclose(
            found.loc[arm, EFFECT].astype(float), numbers, rtol=1e-9, atol=6e-9
        )
    assert found["verdict"].to_dict() == {
        "reference": "reference",
        "a": "better",
        "b": "inconclusive",
        "c": "worse",
    }
    assert list(found.index) == ["reference", "a", "b", "c"]


def test_worked_example_w1_as_a_difference():
    found = compare(table(W1), "fd", scale="difference", higher_is_better=False).set_index("arm")
    numbers = [-4.2, -21, -4.75528902, -3.64471098]
    np.testing.assert_allclose(
        found.loc["a", ["effect", "t", "low", "high"]].astype(float), numbers, atol=6e-9
    )


def test_worked_example_w4_exclude_and_worst():
    arm = by_arm(W4).loc["arm"]
    numbers = [-0.2267974032, -10.89199900, 0.0016562423, 0.7970822522, 0.74597475, 0.85169118]
    columns = ["effect_mean", "t", "p", "effect", "low", "high"]
    np.testing.assert_allclose(arm[columns].astype(float), numbers, rtol=1e-9, atol=6e-9)
    assert (arm["pairs"], arm["failed"], arm["more_failures"]) == (4, 2, 2)
    np.testing.assert_allclose(arm["worst_effect"], 0.9118058907, rtol=1e-9)
    assert arm["verdict"] == "trade-off"


def test_one_failure_that_turns_the_sign_is_a_trade_off():
    arm = by_arm({"reference": [20, 20.2, 20.1, 40], "a": [19, 19.2, 19.05, None]}).loc["a"]
    assert arm["more_failures"] == 1 and arm["verdict"] == "better"
    arm = by_arm({"reference": [21, 20, 20.2, 19], "a": [20.8, 19.8, 20.0, None]}).loc["a"]
    assert arm["verdict"] == "trade-off" and "worst value" in arm["reason"]


def test_a_worse_arm_that_fails_less_is_a_trade_off():
    reference = [20, None, 19, 25, 21, None]
    arm = by_arm({"reference": reference, "c": [30, 29, 28, 38, 31, 30]}).loc["c"]
    assert arm["verdict"] == "trade-off" and arm["more_failures"] == -2
    assert arm["reason"] == "worse, with 2 failed seeds fewer"


@pytest.mark.parametrize(
    ("arm", "verdict", "reason"),
    [
        ([10, None, None, 12], "too few seeds", "complete pairs: 2 of the 3"),
        ([None] * 4, "too few seeds", "complete pairs: 0"),
        ([10, 11, 12, 13], "identical", ""),
        ([20, 22, 24, 26], "suspect", "seeds do not vary"),
        ([10, 11.2, 11.8, 60], "suspect", "possible unmarked collapse: a seed 3"),
        ([10.1, 10.8, 12.1, 12.9], "inconclusive", ""),
        ([8.1, 8.8, 9.7, 10.2], "better", ""),
        ([12.1, 13.3, 14.1, 15.8], "worse", ""),
    ],
)
def test_verdicts(arm, verdict, reason):
    row = by_arm({"reference": [10, 11, 12, 13], "a": arm}).loc["a"]
    assert row["verdict"] == verdict and reason in row["reason"]


def test_under_three_pairs_there_are_points_and_no_interval():
    row = by_arm({"reference": [10, 11], "a": [9, 10]}).loc["a"]
    assert np.isfinite(row["effect"]) and row[["low", "high", "t", "p", "p_holm"]].isna().all()


def test_a_suspect_reference_suspends_every_verdict():
    found = by_arm({"reference": [20, 21, 22, 99], "a": [10, 11, 10, 11], "b": [20, 21, 20, 22]})
    assert list(found.loc[["a", "b"], "verdict"]) == ["suspect", "suspect"]


def test_the_better_direction_is_the_metrics():
    values = {"reference": [0.5, 0.55, 0.52], "a": [0.7, 0.74, 0.73], "b": [0.3, 0.34, 0.33]}
    found = compare(table(values), "fd", scale="difference", higher_is_better=True)
    assert list(found["arm"]) == ["reference", "a", "b"]
    assert list(found["verdict"]) == ["reference", "better", "worse"]
    assert (found["smallest_detectable"].dropna() > 0).all()


def test_row_order_is_irrelevant():
    frame = table(W1)
    shuffled = frame.sample(frac=1, random_state=np.random.default_rng(0))
    pd.testing.assert_frame_equal(compare(frame, "fd", **FD), compare(shuffled, "fd", **FD))


def test_the_unit_of_a_ratio_metric_is_irrelevant():
    unit = compare(table(W1), "fd", **FD)
    scaled = {arm: [1000 * value for value in row] for arm, row in W1.items()}
    other = compare(table(scaled), "fd", **FD)
    for column in ["mean", "seed_sd"]:
        np.testing.assert_allclose(other[column], 1000 * unit[column])
    rest = [c.name for c in COMPARISON if c.name not in ("mean", "seed_sd", "resample_sd")]
    pd.testing.assert_frame_equal(other[rest], unit[rest], rtol=1e-9)


def test_swapping_the_reference_inverts_a_ratio():
    there = by_arm(W1).loc["a"]
    back = by_arm(W1, reference="a").loc["reference"]
    np.testing.assert_allclose(back["effect"], 1 / there["effect"])
    np.testing.assert_allclose([back["low"], back["high"]], [1 / there["high"], 1 / there["low"]])
    np.testing.assert_allclose(back["p"], there["p"])
    assert (there["verdict"], back["verdict"]) == ("better", "worse")


def test_a_failed_trial_more_changes_only_what_counts_failures():
    before = by_arm(W1)
    after = by_arm(W1 | {"a": [*W1["a"], None]})
    same = [c for c in before if c not in CHANGED_BY_A_FAILURE]
    pd.testing.assert_frame_equal(before[same], after[same])
    assert after.loc["a", "failed"] == 1 and after.loc["a", "trials"] == 6


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_is_a_failure(value):
    marked, unmarked = (
        by_arm(W1 | {"a": [None, *W1["a"][1:]]}),
        by_arm(W1 | {"a": [value, *W1["a"][1:]]}),
    )
    spent = ["device_seconds_spent"]  # a trial that ends early spends less
    pd.testing.assert_frame_equal(marked.drop(columns=spent), unmarked.drop(columns=spent))


def test_an_arm_more_raises_only_the_adjusted_p():
    few, many = by_arm({k: W1[k] for k in ("reference", "a")}).loc["a"], by_arm(W1).loc["a"]
    assert few["p"] == many["p"] and few["p_holm"] < many["p_holm"]


def test_only_complete_pairs_enter():
    row = by_arm(W1 | {"a": [*W1["a"], 99.0]}).loc["a"]
    assert row["pairs"] == 5 and row["p"] == by_arm(W1).loc["a", "p"]


def test_one_arm_alone_is_described_and_not_tested():
    found = by_arm({"reference": [20, 22, 19]})
    assert list(found["verdict"]) == ["reference"] and found["p"].isna().all()
    np.testing.assert_allclose(found["mean"], (20 * 22 * 19) ** (1 / 3))
    logs = np.log([20, 22, 19])
    np.testing.assert_allclose(found["seed_sd"], np.exp(logs.mean()) * logs.std(ddof=1))


def test_only_the_last_evaluation_enters():
    early = table({arm: [1.0] * 5 for arm in W1}, images=100)
    found = compare(pd.concat([early, table(W1)]), "fd", **FD)
    pd.testing.assert_frame_equal(found, compare(table(W1), "fd", **FD))


def test_evaluation_noise_is_a_column_of_its_own():
    found = compare(table(W1).assign(resample_sd=0.5), "fd", **FD)
    np.testing.assert_allclose(found["resample_sd"], 0.5)


def test_cost_is_told_over_the_reference():
    frame = table(W1)
    frame["device_seconds"] = frame["device_seconds"].where(frame["arm"] != "c", 30.0)
    found = compare(frame, "fd", **FD).set_index("arm")
    assert found["relative_cost"].round(9).to_dict() == {"reference": 1, "a": 1, "b": 1, "c": 1.5}
    assert found.loc["c", "device_seconds_spent"] == 150


def test_each_arm_is_scored_by_its_own_generator():
    raw, ema = table(W1), table({"a": [8, 9, 7, 11, 8]}, generator="ema")
    ema["tricks"] = raw.loc[raw["arm"] == "a", "tricks"].iloc[0]
    both = pd.concat([raw, ema.assign(trial=raw.loc[raw["arm"] == "a", "trial"].to_numpy())])
    found = compare(both, "fd", **FD).set_index("arm")
    assert found["generator"].to_dict() == {"reference": "raw", "a": "ema", "b": "raw", "c": "raw"}
    assert found.loc["a", "mean"] < 10
    forced = compare(both, "fd", **FD, generator="raw")
    pd.testing.assert_frame_equal(forced, compare(raw, "fd", **FD))
    with pytest.raises(UserError, match=r"\['b', 'c', 'reference'\] have no generator 'ema'"):
        compare(both, "fd", **FD, generator="ema")


def test_arms_that_share_a_label_are_told_apart():
    values = {"r1": [20.0, 21.0, 22.0], "reference": [1.0, 2.0, 3.0], "other": [4.0, 5.0, 6.0]}
    frame = table(values)
    frame["tricks"] = frame["arm"].map(
        {"r1": '{"r1":{"gamma":1}}', "other": '{"r1":{"gamma":10}}', "reference": "{}"}
    )
    frame["arm"] = frame["arm"].replace("other", "r1")
    arms = set(compare(frame, "fd", **FD)["arm"])
    assert arms == {"reference", "r1 (r1.gamma=1)", "r1 (r1.gamma=10)"}


def test_trials_of_other_conditions_do_not_compare():
    other = table(W1).assign(conditions=json.dumps({"data": {"name": "ring8"}}))
    mixed = pd.concat([table(W1), other.assign(trial="x" + other["trial"])])
    with pytest.raises(UserError, match=r"name is digits in table and ring8.*where={'data") as told:
        compare(mixed, "fd", **FD)
    assert told.value.typed.endswith("choose one, as in --where data.name=digits.")
    chosen = compare(where(mixed, {"data.name": "digits"}), "fd", **FD)
    pd.testing.assert_frame_equal(chosen, compare(table(W1), "fd", **FD))
    with pytest.raises(UserError, match=r"No trial has data\.name=faces; choose one of"):
        where(mixed, {"data.name": "faces"})


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"metric": "fid"}, r"No trial has metric 'fid'; choose one of \['fd'\]"),
        ({"reference": "z"}, r"There is no arm 'z' .*\['a', 'b', 'c', 'reference'\]"),
        ({"scale": "log"}, "choose 'ratio' or 'difference'"),
        ({"protocol": "x"}, "No value has protocol 'x'"),
    ],
)
def test_what_is_not_there_is_told(arguments, told):
    with pytest.raises(UserError, match=told):
        compare(table(W1), **({"metric": "fd"} | FD | arguments))


def test_what_cannot_be_decided_is_told():
    with pytest.raises(UserError, match="No arm is without tricks; give reference=, one") as told:
        compare(table({"a": [1.0], "b": [2.0]}), "fd", **FD)
    assert "type --reference ARM with one of" in told.value.typed
    with pytest.raises(UserError, match=r"fd is -1\.0 in trial .*arm 'a', seed 0.*difference"):
        compare(table(W1 | {"a": [-1.0]}), "fd", **FD)
    with pytest.raises(UserError, match="has seed 0 twice"):
        compare(pd.concat([table(W1), table(W1).assign(trial="x")]), "fd", **FD)
    with pytest.raises(UserError, match="several protocols"):
        compare(pd.concat([table(W1), table(W1).assign(protocol="n=1")]), "fd", **FD)
    with pytest.raises(UserError, match="not in the catalog; give scale="):
        metric_of("no_such_metric")


@pytest.mark.slow
def test_the_verdict_rule_holds_its_error_and_finds_effects():
    # 8 arms, sigma 0.1, seeds correlated 0.3, 5 seeds: 4 % of studies may name a null arm, and an
    # arm at -40 % is found in 99 %. 50 studies: limits some 3 standard errors away.
    rng = np.random.default_rng(0)
    named, found = 0, 0
    for _ in range(50):
        common = rng.normal(0, 0.1 * np.sqrt(0.3), size=5)
        logs = common + rng.normal(0, 0.1 * np.sqrt(0.7), size=(8, 5))
        logs[1] += np.log(0.6)
        values = {"reference" if k == 0 else f"t{k}": 20 * np.exp(logs[k]) for k in range(8)}
        verdicts = by_arm(values)["verdict"]
        found += verdicts["t1"] == "better"
        named += verdicts.drop("t1").isin(["better", "worse"]).any()
    assert found >= 46 and named <= 6
