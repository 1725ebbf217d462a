"""A report as one offline run, read back from its file."""

import json
import subprocess
import sys

import pandas as pd
import pytest

from ablate.report.study import gather
from ablate.tracker.study import curve_points
from tests.store.synthetic import write_study
from tests.tracker.test_wandb import history, records

pytest.importorskip("wandb")
VALUES = {"reference": [20.0, 22.0, 19.0, 25.0, 21.0], "<b>=r1": [16.0, 18.0, 14.0, 21.0, None]}


def logged(place, *words):
    assert place.type("report", "results", "-o", "out", *words) == 0, place.err
    (file,) = (place.path / "results/wandb").glob("offline-run-*/*.wandb")
    return list(records(file))


# wandb's own protobuf and sockets warn at the end of a process; that is not about us.
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_report_is_one_offline_run_with_table_curves_and_samples(place, monkeypatch):
    for folder in ("CACHE", "CONFIG", "DATA"):
        monkeypatch.setenv(f"WANDB_{folder}_DIR", str(place.path / "wandb-home"))
    write_study(place.path / "results", VALUES)
    found = logged(place, "--wandb")
    (run,) = {record.run.run_id for record in found if record.HasField("run")}
    assert run.startswith("report-") and run in place.out
    assert [r.exit.exit_code for r in found if r.HasField("exit")] == [0]
    artifacts = [record.artifact for record in found if record.HasField("artifact")]
    (artifact,) = [artifact for artifact in artifacts if artifact.type == "report"]
    held = {entry.path: entry for entry in artifact.manifest.contents}
    files = {path.name for path in (place.path / "out").iterdir()}
    assert files | {"curves.parquet", "table.table.json"} <= set(held)
    (line,) = [history(r) for r in found if r.HasField("history")]
    shown = {key.split("/")[0] for key in line}
    assert {"table", "curves", "curve_points", "samples"} <= shown
    tables = {}
    for path in (place.path / "results/wandb").glob("offline-run-*/files/media/table/*.json"):
        content = json.loads(path.read_text())
        tables[path.name.rsplit("_", 2)[0]] = [
            dict(zip(content["columns"], row, strict=True)) for row in content["data"]
        ]
    rows = tables["table"]
    assert [(row["arm"], row["failed"]) for row in rows] == [("reference", 0), ("<b>=r1", 1)]
    assert rows[1]["verdict"] == "better" and rows[0]["p"] is None
    points = pd.DataFrame(tables["curve_points"])
    expected = curve_points(gather([place.path / "results"]))
    assert len(points) == len(expected) == 2 * 5 * 2 * 60
    pd.testing.assert_frame_equal(points, expected.reset_index(drop=True), check_dtype=False)


def test_points_are_left_out_evenly_and_of_every_curve(tmp_path, monkeypatch):
    found = gather([write_study(tmp_path / "results", VALUES)])
    monkeypatch.setattr("ablate.tracker.study.MOST_POINTS", 500)
    kept = curve_points(found)
    assert len(kept) <= 500 and len(kept.groupby(["trial", "signal"])) == 20
    assert (kept.groupby(["trial", "signal"])["images"].diff().dropna() > 0).all()


def test_a_mode_that_is_none_writes_nothing(place):
    write_study(place.path / "results", VALUES)
    assert place.type("report", "results", "-o", "out", "--wandb", "offlien") == 2
    assert "did you mean 'offline'" in place.err
    assert not (place.path / "out").exists()


def test_no_report_imports_torch_to_ask_for_the_tracker():
    code = "import ablate.tracker.study, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
