"""kill -9 at any moment, then the same command again: what comes out is what undisturbed comes out.

Trial for trial and bit for bit, with no gap, nothing twice and nothing left lying about.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from ablate.store.plan import read_plan
from tests.plan import forks
from tests.small import SMALL

ROOT = Path(__file__).parents[2]
MOMENTS, SAMPLE = 20, 4  # of each victim; so many of them in the fast suite
VICTIMS = ("sweep", "worker", "all")
STUDY = [
    "sweep", "one_at_a_time", *(w for w in SMALL if "images" not in w and "evaluations" not in w),
    "trick=[ema_g]", "study.seeds=[0,1]", "study.workers=2", "hydra/launcher=basic",
    "budget.images=240", "budget.evaluations=4", "out=study",
]  # fmt: skip


class Study:
    """What a study leaves behind."""

    def __init__(self, folder):
        self.folder = folder
        self.trials = read_plan(folder)

    def path(self, trial):
        return self.folder / "trials" / trial.id

    def results(self, trial):
        """Return all results of a trial but for its times."""
        path = self.path(trial)
        status = json.loads((path / "status.json").read_text())
        told = {key: status[key] for key in ("status", "reason", "images", "note")}
        with np.load(path / "samples.npz") as file:
            samples = {name: file[name].tobytes() for name in file.files}
        frames = [pd.read_parquet(path / f"{name}.parquet") for name in ("metrics", "curves")]
        return (told, samples, (path / "trial.json").read_bytes()), frames

    def same_as(self, other):
        assert self.trials == other.trials
        assert sorted(os.listdir(self.folder)) == ["plan.jsonl", "study.json", "trials"]
        assert sorted(os.listdir(self.folder / "trials")) == sorted(t.id for t in self.trials)
        for trial in self.trials:
            (mine, frames), (theirs, others) = self.results(trial), other.results(trial)
            assert mine == theirs
            for frame, twin in zip(frames, others, strict=True):
                assert_frame_equal(frame, twin, check_exact=True)


@pytest.fixture(scope="module")
def cached(tmp_path_factory):
    """The command, everything it needs in a cache."""
    folder = tmp_path_factory.mktemp("cached")
    command = [*STUDY, f"cache={folder / 'cache'}"]
    assert forks.run(folder, command) == 0, (folder / "log").read_text()
    return command


@pytest.fixture(scope="module")
def whole(cached, tmp_path_factory):
    """The undisturbed study and how long it takes."""
    return undisturbed_study(cached, tmp_path_factory)


def undisturbed_study(command, tmp_path_factory):
    folder, start = tmp_path_factory.mktemp("whole"), time.monotonic()
    assert forks.run(folder, command) == 0, (folder / "log").read_text()
    return Study(folder / "study"), command, time.monotonic() - start


def strike(process, victim, draw):
    """Kill; a worker that is not there yet is not waited for."""
    if victim == "all":
        os.killpg(process.pid, signal.SIGKILL)
    elif victim == "sweep":
        os.kill(process.pid, signal.SIGKILL)
    elif there := forks.workers(process.pid):
        os.kill(draw.choice(there), signal.SIGKILL)


@pytest.mark.parametrize("victim", VICTIMS)
@pytest.mark.parametrize(
    "moment",
    [pytest.param(m, marks=[pytest.mark.slow] if m >= SAMPLE else []) for m in range(MOMENTS)],
)
def test_after_a_kill_at_any_moment_the_same_command_ends_as_if_nothing_had_happened(
    whole, tmp_path, victim, moment
):
    kill_and_repeat(whole, tmp_path, victim, random.Random(f"{victim} {moment}"))


def wait_for_a_moment(whole, folder, draw):
    """Wait until some moment of a study: while it starts, or so far into one of its trainings.

    Trainings are counted, not timed, as a busy machine may take its time.
    """
    undisturbed, _, seconds = whole
    begun = draw.randint(0, len(undisturbed.trials))
    deadline = time.monotonic() + forks.PATIENCE
    while begun and read_log(folder).count("trained ") < begun:
        assert time.monotonic() < deadline
        time.sleep(0.002)
    time.sleep(draw.random() * (seconds / 4 if begun else seconds / 2))


def kill_and_repeat(whole, folder, victim, draw):
    undisturbed, command, _ = whole
    process = forks.start(folder, command)
    wait_for_a_moment(whole, folder, draw)
    try:
        strike(process, victim, draw)
    except ProcessLookupError:  # it has ended, or has no session of its own yet
        process.kill()
    if victim == "worker":
        process.join(forks.PATIENCE)
        assert process.exitcode == 0, "the sweep did not make up for it" + read_log(folder)
    assert forks.run(folder, command) == 0, read_log(folder)
    forks.wait_until_gone(process.pid)
    Study(folder / "study").same_as(undisturbed)


def read_log(folder):
    path = folder / "log"
    return path.read_text() if path.exists() else ""


@pytest.fixture(scope="module")
def stacked(cached, tmp_path_factory):
    """The same study, the two seeds of an arm in one stack."""
    return undisturbed_study([*cached, "study.stack=2"], tmp_path_factory)


@pytest.mark.parametrize("moment", range(3))
def test_a_stack_goes_on_as_a_stack(stacked, tmp_path, moment):
    kill_and_repeat(stacked, tmp_path, "all", random.Random(f"stack {moment}"))


def typed(folder, command):
    """Start a command as it is typed, its workers carried by joblib, in a session of its own."""
    words = [sys.executable, "-m", "ablate", *command, "hydra/launcher=joblib"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with (folder / "log").open("w") as log:
        return subprocess.Popen(
            words, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
        )


def wait_until(process, folder, what):
    deadline = time.monotonic() + forks.PATIENCE
    while not what():
        assert time.monotonic() < deadline
        assert process.poll() is None, read_log(folder)
        time.sleep(0.005)


@pytest.mark.parametrize(
    "victim", ["all", *(pytest.param(v, marks=pytest.mark.slow) for v in ("sweep", "worker"))]
)
def test_the_command_line_with_workers_in_processes_of_their_own(whole, tmp_path, victim):
    """Not forked, and struck while it trains."""
    undisturbed, command, _ = whole
    process = typed(tmp_path, command)
    wait_until(process, tmp_path, lambda: list(tmp_path.glob("study/checkpoints/*.pt")))
    claims = tmp_path.glob("study/claims/[0-9a-f]*.1")  # of a trial, not of the sweep
    pids = {"all": -process.pid, "sweep": process.pid}
    strike_at = pids.get(victim) or json.loads(next(claims).read_text())["pid"]
    (os.killpg if strike_at < 0 else os.kill)(abs(strike_at), signal.SIGKILL)
    code = process.wait(forks.PATIENCE)
    assert code == (0 if victim == "worker" else -signal.SIGKILL), read_log(tmp_path)
    assert forks.run(tmp_path, command) == 0, read_log(tmp_path)
    forks.wait_until_gone(process.pid)
    Study(tmp_path / "study").same_as(undisturbed)


@pytest.mark.parametrize(
    "moment",
    ["starting", "saved", *(pytest.param(m, marks=pytest.mark.slow) for m in range(6))],
)
def test_no_process_outlives_a_sweep_that_was_killed(whole, tmp_path, moment):
    """Neither one that has no job yet, nor one that trains, nor joblib's own."""
    undisturbed, command, _ = whole
    process = typed(tmp_path, command)
    if moment == "starting":
        wait_until(process, tmp_path, lambda: len(forks.workers(process.pid)) >= 2)
    else:
        wait_until(process, tmp_path, lambda: list(tmp_path.glob("study/checkpoints/*.pt")))
    if moment not in ("starting", "saved"):
        time.sleep(random.Random(moment).random())
    process.kill()
    process.wait()
    forks.wait_until_gone(process.pid)
    assert forks.run(tmp_path, command) == 0, read_log(tmp_path)
    Study(tmp_path / "study").same_as(undisturbed)


def test_two_who_start_one_study_at_once_share_it(whole, tmp_path):
    undisturbed, command, _ = whole
    both = [forks.start(tmp_path, command) for _ in range(2)]
    for process in both:
        process.join(forks.PATIENCE)
        assert process.exitcode == 0, read_log(tmp_path)
    Study(tmp_path / "study").same_as(undisturbed)
    assert read_log(tmp_path).count("trained ") == len(undisturbed.trials), (
        "a trial was trained twice"
    )
