"""A factor that changed nothing: its effects are identical, its copies are no replicates."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from ablate.analysis.compare import compare
from ablate.analysis.decisions import Decisions
from ablate.analysis.effects import effects
from ablate.analysis.half_normal import half_normal
from ablate.analysis.pairs import interactions
from ablate.analysis.shapley import shapley
from tests.analysis.designs import FD, noisy, results, study, switches
from tests.analysis.table import FD as NAMED
from tests.analysis.table import table

PLAN = study(switches("abc"))
INERT = {arm["arm"]: [name for name in "ac" if arm["levels"][name] == "on"] for arm in PLAN["arms"]}


def copies(seeds, failing=()):
    """Return values of arms of a, b and c in which b is never felt."""
    own = noisy(study(switches("ac")), seeds)
    own |= {arm: [None, *own[arm][1:]] for arm in failing}
    return {arm: own["+".join(on) or "reference"] for arm, on in INERT.items()}


def estimated(values, plan=PLAN):
    return effects(results(values), plan, FD, Decisions()).set_index("term")


def test_every_effect_of_it_is_identical_and_has_no_number_to_test():
    found = estimated(copies(4))
    for term in ("b", "a:b", "b:c"):
        assert found.loc[term, "verdict"] == "identical" and found.loc[term, "effect"] == 1
        assert found.loc[term, ["low", "high", "p", "p_holm", "own_p"]].isna().all()


def test_the_others_are_what_the_study_without_it_says():
    numbers = ["effect_mean", "low", "high", "df", "p", "p_holm", "p_varies", "own_sd"]
    own = noisy(study(switches("ac")), 4)
    expected = estimated(own, study(switches("ac")))
    found = estimated(copies(4)).loc[expected.index]
    pd.testing.assert_frame_equal(found[numbers], expected[numbers])
    # by hand: of 2 x 2 arms in 4 seeds, 9 degrees of freedom are left, not the 21 of copies
    logs = np.log([own["reference"], own["a"], own["c"], own["a+c"]])
    assert found.loc["a", "df"] == 9
    assert found.loc["a", "effect_mean"] == pytest.approx(
        (logs[1] + logs[3] - logs[0] - logs[2]).mean() / 2
    )


def test_failures_of_copies_are_counted_once():
    found = estimated(copies(4, failing=["a"]))
    assert found.loc["a", ["failed_with", "failed_without"]].tolist() == [1, 0]
    assert found.loc["b", "verdict"] == "identical"


def test_one_value_that_differs_is_an_effect():
    values = copies(4)
    values["a+b"] = [*values["a+b"][:3], values["a+b"][3] * (1 + 1e-9)]
    assert estimated(values).loc["b", "verdict"] == "inconclusive"


def test_a_failure_that_differs_is_an_effect():
    values = copies(4)
    values["b"] = [None, *values["b"][1:]]
    assert estimated(values).loc["b", "verdict"] != "identical"


def test_levels_of_a_slot_are_compared_with_the_first():
    plan = study({"a": ["off", "on"], "norm": ["none", "x", "y"]})
    own = noisy(study(switches("a")), 4)
    values = {"a" if "a" in arm["arm"].split("+") else "reference": 0 for arm in plan["arms"]}
    values = {
        arm["arm"]: own["a" if arm["levels"]["a"] == "on" else "reference"] for arm in plan["arms"]
    }
    found = estimated(values, plan)
    assert set(found.index) >= {"norm=x", "norm=y", "a"}
    assert found.loc[["norm=x", "norm=y"], "verdict"].tolist() == ["identical"] * 2
    assert found.loc["a", "df"] == 3  # 2 arms, 4 seeds


def test_a_margin_is_not_pulled_to_zero_by_copies():
    plot = half_normal(results(copies(1)), PLAN, FD)
    expected = half_normal(results(noisy(study(switches("ac")), 1)), study(switches("ac")), FD)
    assert plot["margin"].iloc[0] == expected["margin"].iloc[0] > 0
    assert sorted(plot["term"]) == ["a", "a:c", "c"]


def test_pairs_and_shares_say_so_as_well():
    runs = [run for run in product(["off", "on"], repeat=3) if run.count("on") <= 2]
    plan, values = study(switches("abc"), runs, "pairs"), copies(4)
    kept = {arm["arm"]: values[arm["arm"]] for arm in plan["arms"]}
    found = interactions(results(kept), plan, FD, Decisions()).set_index("term")
    assert found.loc[["a:b", "b:c"], "verdict"].tolist() == ["identical"] * 2
    whole = study(switches("abc"), design="shapley")
    shares = shapley(results(values), whole, FD, Decisions()).set_index("factor")
    assert shares.loc["b", "verdict"] == "identical" and np.isnan(shares.loc["b", "p"])


def test_arms_are_identical_only_if_they_fail_alike():
    values = [20.0, 22.0, 19.0, 25.0]
    rows = {"reference": [*values, None], "same": [*values, None], "sound": [*values, 21.0]}
    found = compare(table(rows), "fd", **NAMED).set_index("arm")
    assert found.loc["same", "verdict"] == "identical" and np.isnan(found.loc["same", "p"])
    assert found.loc["sound", ["verdict", "reason"]].tolist() == [
        "suspect", "the same values in every pair, and other seeds that fail"
    ]  # fmt: skip
