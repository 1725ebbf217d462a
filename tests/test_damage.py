"""Whatever is done to a file of a finished study, no command ends in a trace or changes a table in
silence; the command of the sweep mends it.
"""

import io
import json
import random
import shutil
import sqlite3
from contextlib import closing, redirect_stderr, redirect_stdout

import pandas as pd
import pytest

from ablate.cli.main import main
from ablate.store import read
from tests.small import SMALL

STUDY = ("sweep", "one_at_a_time", *SMALL, "trick=[adam,ema_g]", "study.always=[adam]",
         "data=ring8", "model=mlp", "study.seeds=[0,1]", "hydra/launcher=basic", "cache=cache",
         "out=study", "budget.images=64")  # fmt: skip
TUNED = ("search=optuna", "search.trials=2", "search.seeds=[1000]")
READING = {
    "compare": ("compare", "study"),
    "summary": ("report", "study", "--summary"),
    "status": ("status", "study"),
    "report": ("report", "study", "-o", "out"),
    "mark": ("mark", "study", "TRIAL", "--sound", "--note", "looked at"),
    "undo": ("mark", "study", "MARKED", "--undo"),
    "retry": ("retry", "study", "--status", "crashed"),
    "tuned": ("compare", "study/tuned"),
}
QUICK = ("compare", "status", "mark")
OF_TRIAL = ("trial.json", "status.json", "metrics.parquet", "curves.parquet", "samples.npz",
            "provenance.json")  # fmt: skip
WORDS = ("damaged", "cannot be read", "has lost", "is not the plan", "has no results", "no folder",
         "holds no study", "There is no trial", "is not marked")  # fmt: skip


def delete(path, _):
    path.unlink()


def empty(path, _):
    path.write_bytes(b"")


def truncate(path, _):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path, other):
    content = bytearray(path.read_bytes())
    draw = random.Random(f"{path.name} {len(content)}")
    content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    path.write_bytes(content)


def noise(path, _):
    path.write_bytes(random.Random(0).randbytes(path.stat().st_size))


def other_content(path, other):
    if path.suffix in (".json", ".jsonl"):
        path.write_text('{"a": [1, null]}\n')
    else:  # the same kind of file, of no trial
        shutil.copy(other.with_name("trial.json"), path)


def folder(path, _):
    path.unlink()
    path.mkdir()


def of_another(path, other):
    shutil.copy(other, path)


WAYS = (delete, empty, truncate, flip, noise, other_content, folder, of_another)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return the folders of a finished study and of a tuned one, each with a mark."""
    places = {}
    with pytest.MonkeyPatch.context() as patch:
        for kind, more in {"plain": (), "tuned": TUNED}.items():
            places[kind] = tmp_path_factory.mktemp(kind)
            patch.chdir(places[kind])
            assert main([*STUDY, *more]) == 0
            _, marked = planned(places[kind])
            assert main(["mark", "study", marked, "--sound", "--note", "looked at"]) == 0
    return places


def planned(place):
    """Return the first trials of the plan."""
    lines = (place / "study" / "plan.jsonl").read_text().splitlines()
    ids = {json.loads(line)["seed"]: None for line in lines}
    assert len(ids) == 2
    frame = read(place / "study")
    done = frame[frame["status"] == "done"]["trial"].unique()
    return done[0], done[1]


def files_of(kind, place):
    """Return file -> another of its kind, of a study: all but those that later trials repeat."""
    study, (one, other) = place / "study", planned(place)
    found = {study / "trials" / one / n: study / "trials" / other / n for n in OF_TRIAL}
    found |= {study / name: place / "other" / name for name in ("plan.jsonl", "study.json")}
    found[study / "marks.json"] = study / "study.json"
    if kind == "tuned":
        book, another = sorted((study / "search").glob("*.json"))[:2]
        found |= {book: another, study / "search.json": study / "study.json"}
        found |= {study / "tuned" / n: study / n for n in ("plan.jsonl", "study.json")}
    return found


def cases():
    """Return every file damaged in every way; a few are for the fast suite, all files and ways."""
    names = {"plain": (*OF_TRIAL, "plan.jsonl", "study.json", "marks.json"),
             "tuned": ("book", "search.json", "tuned/plan.jsonl", "tuned/study.json")}  # fmt: skip
    every = [(kind, name, way) for kind in names for name in names[kind] for way in WAYS]
    some = every[::9]
    assert {way for _, _, way in some} == set(WAYS)
    fast = [pytest.param(*case, QUICK, id=f"{case[1]} {case[2].__name__}") for case in some]
    slow = [pytest.param(*case, [*READING], id=f"{case[1]} {case[2].__name__}, all commands",
                         marks=pytest.mark.slow) for case in every]  # fmt: skip
    return fast + slow


def damaged(whole, place, kind, name, way):
    """Copy a study to `place` and damage one file of it."""
    shutil.copytree(whole[kind] / "study", place / "study", symlinks=True)
    (place / "other").mkdir()
    lines = (place / "study/plan.jsonl").read_text().splitlines(keepends=True)
    (place / "other/plan.jsonl").write_text("".join(reversed(lines)))  # of another study
    told = json.loads((place / "study/study.json").read_text()) | {"reference": "with ema_g"}
    (place / "other/study.json").write_text(json.dumps(told))
    files = files_of(kind, place)
    (path,) = [path for path in files if is_called(str(path.relative_to(place / "study")), name)]
    way(path, files[path])


def is_called(path, name):
    if name == "book":
        return path.startswith("search/")
    return path == name or (path.startswith("trials/") and path.endswith("/" + name))


def answer(words, ids=None):
    """Return exit code, output and errors of a command typed here."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = main([(ids or {}).get(word, word) for word in words])
        except SystemExit as ended:
            code = int(ended.code or 0)
    return code, out.getvalue(), err.getvalue()


@pytest.mark.parametrize(("kind", "name", "way", "commands"), cases())
def test_every_command_that_reads_tells_or_shows_what_it_did_before(
    whole, place, kind, name, way, commands
):
    damaged(whole, place.path, kind, name, way)
    for command in commands:
        if command == "tuned" and kind == "plain":
            continue
        if (kind, command) not in whole:
            with pytest.MonkeyPatch.context() as patch:
                patch.chdir(whole[kind])
                whole[kind, command] = asked(whole[kind], whole[kind], command)
        assert_told(command, asked(whole[kind], place.path, command), whole[kind, command])


def asked(original, place, command):
    """Return the answer of a command in a place, which is left as it is."""
    ids = dict(zip(("TRIAL", "MARKED"), planned(original), strict=True))
    shutil.copytree(place / "study", place / "kept", symlinks=True)
    try:
        return answer(READING[command], ids)
    finally:
        shutil.rmtree(place / "study")
        (place / "kept").rename(place / "study")
        shutil.rmtree(place / "out", ignore_errors=True)


def assert_told(command, found, expected):
    code, out, err = found
    assert "Traceback" not in err, (command, err)
    if code == 2:
        assert err.strip().count("\n") == 0, (command, err)
    if (code, out) != expected[:2]:
        flat = " ".join((out + err).split())
        assert any(word in flat for word in WORDS), (command, code, out, err, expected)


def test_the_sweep_trains_what_is_damaged_again(whole, place):
    study = place.path / "study"
    shutil.copytree(whole["plain"] / "study", study)
    before = read(study)
    one, two, three, four = sorted(before["trial"].unique())[:4]
    flip(study / "trials" / one / "metrics.parquet", None)
    delete(study / "trials" / two / "status.json", None)
    for name in ("metrics.parquet", "status.json"):  # two trials' files are swapped
        here, there = study / "trials" / three / name, study / "trials" / four / name
        kept = here.read_bytes()
        shutil.copy(there, here)
        there.write_bytes(kept)
    assert answer(("status", "study"))[1].count("4 trials are damaged") == 1
    code, out, err = answer(STUDY)
    assert code == 0, err
    assert "4 damaged trials moved to study/damaged, and trained again" in " ".join(out.split())
    again = read(study)
    numbers = ["trial", "arm", "seed", "images", "generator", "metric", "value"]
    assert again[numbers].equals(before[numbers])
    assert again.attrs["damaged"] == []
    assert len(list((study / "damaged").iterdir())) == 4


@pytest.mark.parametrize("name", ["book", "search.json", "tuned/study.json", "tuned/plan.jsonl"])
@pytest.mark.parametrize("way", [delete, flip, folder])
def test_the_sweep_tells_a_search_again_that_was_damaged(whole, place, name, way):
    damaged(whole, place.path, "tuned", name, way)
    assert answer((*STUDY, *TUNED))[0] == 0
    before, after = (read(p / "study/tuned") for p in (whole["tuned"], place.path))
    numbers = ["trial", "arm", "seed", "images", "generator", "metric", "value"]
    assert after[numbers].equals(before[numbers])


def numbers_of(place):
    numbers = ["trial", "arm", "seed", "images", "generator", "metric", "value"]
    return read(place / "study/tuned")[numbers]


def lose(path):
    shutil.rmtree(path) if path.is_dir() else path.unlink()


@pytest.mark.parametrize("name", ["tuned", "book"])
def test_what_a_search_has_written_is_missed(whole, place, name):
    """A whole folder that is gone, or a book: nothing else says that they were there."""
    shutil.copytree(whole["tuned"] / "study", place.path / "study", symlinks=True)
    book = min((place.path / "study/search").glob("*.json"))
    lose({"tuned": place.path / "study/tuned", "book": book}[name])
    for command in ("status", "compare", "summary", "report"):
        code, _, err = answer(READING[command])
        assert code == 2, command
        assert "study has lost its " in err and "type the command of the sweep again" in err
    code, out, err = answer((*STUDY, *TUNED))
    assert code == 0, err
    assert ("The book of the search of" in " ".join(out.split())) == (name == "book")
    assert numbers_of(place.path).equals(numbers_of(whole["tuned"]))
    first, again = (p / "study/study.json" for p in (whole["tuned"], place.path))
    assert first.read_bytes() == again.read_bytes()
    assert answer(READING["status"])[0] == 0


def test_a_damaged_trial_of_a_search_is_trained_again(whole, place):
    study = place.path / "study"
    shutil.copytree(whole["tuned"] / "study", study, symlinks=True)
    book = json.loads(min((study / "search").glob("*.json")).read_text())
    trial = book["candidates"][-1]["trials"][0]
    before = (study / "trials" / trial / "trial.json").read_bytes()
    curves = pd.read_parquet(study / "trials" / trial / "metrics.parquet")
    flip(study / "trials" / trial / "metrics.parquet", None)
    assert answer((*STUDY, *TUNED))[0] == 0
    assert (study / "trials" / trial / "trial.json").read_bytes() == before
    assert pd.read_parquet(study / "trials" / trial / "metrics.parquet").equals(curves)
    assert numbers_of(place.path).equals(numbers_of(whole["tuned"]))
    assert [p.name.split(".")[0] for p in (study / "damaged").iterdir()].count(trial) == 1


def told_to_optuna(study):
    """Return the settings of every arm that SQLite holds, by a query of our own."""
    with closing(sqlite3.connect(study / "search/optuna.db")) as base:
        return base.execute(
            "SELECT study_name, number, state, param_name, param_value FROM studies "
            "JOIN trials USING (study_id) JOIN trial_params USING (trial_id) ORDER BY 1, 2, 4"
        ).fetchall()


@pytest.mark.parametrize("way", [delete, empty, truncate, noise, of_another, folder])
def test_what_optuna_s_tools_see_is_told_again(whole, place, way):
    study = place.path / "study"
    shutil.copytree(whole["tuned"] / "study", study, symlinks=True)
    expected = told_to_optuna(study)
    assert len({row[0] for row in expected}) == 2
    way(study / "search/optuna.db", study / "plan.jsonl")
    code, out, err = answer(READING["status"])
    assert code == 0, err
    assert ("where Optuna's tools see the search, is damaged" in " ".join(out.split())) == (
        way is not delete
    )
    code, out, err = answer((*STUDY, *TUNED))
    assert code == 0, err
    assert "told again" in " ".join(out.split())
    assert told_to_optuna(study) == expected
