"""Plans as they are typed, written, changed and tampered with."""

import hashlib
import json
import math
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_dir

from ablate.config.catalog import conf_root
from ablate.errors import UserError
from ablate.plan import calibrate, preview
from ablate.plan.calibrate import Estimate, estimate
from ablate.plan.files import unfinished, working_on, write_plan
from ablate.plan.kin import kin_of
from ablate.plan.lease import lease_of
from ablate.plan.notes import notes
from ablate.plan.study import plan_of
from ablate.runner.build import structure
from ablate.runner.inputs import dataset_of
from ablate.runner.machine import machine
from ablate.store import read
from ablate.store.claims import take
from ablate.store.plan import read_plan
from tests.small import SMALL

ROOT = Path(__file__).parents[2]
BASIC = ("hydra/launcher=basic", "study.seeds=[0,1]")
FOLDER = "results/one_at_a_time"
THREE = "trick=[label_smooth,ema_g,topk_g]"
FIVE = "trick=[label_smooth,ema_g,topk_g,instance_noise,init_gauss]"


@pytest.fixture
def planned(tmp_path):
    """Return a function from overrides to the plan of a study."""

    def plan(*words):
        with initialize_config_dir(str(conf_root() / "conf"), version_base="1.3"):
            config = compose("study", [*SMALL, f"cache={tmp_path}/cache", *words])
            return plan_of(config, dataset_of(config, machine(config)))

    return plan


@pytest.fixture
def quick(place, monkeypatch):
    """A place in which nothing is calibrated."""
    monkeypatch.setattr(preview, "estimate", lambda *_: Estimate(90.0, 10.0, 3, 3))
    return place


def summary(folder):
    return json.loads((folder / "study.json").read_text())


# -- what a plan says ------------------------------------------------------------------------------


def test_a_plan_is_printed_with_an_estimate_and_nothing_is_written(place, monkeypatch):
    monkeypatch.setattr(calibrate, "PATIENCE_SECONDS", math.inf)  # of a busy machine
    assert place.type("plan", "one_at_a_time", "trick=[ema_g]", *BASIC) == 0, place.err
    shown = " ".join(place.out.split())
    assert "one_at_a_time: 2 arms x 2 seeds = 4 trainings of 32 images, 128 in all" in shown
    assert "with 1 worker on cpu" in shown
    assert "core-hours" in shown
    assert "of 2 of 2 different programs" in shown
    assert sorted(os.listdir(place.path)) == ["cache"]


def test_a_plan_counts_what_is_there_already(quick):
    quick.type("sweep", "one_at_a_time", "trick=[ema_g]", *BASIC)
    before = (quick.path / FOLDER / "plan.jsonl").stat().st_mtime_ns
    assert quick.type("plan", "one_at_a_time", "trick=[ema_g,topk_g]", *BASIC) == 0
    assert f"4 of them are in {FOLDER} already" in " ".join(quick.out.split())
    assert (quick.path / FOLDER / "plan.jsonl").stat().st_mtime_ns == before


def test_timing_ends_while_somebody_waits(planned, monkeypatch):
    place, now = machine(compose_small()), [0.0]
    trials = planned("trick=[ema_g,r1,topk_g]", "study.design=full_factorial").trials
    monkeypatch.setattr(calibrate, "clock", lambda _: now[0])

    def slow(shown, _):
        now[0] += 3.0  # s on the clock; two are begun before 4 s are over
        return 1.0 * len(shown)

    monkeypatch.setattr(calibrate, "stack_seconds", slow)
    found = estimate(trials, place, 1)
    assert found.measured == 2 < found.programs == len({structure(trial) for trial in trials})
    assert found.seconds == len(trials)


def test_no_trial_is_hashed_where_there_are_no_results(tmp_path):
    trials = [object(), object()]  # which have no id
    assert unfinished(tmp_path, trials) == trials
    assert kin_of(tmp_path, trials) == []


@pytest.mark.parametrize("n", [1, 2, 5, 12])
def test_whatever_beginning_is_timed_lies_all_over_the_plan(n):
    order = calibrate.spread_out(n)
    assert sorted(order) == list(range(n)) and order[0] == 0
    assert n < 5 or max(np.diff(sorted([*order[:4], n]))) <= n / 2


def test_an_estimate_grows_with_the_budget_and_with_the_trials(planned, monkeypatch):
    place = machine(compose_small())
    monkeypatch.setattr(calibrate, "PATIENCE_SECONDS", math.inf)
    small = planned("trick=[ema_g]", "budget.images=64").trials
    large = planned("trick=[ema_g]", "budget.images=640000").trials
    few, many = estimate(small, place, 1), estimate(large, place, 1)
    assert many.seconds > 50 * few.seconds
    assert few.programs == few.measured == 2
    monkeypatch.setattr(calibrate, "stack_seconds", lambda trials, _: 2.0 + len(trials))
    assert estimate(large, place, 1) == Estimate(3.0 * len(large), 3.0, 2, 2)
    assert estimate(large, place, 3) == Estimate(5.0 / 3 * len(large), 5.0, 2, 2)  # stacks of 3


def compose_small():
    with initialize_config_dir(str(conf_root() / "conf"), version_base="1.3"):
        return compose("config", [*SMALL])


def test_workers_share_the_time_until_one_training_alone_is_longest():
    found = Estimate(seconds=90.0, longest=20.0, programs=3, measured=3)
    assert [found.wall_seconds(n) for n in (1, 3, 90)] == [90.0, 30.0, 20.0]


@pytest.mark.parametrize(
    "study", [f.stem for f in (ROOT / "sweeps").glob("*.yaml") if f.stem != "mnist"]
)
def test_every_ready_study_can_be_planned(quick, study):
    assert quick.type("plan", study, small=()) == 0, quick.err
    assert "trainings of" in quick.out
    assert "n/a" not in quick.out


def test_study_json_holds_all_that_the_analysis_must_know(place):
    words = (
        "study.design=fractional_factorial",
        "study.resolution=3",
        FIVE,
        "study.analysis.margin=5",
    )
    assert (
        place.type("sweep", "one_at_a_time", *words, "hydra/launcher=basic", "study.seeds=[7]") == 0
    )
    found = summary(place.path / FOLDER)
    plan = (place.path / FOLDER / "plan.jsonl").read_bytes()
    assert len(found.pop("seal")) == 32
    assert found.pop("plan_sha256") == hashlib.sha256(plan).hexdigest()
    arms = found.pop("arms")
    aliases = found.pop("aliases")
    names = FIVE[7:-1].split(",")
    assert found == {
        "design": "fractional_factorial",
        "options": {"resolution": 3},
        "reference": "reference",
        "seeds": [7],
        "images": 32,
        "factors": {name: ["off", "on"] for name in names},
        "permutations": {},
        "analysis": {"metric": None, "margin": 5, "looks": [], "variance": "own"},
        "stack": None,
    }
    assert len(arms) == 8
    assert arms[0] == {
        "arm": "reference", "tricks": [], "levels": dict.fromkeys(names, "off"), "seeds": None,
        "refused": [], "doubts": [],
    }  # fmt: skip
    assert ["instance_noise", "-label_smooth:ema_g"] in [group[:2] for group in aliases]


def test_a_trick_that_has_nothing_to_work_on_is_told_before_training(planned):
    plan = planned("trick=[batch_norm,ema_g]", "trick.batch_norm.nets=D", "study.design=pairs")
    assert {arm.arm.name: arm.idle for arm in plan.arms if arm.idle} == {
        "with batch_norm": ("batch_norm",), "with batch_norm+ema_g": ("batch_norm",),
    }  # fmt: skip
    told = notes(plan)
    assert any(note.startswith("batch_norm changes nothing under these settings") for note in told)
    assert any(
        "reference = with batch_norm; with ema_g = with batch_norm+ema_g" in note for note in told
    )
    assert len(plan.trials) == 4 * len(plan.seeds)  # it goes on: the table will say `identical`


def test_neutral_settings_are_told_where_arms_come_out_identical(planned):
    words = ("trick=[ema_g,instance_noise]", "trick.instance_noise.sigma=0")
    assert any(
        "instance_noise changes nothing at these settings" in n for n in notes(planned(*words))
    )
    busy = planned("trick=[ema_g,instance_noise]")
    assert not any("changes nothing" in note for note in notes(busy))


def test_a_shapley_study_trains_a_subset_under_its_own_seeds(planned):
    plan = planned("study.design=shapley", "study.permutations=2", FIVE, "study.seeds=[0,1,2]")
    assert len(plan.orders) == 3
    for arm in plan.arms:
        seeds = [t.seed for t in plan.trials if t.arm == arm.arm.name]
        assert seeds == list(arm.arm.seeds or plan.seeds)
    assert json.loads(json.dumps(plan.summary()))["permutations"].keys() == {"0", "1", "2"}
    assert len({t.id for t in plan.trials}) == len(plan.trials)


def test_a_study_that_names_no_seeds_has_as_many_as_its_verdicts_need(planned):
    assert planned(THREE).seeds == (0, 1, 2, 3, 4)
    assert planned("study.design=full_factorial", THREE).seeds == (0, 1, 2, 3, 4)
    sixteen = "trick=[ema_g,init_gauss,instance_noise,label_smooth]"
    assert planned("study.design=full_factorial", sixteen).seeds == (0, 1, 2)
    assert planned("study.design=full_factorial", sixteen, "study.seeds=[7]").seeds == (7,)


def test_slots_strengths_and_levels_with_settings_are_what_is_trained(planned):
    factors = "study.factors={loss:[loss_ns,{loss_hinge:{margin:2}}],r1.gamma:[none,10]}"
    words = ("study.design=full_factorial", factors, "trick=[ema_g,r1]", "trick.r1.every=4")
    plan = planned(*words, "trick.ema_g.halflife_images=7", "study.always=[ema_g]")
    assert plan.factors == {
        "loss": ["loss_ns", "loss_hinge(margin=2)"],
        "r1.gamma": ["none", "10"],
    }
    found = {arm.arm.name: arm.trial.tricks for arm in plan.arms}
    both = found["with loss=loss_hinge(margin=2)+r1.gamma=10"]
    assert set(both) == {"ema_g", "loss_hinge", "r1"}
    assert both["loss_hinge"]["margin"] == 2
    assert (both["r1"]["gamma"], both["r1"]["every"]) == (10, 4)  # what was typed for r1 stays
    assert all(tricks["ema_g"]["halflife_images"] == 7 for tricks in found.values())
    assert set(found["reference"]) == {"ema_g", "loss_ns"}


def test_a_strength_may_be_nested_as_a_command_line_does_it(planned):
    nested = planned("trick=[ema_g]", "+study.factors.r1.gamma=[none,10]")
    dotted = planned("trick=[ema_g]", "study.factors={r1.gamma:[none,10]}")
    assert nested == dotted


def test_two_strengths_of_a_trick_meet_in_it(planned):
    factors = "study.factors={r1.gamma:[1,10],r1.every:[1,4]}"
    plan = planned("study.design=full_factorial", factors)
    found = [(p.trial.tricks["r1"]["gamma"], p.trial.tricks["r1"]["every"]) for p in plan.arms]
    assert found == [(1, 1), (1, 4), (10, 1), (10, 4)]


def test_presets_are_whole_and_stand_beside_the_bare_reference(planned):
    plan = planned("study.design=presets", "study.presets=[wgan,wgan_gp]")
    found = {arm.arm.name: arm.trial.tricks for arm in plan.arms}
    assert list(found) == ["reference", "wgan", "wgan_gp"]
    assert found["reference"] == {}
    assert found["wgan"]["n_critic"]["d_turns"] == 5
    assert found["wgan"]["weight_clip"]["c"] == 0.01


def test_explicit_arms_are_trained_as_they_are_given(planned):
    arms = "study.arms={reference:[ema_g],mine:[ema_g,{r1:{gamma:3}}],bare:[]}"
    plan = planned("study.design=explicit", arms)
    found = {arm.arm.name: arm.trial.tricks for arm in plan.arms}
    assert list(found) == ["reference", "mine", "bare"]
    assert (set(found["mine"]), found["mine"]["r1"]["gamma"]) == ({"ema_g", "r1"}, 3)
    assert set(found["reference"]) == {"ema_g"}
    assert found["bare"] == {}


def test_a_fraction_that_loses_arms_says_what_is_left(planned):
    words = ("study.design=full_factorial", "trick=[gp_interp,batch_norm,ema_g]")
    *_, note = notes(planned(*words))
    assert "2 of 8 arms cannot be trained" in note
    assert "not balanced" in note
    assert "gp_interp off 4, on 2; batch_norm off 4, on 2; ema_g off 3, on 3" in note
    whole = ("study.design=full_factorial", "trick=[ema_g,batch_norm]")
    for others in (whole, ("study.design=pairs", *words[1:])):  # no balance to lose
        assert not any("balanced" in note for note in notes(planned(*others)))


def test_a_shapley_study_that_loses_subsets_says_so(planned):
    tricks = "trick=[gp_interp,batch_norm,ema_g]"
    *_, note = notes(planned("study.design=shapley", tricks))
    assert "2 of 8 subsets cannot be trained" in note
    six = "trick=[gp_interp,batch_norm,ema_g,topk_g,init_gauss,instance_noise]"
    plan = planned("study.design=shapley", "study.permutations=4", six)
    *_, note = notes(plan)  # every order ends with all six tricks
    assert "20 of 20 permutations pass through an arm" in note


@pytest.mark.parametrize(("tricks", "told"), [(FIVE, True), (THREE, False)])
def test_whoever_changes_one_trick_at_a_time_hears_of_factorials(planned, tricks, told):
    found = [note for note in notes(planned(tricks)) if "A factorial sees more" in note]
    assert bool(found) == told
    assert all("fractional_factorial, 16 arms of resolution V" in note for note in found)


# -- mistakes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["study.design=shaply"], "did you mean 'shapley'"),
        (["study.design=[pairs]"], "There is no design"),
        (["study.design=shapley", "study.permutations=3"], "type study.permutations=4"),
        (["study.resolution=4"], "=null, or study.design=fractional_factorial"),
        (["study.draw=3"], "or study.design=shapley or random_subsets"),
        (["study.design=random_subsets", "study.draw=x"], "study.draw=x must be a whole number"),
        (["study.design=fractional_factorial"], "study.design=full_factorial with 8 arms"),
        (["study.resolut=4"], "did you mean 'resolution'"),
        (["study.tricks=[emag]"], "There is no trick 'emag'; did you mean 'ema_g'"),
        (["study.always=3"], "There is no trick '3'"),
        (["study.factors={loss:[loss_ns,loss_hing]}"], "did you mean 'loss_hinge'"),
        (["study.factors={r1.gama:[1,2]}"], "no factor 'r1.gama'; did you mean 'r1.gamma'"),
        (["study.factors={r9.gamma:[1,2]}"], "There is no trick 'r9'"),
        (["study.factors={r1.gamma:[1,-2]}"], "trick.r1.gamma=-2 is out of range"),
        (["study.factors={r1.gamma:[1,1]}"], "has the level 1 twice"),
        (["study.factors={r1.gamma:1}"], "must list two levels or more"),
        (["study.factors={loss:[1,2]}"], "are a factor of its name: r1.gamma"),
        (["study.factors={loss:[loss_ns,{loss_hinge:{mragin:2}}]}"], "trick.loss_hinge.margin="),
        (["study.factors=[r1]"], "type 'study.factors={loss:[loss_ns,loss_hinge]}'"),
        (["study.factors={ema_g:[loss_ns,loss_hinge]}"], "rename it"),
        (["study.factors={a:[none,r1],b:[none,r1]}"], "r1 is in two factors, a and b"),
        (["study.factors={a:[none,ema_g]}", "study.always=[ema_g]"], "drop it from study.always"),
        (["study.factors={a:[none,ema_g]}", "study.tricks=[ema_g]"], "drop it from study.tricks"),
        (["study.design=presets", "study.presets=[wgn]"], "did you mean 'wgan'"),
        (["study.design=presets"], "type study.presets=[ganhacks,"),
        (["study.design=presets", "study.presets=[wgan,wgan]"], "twice"),
        (["study.design=presets", "study.presets=[seed1]", "trick=[]"], "come out the same"),
        (["study.design=explicit"], "'study.arms={mine:[ema_g,r1]"),
        (["study.design=explicit", "study.arms={a:[r1],b:[r1]}"], "'a' and 'b' come out the same"),
        (["study.design=explicit", "study.arms={a:[r1]}", "study.tricks=[ema_g]"], "is not for"),
        (["study.factors={ema_g.rampup:[0.05,0.050]}"], "twice"),
        (["study.seeds=[0,x]"], "study.seeds=x is no seed"),
        (["study.analysis.metric=fdclassifier"], "did you mean 'fd_classifier'"),
        (["study.analysis.margin=100"], "above 0 and below 100"),
        (["study.analysis.margin=true"], "above 0 and below 100"),
        (["study.analysis.looks=[5,3]"], "rising numbers of seeds of at least 3"),
        (["study.analysis.looks=[2,3]"], "rising numbers of seeds of at least 3"),
        (["study.analysis.looks=3"], "rising numbers of seeds of at least 3"),
        (["study.analysis.looks=[3,4]"], "plans no look at 5 seeds"),
        (["study.analysis.variance=pooled"], "study.analysis.variance=pooled is not done: pooling"),
        (["study.analysis.metric=fid"], "fid is not measured in this study"),
        (
            ["study.analysis.metric=kid", "study.analysis.margin=5"],
            "study.analysis.metric=kid is compared by differences; type study.analysis.margin=null",
        ),
        (["study.analysis.variance=guarded", "study.seeds=[0,1,2]"], "needs 4 arms and 5 seeds"),
        (["study.analysis=5"], "holds further keys"),
        (["seed=0,1"], "study.seeds=[0,1] in a study"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_mistake_is_one_sentence_and_nothing_is_written(quick, words, sentence):
    if not isinstance(words, list):
        words = [words]
    assert quick.type("plan", "one_at_a_time", THREE, *words) == 2
    assert sentence in quick.err
    assert len(quick.err.splitlines()) == 1
    assert not (quick.path / "results").exists()


def test_help_shows_what_can_be_planned(place):
    assert place.type("plan", "--help", small=()) == 0
    assert "usage: ablate plan STUDY" in place.out
    assert "factorial" in place.out


# -- the same bytes, and others --------------------------------------------------------------------

WRITE = """
import sys
from pathlib import Path
from tests.plan.test_plan import SMALL, compose, conf_root, dataset_of, initialize_config_dir
from tests.plan.test_plan import machine, plan_of, write_plan
with initialize_config_dir(str(conf_root() / "conf"), version_base="1.3"):
    config = compose("study", [*SMALL, *sys.argv[2:]])
    write_plan(Path(sys.argv[1]), plan_of(config, dataset_of(config, machine(config))))
"""


def test_the_same_study_is_the_same_bytes_in_every_process(planned, tmp_path):
    words = [
        "study.design=shapley",
        "study.permutations=2",
        FIVE,
        "study.factors={r1.gamma:[none,1]}",
    ]
    write_plan(tmp_path / "here", planned(*words))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "7"}
    code = [sys.executable, "-c", WRITE, str(tmp_path / "there"), f"cache={tmp_path}/cache", *words]
    subprocess.run(code, check=True, env=environment, cwd=tmp_path)
    for name in ("plan.jsonl", "study.json"):
        assert (tmp_path / "here" / name).read_bytes() == (tmp_path / "there" / name).read_bytes()


def test_many_who_write_and_read_at_once_see_whole_plans(planned, tmp_path):
    plans = [planned("trick=[ema_g]"), planned("trick=[ema_g,topk_g]"), planned("trick=[topk_g]")]
    known = [[t.id for t in plan.trials] for plan in plans]
    write_plan(tmp_path, plans[0])

    def turn(i):
        if i % 2:
            return [t.id for t in read_plan(tmp_path)]
        write_plan(tmp_path, plans[i % 3])
        return known[0]

    with ThreadPoolExecutor(8) as pool:
        assert all(found in known for found in pool.map(turn, range(48)))
    assert sorted(os.listdir(tmp_path)) == ["plan.jsonl", "study.json"]


def test_of_two_studies_that_start_in_one_folder_at_once_one_refuses(planned, tmp_path):
    plans = [planned("trick=[ema_g]"), planned("trick=[topk_g]", "study.seeds=[5,6]")]

    def start(folder, plan, together):
        with working_on(folder, plan):
            together.wait()
            try:
                write_plan(folder, plan)
                told = ""
            except UserError as error:
                told = str(error)
            together.wait()  # both work until both know
            return told

    for turn in range(4):
        folder, together = tmp_path / str(turn), threading.Barrier(2, timeout=60)
        with ThreadPoolExecutor(2) as pool:
            told = list(pool.map(start, [folder] * 2, plans, [together] * 2))
        assert sorted(map(bool, told)) == [False, True], told
        assert f"works on another study in {folder} right now" in "".join(told)
        winner = plans[told.index("")]
        assert [t.id for t in read_plan(folder)] == [t.id for t in winner.trials]
        assert sorted(os.listdir(folder)) == ["plan.jsonl", "study.json"]


def test_a_study_may_grow_while_somebody_works_on_it(planned, tmp_path):
    small, large = planned("trick=[ema_g]"), planned("trick=[ema_g,topk_g]")
    with working_on(tmp_path, small):
        write_plan(tmp_path, small)
        with working_on(tmp_path, large):
            write_plan(tmp_path, large)
    assert len(read_plan(tmp_path)) == len(large.trials)


@pytest.mark.parametrize("how", ["a trial less", "no trial", "no study"])
def test_a_plan_that_was_edited_is_refused(place, how):
    place.type("sweep", "one_at_a_time", "trick=[ema_g]", *BASIC)
    file, study = place.path / FOLDER / "plan.jsonl", place.path / FOLDER / "study.json"
    lines = file.read_text().splitlines(keepends=True)
    if how == "a trial less":
        file.write_text("".join(lines[:-1]))
        sentence = "plan.jsonl is not the plan that study.json was written with"
    elif how == "no trial":
        study.unlink()
        file.write_text("".join([*lines, '{"seed": 3}\n']))
        sentence = "a line of it is no trial"
    else:
        study.write_text("[")
        sentence = "study.json cannot be read"
    before = file.read_bytes()
    for command in (("sweep", "one_at_a_time", "trick=[ema_g]", *BASIC),
                    ("report", FOLDER, "-o", "reports/mine")):  # fmt: skip
        assert place.type(*command) == 2
        assert sentence in place.err
        assert "Delete plan.jsonl and study.json" in place.err
    assert file.read_bytes() == before
    file.unlink()
    study.unlink(missing_ok=True)
    assert place.type("sweep", "one_at_a_time", "trick=[ema_g]", *BASIC) == 0
    assert "4 finished before" in place.out


# -- a study that changes --------------------------------------------------------------------------


def test_a_changed_study_reuses_what_it_can_and_tables_leave_the_rest_out(place):
    assert place.type("sweep", "one_at_a_time", "trick=[ema_g,topk_g]", *BASIC) == 0
    other = ("one_at_a_time", "trick=[ema_g]", "study.design=leave_one_out", *BASIC)
    assert place.type("plan", *other) == 0
    assert "2 are not (with topk_g)" in " ".join(place.out.split())
    assert place.type("sweep", *other) == 0, place.err
    shown = " ".join(place.out.split())
    assert "4 trials of earlier plans are in it and are not trained again" in shown
    assert "2 are not (with topk_g), and tables leave them out" in shown
    assert "4 finished before" in shown
    assert len(place.trials(FOLDER)) == 6
    frame = read(place.path / FOLDER)
    # The trials are those of the other design; the plan in the folder says what they are called.
    found = frame.groupby("arm")["tricks"].unique().map(lambda texts: [*map(json.loads, texts)])
    assert {arm: [list(t) for t in tricks] for arm, tricks in found.items()} == {
        "reference": [["ema_g"]],
        "without ema_g": [[]],
    }
    assert place.type("sweep", "one_at_a_time", "trick=[ema_g,topk_g]", *BASIC) == 0
    assert "6 finished before" in place.out
    assert len(read(place.path / FOLDER)["trial"].unique()) == 6


def test_a_study_that_shares_nothing_with_the_folder_is_refused(place):
    assert place.type("sweep", "one_at_a_time", "trick=[ema_g]", *BASIC) == 0
    before = (place.path / FOLDER / "plan.jsonl").read_bytes()
    assert place.type("sweep", "one_at_a_time", "trick=[ema_g]", *BASIC, "budget.images=64") == 2
    assert "holds another study: 4 of its trials are not in this one" in place.err
    assert "Type out=results/NAME" in place.err
    assert (place.path / FOLDER / "plan.jsonl").read_bytes() == before


def test_a_plan_of_which_nothing_was_trained_is_simply_replaced(planned, tmp_path):
    write_plan(tmp_path, planned("trick=[ema_g]"))
    assert write_plan(tmp_path, planned("trick=[topk_g]", "budget.images=64")) is None
    assert {t.budget["images"] for t in read_plan(tmp_path)} == {64}


def test_a_plan_that_others_train_right_now_is_not_pulled_from_under_them(planned, tmp_path):
    plan = planned("trick=[ema_g,topk_g]")
    write_plan(tmp_path, plan)
    claim = take(tmp_path, next(t.id for t in plan.trials if "topk_g" in t.tricks))
    try:
        with pytest.raises(UserError, match="being trained right now, 1 of which"):
            write_plan(tmp_path, planned("trick=[ema_g]"))
        write_plan(tmp_path, planned("trick=[ema_g,topk_g,instance_noise]"))  # that one goes on
    finally:
        claim.release()


def test_an_analysis_is_declared_before_and_not_after(place):
    words = ("sweep", "one_at_a_time", "trick=[ema_g]", *BASIC)
    assert place.type(*words, "study.analysis.margin=5") == 0
    assert place.type(*words) == 2
    assert "4 results, trained after study.analysis.margin=5 had been declared" in place.err
    assert place.type(*words, "study.analysis.margin=5") == 0


def test_unfinished_are_those_without_results(planned, tmp_path):
    plan = planned("trick=[ema_g]")
    assert unfinished(tmp_path, plan.trials) == list(plan.trials)
    (tmp_path / "trials" / plan.trials[2].id).mkdir(parents=True)
    (tmp_path / "trials" / f".{plan.trials[3].id}").mkdir()  # half-written
    assert unfinished(tmp_path, plan.trials) == [*plan.trials[:2], *plan.trials[3:]]


@pytest.mark.parametrize(
    ("stack", "device", "shape", "size"),
    [
        (None, "cpu", (2,), 8),
        (None, "cpu", (1, 8, 8), 8),
        (None, "cpu", (1, 28, 28), 1),
        (None, "cuda:1", (3, 32, 32), 64),
        (7, "cpu", (3, 32, 32), 7),
    ],
)
def test_small_samples_make_stacks_on_a_cpu(stack, device, shape, size):
    assert lease_of({"stack": stack}, device, shape) == size
