"""A person settles what the numbers cannot: marks, and what they do to every output."""

import json
import shutil

import pandas as pd
import pytest

from ablate.analysis import compare
from ablate.report.folder import report
from ablate.store import read
from ablate.store.marks import MARKS, read_marks
from tests.store.synthetic import trial, write_study

VALUES = {
    "reference": [20.0, 22.0, 19.0, 25.0, 21.0],
    "r1": [16.0, 18.0, 14.0, 21.0, 120.0],
    "top_k": [19.0, 23.0, 18.0, None, 22.0],
}
BLOB = trial("r1", 4).id
NOTE = "one <blob> | in every sample"


@pytest.fixture
def study(place):
    return write_study(place.path / "results" / "demo", VALUES)


def mark(place, *words):
    assert place.type("mark", "results/demo", BLOB, *words) == 0, place.err


def verdict(study, arm="r1"):
    return compare(read(study), "fd_classifier", "reference").set_index("arm").loc[arm, "verdict"]


def everything(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_what_is_typed_for_a_suspect_settles_it(place, study):
    assert place.type("compare", "results/demo") == 0
    command = place.out.splitlines()[-1].split()
    assert command[:4] == ["ablate", "mark", "results/demo", BLOB] and verdict(study) == "suspect"
    assert place.type(*command[1:-1], NOTE) == 0, place.err
    assert verdict(study) == "better"
    assert place.type("compare", "results/demo") == 0 and "ablate mark" not in place.out


def test_a_collapse_counts_as_failed_as_if_it_had_ended_so(place, study):
    mark(place, "--collapsed", "--note", NOTE)
    other = write_study(place.path / "other", VALUES | {"r1": [16.0, 18.0, 14.0, 21.0, None]})
    shown = [
        c
        for c in compare(read(other), "fd_classifier")
        if not c.startswith(("wall_seconds", "device_seconds"))
    ]
    found, expected = (compare(read(one), "fd_classifier")[shown] for one in (study, other))
    pd.testing.assert_frame_equal(found.drop(columns="relative_cost"),
                                  expected.drop(columns="relative_cost"))  # fmt: skip


def test_a_sound_trial_keeps_its_value_and_suspends_nothing(place, study):
    before = compare(read(study), "fd_classifier")
    mark(place, "--sound", "--note", "digits, only blurred")
    after = compare(read(study), "fd_classifier")
    words = ["verdict", "reason"]
    pd.testing.assert_frame_equal(after.drop(columns=words), before.drop(columns=words))
    assert set(before["verdict"]) - set(after["verdict"]) == {"suspect"}


def test_undoing_leaves_no_trace(place, study):
    before = everything(report([study], place.path / "out"))
    mark(place, "--collapsed", "--note", NOTE)
    assert everything(report([study], place.path / "out")) != before
    mark(place, "--sound", "--note", "second thought")
    assert json.loads((study / MARKS).read_text())[BLOB]["mark"] == "sound"
    mark(place, "--undo")
    assert everything(report([study], place.path / "out")) == before
    assert not (study / MARKS).exists()
    assert place.type("mark", "results/demo", BLOB, "--undo") == 2
    assert "is not marked; marked in results/demo: none." in place.err


def test_every_output_says_that_a_person_marked_it(place, study):
    mark(place, "--collapsed", "--note", NOTE)
    out = report([study], place.path / "out")
    text = (out / "report.md").read_text()
    assert "2 of 15 trials failed, 1 of them because a person marked it as collapsed." in text
    told = "one \\<blob> \\| in every sample"
    assert f"| r1 | 4 | collapsed | marked by a person: {told} | 4000 |" in text
    assert f"| r1 | 4 | {BLOB} | collapsed | {told} |" in text
    assert f"- Marked by a person after training: r1 seed 4 as collapsed ({told})." in text
    assert "marked by a person: one &lt;blob&gt; | in" in (out / "report.html").read_text()
    content = json.loads((out / "manifest.json").read_text())
    assert content["marked"] == {BLOB: {"mark": "collapsed", "note": NOTE}}
    copy = place.path / "elsewhere" / "demo"
    shutil.copytree(study, copy)
    assert everything(report([copy], place.path / "again")) == everything(out)


def test_a_suspect_report_says_what_to_type(place, study):
    text = (report([study], place.path / "out") / "report.md").read_text()
    assert f"possible unmarked collapse: r1 seed 4, trial {BLOB}." in text
    assert f'type `ablate mark DIR {BLOB} --collapsed --note "why"`, or `--sound`' in text


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((BLOB[:-1] + "x", "--sound", "--note", "why"), BLOB),
        ((BLOB, "--sound"), '--note "samples are one blob"'),
        ((BLOB, "--sound", "--note", " "), '--note "samples are one blob"'),
        ((trial("top_k", 3).id, "--sound", "--note", "why"), "ended as diverged"),
        ((BLOB, "--collapsed", "--sound", "--note", "why"), "not allowed with"),
        ((BLOB, "--note", "why"), "--collapsed --sound --undo is required"),
    ],
)
def test_what_cannot_be_marked_is_refused_and_nothing_is_written(place, study, words, told):
    assert place.type("mark", "results/demo", *words) == 2
    assert told in place.err and not (study / MARKS).exists()


def test_several_trials_at_once_all_or_none(place, study):
    ids = [trial("r1", seed).id for seed in range(3)]
    assert place.type("mark", "results/demo", *ids, "nobody", "--sound", "--note", "n") == 2
    assert not (study / MARKS).exists()
    assert place.type("mark", "results/demo", *ids, "--sound", "--note", "n") == 0
    assert set(read_marks(study)) == set(ids)
    assert "3 trials of results/demo marked as sound" in place.out


def test_a_mark_of_results_that_were_moved_aside_is_dropped(place, study):
    mark(place, "--sound", "--note", "looked at")
    planned = [trial(arm, seed) for arm in VALUES for seed in range(5)]
    (study / "plan.jsonl").write_text("".join(f"{one.to_json()}\n" for one in planned))
    assert place.type("retry", "results/demo", "--status", "done", "--arm", "r1", "--yes") == 0
    assert not (study / MARKS).exists()


def test_a_tuned_study_shares_the_marks_of_the_trials_it_shares(place, study):
    (study / "tuned").mkdir()
    (study / "tuned" / "trials").symlink_to("../trials")
    assert place.type("mark", "results/demo/tuned", BLOB, "--collapsed", "--note", NOTE) == 0
    assert (study / MARKS).is_file() and verdict(study) == verdict(study / "tuned") == "better"


def test_a_damaged_file_and_two_opinions_are_told(place, study):
    write_study(place.path / "other", {"r1": VALUES["r1"]})
    mark(place, "--sound", "--note", "looked at")
    assert place.type("mark", "other", BLOB, "--collapsed", "--note", NOTE) == 0
    assert place.type("compare", "results/demo", "other") == 2
    assert f"Trial {BLOB} is marked as collapsed in" in place.err and "as sound" in place.err
    assert place.type("mark", "other", BLOB, "--undo") == 0
    for text in ("{", "[]", f'{{"{BLOB}": {{"mark": "odd", "note": ""}}}}', f'{{"{BLOB}": 1}}'):
        (study / MARKS).write_text(text)
        assert place.type("compare", "results/demo") == 2 and MARKS in place.err


def test_an_imported_trial_can_be_marked(place):
    rows = [
        (arm, seed, value) for arm, row in VALUES.items() for seed, value in enumerate(row) if value
    ]
    table = pd.DataFrame(rows, columns=["arm", "seed", "value"]).assign(metric="fd_classifier")
    table.to_csv(place.path / "theirs.csv", index=False)
    assert place.type("import", "theirs.csv") == 0, place.err
    frame = read("results/theirs")
    lost = frame.loc[(frame["arm"] == "r1") & (frame["seed"] == 4), "trial"].iloc[0]
    assert verdict("results/theirs") == "suspect"
    assert place.type("mark", "results/theirs", lost, "--collapsed", "--note", NOTE) == 0
    assert verdict("results/theirs") == "better"
    assert place.type("mark", "results/theirs", "nobody", "--undo") == 2
