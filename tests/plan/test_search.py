"""Studies whose settings are searched first: one budget an arm, fresh seeds for the score."""

import json
import os
import random
import shutil
import signal
import time

import optuna
import pandas as pd
import pytest

from ablate.plan.search_file import searches
from ablate.search.journal import read_book
from ablate.search.storage import opened, url_of
from ablate.store import read
from ablate.store.plan import read_plan
from tests.plan import forks
from tests.small import PATIENCE, SMALL

# Big enough for samples that do not count as collapsed.
TUNED = (
    "one_at_a_time", "data=ring8", "model=mlp", "model.width=8", "trick=[r1,adam]",
    "study.always=[adam]", "study.seeds=[0,1]", "search=optuna", "search.trials=4",
    "search.seeds=[7,8]", "budget.images=480", "budget.evaluations=3", "train.batch_size=16",
)  # fmt: skip
BASIC = "hydra/launcher=basic"
FOLDER = "results/one_at_a_time"
MOMENTS, SAMPLE = 20, 3  # of kills; so many of them in the fast suite


def books(folder):
    return {arm: read_book(folder / "search" / f"{s['key']}.json")
            for arm, s in searches(folder).items()}  # fmt: skip


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """A study that was searched, for all tests to copy."""
    folder = tmp_path_factory.mktemp("searched")
    command = ["sweep", TUNED[0], *SMALL, *TUNED[1:], BASIC, f"cache={folder / 'cache'}"]
    assert forks.run(folder, command) == 0, (folder / "log").read_text()
    return folder


@pytest.fixture
def tuned(place, searched):
    for name in ("results", "cache"):
        shutil.copytree(searched / name, place.path / name, symlinks=True)
    return place.path / FOLDER


def test_every_arm_gets_its_budget_and_is_scored_on_seeds_that_no_search_saw(tuned):
    found = books(tuned)
    assert set(found) == {"reference", "with r1"}
    assert {book.images for book in found.values()} == {4 * 2 * 480}
    confirmed = read_plan(tuned / "tuned")
    assert [(t.arm, t.seed) for t in confirmed] == [
        ("reference", 0), ("with r1", 0), ("reference", 1), ("with r1", 1),
    ]  # fmt: skip
    study = json.loads((tuned / "tuned" / "study.json").read_text())
    assert study["tuning_seeds"] == [7, 8]
    for trial, about in zip(confirmed, study["search"], strict=False):
        best = min((c for c in found[trial.arm].candidates if not c.failed),
                   key=lambda c: c.values[0])  # fmt: skip
        assert about["best"] == best.number
        for name, value in best.params.items():
            trick, key = name.split(".")
            assert trial.tricks[trick][key] == pytest.approx(value)


def test_neither_table_holds_a_trial_of_the_search(tuned):
    untuned, confirmed = read(tuned), read(tuned / "tuned")
    assert set(untuned["seed"]) == set(confirmed["seed"]) == {0, 1}
    assert set(untuned["trial"]) == {t.id for t in read_plan(tuned)}
    assert set(confirmed["trial"]) == {t.id for t in read_plan(tuned / "tuned")}
    trained = {path.name for path in (tuned / "trials").iterdir()}
    searched = {
        trial for book in books(tuned).values() for c in book.candidates for trial in c.trials
    }
    assert trained == set(untuned["trial"]) | set(confirmed["trial"]) | searched


def test_the_reports_of_both_tables_can_be_made(place, tuned):
    for folder in (FOLDER, f"{FOLDER}/tuned"):
        assert place.type("report", folder, "-o", f"reports/{folder[-5:]}") == 0, place.err
        table = pd.read_csv(place.path / f"reports/{folder[-5:]}" / "table.csv")
        assert set(table["arm"]) == {"reference", "with r1"}


def test_optuna_s_own_tools_see_the_search(tuned):
    with opened(url_of(None, tuned)) as storage:
        names = optuna.get_all_study_names(storage)
        found = [optuna.load_study(storage=storage, study_name=name) for name in names]
        told = {s.study_name.rpartition(" ")[0]: [t.params for t in s.trials] for s in found}
    assert told == {arm: [c.params for c in book.candidates] for arm, book in books(tuned).items()}


def test_the_same_command_again_trains_nothing(place, tuned):
    before = {path: path.stat().st_mtime_ns for path in (tuned / "trials").iterdir()}
    plan = (tuned / "tuned" / "plan.jsonl").read_bytes()
    assert place.type("sweep", *TUNED, BASIC) == 0
    assert {path: path.stat().st_mtime_ns for path in (tuned / "trials").iterdir()} == before
    assert (tuned / "tuned" / "plan.jsonl").read_bytes() == plan


def test_a_tuned_trial_in_other_hands_is_waited_for(place, tuned, monkeypatch):
    trial = read_plan(tuned / "tuned")[-1].id
    (tuned / "trials" / trial).rename(place.path / "theirs")
    claim = tuned / "tuned" / "claims" / f"{trial}.1"
    claim.parent.mkdir()
    claim.write_text(json.dumps({"host": "elsewhere", "pid": 1, "images": 0}))

    def they_finish(_):
        if claim.exists():
            (place.path / "theirs").rename(tuned / "trials" / trial)
            claim.unlink()

    monkeypatch.setattr("ablate.plan.launch.sleep", they_finish)
    monkeypatch.setattr("ablate.store.claims.STALE_SECONDS", PATIENCE)  # however slow we are
    assert place.type("sweep", *TUNED, BASIC) == 0, place.err
    assert "Waiting for 1 trial that others train" in place.out


def test_results_of_a_copy_that_followed_links_are_moved_and_not_removed(place, tuned):
    (tuned / "tuned" / "trials").unlink()
    shutil.copytree(tuned / "trials", tuned / "tuned" / "trials")
    theirs = {path.name for path in (tuned / "trials").iterdir()}
    assert place.type("sweep", *TUNED, BASIC, "--add-trials", "2") == 0, place.err
    assert {path.name for path in (tuned / "damaged" / "trials.1").iterdir()} == theirs


def test_more_trials_go_on_from_those_that_were_tried(place, tuned):
    first = {arm: book.candidates for arm, book in books(tuned).items()}
    assert place.type("sweep", *TUNED, BASIC, "--add-trials", "2") == 0, place.err
    for arm, book in books(tuned).items():
        assert len(book.candidates) == 6
        assert book.candidates[:4] == first[arm]
    assert place.type("sweep", *TUNED, BASIC) == 0  # the budget never shrinks
    assert all(len(book.candidates) == 6 for book in books(tuned).values())


def test_a_search_starts_from_the_best_of_an_earlier_one(place, tuned):
    best = {
        about["arm"]: about["best"]
        for about in json.loads((tuned / "tuned" / "study.json").read_text())["search"]
    }
    words = [*TUNED, BASIC, f"search.warm_start={FOLDER}", "search.trials=2", "out=results/two"]
    assert place.type("sweep", *words, "search.seeds=[17,18]") == 0, place.err
    for arm, book in books(place.path / "results/two").items():
        earlier = books(tuned)[arm].candidates[best[arm]].params
        assert earlier in [c.params for c in book.candidates]


def test_pruned_settings_are_stored_as_pruned_and_buy_further_ones(place):
    words = [*TUNED, BASIC, "search/pruner=median", "search.trials=5",
             "search.pruner.n_startup_trials=1", "study.tricks=[r1]"]  # fmt: skip
    assert place.type("sweep", *words) == 0, place.err
    folder = place.path / FOLDER
    found = [c for book in books(folder).values() for c in book.candidates]
    pruned = [c for c in found if c.state == "PRUNED"]
    assert pruned
    assert len(found) > 2 * 5
    for trial in (trial for c in pruned for trial in c.trials):
        status = json.loads((folder / "trials" / trial / "status.json").read_text())
        assert status["status"] == "pruned"
        assert status["reason"].startswith("median, evaluation")
        assert status["images"] < 480


def test_an_arm_with_seeds_of_its_own_is_confirmed_under_those(place):
    words = ["sweep", "shapley", *TUNED[1:3], "model.width=8", "study.always=[adam]",
             "trick=[r1,adam,ema_g,instance_noise,init_gauss]", "study.seeds=[0,1]",
             "study.permutations=2", "search=optuna",
             "search.trials=1", "search.seeds=[7]", "out=results/own", BASIC]  # fmt: skip
    assert place.type(*words) == 0, place.err
    folder = place.path / "results/own"
    planned, confirmed = read_plan(folder), read_plan(folder / "tuned")
    assert {(t.arm, t.seed) for t in confirmed} == {(t.arm, t.seed) for t in planned}
    assert len({t.arm for t in planned}) * 2 > len(planned)  # some arm lacks a seed


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--add-trials", "many"], "is no number of trials"),
        (["search.sampler.n_startup_trials=many"], "Optuna refuses"),
        (["search.seeds=[1,7]"], "search.seeds and study.seeds share [1]"),
        (["search.seeds=[7,7]"], "must be a list of different seeds"),
        (["search.trials=0"], "gives no arm a single setting"),
        (["search.settings=[r1.gama]"], "search.settings names r1.gama"),
        (["trick.r1.search.gamma.low=5", "trick.r1.search.gamma.high=1"], "type a trick.r1.search"),
        (["trick.r1.search.gamma.low=0"], "is a log range from low=0"),
        (["search.storage=postgresql://nobody@127.0.0.1:1/none"], "does not answer"),
        (["search.warm_start=nowhere"], "holds no search"),
        (["search.metric=fd_rwa"], "did you mean 'fd_raw'"),
        (["search/sampler=tpee"], "tpe"),
        (["search/pruner=hyperband", "budget.evaluations=1"], "type budget.evaluations=5"),
    ],
)
def test_a_search_that_cannot_be_made_is_refused_before_anything_is_written(place, words, sentence):
    assert place.type("sweep", *TUNED, BASIC, *words) == 2
    assert sentence in place.err
    assert not list((place.path / FOLDER).glob("*.json*"))
    assert place.trials(FOLDER) == []


# -- kill -9 -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An undisturbed search, the command and how long it takes with everything cached."""
    folder = tmp_path_factory.mktemp("whole")
    command = ["sweep", TUNED[0], *SMALL, *TUNED[1:], "search.trials=3", "search/pruner=median",
               "search.pruner.n_startup_trials=1", BASIC, "study.workers=2", "out=study",
               f"cache={folder / 'cache'}"]  # fmt: skip
    assert forks.run(folder, command) == 0, (folder / "log").read_text()
    second, start = tmp_path_factory.mktemp("second"), time.monotonic()
    assert forks.run(second, command) == 0, (second / "log").read_text()
    return folder / "study", command, time.monotonic() - start


def left_behind(folder):
    """Return all that a study leaves but times."""
    found = {}
    for trial in sorted((folder / "trials").iterdir()):
        status = json.loads((trial / "status.json").read_text())
        metrics = pd.read_parquet(trial / "metrics.parquet").to_csv()
        found[trial.name] = (status["status"], status["images"], status["reason"], metrics)
    files = [*(folder / "search").glob("*.json"), *(folder / "tuned").glob("*.json*")]
    return found, {str(f.relative_to(folder)): f.read_bytes() for f in files}


@pytest.mark.parametrize(
    "moment",
    [pytest.param(m, marks=[pytest.mark.slow] if m >= SAMPLE else []) for m in range(MOMENTS)],
)
def test_a_search_that_is_killed_ends_as_if_nothing_had_happened(whole, tmp_path, moment):
    folder, command, seconds = whole
    draw = random.Random(f"search {moment}")
    process = forks.start(tmp_path, command)
    time.sleep(draw.random() * seconds)
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        process.kill()
    process.join(forks.PATIENCE)
    assert forks.run(tmp_path, command) == 0, (tmp_path / "log").read_text()
    forks.wait_until_gone(process.pid)
    assert left_behind(tmp_path / "study") == left_behind(folder)
    assert not list((tmp_path / "study").glob("**/.*"))
