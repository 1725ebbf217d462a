from itertools import product

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as formula
from scipy import stats

from ablate.analysis import Decisions, effects, half_normal, interactions
from ablate.analysis.half_normal import lenth_margin
from ablate.analysis.layout import layout_of
from ablate.analysis.terms import terms_of
from ablate.errors import UserError
from tests.analysis.designs import FD, PLAIN, fraction, noisy, results, study, switches

W2 = {
    "reference": [40, 44, 42],
    "a": [30, 34, 33],
    "b": [36, 39, 40],
    "a+b": [26, 31, 27],
}
AB = study(switches("ab"))
ABC = study(switches("abc"))


def found(values, plan, metric=FD, **decisions):
    table = effects(results(values, metric), plan, metric, Decisions(**decisions))
    return table.set_index("term")


def test_worked_example_w2():
    table = found(W2, AB)
    means = [-0.2891187781, -0.1184872545, -0.0268943653]
    np.testing.assert_allclose(table["effect_mean"], means, rtol=0, atol=6e-11)
    np.testing.assert_allclose(table["effect"][:2], [0.74892324, 0.88826314], atol=6e-9)
    np.testing.assert_allclose(table.loc["a", "own_sd"] ** 2, 0.00157485, atol=6e-9)
    errors = [0.02291182, 0.0204369207]
    np.testing.assert_allclose(table["effect_error"][:2], errors, rtol=0, atol=6e-9)
    np.testing.assert_allclose(
        table.loc["a", ["low", "high"]].astype(float), [0.708091, 0.792110], atol=6e-7
    )
    np.testing.assert_allclose(
        table.loc["b", ["low", "high"]].astype(float), [0.844936, 0.933812], atol=6e-7
    )
    np.testing.assert_allclose(
        table.loc["a:b", ["low", "high"]].astype(float), [0.912773, 1.038190], atol=6e-7
    )
    assert set(table["df"]) == {6} and set(table["variance"]) == {"guarded"}
    assert list(table["verdict"]) == ["better", "better", "inconclusive"]


def by_formula(values, plan, terms):
    """Least squares by statsmodels, seeds as a factor: twice the coefficient is the effect."""
    rows = []
    for arm in plan["arms"]:
        signs = {name: 1 if level == "on" else -1 for name, level in arm["levels"].items()}
        for seed, value in enumerate(values[arm["arm"]]):
            if value is not None:
                rows.append({"y": np.log(value), "seed": seed} | signs)
    return formula.ols(f"y ~ {terms} + C(seed)", pd.DataFrame(rows)).fit()


@pytest.mark.parametrize("seed", range(3))
def test_effects_are_those_of_least_squares(seed):
    values = noisy(ABC, 4, seed=seed)
    theirs, ours = by_formula(values, ABC, "a*b*c"), found(values, ABC)
    for term in ours.index:
        np.testing.assert_allclose(
            ours.loc[term, "effect_mean"], 2 * theirs.params[term], rtol=1e-9
        )
        smaller = max(2 * theirs.bse[term], ours.loc[term, "own_sd"] / 2)
        np.testing.assert_allclose(ours.loc[term, "effect_error"], smaller, rtol=1e-9)
    assert set(ours["df"]) == {theirs.df_resid}


def test_missing_cells_are_least_squares_and_their_failures_are_told():
    values = noisy(ABC, 4)
    values["a+c"][1] = values["b"][3] = None
    theirs, ours = by_formula(values, ABC, "a*b*c"), found(values, ABC)
    for term in ours.index:
        np.testing.assert_allclose(
            ours.loc[term, "effect_mean"], 2 * theirs.params[term], rtol=1e-9
        )
        assert ours.loc[term, "effect_error"] >= 2 * theirs.bse[term] * (1 - 1e-9)
    assert set(ours["variance"]) == {"guarded"} and set(ours["df"]) == {theirs.df_resid}
    assert (ours["cells"].iloc[0], ours["missing"].iloc[0]) == (30, 2)
    assert ours.loc["a", ["failed_with", "failed_without"]].tolist() == [1, 1]


def test_an_arm_that_never_ended_costs_interactions_only_where_it_must():
    values = noisy(ABC, 3)
    values["a+b+c"] = [None] * 3
    theirs, ours = by_formula(values, ABC, "a*b*c - a:b:c"), found(values, ABC)
    assert list(ours.index) == ["a", "b", "c", "a:b", "a:c", "b:c"]
    for term in ours.index:
        np.testing.assert_allclose(
            ours.loc[term, "effect_mean"], 2 * theirs.params[term], rtol=1e-9
        )


def test_what_all_arms_of_a_seed_share_changes_nothing():
    values = noisy(ABC, 4)
    moved = {arm: list(np.array(row) * [1, 3, 0.2, 7]) for arm, row in values.items()}
    pd.testing.assert_frame_equal(found(values, ABC), found(moved, ABC), rtol=1e-7)


def test_swapping_the_levels_of_a_factor_inverts_all_effects_with_it():
    values = noisy(ABC, 4)
    other = study({"a": ["on", "off"], "b": ["off", "on"], "c": ["off", "on"]})
    for arm, renamed in zip(other["arms"], ABC["arms"], strict=True):
        assert arm["levels"] != renamed["levels"]
    names = {tuple(arm["levels"].values()): arm["arm"] for arm in ABC["arms"]}
    renamed = {arm["arm"]: values[names[tuple(arm["levels"].values())]] for arm in other["arms"]}
    ours, theirs = found(values, ABC), found(renamed, other)
    for term in ours.index:
        sign = -1 if "a" in term else 1
        np.testing.assert_allclose(
            theirs.loc[term, "effect_mean"], sign * ours.loc[term, "effect_mean"]
        )
    np.testing.assert_allclose(theirs["p"], ours["p"])


def test_no_interaction_means_that_ratios_multiply():
    rng = np.random.default_rng(0)
    effect = {"a": 0.7, "b": 0.8, "c": 1.2}
    base, noise = 100 * np.exp(rng.normal(0, 0.2, 5)), lambda: np.exp(rng.normal(0, 1e-4, 5))
    values = {}
    for arm in ABC["arms"]:
        on = [name for name, level in arm["levels"].items() if level == "on"]
        values[arm["arm"]] = list(base * np.prod([effect[name] for name in on]) * noise())
    logs, raw = found(values, ABC), found(values, ABC, PLAIN)
    np.testing.assert_allclose(logs["effect"], [0.7, 0.8, 1.2, 1, 1, 1], rtol=1e-3)
    assert (raw["effect"][3:].abs() > 0.5).all()


def test_alias_groups_of_a_fraction_of_six():
    plan = fraction("abcdef", {"e": "abc", "f": "bcd"})
    labels = [term.label for term in terms_of(layout_of(plan))]
    assert labels[:6] == list("abcdef")
    assert {frozenset(label.split(" = ")) for label in labels[6:]} == {
        frozenset(group)
        for group in (
            ["a:b", "c:e"], ["a:c", "b:e"], ["a:d", "e:f"], ["a:e", "b:c", "d:f"],
            ["a:f", "d:e"], ["b:d", "c:f"], ["b:f", "c:d"],
        )
    }  # fmt: skip
    table = found(noisy(plan, 3), plan)
    assert list(table.index) == labels and set(table["df"]) == {30}


def test_an_alias_with_the_other_sign_is_marked():
    labels = [term.label for term in terms_of(layout_of(fraction("abc", {"c": "-ab"})))]
    assert labels == ["a = -b:c", "b = -a:c", "c = -a:b"]


def test_the_sum_of_a_group_is_what_is_estimated():
    plan = fraction("abcd", {"d": "abc"})
    values = {}
    for arm in plan["arms"]:
        on = {name for name, level in arm["levels"].items() if level == "on"}
        logs = 0.3 * ({"a", "b"} <= on) - 0.1 * ({"c", "d"} <= on)
        values[arm["arm"]] = [20 * np.exp(logs)] * 3
    table = found(values, plan)
    np.testing.assert_allclose(table.loc["a:b = c:d", "effect_mean"], (0.3 - 0.1) / 2)
    assert table.loc["a:b = c:d", "verdict"] == "suspect"
    assert table.loc["a:b = c:d", "reason"] == "seeds do not vary"
    assert table.loc["a:c = b:d", "verdict"] == "identical"


def test_aliases_of_the_plan_are_told_with_their_higher_orders():
    plan = fraction("abcd", {"d": "abc"}) | {"aliases": [["a", "b:c:d"], ["a:b", "c:d"]]}
    table = found(noisy(plan, 3), plan)
    assert table["aliases"].to_dict()["a"] == "a = b:c:d"
    assert table["aliases"].to_dict()["b"] == "b"


PLACKETT_BURMAN = np.array([np.roll([1, 1, -1, 1, 1, 1, -1, -1, -1, 1, -1], i) for i in range(11)])


def test_plackett_burman_has_main_effects_only():
    signs = np.vstack([PLACKETT_BURMAN, -np.ones(11, int)])[:, :4]
    runs = [tuple("on" if sign > 0 else "off" for sign in row) for row in signs]
    plan = study(switches("abcd"), runs, "plackett_burman")
    for number, arm in enumerate(plan["arms"]):
        arm["arm"] = str(number)
    values = noisy(plan, 3)
    table = found(values, plan)
    means = np.array([np.log(values[arm["arm"]]).mean() for arm in plan["arms"]])
    expected = [means[column > 0].mean() - means[column < 0].mean() for column in signs.T]
    np.testing.assert_allclose(table["effect_mean"], expected)
    assert list(table.index) == list("abcd")


SLOT = study({"loss": ["ns", "hinge", "wasserstein"], "r1": ["off", "on"]})


def test_levels_of_a_slot_are_held_against_the_first():
    values = noisy(SLOT, 4)
    table = found(values, SLOT)
    mean = {arm: np.log(row).mean() for arm, row in values.items()}
    at = {
        level: mean[f"loss={level}" if level else "reference"]
        for level in ("", "hinge", "wasserstein")
    }
    with_r1 = {
        level: mean[f"loss={level}+r1" if level else "r1"] for level in ("", "hinge", "wasserstein")
    }
    assert list(table.index) == [
        "loss=hinge",
        "loss=wasserstein",
        "r1",
        "loss=hinge:r1",
        "loss=wasserstein:r1",
    ]
    for level in ("hinge", "wasserstein"):
        main = (at[level] + with_r1[level] - at[""] - with_r1[""]) / 2
        half = (with_r1[level] - at[level] - with_r1[""] + at[""]) / 2
        np.testing.assert_allclose(table.loc[f"loss={level}", "effect_mean"], main)
        np.testing.assert_allclose(table.loc[f"loss={level}:r1", "effect_mean"], half)
    main = np.mean(list(with_r1.values())) - np.mean(list(at.values()))
    np.testing.assert_allclose(table.loc["r1", "effect_mean"], main)


def test_arms_that_do_not_tell_main_effects_apart_are_refused():
    plan = study(switches("ab"), [("off", "off"), ("on", "on")])
    with pytest.raises(UserError, match="do not tell the effects of a, b apart; wait for more"):
        found({"reference": [1, 2, 3], "a+b": [2, 3, 4.5]}, plan)
    with pytest.raises(UserError, match="has a=half, which is none of"):
        found(W2, study(switches("ab"), [("half", "on")]))
    with pytest.raises(UserError, match="This study has no factors"):
        found(W2, {"arms": []})


def test_an_effect_that_varies_by_seed_is_flagged_and_its_own_t_is_beside_it():
    values = noisy(ABC, 5, sd=0.01)
    for arm in values:
        if "a" in arm.split("+"):
            values[arm] = list(np.array(values[arm]) * np.exp([-0.3, 0.1, 0.3, -0.2, 0.1]))
    table = found(values, ABC)
    assert table["varies"].to_dict() == dict.fromkeys(table.index, 0) | {"a": 1}
    logs = {arm: np.log(row) for arm, row in values.items()}
    own = sum((1 if "a" in arm.split("+") else -1) * row for arm, row in logs.items()) / 4
    np.testing.assert_allclose(table.loc["a", "own_p"], stats.ttest_1samp(own, 0).pvalue)
    np.testing.assert_allclose(table.loc["a", "effect_error"], own.std(ddof=1) / np.sqrt(5))


def test_the_flag_is_an_f_test_of_one_direction_of_the_residual():
    values = noisy(ABC, 4)
    plan_terms = terms_of(layout_of(ABC))
    logs = np.log(np.array([values[arm["arm"]] for arm in ABC["arms"]])).T
    rest = logs - logs.mean(0) - logs.mean(1, keepdims=True) + logs.mean()
    p = []
    for term in plan_terms:
        unit = term.contrast / np.sqrt((term.contrast**2).sum())
        along = ((rest @ unit) ** 2).sum()
        ratio = (along / 3) / (((rest**2).sum() - along) / (21 - 3))
        p.append(stats.f.sf(ratio, 3, 18))
    found_p = found(values, ABC)["p_varies"]
    np.testing.assert_allclose(found_p.min(), min(1, 6 * min(p)), rtol=1e-9)


def test_p_is_adjusted_over_all_terms():
    table = found(noisy(ABC, 4), ABC)
    np.testing.assert_allclose(table["p_holm"].min(), min(1, 6 * table["p"].min()))


@pytest.mark.parametrize("seeds", [1, 2])
def test_few_seeds_give_effects_and_no_test(seeds):
    table = found({arm: row[:seeds] for arm, row in W2.items()}, AB)
    assert table["effect"].notna().all() and set(table["verdict"]) == {"too few seeds"}
    assert table[["low", "high", "p", "p_holm"]].isna().all(axis=None)


def test_one_suspect_trial_suspends_every_effect():
    values = W2 | {"a": [30, 34, 330]}
    table = found(values, AB)
    assert set(table["verdict"]) == {"suspect"} and "a seed 2" in table["reason"].iloc[0]


def test_a_trick_that_breaks_runs_is_a_trade_off():
    good = {"reference": [40.0, 41, 42, 43], "b": [40.5, 41, 42.5, 43]}
    bad = {"a": [30.0, 31, 31, None], "a+b": [30.0, 31, 32, None]}
    table = found(good | bad, AB)
    assert table.loc["a", "verdict"] == "better" and table.loc["a", "p_failures"] > 0.05
    good["b"][3] = 50.0
    bad = {"a": [36.0, None, None, 39], "a+b": [36.3, None, 38, None]}
    table = found(good | bad, AB)
    assert table.loc["a", "verdict"] == "trade-off"
    assert "not when a failure counts as the worst value" in table.loc["a", "reason"]


def test_no_effect_is_scored_on_seeds_that_chose_settings():
    with pytest.raises(UserError, match=r"Seeds \[1\] chose the settings.*confirmation seeds"):
        found(W2, AB, tuning_seeds=(1, 7))


def test_arms_beside_the_plan_do_not_enter():
    extra = results(W2 | {"stranger": [1.0, 2.0, 3.0]})
    table = effects(extra, AB, FD, Decisions()).set_index("term")
    pd.testing.assert_frame_equal(table, found(W2, AB))


def test_half_normal_orders_all_effects():
    plan = study(switches("abcd"))
    values = {arm: row[:1] for arm, row in noisy(plan, 1).items()}
    for arm in values:
        if "b" in arm.split("+"):
            values[arm] = [values[arm][0] / 3]
    table = half_normal(results(values), plan, FD)
    assert len(table) == 15 and table["size"].is_monotonic_increasing
    assert table["term"].iloc[-1] == "b" and table["stands_out"].iloc[-1] == 1
    assert (table["stands_out"] == (table["size"] > lenth_margin(table["effect_mean"]))).all()
    np.testing.assert_allclose(table["quantile"], stats.halfnorm.ppf((np.arange(15) + 0.5) / 15))
    logs = {arm: np.log(row[0]) for arm, row in values.items()}
    total = sum((values_**2) for values_ in (table["effect_mean"]))
    centred = np.array(list(logs.values())) - np.mean(list(logs.values()))
    np.testing.assert_allclose(total, (centred**2).sum() * 4 / 16)


def test_lenth_by_hand():
    # median 3 -> 4.5; below 11.25 stay 1 2 3 4 -> median 2.5 -> 3.75; t(0.975, 5 / 3)
    margin = lenth_margin(np.array([1.0, -2.0, 3.0, -4.0, 40.0]))
    np.testing.assert_allclose(margin, 3.75 * stats.t.ppf(0.975, 5 / 3))


def test_half_normal_of_a_fraction_names_each_direction_once():
    plan = fraction("abcd", {"d": "abc"})
    values = {arm: row[:1] for arm, row in noisy(plan, 1).items()}
    table = half_normal(results(values), plan, FD)
    assert sorted(table["term"]) == ["a", "a:b", "a:c", "a:d", "b", "c", "d"]


def test_half_normal_needs_two_levels_and_all_arms():
    values = noisy(SLOT, 1)
    with pytest.raises(UserError, match="loss has 3"):
        half_normal(results(values), SLOT, FD)
    with pytest.raises(UserError, match="some failed or are not run"):
        half_normal(results(W2 | {"a": [None, 1, 2]}), AB, FD)


PAIRS = study(
    {"loss": ["ns", "hinge", "ls"], "r1": ["off", "on"], "ema": ["off", "on"]},
    [run for run in product(["ns", "hinge", "ls"], ["off", "on"], ["off", "on"])
     if sum(level not in ("ns", "off") for level in run) <= 2],
    "pairs",
)  # fmt: skip


def test_interactions_of_pairs_are_paired_t_of_four_arms():
    values = noisy(PAIRS, 5)
    values["loss=hinge+r1"][2] = None
    table = interactions(results(values), PAIRS, FD, Decisions()).set_index("term")
    assert set(table.index) == {
        "loss=hinge:r1", "loss=ls:r1", "loss=hinge:ema", "loss=ls:ema", "r1:ema"
    }  # fmt: skip
    logs = {arm: np.log([v or np.nan for v in row]) for arm, row in values.items()}
    for term in table.index:
        first, second = term.split(":")
        own = (logs[f"{first}+{second}"] - logs[first] - logs[second] + logs["reference"]) / 2
        theirs = stats.ttest_1samp(own[np.isfinite(own)], 0)
        row = table.loc[term]
        np.testing.assert_allclose([row["t"], row["p"]], [theirs.statistic, theirs.pvalue])
    assert table["seeds"].to_dict() == dict.fromkeys(table.index, 5) | {"loss=hinge:r1": 4}
    np.testing.assert_allclose(table["p_holm"].min(), min(1, 5 * table["p"].min()))


def test_a_pair_whose_arm_failed_stays_in_the_table():
    values = noisy(PAIRS, 4)
    values["r1+ema"] = [None] * 4
    table = interactions(results(values), PAIRS, FD, Decisions()).set_index("term")
    assert table.loc["r1:ema", "verdict"] == "too few seeds" and table.loc["r1:ema", "seeds"] == 0


def test_pairs_and_a_factorial_agree_on_an_interaction():
    pair = interactions(results(W2), AB | {"design": "pairs"}, FD, Decisions()).set_index("term")
    np.testing.assert_allclose(
        pair.loc["a:b", "effect_mean"], found(W2, AB).loc["a:b", "effect_mean"]
    )
