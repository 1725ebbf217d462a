"""What happens to the output says nothing about a trial: no status, and the checkpoint stays."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from ablate.errors import Unheard, UserError
from ablate.runner.fit import checkpoint_of
from ablate.runner.stack import run
from ablate.train.listener import Listener, Several
from tests.runner.test_crash import Stand
from tests.small import SMALL

ROOT = Path(__file__).parents[2]
LONG = ("budget.images=4000", "budget.evaluations=4")


class Broken(Listener):
    """Fails as soon as it is told anything."""

    def __init__(self, error):
        self.error = error

    def started(self, images):
        raise self.error


def command(folder, *words):
    return [sys.executable, "-m", "ablate", "train", *SMALL, *LONG, f"out={folder}",
            f"cache={folder}/cache", "device=cpu", *words]  # fmt: skip


def typed(folder, *words, **options):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    options = {"stderr": subprocess.PIPE, "text": True, "env": environment, "cwd": folder} | options
    return subprocess.Popen(command(folder, *words), **options)


def told(process):
    """Return what it says on the error stream until it ends."""
    with process.stderr:
        errors = process.stderr.read()
    process.wait()
    return errors


def statuses(folder):
    return [json.loads(f.read_text())["status"] for f in folder.glob("trials/*/status.json")]


@pytest.mark.parametrize("number", [errno.EPIPE, errno.ENOSPC, errno.EIO, errno.ESTALE])
def test_an_error_of_the_system_is_no_status(tmp_path, monkeypatch, number):
    stand = Stand(tmp_path)
    one = stand.trials[:1]
    path = checkpoint_of(one, tmp_path)
    path.parent.mkdir()
    path.write_bytes(b"kept")

    def fit(*_):
        raise OSError(number, os.strerror(number))
        yield

    monkeypatch.setattr("ablate.runner.stack.fit", fit)
    with pytest.raises(OSError, match=os.strerror(number)):
        run(one, stand.bench)
    assert path.read_bytes() == b"kept"
    assert not (tmp_path / "trials").exists()


@pytest.mark.parametrize("error", [BrokenPipeError(32, "gone"), ValueError("closed file")])
def test_a_listener_that_fails_is_no_status(tmp_path, monkeypatch, error):
    stand = Stand(tmp_path)

    def fit(stack, machine, listener, slots):
        listener.started(1)
        yield

    monkeypatch.setattr("ablate.runner.stack.fit", fit)
    broken = replace(stand.bench, listener=lambda _: Broken(error))
    with pytest.raises(Unheard) as told:
        run(stand.trials[:2], broken)
    assert told.value.__cause__ is error
    assert not (tmp_path / "trials").exists()


def test_what_a_listener_refuses_is_passed_on():
    refusal = UserError("no")
    with pytest.raises(UserError) as told:
        Several([Broken(refusal)], lambda: False).started(1)
    assert told.value is refusal


@pytest.mark.parametrize("place", ["pipe", "full"])
def test_a_trial_whose_output_broke_goes_on_to_the_same_bits(tmp_path, place):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    whole.mkdir(), broken.mkdir()
    if place == "full" and not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    if place == "pipe":
        one = typed(broken, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        one.stdout.readline()
        one.stdout.close()
        assert one.wait() == 141
    else:
        with open("/dev/full", "w") as full:
            one = typed(broken, stdout=full, stderr=subprocess.STDOUT)
            assert one.wait() == 2
    assert statuses(broken) == []
    for folder in (whole, broken):
        told(typed(folder, stdout=subprocess.DEVNULL))
        assert statuses(folder) == ["done"]
    first, second = (next(f.glob("trials/*/metrics.parquet")) for f in (whole, broken))
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("ignored", [False, True], ids=["closed", "nohup"])
def test_a_closed_terminal_asks_for_an_end_unless_it_is_to_be_ignored(tmp_path, ignored):
    def before():
        signal.signal(signal.SIGHUP, signal.SIG_IGN if ignored else signal.SIG_DFL)

    one = typed(tmp_path, "budget.images=40000", stdout=subprocess.DEVNULL, preexec_fn=before)
    one.stderr.readline()  # it trains
    time.sleep(0.2)
    one.send_signal(signal.SIGHUP)
    errors = told(one)
    if ignored:
        assert (one.returncode, statuses(tmp_path)) == (0, ["done"]), errors
    else:
        assert (one.returncode, statuses(tmp_path)) == (128 + signal.SIGHUP, []), errors
        assert len([*tmp_path.glob("checkpoints/*.pt")]) == 1


def test_output_that_cannot_be_written_is_one_sentence(tmp_path):
    with open("/dev/full", "w") as full:
        one = typed(tmp_path, "budget.images=32", stdout=full)
        errors = told(one)
    assert one.returncode == 2
    assert "The output cannot be written (No space left on device); no result is lost" in errors
    assert "crashed" not in statuses(tmp_path)


def test_a_report_into_a_closed_pipe_ends_without_a_word(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-m", "ablate", "tricks"]
    one = subprocess.Popen(words, env=environment, text=True, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE)  # fmt: skip
    one.stdout.close()
    assert told(one) == ""
    assert one.returncode in (1, 141)  # rich ends by itself where it is the one that prints


def test_hydra_writes_nothing_of_what_was_typed(tmp_path):
    """In a process of its own: Hydra's sweeper is made anew when a process first looks for it."""
    one = typed(tmp_path, "-m", "seed=0,1", "budget.images=32", stdout=subprocess.DEVNULL)
    errors = told(one)
    assert one.returncode == 0, errors
    assert len(statuses(tmp_path)) == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cache", "trials"]
