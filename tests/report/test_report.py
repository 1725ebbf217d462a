import errno
import io
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from ablate.analysis import compare
from ablate.errors import UserError
from ablate.report.figures.samples import strip
from ablate.report.folder import report
from ablate.report.printers.terminal import render
from ablate.report.prose import page, sections
from ablate.report.study import gather
from ablate.report.tables.arms import csv
from ablate.store import read, write_trial
from tests.store.synthetic import (
    PROVENANCE,
    blobs,
    curves,
    metrics,
    status,
    trial,
    write,
    write_study,
)

FILES = {
    "report.md", "report.html", "table.csv", "table.parquet", "table.tex", "policies.csv",
    "arms.png", "curves.png", "samples.png", "manifest.json",
}  # fmt: skip
VALUES = {
    "reference": [20.0, 22.0, 19.0, 25.0, 21.0],
    "r1": [16.0, 18.0, 14.0, 21.0, 17.0],
    "top_k": [19.0, 23.0, 18.0, 24.0, 22.0],
    "label_smooth+noisy_labels": [30.0, 27.0, 28.0, 41.0, 29.0],
    "weight_clip": [20.0, None, None, None, 19.0],
}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = write_study(tmp_path_factory.mktemp("results") / "demo", VALUES)
    for seed, value in enumerate([12.0, 13.5, 11.2, 15.0, 12.9]):
        write(folder, "ema_g", seed, value, generators=("raw", "ema"), wall_seconds=30.0)
    return folder


@pytest.fixture(scope="module")
def built(study, tmp_path_factory):
    return report([study], tmp_path_factory.mktemp("reports") / "demo")


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_same_results_give_the_same_bytes(study, built, tmp_path):
    copy = tmp_path / "elsewhere" / "demo"
    copy.mkdir(parents=True)
    (copy / "trials").mkdir()
    for path in sorted((study / "trials").iterdir(), reverse=True):
        shutil.copytree(path, copy / "trials" / path.name)
    again = report([copy], tmp_path / "report")
    assert contents(again) == contents(built) and set(contents(built)) == FILES


def test_question_answer_and_table_come_first(built):
    lines = (built / "report.md").read_text().splitlines()
    assert lines[0] == "# Which arms have a better fd_classifier than `reference` on digits?"
    assert lines[1] == (
        "**`ema_g` helps (with it 0.603 [0.591, 0.617]) and `r1` helps (with it 0.800 [0.752, "
        "0.851]); `label_smooth+noisy_labels` is worse than `reference` (1.44 [1.26, 1.64]); too "
        "few seeds for an answer: `weight_clip`; inconclusive, which is not equal: 1 of 5 arms.** "
        "In brackets: ratio of `fd_classifier` to `reference` (lower is better), 95 % interval. "
        "3 of 30 trials failed."
    )
    assert lines[3].startswith("| arm | fd_classifier ↓ (geometric mean ± seed SD) | ratio to")
    assert lines[7].startswith("| **r1** | **17.0 ± 2.5** | **0.800 [0.752, 0.851]** | 0.002 |")


@pytest.mark.parametrize(
    "statement",
    [
        "**Inconclusive is not equal.**",
        "paired with the reference over 5 seeds (fewer: weight_clip 2)",
        "interval is for each comparison alone (95 %); p is adjusted for all arms (Holm)",
        "Seeds: 0, 1, 2, 3 and 4; the same in every arm",
        "Budget: 4000 real images",
        "classifier:1a2b3c4d/n=2048/train",
        "averaged weights: ema_g",
        "torch 2.13.0; git: commit 0123456789abcdef, dirty False",
        "| weight_clip | 1 | diverged | loss_d is nan at 2000 images | 2000 |",
        "3 of 5, 23 to 88 %",
        "its quality is that of the trials that finish, 2 of 5",
        "Spread, median over arms",
    ],
)
def test_what_a_reader_must_be_told(built, statement):
    assert statement in (built / "report.md").read_text()


def test_only_the_verdict_makes_bold(built, study):
    table = [x for x in (built / "report.md").read_text().splitlines() if x.startswith("| **")]
    better = compare(read(study), "fd_classifier").query("verdict == 'better'")["arm"]
    assert [line.split("**")[1] for line in table] == list(better)


def test_csv_has_all_digits_and_both_generators(built, study):
    table = pd.read_csv(built / "table.csv")
    expected = compare(read(study), "fd_classifier")
    primary = table[table["role"] == "primary"].reset_index(drop=True)
    for name in ("mean", "p_holm", "low", "high", "relative_cost"):
        np.testing.assert_array_equal(primary[name], expected[name])
    other = table[table["role"] == "other generator"]
    assert other[["arm", "generator"]].to_numpy().tolist() == [["ema_g", "raw"]]


def test_a_secondary_metric_is_compared_without_a_verdict(tmp_path):
    for arm, value in (("reference", 20.0), ("r1", 10.0)):
        for seed in range(3):
            both = pd.concat([metrics(value + seed), metrics(0.1 * seed + 1 / value, "precision")])
            arguments = (status(), both, curves(), {}, PROVENANCE)
            write_trial(tmp_path / "demo", vars(trial(arm, seed)), *arguments)
    out = report([tmp_path / "demo"], tmp_path / "report")
    table = pd.read_csv(out / "table.csv")
    secondary = table[table["role"] == "secondary"]
    assert set(secondary["metric"]) == {"precision"} and secondary["verdict"].isna().all()
    text = (out / "report.md").read_text()
    assert "precision ↑" in text and "samples.png" not in text
    assert not (out / "samples.png").exists()


def test_no_cell_is_a_formula():
    frame = pd.DataFrame({"arm": ["=1+1", "+r1", "-x", "@y", "r1"], "value": [-1.5] * 5})
    cells = [line.split(",")[0] for line in csv(frame).splitlines()]
    assert cells == ["arm", "'=1+1", "'+r1", "'-x", "'@y", "r1"]


def test_the_manifest_names_every_trial_and_every_file(built, study):
    content = json.loads((built / "manifest.json").read_text())
    assert content["trials"] == sorted(path.name for path in (study / "trials").iterdir())
    assert set(content["files"]) == FILES - {"manifest.json"}
    assert content["reported_with"]["numpy"] == np.__version__


@pytest.mark.parametrize("failing_call", range(6))
def test_a_full_disk_leaves_the_old_report(study, built, tmp_path, monkeypatch, failing_call):
    out = tmp_path / "report"
    shutil.copytree(built, out)
    calls = iter(range(100))
    failing = "fsync" if failing_call < 5 else "replace"
    real = getattr(os, failing)

    def full(*arguments):
        if next(calls) == failing_call % 5:
            raise OSError(errno.ENOSPC, "full")
        return real(*arguments)

    monkeypatch.setattr("ablate.report.folder.contents", lambda study: contents(built))
    monkeypatch.setattr(os, failing, full)
    with pytest.raises(UserError, match=r"Cannot write to .*report; the disk is full"):
        report([study], out)
    monkeypatch.undo()
    assert contents(out) == contents(built)
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_a_call_killed_between_its_renames_loses_nothing(study, built, tmp_path, monkeypatch):
    shutil.copytree(built, tmp_path / ".report.old")
    monkeypatch.setattr("ablate.report.folder.contents", lambda study: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        report([study], tmp_path / "report")
    monkeypatch.setattr("ablate.report.folder.contents", lambda study: {"report.md": b"new"})
    report([study], tmp_path / "report")
    assert contents(tmp_path / "report") == {"report.md": b"new"}
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_nobody_loses_a_file_to_a_report(study, built, tmp_path):
    shutil.copytree(built, tmp_path / "report")
    (tmp_path / "report" / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match=r"holds notes\.txt, which no report wrote"):
        report([study], tmp_path / "report")
    with pytest.raises(UserError, match="holds trials, which no report wrote"):
        report([study], study)
    with pytest.raises(UserError, match="is a file; name a folder"):
        report([study], tmp_path / "report" / "notes.txt")


def test_toys_are_scattered_and_samples_may_lack(tmp_path):
    points = np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32)
    for arm in ("reference", "r1"):
        arguments = (vars(trial(arm)), status(), metrics(1.0), curves())
        samples = {"raw": points} if arm == "r1" else {}
        write_trial(tmp_path / "toy", *arguments, samples, PROVENANCE)
    out = report([tmp_path / "toy"], tmp_path / "report")
    assert (out / "samples.png").stat().st_size > 1000


@pytest.mark.parametrize(
    "values",
    [
        {"reference": [20.0]},
        {"reference": [None, None, None], "r1": [20.0, 21.0, 22.0]},
        {"reference": [20.0, 21.0, 22.0], "r1": [None, None, None]},
        {"reference": [20.0] * 3, "r1": [20.0] * 3},
    ],
)
def test_poor_studies_are_reported_all_the_same(tmp_path, values):
    out = report([write_study(tmp_path / "poor", values)], tmp_path / "report")
    assert (out / "report.md").read_text().startswith("# Which arms")
    render(compare(read(tmp_path / "poor"), "fd_classifier"), io.StringIO())


def test_what_was_set_aside_and_what_is_pending_is_told(tmp_path):
    folder = write_study(tmp_path / "demo", {"reference": [20.0, 21.0], "r1": [10.0, 11.0]})
    (folder / "trials" / trial("r1", 1).id / "metrics.parquet").write_bytes(b"")
    planned = [
        *(trial(arm, seed) for arm in ("reference", "r1") for seed in (0, 1)),
        trial("r1", 2),
    ]
    (folder / "plan.jsonl").write_text("".join(f"{one.to_json()}\n" for one in planned))
    (folder / "study.json").write_text('{"arms": []}')
    text = (report([folder], tmp_path / "report") / "report.md").read_text()
    assert f"Set aside, as they cannot be read: {trial('r1', 1).id}" in text
    assert "Planned and not ended: 1 of 5 trials" in text


def test_arms_that_cannot_be_are_named_with_their_reason(tmp_path):
    folder = write_study(tmp_path / "demo", {"reference": [20.0, 21.0], "r1": [10.0, 11.0]})
    arms = [
        {"arm": "r1", "refused": [], "doubts": ["r1 is doubtful."]},
        {"arm": "both", "refused": ["They exclude each other."], "doubts": ["never told"]},
    ]
    (folder / "study.json").write_text(json.dumps({"arms": arms}))
    text = (report([folder], tmp_path / "report") / "report.md").read_text()
    assert "- both: n/a: They exclude each other." in text
    assert "- r1 is doubtful." in text
    assert "never told" not in text


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_the_terminal_table_fits_and_is_plain(study, encoding):
    sink = io.BytesIO()
    stream = io.TextIOWrapper(sink, encoding=encoding)
    render(compare(read(study), "fd_classifier"), stream)
    stream.flush()
    text = sink.getvalue().decode(encoding)
    rows = [line for line in text.splitlines() if not line.endswith(".")]  # sentences stay whole
    assert len(rows) > 2 and max(map(len, rows)) <= 120 and "\x1b" not in text
    for word in ("cost", "label_smooth+", "noisy_labels", "0.800 [0.752, 0.851]", "better"):
        assert word in text


def test_what_a_table_or_figure_leaves_out_is_counted(tmp_path, monkeypatch):
    arms = {f"arm{k:02d}": [None, 20.0 + k, 22.0] for k in range(52)}
    folder = write_study(tmp_path / "r", {"reference": [20.0, 21.0, 22.0], **arms})
    for figure in ("curves_figure", "samples_figure"):
        monkeypatch.setattr(f"ablate.report.folder.{figure}", lambda study: None)
    text = (report([folder], tmp_path / "out") / "report.md").read_text()
    assert "22 more failed; report.html has all trials." in text  # 52 less the 30 that are shown
    assert "The first 48 arms; report.html draws all." in text


def test_numbers_above_ten_thousand_are_shown(tmp_path):
    folder = write_study(tmp_path / "r", {"reference": [2e4, 2.1e4, 1.9e4], "r1": [1e7, 2e7, 1e7]})
    report([folder], tmp_path / "out")
    assert (tmp_path / "out" / "samples.png").stat().st_size > 1000


def test_a_short_trial_takes_some_time(tmp_path):
    for arm in ("reference", "r1"):
        for seed in range(3):
            write(tmp_path / "r", arm, seed, 20.0 + seed, wall_seconds=0.44)
    found = gather([tmp_path / "r"])  # the device's share is half of the wall's time
    text = page(found, sections(found, []))
    assert "a done trial of the reference takes 0.22 s, all 6 trials 1.3 s, on" in text


def test_samples_stand_side_by_side():
    grid = blobs(1.0, 0, count=3)
    row = strip(grid, gap=2)
    assert row.shape == (16, 3 * 16 + 2 * 2, 3) and row.dtype == np.uint8
    np.testing.assert_array_equal(row[:, 18:34, 0], grid[1, 0])
    assert (row[:, 16:18] == 255).all()


@pytest.mark.parametrize(
    ("rooms", "unneeded"),
    [
        ("ablate.report.folder, ablate.report.printers.terminal, ablate.store", "torch"),
        ("ablate.report.printers.terminal, ablate.report.study", "matplotlib"),
    ],
)
def test_what_nobody_needs_is_not_imported(rooms, unneeded):
    code = f"import {rooms}, sys; sys.exit({unneeded!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
