"""`ablate train`: results, resuming, crashes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from pandas.testing import assert_frame_equal

import ablate.runner.stack
from ablate.train.crash import training
from ablate.trial import Trial
from tests.small import PATIENCE, SMALL, metrics

ROOT = Path(__file__).parents[2]


def test_a_trial_leaves_one_folder_with_everything(place):
    assert place.type("train", "trick=[label_smooth,ema_g]", "seed=3") == 0, place.err
    (folder,) = place.trials()
    assert sorted(os.listdir(folder)) == [
        "curves.parquet",
        "metrics.parquet",
        "provenance.json",
        "samples.npz",
        "status.json",
        "trial.json",
    ]
    frozen = json.loads((folder / "trial.json").read_text())
    assert frozen.pop("schema") == 1
    trial = Trial(**frozen)
    assert trial.id == folder.name
    assert (trial.arm, trial.seed) == ("ema_g+label_smooth", 3)
    assert set(metrics(folder)["generator"]) == {"raw", "ema"}
    assert set(np.load(folder / "samples.npz")) == {"raw", "ema"}
    known = json.loads((folder / "provenance.json").read_text())
    assert known["config"]["seed"] == 3
    assert {"python", "torch"} <= set(known["versions"])
    assert len(known["git"]["commit"]) == 40
    assert sorted(os.listdir(place.path)) == ["cache", "results"]
    assert os.listdir(place.path / "results/train") == ["trials"]


def test_the_same_command_again_finds_the_trial(place):
    place.type("train")
    (folder,) = place.trials()
    before = folder.stat().st_mtime_ns
    assert place.type("train") == 0
    assert "was finished before" in place.out
    assert folder.stat().st_mtime_ns == before


def test_multirun_trains_every_choice(place):
    assert place.type("train", "-m", "seed=0,1", "trick=[],[ema_g]") == 0, place.err
    assert len(place.trials()) == 4


def test_one_mistake_in_a_multirun_is_told(place):
    assert place.type("train", "-m", "seed=0,-1") == 2
    assert "seed=-1 is no seed" in place.err
    assert len(place.trials()) == 1


def test_a_crash_leaves_a_folder_a_trace_and_exit_code_1(place, monkeypatch):
    def fit(*_):
        with training():
            raise ZeroDivisionError("so it goes")
        yield

    monkeypatch.setattr(ablate.runner.stack, "fit", fit)
    assert place.type("train") == 1
    (folder,) = place.trials()
    status = json.loads((folder / "status.json").read_text())
    assert (status["status"], status["reason"]) == ("crashed", "ZeroDivisionError: so it goes")
    assert "ZeroDivisionError: so it goes" in (folder / "traceback.txt").read_text()
    assert metrics(folder).empty
    assert place.type("train", "-m", "seed=0,1") == 0  # the others of a multirun go on
    assert len(place.trials()) == 2


def test_a_trial_of_another_process_is_left_to_it(place):
    place.type("train")
    (folder,) = place.trials()
    folder.rename(place.path / "away")
    claim = place.path / "results/train/claims" / f"{folder.name}.1"
    claim.parent.mkdir()
    claim.write_text(json.dumps({"host": "elsewhere", "pid": 1, "images": 0}))
    assert place.type("train") == 2
    assert "is being trained by another process" in place.err


def test_a_budget_that_is_no_multiple_of_the_batch_is_told(place):
    assert place.type("train", "budget.images=33") == 0
    assert "D is shown 40 images" in place.out
    (folder,) = place.trials()
    assert json.loads((folder / "status.json").read_text())["images"] == 40


def test_kill_9_loses_nothing_but_an_interval(place):
    words = ("budget.images=3000", "budget.evaluations=8", "trick=[ema_g]")
    assert place.type("train", *words, "out=whole") == 0
    arguments = ["train", *SMALL, f"cache={place.path / 'cache'}", *words, "out=broken"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    child = subprocess.Popen(
        [sys.executable, "-m", "ablate", *arguments], env=environment, stdout=subprocess.DEVNULL
    )
    deadline = time.monotonic() + PATIENCE
    while not list(place.path.glob("broken/checkpoints/*.pt")):
        assert time.monotonic() < deadline
        assert child.poll() is None
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert not place.trials("broken")
    assert place.type("train", *words, "out=broken") == 0, place.err
    (whole,), (broken,) = place.trials("whole"), place.trials("broken")
    assert whole.name == broken.name
    assert_frame_equal(metrics(whole), metrics(broken))
    for name, grid in np.load(whole / "samples.npz").items():
        assert np.array_equal(grid, np.load(broken / "samples.npz")[name])
    assert os.listdir(place.path / "broken") == ["trials"]


def test_a_checkpoint_that_cannot_be_read_costs_no_trial(place):
    place.type("train")
    (folder,) = place.trials()
    name = folder.name
    folder.rename(place.path / "away")
    checkpoint = place.path / "results/train/checkpoints" / f"{name}.pt"
    checkpoint.parent.mkdir()
    checkpoint.write_bytes(b"torn")
    assert place.type("train") == 0, place.err
    (again,) = place.trials()
    assert again.name == name
    assert_frame_equal(metrics(again), metrics(place.path / "away"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_a_full_disk_is_told(place, monkeypatch):
    def full(*_):
        Path("/dev/full").write_text("x" * 100)

    monkeypatch.setattr("ablate.store.write.write_durable", full)
    assert place.type("train") == 2
    assert "the disk is full" in place.err
    assert not place.trials()
