"""Studies typed as a person types them, with the launcher that stays in this process."""

import json
import os
import signal

import pytest
from pandas.testing import assert_frame_equal

import ablate.runner.stack
from ablate.plan import work_on
from ablate.runner import results
from ablate.store.plan import read_plan
from ablate.train.crash import training
from tests.small import SMALL, metrics

BASIC = ("hydra/launcher=basic", "study.seeds=[0,1]")
TWO = ("one_at_a_time", "trick=[label_smooth,ema_g]", *BASIC)
FOLDER = "results/one_at_a_time"


def test_a_study_plans_first_and_trains_every_arm_under_every_seed(place):
    assert place.type("sweep", *TWO) == 0, place.err
    plan = read_plan(place.path / FOLDER)
    assert [(t.arm, t.seed, sorted(t.tricks)) for t in plan] == [
        ("reference", 0, []),
        ("with label_smooth", 0, ["label_smooth"]),
        ("with ema_g", 0, ["ema_g"]),
        ("reference", 1, []),
        ("with label_smooth", 1, ["label_smooth"]),
        ("with ema_g", 1, ["ema_g"]),
    ]
    assert {path.name for path in place.trials(FOLDER)} == {t.id for t in plan}
    assert "3 arms x 2 seeds = 6 trainings of 32 images, 192 in all" in " ".join(place.out.split())
    assert sorted(os.listdir(place.path / FOLDER)) == ["plan.jsonl", "study.json", "trials"]
    assert sorted(os.listdir(place.path)) == ["cache", "results"]


def test_the_same_command_again_writes_the_same_plan_and_trains_nothing(place):
    place.type("sweep", *TWO)
    files = [place.path / FOLDER / name for name in ("plan.jsonl", "study.json")]
    before = [f.read_bytes() for f in files]
    trained = {path: path.stat().st_mtime_ns for path in place.trials(FOLDER)}
    assert place.type("sweep", *TWO) == 0
    assert "6 finished before" in place.out
    assert [f.read_bytes() for f in files] == before
    assert {path: path.stat().st_mtime_ns for path in place.trials(FOLDER)} == trained


def test_more_seeds_join_and_another_study_is_refused(place):
    place.type("sweep", *TWO)
    assert place.type("sweep", *TWO, "study.seeds=[0,1,2]") == 0
    assert len(place.trials(FOLDER)) == 9
    before = (place.path / FOLDER / "plan.jsonl").read_bytes()
    assert place.type("sweep", *TWO, "budget.images=64") == 2
    assert "holds another study: 9 of its trials are not in this one" in place.err
    assert (place.path / FOLDER / "plan.jsonl").read_bytes() == before


def test_an_illegal_arm_is_told_and_kept_out(place):
    code = place.type("sweep", "one_at_a_time", "trick=[gp_interp,batch_norm]",
                      "study.always=[batch_norm]", "study.seeds=[0]", *BASIC[:1])  # fmt: skip
    assert code == 2  # nothing is left to compare
    assert "exclude each other" in place.err
    assert not (place.path / "results").exists()
    tricks = "trick=[gp_interp,batch_norm,ema_g]"
    code = place.type("sweep", "one_at_a_time", tricks, "study.always=[batch_norm]",
                      "study.seeds=[0]", *BASIC[:1])  # fmt: skip
    assert code == 0
    assert "n/a: Tricks" in place.out
    arms = json.loads((place.path / FOLDER / "study.json").read_text())["arms"]
    refused = {arm["arm"]: bool(arm["refused"]) for arm in arms}
    assert refused == {"reference": False, "with gp_interp": True, "with ema_g": False}
    assert len(place.trials(FOLDER)) == 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["seed=3"], "type study.seeds=[3]"),
        (["study.seeds=[0,0]"], "a list of different seeds"),
        (["study.seeds=3"], "a list of different seeds"),
        (["study.seeds=[a]"], "is no seed"),
        (["study.design=leave_two_out"], "did you mean 'leave_one_out'"),
        (["study.sedes=[0]"], "did you mean 'seeds'"),
        (["study.always=[r1]"], "type trick=[label_smooth,ema_g,r1]"),
        (["study.workers=0"], "at least 1"),
        (["trick=[]"], "no trick to test"),
        (
            ["trick.label_smooth.real_low=7", "trick.ema_g.halflife_images=-1"],
            "trick.ema_g.halflife_images=-1",
        ),
        (["trick=[loss_hinge,loss_wasserstein]", "study.always=[loss_hinge]"], "keep one"),
        (["seed=0,1"], "names several values"),
        (["device=cuda:9"], "CUDA devices here"),
        (["out=/dev/null/results"], "Cannot write to /dev/null/results"),
    ],
)
def test_a_mistake_in_a_study_is_told_before_anything_is_written(place, words, sentence):
    assert place.type("sweep", "one_at_a_time", "trick=[label_smooth,ema_g]", *words) == 2
    assert sentence in place.err
    assert place.err.strip().count("\n") < 3
    assert "Traceback" not in place.err
    assert not (place.path / "results").exists()


def test_all_settings_that_are_wrong_are_told_at_once(place):
    wrong = ("trick.label_smooth.real_low=7", "trick.ema_g.halflife_images=-1")
    assert place.type("sweep", "one_at_a_time", "trick=[label_smooth,ema_g,r1]", *wrong) == 2
    assert "label_smooth.real_low=7" in place.err
    assert "ema_g.halflife_images=-1" in place.err


def test_a_crash_is_a_result_and_the_others_go_on(place, monkeypatch):
    whole = ablate.runner.stack.fit

    def fit(trials, *rest):
        if trials[0].arm == "with ema_g":
            with training():
                raise ZeroDivisionError("the 7th batch")
        return whole(trials, *rest)

    monkeypatch.setattr(ablate.runner.stack, "fit", fit)
    assert place.type("sweep", *TWO) == 0
    assert "2 crashed" in place.out
    crashed = []
    for trial in place.trials(FOLDER):
        status = json.loads((trial / "status.json").read_text())
        if status["status"] == "crashed":
            crashed.append(trial)
            assert status["reason"] == "ZeroDivisionError: the 7th batch"
            assert "in fit" in (trial / "traceback.txt").read_text()
    assert len(crashed) == 2
    assert len(place.trials(FOLDER)) == 6


def test_a_trial_that_kills_its_workers_is_given_up(place, monkeypatch):
    monkeypatch.setattr(work_on, "DEATHS", 0)
    assert place.type("sweep", *TWO) == 0
    assert "6 of 6 trials: 6 killed" in place.out


def test_ctrl_c_saves_and_the_same_command_ends_as_if_nothing_had_happened(place, monkeypatch):
    long = [w for w in SMALL if "images" not in w] + ["budget.images=2000"]
    command = ("sweep", "one_at_a_time", "trick=[ema_g]", "hydra/launcher=basic")
    assert place.type(*command, "study.seeds=[5]", "out=results/whole", small=long) == 0

    def struck(*given):
        rounds = whole(*given)
        for _ in range(50):
            next(rounds)
            yield
        signal.raise_signal(signal.SIGINT)
        return (yield from rounds)

    whole = ablate.runner.stack.fit
    with monkeypatch.context() as patch:
        patch.setattr(ablate.runner.stack, "fit", struck)
        code = place.type(*command, "study.seeds=[5]", "out=results/broken", small=long)
    assert code == 130
    assert "trials are left; the same command goes on" in place.out
    assert not (place.path / "results/broken/claims").exists()
    assert len(list(place.path.glob("results/broken/checkpoints/*.pt"))) == 1
    assert place.type(*command, "study.seeds=[5]", "out=results/broken", small=long) == 0
    assert not (place.path / "results/broken/checkpoints").exists()
    pairs = zip(place.trials("results/whole"), place.trials("results/broken"), strict=True)
    for whole, broken in pairs:
        assert_frame_equal(metrics(whole), metrics(broken))


def test_stacks_give_what_single_trials_give(place):
    assert place.type("sweep", *TWO, "out=results/one") == 0
    assert place.type("sweep", *TWO, "study.stack=4", "out=results/four") == 0
    for alone, stacked in zip(
        place.trials("results/one"), place.trials("results/four"), strict=True
    ):
        assert alone.name == stacked.name
        assert_frame_equal(metrics(alone), metrics(stacked), rtol=1e-3)


def test_a_study_of_ones_own_by_its_path(place):
    (place.path / "mine.yaml").write_text(
        "defaults: [study, override trick: [ema_g], _self_]\nstudy: {seeds: [4]}\n"
    )
    assert place.type("sweep", "mine.yaml", "hydra/launcher=basic") == 0, place.err
    assert len(place.trials("results/mine")) == 2


def test_folders_beside_a_study_are_no_choices(place):
    (place.path / "out").mkdir()
    (place.path / "mine.yaml").write_text("defaults: [study, override trick: [ema_g], _self_]\n")
    words = ("hydra/launcher=basic", "study.seeds=[1]", "--config-dir", ".")
    assert place.type("sweep", "mine.yaml", "out=there", *words) == 2  # asked for by --config-dir
    assert place.type("sweep", "mine.yaml", "out=there", *words[:2]) == 0, place.err


class Killed(BaseException):
    """Ends a process as a signal does: nothing catches it."""


def test_a_stack_killed_while_it_is_written_goes_on_from_its_checkpoint(place, monkeypatch):
    command = ("sweep", *TWO, "trick=[ema_g]", "study.stack=2")
    assert place.type(*command, "out=results/whole") == 0, place.err
    write, fit, sizes = ablate.runner.results.write, ablate.runner.fit.fit, []

    def killed(trial, *rest):
        if trial.seed == 1:
            raise Killed
        write(trial, *rest)

    def watched(trials, *rest):
        sizes.append(len(trials))
        return fit(trials, *rest)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(results, "write", killed)
        place.type(*command, "out=results/broken")
    assert len(place.trials("results/broken")) == 1
    monkeypatch.setattr(ablate.runner.stack, "fit", watched)
    assert place.type(*command, "out=results/broken") == 0, place.err
    assert sizes == [2, 2]
    pairs = zip(place.trials("results/whole"), place.trials("results/broken"), strict=True)
    for whole, broken in pairs:
        assert_frame_equal(metrics(whole), metrics(broken))


def test_a_trial_of_a_stack_that_is_trained_again_has_the_same_bits(place):
    """Batches of 8 in three slots end in the middle of a vector register: one slot differs."""
    command = ("sweep", "one_at_a_time", "trick=[ema_g]", *BASIC, "study.seeds=[0,1,2]")
    assert place.type(*command) == 0, place.err
    trial = read_plan(place.path / FOLDER)[-1]
    folder = place.path / FOLDER / "trials" / trial.id
    files = ("metrics.parquet", "curves.parquet", "samples.npz")
    before = {name: (folder / name).read_bytes() for name in files}
    folder.rename(place.path / "away")
    assert place.type(*command) == 0, place.err
    assert {name: (folder / name).read_bytes() for name in before} == before


def test_a_stack_that_is_declared_otherwise_is_told(place):
    command = ("sweep", *TWO, "study.seeds=[0]")
    assert place.type(*command, "study.stack=1") == 0, place.err
    assert json.loads((place.path / FOLDER / "study.json").read_text())["stack"] == 1
    assert place.type(*command, "study.stack=1") == 0
    assert "last digits" not in place.out
    assert place.type(*command, "study.stack=4", "study.seeds=[0,1]") == 0, place.err
    told = " ".join(place.out.split())
    assert (
        "3 trials of this plan were trained with study.stack=1, what is left will be with" in told
    )
