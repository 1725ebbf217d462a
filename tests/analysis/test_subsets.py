"""Arms that are no balanced design: a regression, guarded by how far arms lie off it."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from ablate.analysis import Decisions, effects
from ablate.report.answer import answer_of
from tests.analysis.designs import FD, results, study, switches


def subsets(count, names="ABCDEFGH", seed=0, design="imported"):
    """Return a plan of the reference and other drawn arms."""
    rng = np.random.default_rng(seed)
    runs = {("off",) * len(names): None}
    while len(runs) < count:
        runs[tuple("on" if one else "off" for one in rng.random(len(names)) < 0.5)] = None
    return study(switches(names), list(runs), design)


def drawn(plan, seeds=3, noise=0.1, off=0.0, seed=0):
    """Return values of arms of noise, A at 0.8, and what every arm is off the main effects."""
    rng = np.random.default_rng(seed)
    values, common = {}, rng.normal(0, 0.2, seeds)
    for arm in plan["arms"]:
        mean = (arm["levels"]["A"] == "on") * np.log(0.8) + rng.normal(0, off)
        values[arm["arm"]] = list(40 * np.exp(mean + common + rng.normal(0, noise, seeds)))
    return values


def found(values, plan):
    return effects(results(values), plan, FD, Decisions()).set_index("term")


@pytest.mark.parametrize("design", ["imported", "random_subsets"])
@pytest.mark.parametrize("off", [0.0, 0.1])
def test_the_larger_of_the_guard_and_a_regression_over_arms(off, design):
    plan = subsets(22, design=design)
    values = drawn(plan, off=off)
    table = found(values, plan)
    on = np.array([[arm["levels"][f] == "on" for f in "ABCDEFGH"] for arm in plan["arms"]], float)
    logs = np.log([values[arm["arm"]] for arm in plan["arms"]])
    fit = sm.OLS(logs.mean(1), sm.add_constant(on)).fit()  # arms are the units: df J - 1 - k
    rows = np.linalg.pinv(sm.add_constant(on))[1:]
    rest = logs - logs.mean(0) - logs.mean(1, keepdims=True) + logs.mean()
    mse, df = (rest**2).sum() / 42, {}
    for i, term in enumerate("ABCDEFGH"):
        own = rows[i] @ logs
        guard = np.sqrt(max(mse * (rows[i] ** 2).sum(), own.var(ddof=1)) / 3)
        error, df[term] = max((guard, 42), (fit.bse[i + 1], fit.df_resid))
        p = 2 * stats.t.sf(abs(fit.params[i + 1]) / error, df[term])
        row = table.loc[term, ["effect_mean", "effect_error", "df", "p"]].astype(float)
        np.testing.assert_allclose(row, [fit.params[i + 1], error, df[term], p], rtol=1e-9)
    assert list(table.index) == list("ABCDEFGH")
    kinds = {42: "guarded", 13: "lack of fit"}
    assert table["variance"].to_dict() == {term: kinds[int(one)] for term, one in df.items()}
    assert ("lack of fit" in set(table["variance"])) >= bool(off)


def test_holes_are_filled_by_no_one():
    plan = subsets(22)
    values = drawn(plan, off=0.1)
    values[plan["arms"][3]["arm"]][1] = values[plan["arms"][9]["arm"]][0] = None
    table = found(values, plan)
    rows = [
        {"y": np.log(value), "arm": place, "seed": seed}
        for place, arm in enumerate(plan["arms"])
        for seed, value in enumerate(values[arm["arm"]])
        if value is not None
    ]
    frame = pd.DataFrame(rows)
    design = np.hstack([np.eye(22)[frame["arm"]], np.eye(3)[frame["seed"]]])
    means = np.linalg.lstsq(design, frame["y"], rcond=None)[0][:22]
    on = np.array([[arm["levels"][f] == "on" for f in "ABCDEFGH"] for arm in plan["arms"]], float)
    fit = sm.OLS(means, sm.add_constant(on)).fit()
    np.testing.assert_allclose(table["effect_mean"], fit.params[1:], rtol=1e-9)
    worst = table["variance"] == "lack of fit"
    assert worst.any()
    np.testing.assert_allclose(table["effect_error"][worst], fit.bse[1:][worst], rtol=1e-9)


@pytest.mark.parametrize(("arms", "told"), [(13, False), (14, True)])
def test_under_five_arms_beyond_the_effects_there_is_no_verdict(arms, told):
    plan = subsets(arms)
    values = drawn(plan)
    table = found(values, plan)
    assert table["p"].notna().all() == told and table["effect"].notna().all()
    assert ("too few arms" in set(table["verdict"])) != told
    answer = answer_of(results(values), plan, FD, Decisions())
    assert answer.kind == ("effects" if told else "arms")
    assert ("and has 4; so arms are compared" in answer.missing) != told


def burman(tricks):
    """Return the plan of the twelve runs of Plackett and Burman, cyclic from their first row."""
    row = "++-+++---+-"
    rows = [[row[(place - shift) % 11] == "+" for place in range(11)] for shift in range(11)]
    rows.append([False] * 11)
    runs = [tuple("on" if one else "off" for one in run[: len(tricks)]) for run in rows]
    return study(switches(tricks), runs, "plackett_burman")


@pytest.mark.parametrize("tricks", ["ABCDE", "ABCDEF"])
def test_a_design_of_main_effects_that_lost_an_arm_is_no_balanced_one(tricks):
    """By a regression over arms as for subsets: 11 arms less 1 less 5 tricks leave 5, 6 leave 4."""
    plan = burman(tricks)
    values = drawn(plan, off=0.1)
    assert set(found(values, plan)["variance"]) == {"guarded"}
    gone = plan["arms"][0]["arm"]
    values[gone] = [None] * 3
    table = found(values, plan)
    if tricks == "ABCDEF":
        assert set(table["verdict"]) == {"too few arms"} and table["p"].isna().all()
        return
    left = [arm for arm in plan["arms"] if arm["arm"] != gone]
    on = np.array([[arm["levels"][f] == "on" for f in tricks] for arm in left], float)
    fit = sm.OLS([np.log(values[arm["arm"]]).mean() for arm in left], sm.add_constant(on)).fit()
    np.testing.assert_allclose(table["effect_mean"], fit.params[1:], rtol=1e-9)
    worst = (table["variance"] == "lack of fit").to_numpy()
    assert worst.any()
    np.testing.assert_allclose(table["effect_error"][worst], fit.bse[1:][worst], rtol=1e-9)
    assert set(table["df"][worst]) == {5}


def test_a_copy_is_identical_here_too():
    plan = study(switches("ABC"), None, "imported")
    values = drawn(plan, seeds=4)
    for arm in plan["arms"]:
        if arm["levels"]["C"] == "on":
            base = "+".join(n for n in "AB" if arm["levels"][n] == "on") or "reference"
            values[arm["arm"]] = values[base]
    table = found(values, plan)
    assert table.loc["C", "verdict"] == "identical"
