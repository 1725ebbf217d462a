import pytest

from ablate.analysis import Decisions, at_look, compare, decisions_of
from ablate.errors import UserError
from tests.analysis.table import FD, table
from tests.analysis.test_compare import W1


def test_old_plans_decide_nothing():
    assert decisions_of({"arms": []}) == Decisions()
    null = {"metric": None, "margin": None, "looks": [], "variance": "own"}
    assert decisions_of({"analysis": null}) == Decisions() and Decisions().alpha == 0.05


def test_what_the_plan_declares_is_taken():
    declared = {"metric": "fid", "margin": 5, "looks": [5, 10], "variance": "guarded"}
    found = decisions_of({"analysis": declared, "tuning_seeds": [7]}, screen=True)
    assert found == Decisions("guarded", 5, (5, 10), screen=True, tuning_seeds=(7,))
    assert found.alpha == 0.025


@pytest.mark.parametrize(
    ("key", "asked", "told"),
    [
        ("interval", "bootstrap", "covers 74 to 85 %; choose t"),
        ("interval", "bca", "covers 54 to 85 %; choose t"),
        ("failures", "mean", "doubles to triples false verdicts; choose exclude"),
        ("failures", "tobit", "choose exclude"),
        ("failures", "drop", "choose exclude"),
        ("effects", "importance", "it is no effect; choose ols"),
        ("variance", "pooled", "choose own or guarded"),
        ("variance", "moderated", "choose own or guarded"),
        ("correction", "bh", "ask for a screen by name; choose holm"),
        ("correction", "bonferoni", "which is not known; choose holm"),
    ],
)
def test_what_no_study_may_decide_is_refused_with_the_reason(key, asked, told):
    with pytest.raises(UserError, match=f"{key}={asked} is not done.*{told}"):
        decisions_of({"analysis": {key: asked}})


@pytest.mark.parametrize("margin", [0, -5, 100, True, "5", float("nan")])
def test_a_margin_is_a_percentage(margin):
    with pytest.raises(UserError, match="must be a percentage above 0 and below 100"):
        Decisions(margin=margin)


@pytest.mark.parametrize("looks", [(5, 5), (10, 5), (2, 5), (3.0, 5), ("3",), (True, 3)])
def test_looks_rise_from_three(looks):
    with pytest.raises(UserError, match="must be rising numbers of seeds"):
        Decisions(looks=looks)


@pytest.mark.parametrize(
    ("earlier", "looks", "alpha"),
    [([2, 5], (3, 5), 0.025), ([2], (3,), 0.05), ([2, 3, 5], (3, 5), 0.025)],
)
def test_a_plan_of_before_with_a_look_at_two_seeds_can_be_reported(earlier, looks, alpha):
    found = decisions_of({"analysis": {"looks": earlier}})
    assert (found.looks, found.alpha) == (looks, alpha)


def test_no_arm_is_scored_on_the_seeds_that_chose_its_settings():
    with pytest.raises(UserError, match=r"Seeds \[0, 3\] chose the settings"):
        compare(table(W1), "fd", **FD, decisions=Decisions(tuning_seeds=(0, 3, 9)))


def seeds_seen(frame, study, looks):
    return sorted(at_look(frame, study, Decisions(looks=looks))["seed"].unique())


def test_a_look_takes_the_first_seeds_that_all_arms_have_ended():
    arms = [{"arm": arm, "refused": []} for arm in W1]
    study = {"seeds": [4, 3, 2, 1, 0], "arms": [*arms, {"arm": "z", "refused": ["no"]}]}
    frame = table(W1)
    assert seeds_seen(frame, study, (3,)) == [2, 3, 4]
    assert seeds_seen(frame, study, (3, 5)) == [0, 1, 2, 3, 4]
    running = frame[~((frame["arm"] == "b") & (frame["seed"] == 1))]
    assert seeds_seen(running, study, (3, 4)) == [2, 3, 4]
    assert seeds_seen(running, study, (4, 5)) == [0, 1, 2, 3, 4]  # none is reached: all, no verdict
    assert seeds_seen(running, study, ()) == [0, 1, 2, 3, 4]
    only_early = [arm | {"seeds": [4, 3, 2] if arm["arm"] == "b" else None} for arm in arms]
    assert seeds_seen(running, study | {"arms": only_early}, (4,)) == [1, 2, 3, 4]
