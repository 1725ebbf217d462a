import errno
import json
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from ablate.errors import UserError
from ablate.store import read, read_curves, read_provenance, read_samples, write_trial
from tests.store.synthetic import PROVENANCE, blobs, curves, metrics, status, trial, write

FILES = {
    "trial.json",
    "status.json",
    "metrics.parquet",
    "curves.parquet",
    "samples.npz",
    "provenance.json",
}


def everything_below(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_what_was_written_is_read(tmp_path):
    one = trial("r1", seed=3)
    samples = {"raw": blobs(1.0, 3), "ema": blobs(0.5, 3)}
    written = metrics(17.25, generators=("raw", "ema"))
    assert write_trial(tmp_path, vars(one), status(), written, curves(), samples, PROVENANCE)
    assert {path.name for path in (tmp_path / "trials" / one.id).iterdir()} == FILES
    frame = read(tmp_path)
    assert set(frame["trial"]) == {one.id} and set(frame["r1"]) == {1} and set(frame["seed"]) == {3}
    assert sorted(frame["value"]) == sorted(written["value"])
    assert len(read_curves(tmp_path)) == len(curves())
    np.testing.assert_array_equal(read_samples(tmp_path, trial=one.id)["ema"], samples["ema"])
    assert read_provenance(tmp_path)[one.id] == PROVENANCE


def test_a_trial_already_there_is_kept(tmp_path):
    one = write(tmp_path, "r1", 0, 10.0)
    arguments = (vars(one), status(), metrics(99.0), curves(), {}, PROVENANCE)
    assert not write_trial(tmp_path, *arguments)
    assert read(tmp_path)["value"].min() == 10.0
    assert everything_below(tmp_path / "trials") == sorted(
        [one.id, *(f"{one.id}/{name}" for name in FILES)]
    )


def test_of_many_writers_one_wins(tmp_path):
    arguments = (tmp_path, vars(trial("r1")), status(), metrics(1.0), curves(), {}, PROVENANCE)
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda _: write_trial(*arguments), range(16)))
    assert sum(won) == 1 and len(list((tmp_path / "trials").iterdir())) == 1


@pytest.mark.parametrize("failing_call", range(8))
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_a_full_or_closed_disk_leaves_nothing_and_says_what_to_do(
    tmp_path, monkeypatch, code, failing_call
):
    write(tmp_path, "r1", 0, 10.0)
    before = everything_below(tmp_path)
    calls = iter(range(100))
    real = os.fsync

    def fsync(descriptor):
        if next(calls) == failing_call:
            raise OSError(code, os.strerror(code))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    durable = failing_call == 7  # the rename is done; only its way to the disk is not certain
    with pytest.raises(UserError, match=rf"{tmp_path}; .*(disk|permitted).*start again"):
        write(tmp_path, "r1", 1, 11.0)
    assert everything_below(tmp_path) == before or durable
    monkeypatch.undo()
    assert len(read(tmp_path)["trial"].unique()) == 1 + durable


def test_an_unwritable_place_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="a file stands where a folder is needed"):
        write(tmp_path / "file" / "study", "r1", 0, 10.0)


def test_what_a_killed_process_left_is_not_read(tmp_path):
    write(tmp_path, "r1", 0, 10.0)
    (tmp_path / "trials" / f".{trial('r1', 1).id}.x").mkdir()
    frame = read(tmp_path)
    assert len(frame["trial"].unique()) == 1 and frame.attrs["damaged"] == []


def test_trial_json_is_the_frozen_trial(tmp_path):
    one = write(tmp_path, "r1", 0, 10.0)
    content = json.loads((tmp_path / "trials" / one.id / "trial.json").read_text())
    assert content.pop("schema") == 1 and type(one)(**content).id == one.id
