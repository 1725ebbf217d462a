"""The sentence on tricks that every output opens with, for every design, direction and verdict."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from ablate.report.folder import report
from ablate.report.headline import answer, answers
from ablate.report.prose import sections
from ablate.report.study import gather
from ablate.report.summary import summarize
from ablate.store import write_trial
from tests.analysis.designs import study as design
from tests.report.designs import write_design
from tests.report.test_designs import PLANS
from tests.store.synthetic import PROVENANCE, curves, metrics, status, trial, write_study

BASE = [20.0, 22.0, 19.0, 25.0, 21.0]
WHOLE = {"r1": {"gamma": 1.0}, "ema_g": {"decay": 0.9}, "adam": {"lr": 2e-4}}


def values(factor, seeds=5):
    """Return values whose ratio to `BASE` is about `factor`, with a little spread."""
    wobble = np.array([1.0, 1.01, 0.99, 1.005, 0.995])[:seeds]
    return (np.array(BASE)[:seeds] * factor * wobble).tolist()


def put(folder, arms, metric="fd_classifier"):
    """Write arm -> (tricks, values); the first is the reference."""
    for arm, (tricks, row) in arms.items():
        for seed, value in enumerate(row):
            one = trial(arm, seed, tricks)
            ended = status() if value is not None else status("diverged")
            table = metrics(value or 1.0, metric)
            table = table if value is not None else table.iloc[:0]
            write_trial(folder, vars(one), ended, table, curves(), {}, PROVENANCE)
    told = {"arms": [], "reference": next(iter(arms)), "design": "arms"}
    (folder / "study.json").write_text(json.dumps(told))
    return gather([folder])


def without(*names):
    return {name: settings for name, settings in WHOLE.items() if name not in names}


def ratio(row, base=BASE):
    """Return the geometric mean ratio by hand, in three digits."""
    return f"{np.exp(np.mean(np.log(np.array(row) / np.array(base)))):.3g}"


def test_leave_one_out_speaks_of_the_trick_and_turns_the_verdict_round(tmp_path):
    arms = {
        "reference": (WHOLE, BASE),
        "without r1": (without("r1"), values(1.5)),
        "without ema_g": (without("ema_g"), values(0.8)),
        "without adam": (without("adam"), values(1.001)),
    }
    told = answer(put(tmp_path / "r", arms))
    assert told.startswith(f"**`r1` helps (without it {ratio(values(1.5))}")
    assert f"; `ema_g` hurts (without it {ratio(values(0.8))}" in told
    assert "inconclusive, which is not equal: 1 of 3 tricks.**" in told
    assert "ratio of `fd_classifier` to `reference` (lower is better), 95 % interval." in told


def test_one_at_a_time_does_not(tmp_path):
    arms = {
        "reference": ({}, BASE),
        "with r1": ({"r1": {}}, values(1.5)),
        "ema_g": ({"ema_g": {}}, values(0.8)),
    }
    told = answer(put(tmp_path / "r", arms))
    assert told.startswith("**`ema_g` helps (with it 0.8") and "; `r1` hurts (with it 1.5" in told


def test_where_higher_is_better_the_other_side_helps(tmp_path):
    arms = {
        "reference": (WHOLE, [0.50, 0.52, 0.48, 0.51, 0.49]),
        "without r1": (without("r1"), [0.41, 0.42, 0.39, 0.41, 0.40]),
        "without ema_g": (without("ema_g"), [0.60, 0.61, 0.59, 0.61, 0.58]),
    }
    told = answer(put(tmp_path / "r", arms, "precision"))
    by_hand = np.mean([0.41, 0.42, 0.39, 0.41, 0.40]) - 0.5
    assert f"`r1` helps (without it \N{MINUS SIGN}{-by_hand:.4f} [" in told
    assert "`ema_g` hurts (without it +0.098" in told
    assert "difference of `precision` from `reference` (higher is better)" in told


def test_what_is_no_single_trick_keeps_its_name(tmp_path):
    arms = {
        "reference": (WHOLE, BASE),
        "wgan": ({"r1": WHOLE["r1"], "weight_clip": {}}, values(1.4)),  # a whole recipe
        "r1.gamma=10": (WHOLE | {"r1": {"gamma": 10.0}}, values(0.7)),  # a strength
        "mine": (WHOLE | {"top_k": {}}, values(0.8)),  # one trick, and called otherwise
        "with top_g": (WHOLE | {"top_g": {}, "adam": {"lr": 1e-3}}, values(0.9)),  # and a setting
    }
    told = answer(put(tmp_path / "r", arms))
    for arm, side in (("wgan", "worse"), ("r1.gamma=10", "better"), ("mine", "better"),
                      ("with top_g", "better")):  # fmt: skip
        assert f"`{arm}` is {side} than `reference` (" in told
    assert "helps" not in told and "hurts" not in told


def test_an_imported_arm_is_no_trick_unless_the_table_says_so(place):
    rows = ["arm,seed,metric,value,r1"]
    both = {"plain": (0, BASE), "sn": (1, values(0.5))}
    rows += [f"{a},{s},fid,{v},{on}" for a, (on, row) in both.items() for s, v in enumerate(row)]
    bare = [row.rsplit(",", 1)[0] for row in rows]
    named = [row.replace("sn,", "r1,") for row in rows]
    for name, lines in (("bare", bare), ("named", named)):
        (place.path / f"{name}.csv").write_text("\n".join(lines))
        assert place.type("import", f"{name}.csv", "--reference", "plain") == 0, place.err
    told = [answer(gather([place.path / "results" / name])) for name in ("bare", "named")]
    assert told[0].startswith("**`sn` is better than `plain` (0.5")
    assert told[1].startswith("**`r1` helps (with it 0.5")


def test_no_verdict_says_more_than_it_is(tmp_path):
    arms = {
        "reference": ({}, BASE),
        "same": ({"same": {}}, BASE),
        "fails": ({"fails": {}}, [*values(0.7)[:3], None, None]),
        "few": ({"few": {}}, [*values(0.5)[:2], None, None, None]),
        "odd": ({"odd": {}}, [*values(0.7)[:4], 400.0]),
    }
    told = answer(put(tmp_path / "r", arms))
    assert "helps" not in told and "hurts" not in told
    assert "**A trade-off between quality and failures: `fails` (with it 0.7" in told
    assert "suspect, to be looked at before it is believed: `odd`;" in told
    assert "identical, no number changes: `same`;" in told
    assert "too few seeds for an answer: `few`.**" in told


def test_what_fails_more_comes_with_its_counts(tmp_path):
    nothing = [None] * 8
    arms = {"reference": ({}, values(1.0)[:1] * 8), "breaks": ({"breaks": {}}, nothing)}
    told = answer(put(tmp_path / "with", arms))
    assert "**Fails more often: `breaks` (failed in 8 of 8 seeds (reference 0)).**" in told
    arms = {"reference": (WHOLE, values(1.0)[:1] * 8), "without r1": (without("r1"), nothing)}
    told = answer(put(tmp_path / "without", arms))
    assert "Fails more often: the arm without `r1` (failed in 8 of 8 seeds (reference 0))" in told


def test_no_difference_beyond_the_margin_is_told_with_its_interval(tmp_path):
    arms = {"reference": (WHOLE, BASE), "without r1": (without("r1"), values(1.002))}
    put(tmp_path / "r", arms)
    path = tmp_path / "r" / "study.json"
    told = json.loads(path.read_text()) | {"analysis": {"margin": 20}}
    path.write_text(json.dumps(told))
    assert answer(gather([tmp_path / "r"])).startswith(
        "**No difference beyond 20 %: `r1` (without it 1.00"
    )


@pytest.mark.parametrize(
    ("name", "starts"),
    [
        ("full", "**`r1` helps (with it 0.79"),
        ("half", "**`r1` helps (with it 0.7"),
        ("shapley", "**`r1` helps (with it 0.79"),
        ("ladder", "**`r1` helps (with it 0.67"),
        ("pairs", "**Worse together than each alone promises: `ema_g \N{MULTIPLICATION SIGN} r1`"),
        ("once", "**Too few seeds for an answer: `r1`"),
    ],
)
def test_every_design_has_its_own(tmp_path, name, starts):
    plan, seeds, _ = PLANS[name]
    told = answer(gather([write_design(tmp_path / "r", plan, seeds)]))
    assert told.startswith(starts)
    assert told.count("**") == 2 and "0 of " in told


def test_levels_of_slots_and_strengths_are_set_against_the_first(tmp_path):
    factors = {"loss": ["loss_ns", "loss_hinge"], "r1.gamma": ["0.1", "1", "10"]}
    plan = design(factors)
    folder = write_design(tmp_path / "r", plan, 4, sd=0.01)
    found = gather([folder])
    table = found.answer.table.assign(verdict="better", reason="")
    told = answer(replace(found, answer=replace(found.answer, table=table)))
    assert "`loss=loss_hinge` is better than `loss=loss_ns` (" in told
    assert "`r1.gamma=10` is better than `r1.gamma=0.1` (" in told


def test_an_effect_that_the_design_mixes_with_another_is_no_trick(tmp_path):
    found = gather([write_design(tmp_path / "r", PLANS["full"][0], 3)])
    table = found.answer.table.head(1).assign(term="r1 = ema_g:batch_norm", verdict="better")
    told = answer(replace(found, answer=replace(found.answer, table=table)))
    assert "**`r1 = ema_g \N{MULTIPLICATION SIGN} batch_norm` is better, as one number in" in told
    assert "helps" not in told


def test_all_outputs_open_with_the_same_sentence(tmp_path):
    folder = write_study(tmp_path / "r", {"reference": BASE, "r1": values(0.5)})
    found = gather([folder])
    out = report([folder], tmp_path / "out")
    (told,) = answers(found)
    assert (out / "report.md").read_text().splitlines()[1] == told
    assert summarize(found).splitlines()[2] == told
    text = pd.Series([(out / "report.html").read_text()]).str.replace(r"<[^>]*>", "", regex=True)
    assert told.replace("*", "").replace("`", "") in text[0]


def test_a_screen_and_an_unfinished_plan_are_no_last_word(tmp_path):
    folder = write_study(tmp_path / "r", {"reference": BASE, "r1": values(0.5)})
    planned = [trial(arm, seed) for arm in ("reference", "r1") for seed in range(9)]
    (folder / "plan.jsonl").write_text("".join(f"{one.to_json()}\n" for one in planned))
    (folder / "study.json").write_text('{"arms": []}')
    told = answer(gather([folder], screen=True))
    assert "A screen (Benjamini-Hochberg): for picking what to study next, no verdict." in told
    assert told.endswith("A first look: 8 of 18 planned trials have not ended.")


def test_a_suspect_reference_is_named_as_what_makes_arms_suspect(tmp_path):
    values = {
        "reference": [20.0, 21.0, 22.0, 99.0],
        "r1": [10.0, 11.0, 10.5, 11.5],
        "top_k": [20.0, 21.0, 20.5, 99.0],
    }
    found = gather([write_study(tmp_path / "r", values)])
    told = answer(found)
    assert "Suspect, to be looked at before it is believed: `top_k`" in told
    assert "suspect because of a trial of the reference, to be looked at first: `r1`" in told
    reasons = found.table.set_index("arm")["reason"]
    assert reasons["r1"].startswith("possible unmarked collapse: reference seed 3, trial ")
    assert reasons["r1"].endswith(", of the reference")
    assert reasons["top_k"].count("seed 3") == 2 and reasons["top_k"].endswith(", of the reference")


def test_ranks_are_of_survivors(tmp_path):
    values = {"reference": [20.0, None, 19.0], "r1": [10.0, 11.1, 9.4], "top_k": [5.0, 30.0, 9.0]}
    found = gather([write_study(tmp_path / "r", values)])
    told = {one.key: one.lines for one in sections(found, [])}
    assert told["ranks"][-1].endswith("finished: 1 of 9 failed and have no rank.")
