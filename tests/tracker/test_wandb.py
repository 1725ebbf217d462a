"""A real offline run, and what its file holds."""

import json
import struct
import sys

import pytest

wandb = pytest.importorskip("wandb")


BLOCK, HEADER = 32768, 7  # of a LevelDB log, which a .wandb file is behind its first 7 bytes


def chunks(data):
    """Yield the records of a LevelDB log; one that spans blocks comes in pieces."""
    whole, place = b"", HEADER
    while place + HEADER <= len(data):
        if BLOCK - place % BLOCK < HEADER:
            place += BLOCK - place % BLOCK
            continue
        length, kind = struct.unpack("<HB", data[place + 4 : place + HEADER])
        whole += data[place + HEADER : place + HEADER + length]
        place += HEADER + length
        if kind in (1, 4):  # full, last
            yield whole
            whole = b""


def records(path):
    """Yield the records of a .wandb file."""
    from wandb.proto import wandb_internal_pb2

    wandb.teardown()  # a finished run may still be on its way to the disk
    for chunk in chunks(path.read_bytes()):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(chunk)
        yield record


def history(record):
    """Return the values of a line."""
    items = record.history.item
    return {"/".join(i.nested_key) or i.key: json.loads(i.value_json) for i in items}


# wandb's own protobuf and sockets warn at the end of a process; that is not about us.
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_an_offline_run_mirrors_the_trial(place, monkeypatch):
    for folder in ("CACHE", "CONFIG", "DATA"):
        monkeypatch.setenv(f"WANDB_{folder}_DIR", str(place.path / "wandb-home"))
    assert place.type("train", "trick=[ema_g]", "tracker=wandb") == 0, place.err
    (trial,) = place.trials()
    (file,) = (place.path / "results/train/wandb").glob("offline-run-*/*.wandb")
    found = list(records(file))
    (run,) = [r.run for r in found if r.HasField("run")][:1]
    assert (run.run_id, run.run_group, list(run.tags)) == (trial.name, "ema_g", ["ema_g"])
    lines = [history(r) for r in found if r.HasField("history")]
    assert [line["images"] for line in lines if "raw/fd_raw" in line] == [16, 32]
    assert [line["images"] for line in lines if "curve/loss_d" in line] == [8, 16, 24, 32]
    axes = {m.glob_name or m.name: m.step_metric for m in (r.metric for r in found)}
    assert axes["*"] == "images"
    assert [r.exit.exit_code for r in found if r.HasField("exit")] == [0]


def test_no_tracker_imports_no_wandb(place, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)  # its import fails
    assert place.type("train") == 0, place.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["tracker.mode=offlien"], "did you mean 'offline'"),
        (["tracker.projekt=x"], "did you mean 'project'"),
    ],
)
def test_a_mistake_is_told(place, words, sentence):
    assert place.type("train", "tracker=wandb", *words) == 2
    assert sentence in place.err
    assert not (place.path / "results").exists()
