"""`ablate status` and `ablate retry`: a study seen, and mended, through its files."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ablate.runner import stack
from ablate.store import claims
from ablate.store.claims import living, take
from ablate.store.plan import read_plan
from ablate.train.crash import training
from tests.plan.test_sweep import BASIC, FOLDER, TWO

ROOT = Path(__file__).parents[2]


@pytest.fixture
def crashing(monkeypatch):
    """Names of arms whose every training crashes."""
    arms, whole = set(), stack.fit

    def fit(trials, *rest):
        if arms & {trial.arm for trial in trials}:
            with training():
                raise ZeroDivisionError("the 7th batch")
        return whole(trials, *rest)

    monkeypatch.setattr(stack, "fit", fit)
    return arms


def test_a_study_under_way(place, crashing):
    crashing.add("with ema_g")
    assert place.type("sweep", *TWO) == 0
    trials = read_plan(place.path / FOLDER)
    (place.path / FOLDER / "trials" / trials[-3].id).rename(place.path / "gone")
    (place.path / FOLDER / "trials" / trials[-2].id).rename(place.path / "gone too")
    claim = take(place.path / FOLDER, trials[-3].id)  # reference, seed 1
    claim.tell(8, 120.0)
    assert place.type("status", FOLDER) == 0
    claim.release()
    table = {line[:22].strip(): line[22:].split() for line in place.out.splitlines()}
    assert table["reference"][:3] == ["0", "1", "0"]
    assert table["with label_smooth"][:3] == ["0", "0", "1"]
    assert table["with ema_g"][2:5] == ["0", "2", "crashed"]
    assert "4 of 6 trials ended, 1 running on 1 worker." in place.out
    assert "About" in place.out
    assert f"{2 * 32 + 8:,} images shown to D" in place.out
    assert table["reference"][-2:] == ["2", "min"]  # of the one that runs and the one that ended


def test_a_status_needs_no_torch(place):
    place.type("sweep", *TWO)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    code = (
        "import sys; from ablate.cli.main import main; main(['status', sys.argv[1]]); "
        "assert not {'torch', 'hydra'} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, FOLDER], env=environment, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert "Nothing is left to train" in done.stdout
    assert "\x1b" not in done.stdout


def test_arms_that_cannot_be_trained_are_told(place):
    place.type("sweep", "one_at_a_time", "trick=[gp_interp,batch_norm,ema_g]",
               "study.always=[batch_norm]", *TWO[2:])  # fmt: skip
    assert place.type("status", FOLDER) == 0
    assert "n/a: with gp_interp: Tricks" in place.out


def test_what_crashed_is_moved_aside_and_trained_again(place, crashing):
    crashing.add("with ema_g")
    place.type("sweep", *TWO)
    crashing.clear()
    assert place.type("retry", FOLDER, "--status", "crashed") == 0, place.err
    assert f"2 trials that were crashed: results moved to {FOLDER}/retried" in place.out
    moved = sorted((place.path / FOLDER / "retried").iterdir())
    assert [json.loads((p / "status.json").read_text())["status"] for p in moved] == ["crashed"] * 2
    assert not (place.path / FOLDER / "claims").exists()
    assert place.type("sweep", *TWO) == 0
    assert "4 finished before" in place.out
    assert len(place.trials(FOLDER)) == 6
    assert "crashed" not in place.out
    crashing.add("with ema_g")
    assert place.type("retry", FOLDER, "--status", "crashed") == 2
    assert f"No trial in {FOLDER} is crashed." in place.err


def test_earlier_tries_are_kept_beside_later_ones(place, crashing):
    crashing.add("with ema_g")
    for _ in range(2):
        place.type("sweep", *TWO)
        assert place.type("retry", FOLDER, "--status", "crashed", "--arm", "with ema_g") == 0
    names = sorted(path.name[16:] for path in (place.path / FOLDER / "retried").iterdir())
    assert names == [".1", ".1", ".2", ".2"]


def test_what_a_worker_holds_is_not_moved(place, crashing):
    crashing.add("with ema_g")
    place.type("sweep", *TWO)
    trial = [t for t in read_plan(place.path / FOLDER) if t.arm == "with ema_g"][1]
    claim = take(place.path / FOLDER, trial.id)
    before = place.trials(FOLDER)
    assert place.type("retry", FOLDER, "--status", "crashed") == 2
    assert f"A worker still holds trial {trial.id} (with ema_g, seed 1)" in place.err
    assert place.trials(FOLDER) == before
    assert set(living(place.path / FOLDER)) == {trial.id}
    claim.release()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--status", "craashed"], "did you mean 'crashed'"),
        (["--status", "bad"], "type one of done, diverged"),
        (["--status", "done"], "type --yes as well"),
        (["--status", "crashed"], f"No trial in {FOLDER} is crashed."),
        (["--status", "crashed", "--arm", "with emag"], "did you mean 'with ema_g'"),
        ([], "--status"),
    ],
)
def test_a_mistaken_retry_moves_nothing(place, words, sentence):
    place.type("sweep", *TWO)
    assert place.type("retry", FOLDER, *words) == 2
    assert sentence in place.err
    assert len(place.trials(FOLDER)) == 6


@pytest.mark.parametrize("command", [["status"], ["retry", "--status", "crashed"]])
def test_a_folder_without_a_study_is_told(place, command):
    (place.path / "empty").mkdir()
    for folder, sentence in (("nowhere", "There is no folder nowhere"), ("empty", "no study")):
        assert place.type(*command, folder) == 2
        assert sentence in place.err and place.err.count("\n") == 1


def test_a_study_that_lost_a_file_is_told(place):
    place.type("sweep", *TWO)
    study = place.path / FOLDER / "study.json"
    for content in ('{"arms": []}', "[]", "{"):
        study.write_text(content)
        assert place.type("status", FOLDER) == 2
        assert "study.json cannot be read" in place.err
    study.unlink()
    assert place.type("status", FOLDER) == 2
    assert "has lost its study.json; type the command of the sweep again" in place.err


def test_a_damaged_trial_is_named_and_has_not_ended(place):
    place.type("sweep", *TWO)
    trial = read_plan(place.path / FOLDER)[0]
    (place.path / FOLDER / "trials" / trial.id / "status.json").write_text("{")
    assert place.type("status", FOLDER) == 0, place.err
    assert f"1 trial is damaged and left out: {trial.id} (status.json: no JSON)" in place.out
    assert "5 of 6 trials ended" in place.out


@pytest.mark.parametrize(
    ("ahead", "sentence"),
    [
        (-600.0, "last heard of 10 min ago"),
        (10_800.0, "its last sign of life is dated 3.0 h ahead of this machine's clock"),
    ],
)
def test_a_worker_that_is_gone_is_told_with_a_sensible_age(place, ahead, sentence):
    place.type("sweep", *TWO)
    folder = place.path / FOLDER
    trial = read_plan(folder)[0]
    (folder / "trials" / trial.id).rename(place.path / "gone")
    claim = folder / "claims" / f"{trial.id}.1"
    claim.parent.mkdir()
    claim.write_text(json.dumps({"host": "node7", "pid": 1, "images": 16, "seconds": 60.0}))
    os.utime(claim, (time.time() + ahead, time.time() + ahead))
    assert place.type("status", FOLDER) == 0
    assert f"A worker on node7 is gone, {sentence}" in place.out
    assert "reference seed 0" in place.out
    assert "No worker is on it" in place.out
    assert f"{5 * 32 + 16:,} images" in place.out


@pytest.mark.parametrize(
    ("shift", "sentence"),
    [
        (-10_800, "The clock of this machine is 3.0 h behind that of the disk of"),
        (10_800, "The clock of this machine is 3.0 h ahead of that of the disk of"),
        (0, ""),
    ],
)
def test_a_clock_that_is_off_is_told(place, monkeypatch, shift, sentence):
    place.type("sweep", *TWO)
    claim = take(place.path / FOLDER, "0" * 16)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + shift)
    monkeypatch.setattr(claims, "_ahead", {})  # what the sweep has seen is a minute old
    assert place.type("status", FOLDER) == 0, place.err
    claim.release()
    assert sentence in " ".join(place.out.split())
    assert ("clock" in place.out) == bool(shift)


def test_a_search_is_part_of_the_cost(place):
    words = ["one_at_a_time", "trick=[adam,ema_g]", "study.always=[adam]", *BASIC,
             "search=optuna", "search.trials=1", "search.seeds=[7]"]  # fmt: skip
    assert place.type("sweep", *words) == 0, place.err
    assert "Tuned: 4 of 4 trials: " in place.out
    assert place.out.count("ablate report") == 1
    assert place.type("status", FOLDER) == 0
    # two arms under two seeds, and a setting of each under one tuning seed, of 32 images each
    assert re.search(r"its search included: [\d.]+ (s|min)", place.out)
    assert f"{(2 * 2 + 2) * 32} images shown to D" in place.out
    assert "search, with ema_g: 1 complete" in place.out
