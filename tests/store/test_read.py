import numpy as np
import pandas as pd
import pytest

from ablate.errors import UserError
from ablate.store import read, read_curves, read_samples, write_trial
from ablate.store.schema import RESULTS, conform, names
from tests.store.synthetic import (
    IMAGES,
    PROVENANCE,
    curves,
    metrics,
    rewrite,
    status,
    trial,
    write,
    write_study,
)


@pytest.fixture
def study(tmp_path):
    return write_study(tmp_path / "demo", {"reference": [20.0, 21.0], "r1+ema_g": [15.0, None]})


def edit(folder, one, name, **changes):
    rewrite(folder / "trials" / one.id, name, **changes)


def test_columns_and_dtypes(study):
    frame = read(study)
    assert list(frame) == [*names(RESULTS), "ema_g", "r1"]
    assert {c.name: str(frame[c.name].dtype) for c in RESULTS} == {c.name: c.dtype for c in RESULTS}
    assert set(frame["study"]) == {"demo"} and set(frame["data"]) == {"digits"}
    assert frame.groupby("arm")["r1"].unique().map(list).to_dict() == {
        "reference": [0],
        "r1+ema_g": [1],
    }


def test_a_failed_trial_is_a_row_and_never_a_gap(study):
    frame = read(study)
    failed = frame[frame["status"] != "done"]
    assert len(failed) == 1 and failed["value"].isna().all() and failed["generator"].isna().all()
    assert failed["images"].item() == IMAGES // 2 and "nan" in failed["reason"].item()


def test_evaluations_before_a_failure_stay_and_one_row_more_tells_it(tmp_path):
    one = trial("r1")
    early = metrics(10.0).iloc[:2]
    write_trial(tmp_path, vars(one), status("collapsed"), early, curves(), {}, PROVENANCE)
    frame = read(tmp_path)
    assert len(frame) == 3 and frame["value"].isna().sum() == 1


def test_a_done_trial_without_metrics_is_a_row(tmp_path):
    write_trial(tmp_path, vars(trial()), status(), metrics(1.0).iloc[:0], curves(), {}, PROVENANCE)
    assert read(tmp_path)["value"].isna().tolist() == [True]


def test_a_trial_in_two_folders_counts_once(study, tmp_path):
    write_study(tmp_path / "more", {"reference": [20.0, 21.0, 22.0]})
    frame = read(study, tmp_path / "more")
    assert len(frame["trial"].unique()) == 5
    assert frame.drop(columns="study").equals(read(tmp_path / "more", study).drop(columns="study"))


@pytest.mark.parametrize(
    "name", ["trial.json", "status.json", "metrics.parquet", "provenance.json"]
)
@pytest.mark.parametrize("how", ["torn", "empty", "gone"])
def test_a_damaged_trial_is_set_aside_and_told(study, name, how):
    path = study / "trials" / trial("reference", 1).id / name
    content = path.read_bytes()
    path.unlink()
    if how != "gone":
        path.write_bytes(content[: len(content) // 2] if how == "torn" else b"")
    frame = read(study)
    assert len(frame["trial"].unique()) == 3
    assert [(d["trial"], d["problem"].split(":")[0]) for d in frame.attrs["damaged"]] == [
        (trial("reference", 1).id, name)
    ]


def test_a_folder_that_bears_another_trials_name_is_damaged(study):
    (study / "trials" / trial("reference", 1).id).rename(study / "trials" / ("0" * 16))
    assert "describes trial" in read(study).attrs["damaged"][0]["problem"]


def test_an_unknown_status_is_damaged(study):
    edit(study, trial("reference", 1), "status.json", status="fine")
    assert "unknown status 'fine'" in read(study).attrs["damaged"][0]["problem"]


def test_nothing_readable_is_told(tmp_path):
    one = write(tmp_path, "r1", 0, 1.0)
    (tmp_path / "trials" / one.id / "status.json").unlink()
    with pytest.raises(UserError, match=r"None of the 1 trial folders can be read.*status\.json"):
        read(tmp_path)


def test_a_newer_schema_is_refused(study):
    edit(study, trial("reference", 1), "trial.json", schema=2)
    with pytest.raises(UserError, match=r"newer ablate \(results schema 2.*pip install --upgrade"):
        read(study)


def test_folders_without_results_are_refused(tmp_path):
    with pytest.raises(UserError, match="No results folder is given"):
        read()
    with pytest.raises(UserError, match="There is no folder"):
        read(tmp_path / "nothing")
    with pytest.raises(UserError, match=r"has no results: name the folder of a study"):
        read(tmp_path)
    (tmp_path / "plan.jsonl").write_text(trial().to_json() + "\n")
    with pytest.raises(UserError, match="no trial of its plan has ended yet"):
        read(tmp_path)


def test_planned_trials_that_have_not_ended_are_pending(study):
    planned = [trial("reference", seed) for seed in (0, 1, 2)]
    (study / "plan.jsonl").write_text("".join(one.to_json() + "\n" for one in planned))
    assert read(study).attrs["pending"] == [{"trial": planned[2].id, "arm": "reference", "seed": 2}]
    (study / "plan.jsonl").write_text('{"tricks"')
    with pytest.raises(UserError, match=r"plan\.jsonl cannot be read"):
        read(study)


def test_curves_of_some_trials_and_of_torn_ones(study):
    one, other = trial("reference", 0).id, trial("reference", 1).id
    assert set(read_curves(study, trials={one})["trial"]) == {one}
    (study / "trials" / other / "curves.parquet").write_bytes(b"PAR1")
    frame = read_curves(study)
    assert other not in set(frame["trial"]) and frame.attrs["damaged"][0]["trial"] == other


def test_samples_of_an_unknown_trial(study):
    with pytest.raises(UserError, match="take an id"):
        read_samples(study, trial="nothing")
    assert read_samples(study, trial=trial("r1+ema_g", 1).id) == {}


def test_a_table_from_elsewhere_is_conformed_or_refused(study):
    frame = read(study)
    text = frame.astype({"seed": "str"})
    assert conform(text, RESULTS)["seed"].dtype == np.int64
    with pytest.raises(UserError, match=r"lacks the columns \['seed'\]"):
        conform(frame.drop(columns="seed"), RESULTS)
    with pytest.raises(UserError, match="does not fit"):
        conform(frame.assign(seed="first"), RESULTS)


def test_frame_survives_a_file(study, tmp_path):
    frame = read(study)
    frame.to_parquet(tmp_path / "frame.parquet")
    pd.testing.assert_frame_equal(
        conform(pd.read_parquet(tmp_path / "frame.parquet"), RESULTS), frame
    )
