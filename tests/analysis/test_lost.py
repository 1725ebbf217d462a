"""Arms that are absent: what can be told, what it means, and what is said of the rest."""

from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as formula

from ablate.analysis import Decisions, effects
from ablate.analysis.estimable import kept_from_left
from ablate.analysis.layout import fraction_of, layout_of
from ablate.analysis.lost import lost
from ablate.analysis.terms import fit_of
from ablate.errors import UserError
from tests.analysis.designs import FD, PLAIN, fraction, noisy, results, study, switches
from tests.analysis.test_effects import ABC, SLOT

OFF_ON = ["off", "on"]
TWELVE = study(switches("ABCD"), [r for r in product(OFF_ON, repeat=4) if not r[0] == r[1] == "on"])
SEVEN = fraction("ABCDEFG", {"E": "ABC", "F": "BCD", "G": "ACD"})


def without(plan, dead):
    """Return the plan without the arms of which `dead` is true."""
    return plan | {"arms": [arm for arm in plan["arms"] if not dead(arm["levels"])]}


def on(*names):
    return lambda levels: all(levels[name] == "on" for name in names)


def signs(arm):
    return {name: 1 if level == "on" else -1 for name, level in arm["levels"].items()}


def twelve():
    values = {}
    for j, arm in enumerate(TWELVE["arms"]):
        x = signs(arm)
        mean = (
            100 - 8 * x["A"] - 4 * x["B"] + 2 * x["D"] - 3 * x["A"] * x["C"] - 3 * x["C"] * x["D"]
        )
        noise = [(((7 * s + 3 * j * j + 5 * j) % 11) - 5) / 2 for s in range(3)]
        values[arm["arm"]] = [mean + shift + e for shift, e in zip((0, 5, -5), noise, strict=True)]
    return values


def by_means(values):
    """Return the mean square that is left over arms and seeds, all cells there."""
    y = np.array(list(values.values()))
    left = y - y.mean(0) - y.mean(1, keepdims=True) + y.mean()
    return (left**2).sum() / 22


def test_what_the_arms_of_a_forbidden_pair_do_not_tell():
    """1 + A + B + A:B is 0 in all twelve: 10 of 11 columns are told."""
    x = np.array([list(signs(arm).values()) for arm in TWELVE["arms"]])
    pairs = [x[:, i] * x[:, j] for i, j in combinations(range(4), 2)]
    columns = np.column_stack([np.ones(12), x, *pairs])
    assert np.linalg.matrix_rank(columns) == 10
    zero = np.linalg.svd(columns)[2][-1]
    np.testing.assert_allclose(zero / zero[0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0], atol=1e-12)
    assert [term.label for term in fit_of(layout_of(TWELVE)).terms if not term.meaning] == [
        "C", "D", "A:C", "A:D", "B:C", "B:D", "C:D"
    ]  # fmt: skip


def test_worked_example_of_a_forbidden_pair():
    table = effects(results(twelve(), PLAIN), TWELVE, PLAIN, Decisions()).set_index("term")
    expected = {
        "A": (-15.7083333333, 0.5219907407), "B": (-7.3333333333, 0.8402777778),
        "C": (0.0416666667, 1.4704861111), "D": (3.7916666667, 0.5219907407),
        "A:C": (-6.2916666667, 0.5219907407), "A:D": (-0.3750000000, 1.8906250000),
        "B:C": (0.0833333333, 0.8402777778), "B:D": (-0.4166666667, 0.8402777778),
        "C:D": (-6.0555555556, 0.3479938272),
    }  # fmt: skip
    assert list(table.index) == list(expected) and set(table["df"]) == {22}
    found = np.column_stack([table["effect"], table["effect_error"] ** 2])
    np.testing.assert_allclose(found, list(expected.values()), rtol=0, atol=6e-11)
    mse = by_means(twelve())
    np.testing.assert_allclose(mse, 3.1319444444, rtol=0, atol=6e-11)
    np.testing.assert_allclose(6 * table.loc["A", "effect_error"] ** 2, mse, rtol=1e-9)
    # as a table of which the interactions are left out would tell it
    alone = effects(results(twelve(), PLAIN), TWELVE | {"design": "imported"}, PLAIN, Decisions())
    np.testing.assert_allclose(alone["effect"][2], 2.1111111111, rtol=0, atol=6e-11)
    p = table.loc[["D", "C"], "p"]
    np.testing.assert_allclose(p, [0.0000289549, 0.9728996092], rtol=0, atol=6e-11)
    meaning = dict.fromkeys(expected, "") | {"A": "with B off", "B": "with A off"}
    assert table["meaning"].to_dict() == meaning
    assert lost(results(twelve(), PLAIN), TWELVE, PLAIN) == [
        "12 of the 16 arms of this design have results.",
        "A:B cannot be told (no arm has both); A is the effect with B off, B with A off.",
        "Others keep their meaning, if no three tricks interact.",
    ]


def by_null_space(plan):
    """Return which columns of 1, mains and pairs are estimable as they stand, by SVD."""
    rows = [signs(arm) for arm in plan["arms"]]
    names = ["1", *plan["factors"]]
    pairs = [(a, b) for i, a in enumerate(names[1:], 1) for b in names[i + 1 :]]
    columns = [[1] * len(rows), *([row[name] for row in rows] for name in names[1:])]
    columns += [[row[a] * row[b] for row in rows] for a, b in pairs]
    x = np.array(columns, float).T
    _, sizes, rights = np.linalg.svd(x)
    rank = int((sizes > 1e-9 * sizes[0]).sum())
    estimable = np.abs(rights[rank:]).max(0, initial=0) < 1e-9
    labels = names + [f"{a}:{b}" for a, b in pairs]
    return {label for label, told in zip(labels, estimable, strict=True) if told} - {"1"}


FOUR = study(switches("ABCD"))
HOLES = {
    "one arm": on("A", "B", "C", "D"),
    "a pair": on("A", "B"),
    "two pairs": lambda levels: on("A", "B")(levels) or on("A", "C")(levels),
    "two apart": lambda levels: on("A", "B")(levels) or on("C", "D")(levels),
    "three": on("A", "B", "D"),
    "neither": lambda levels: levels["A"] == levels["B"] == "off",
}


@pytest.mark.parametrize("name", HOLES)
def test_what_keeps_its_meaning_is_what_the_null_space_says(name):
    plan = without(FOUR, HOLES[name])
    fit = fit_of(layout_of(plan))
    kept = {term.label for term in fit.terms if not term.meaning}
    assert kept == by_null_space(plan)


@pytest.mark.parametrize("name", HOLES)
def test_what_it_means_is_what_is_estimated(name):
    """Arm means of known effects, of one and two tricks, without noise: told as the words say."""
    plan = without(FOUR, HOLES[name])
    rng = np.random.default_rng(1)
    names = [*"ABCD", *(f"{a}:{b}" for a, b in ("AB", "AC", "AD", "BC", "BD", "CD"))]
    beta = dict(zip(names, rng.normal(size=10), strict=True))
    logs = [
        sum(b * np.prod([x[f] for f in term.split(":")]) for term, b in beta.items()) + 3
        for x in map(signs, plan["arms"])
    ]
    for term in fit_of(layout_of(plan)).terms:
        truth = 2 * beta[term.label]
        if term.meaning:
            assert term.meaning.startswith("with ")
            for setting in term.meaning.removeprefix("with ").split(" and "):
                other, level = setting.split(" ")
                pair = ":".join(sorted((term.label, other)))
                truth += (1 if level == "on" else -1) * 2 * beta[pair]
        np.testing.assert_allclose(term.contrast @ logs, truth, atol=1e-9)


def test_estimates_with_an_arm_absent_are_those_of_ols():
    plan = without(FOUR, HOLES["one arm"])
    values = noisy(plan, 3)
    rows = [
        {"y": np.log(value), "seed": seed} | signs(arm)
        for arm in plan["arms"]
        for seed, value in enumerate(values[arm["arm"]])
    ]
    fit = formula.ols("y ~ (A + B + C1 + D) ** 2 + C(seed)",
                      pd.DataFrame(rows).rename(columns={"C": "C1"})).fit()  # fmt: skip
    table = effects(results(values), plan, FD, Decisions()).set_index("term")
    assert len(table) == 10 and (table["meaning"] == "").all()
    for term, row in table.iterrows():
        theirs = fit.params[term.replace("C", "C1")]
        np.testing.assert_allclose(row["effect_mean"], 2 * theirs, rtol=1e-9)
    assert lost(results(values), plan, FD) == [
        "15 of the 16 arms of this design have results.",
        "All effects of the table can be told, if no three tricks interact.",
    ]


@pytest.mark.parametrize(
    ("dead", "groups"),
    [
        (on("B", "C"), ["A:C", "A:E", "B:D"]),
        (on("A", "B"), ["A:B", "A:E", "A:G"]),
        (on("A", "B", "C"), ["A:E"]),
        (on(*"ABCDEFG"), []),
    ],
)
def test_groups_that_a_fraction_loses(dead, groups):
    plan = without(SEVEN, dead)
    fit = fit_of(layout_of(plan))
    assert sorted(names[0] for names in fit.lost) == groups
    assert len(fit.terms) == 14 - len(groups)


def test_a_group_that_changed_is_told_with_the_sum_that_it_is():
    plan = without(SEVEN, on("B", "C"))
    told = " ".join(lost(results(noisy(plan, 3)), plan, FD))
    assert "12 of the 16 arms" in told and "no arm has both B and C" in told
    fit = fit_of(layout_of(plan))
    rng = np.random.default_rng(2)
    beta: dict[str, float] = {}
    logs = np.zeros(len(plan["arms"]))
    for term in [term.names for term in fit.terms] + fit.lost:
        first, beta[" = ".join(term)] = term[0].split(":"), rng.normal()
        logs += beta[" = ".join(term)] * np.array(
            [np.prod([signs(arm)[name] for name in first]) for arm in plan["arms"]]
        )
    for term in fit.terms:
        truth, rest = beta[term.label], term.meaning.removeprefix(term.label)
        while rest:
            sign, rest = rest.strip()[0], rest.strip()[1:].strip()
            name = rest.split(")")[0] + ")" if rest[0] == "(" else rest.split(" ")[0]
            rest = rest.removeprefix(name)
            truth += (1 if sign == "+" else -1) * beta[name.strip("()")]
        np.testing.assert_allclose(term.contrast @ logs, 2 * truth, atol=1e-9)


def test_only_the_tricks_that_are_one_are_refused():
    runs = [run for run in product(OFF_ON, repeat=3) if run[0] == run[1]]
    plan = study(switches("abc"), runs)
    values = noisy(plan, 4)
    table = effects(results(values), plan, FD, Decisions()).set_index("term")
    assert list(table.index) == ["c", "a:c = b:c"]
    logs = {arm: np.log(row).mean() for arm, row in values.items()}
    c = (logs["c"] + logs["a+b+c"] - logs["reference"] - logs["a+b"]) / 2
    np.testing.assert_allclose(table.loc["c", "effect_mean"], c)
    told = lost(results(values), plan, FD)
    assert "The arms with results do not tell a and b apart, so they have no effects here." in told


def test_a_trick_that_never_ran_on_takes_nothing_from_the_others():
    plan = without(ABC, on("a"))
    values = noisy(plan, 4)
    table = effects(results(values), plan, FD, Decisions()).set_index("term")
    two = study(switches("bc"))
    own = effects(results(values), two, FD, Decisions()).set_index("term")
    columns = ["effect_mean", "effect_error", "p", "p_holm"]
    pd.testing.assert_frame_equal(table[columns], own[columns])
    told = lost(results(values), plan, FD)
    assert told[0] == "All arms with results have a off: it has no effect here."


def test_a_level_that_never_ran_keeps_the_name_of_the_other():
    plan = without(SLOT, lambda levels: levels["loss"] == "wasserstein")
    values = noisy(plan, 4)
    table = effects(results(values), plan, FD, Decisions()).set_index("term")
    assert list(table.index) == ["loss=hinge", "r1", "loss=hinge:r1"]
    logs = {arm: np.log(row).mean() for arm, row in values.items()}
    main = (logs["r1"] + logs["loss=hinge+r1"] - logs["reference"] - logs["loss=hinge"]) / 2
    np.testing.assert_allclose(table.loc["r1", "effect_mean"], main)
    assert "No arm with results has loss=wasserstein." in lost(results(values), plan, FD)


def test_nothing_is_said_of_a_whole_design_and_all_is_refused_of_two_arms():
    assert lost(results(noisy(SEVEN, 3)), SEVEN, FD) == []
    assert lost(results(noisy(SLOT, 3)), SLOT, FD) == []
    plan = study(switches("ab"), [("off", "off"), ("on", "on")])
    with pytest.raises(UserError, match="do not tell the effects of a, b apart"):
        effects(results(noisy(plan, 3)), plan, FD, Decisions())


def test_columns_are_kept_from_the_left():
    x = np.array([[1, 1, 2, 0.0], [1, 2, 3, 0], [1, 4, 5, 1], [1, 7, 8, 2]])
    kept = kept_from_left(x)
    assert kept.columns == [0, 1, 3] and list(kept.sums) == [2]
    np.testing.assert_allclose([kept.sums[2][i] for i in (0, 1)], [1, 1])


def test_the_smallest_fraction_that_holds_some_arms():
    every = np.array(list(product([False, True], repeat=4)))
    assert fraction_of(every) == fraction_of(every[:-3]) == 16
    even = every[every.sum(1) % 2 == 0]
    assert fraction_of(even) == fraction_of(even[1:]) == 8 and fraction_of(even[:1]) == 1
