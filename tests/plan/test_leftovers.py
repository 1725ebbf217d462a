"""What the dead leave goes, what the living need stays."""

import json
import os

import pytest
import torch

from ablate.disk import mark
from ablate.plan.leftovers import clear
from ablate.store.claims import take
from tests.plan.test_claim import dead_pid, leave_behind  # noqa: F401  a fixture

DONE, OPEN = "d" * 16, "a" * 16


@pytest.fixture
def folder(tmp_path):
    for name in ("claims", "checkpoints", f"trials/{DONE}"):
        (tmp_path / name).mkdir(parents=True)
    return tmp_path


def half_written(folder, trial):
    path = folder / "trials" / f".{trial}.x1"
    path.mkdir()
    (path / "trial.json").write_text("{")
    return path


def checkpoint(folder, name, *trials):
    path = folder / "checkpoints" / name
    torch.save({"identity": "+".join(trials)}, path)
    return path


def test_results_that_were_never_finished_go_unless_their_worker_lives(folder):
    dead, living = half_written(folder, OPEN), half_written(folder, "b" * 16)
    claim = take(folder, "b" * 16)
    clear(folder)
    assert not dead.exists()
    assert (living / "trial.json").exists()
    claim.release()


def test_claims_of_the_dead_go_where_the_trial_is_finished(folder, dead_pid):  # noqa: F811
    done, unfinished = (leave_behind(folder, trial, 1, dead_pid) for trial in (DONE, OPEN))
    clear(folder)
    assert not done.exists()
    assert unfinished.exists()  # whoever takes the trial counts its deaths


def test_a_claim_of_the_living_stays_though_the_trial_is_finished(folder):
    claim = take(folder, DONE)
    clear(folder)
    assert claim.path.exists()
    claim.release()


def test_checkpoints_go_when_all_of_their_trials_are_finished(folder):
    whole, part = checkpoint(folder, "w.pt", DONE), checkpoint(folder, "p.pt", DONE, OPEN)
    torn = folder / "checkpoints" / "t.pt"
    torn.write_text("no checkpoint")
    clear(folder)
    assert not whole.exists()
    assert part.exists()
    assert torn.exists()


def test_what_bears_the_mark_of_a_dead_process_goes(folder, dead_pid):  # noqa: F811
    mine = [folder / f".plan.jsonl{mark()}", folder / "claims" / f"stop{mark()}"]
    marks = mark().replace(f"-{os.getpid()}", f"-{dead_pid}")
    theirs = [folder / f".plan.jsonl{marks}", folder / "claims" / f"stop{marks}",
              folder / "checkpoints" / f".x.pt{marks}"]  # fmt: skip
    for path in mine + theirs:
        path.touch()
    clear(folder)
    assert all(path.exists() for path in mine)
    assert not any(path.exists() for path in theirs)


def test_a_file_of_another_machine_goes_when_nobody_has_touched_it_for_long(folder):
    fresh, old = folder / ".plan.jsonl.by.elsewhere-1", folder / ".plan.jsonl.by.elsewhere-2"
    for path in (fresh, old):
        path.write_text(json.dumps({}))
    os.utime(old, (0, 0))
    clear(folder)
    assert fresh.exists()
    assert not old.exists()


def test_a_tuned_study_is_cleared_as_its_study_is(folder, dead_pid):  # noqa: F811
    tuned = folder / "tuned"
    for name in ("claims", "checkpoints"):
        (tuned / name).mkdir(parents=True)
    (tuned / "trials").symlink_to("../trials")
    marks = mark().replace(f"-{os.getpid()}", f"-{dead_pid}")
    gone = [tuned / "checkpoints" / f".x.pt{marks}", leave_behind(tuned, DONE, 1, dead_pid),
            checkpoint(tuned, "w.pt", DONE)]  # fmt: skip
    gone[0].touch()
    claim, living = take(tuned, OPEN), half_written(folder, OPEN)
    clear(folder)
    assert not any(path.exists() for path in gone)
    assert (living / "trial.json").exists()
    assert claim.path.exists()
    claim.release()
