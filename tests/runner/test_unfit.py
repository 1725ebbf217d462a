"""A checkpoint that nobody can go on from costs nothing but time: no status, and the same bits."""

import pytest
import torch

from ablate.store.record import read_status
from ablate.train import checkpoint
from tests.small import metrics

SEED = ("train", "seed=3")


def put(path, how, trial):
    """Put something in the place of the trial's checkpoint."""
    if how == "folder":
        path.mkdir(parents=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "of another trial": {"identity": "0" * 16},
        "without slots": {"identity": trial, "gan": {}},
        "an empty state": {
            "identity": trial,
            "slots": [0],
            "gan": {},
            "outcomes": [],
            "seconds": 0,
        },
        "strange slots": {"identity": trial, "slots": [[7]], "gan": {}},
    }.get(how)
    if content is None:
        path.write_bytes({"empty": b"", "text": b"[1]\n", "zip": b"PK\x03\x04"}[how])
    elif how == "of another trial":
        checkpoint.save(path, "0" * 16, {"slots": [0]})
    else:
        torch.save(content, path)


def status_of(trial):
    return read_status(trial)["status"]


@pytest.mark.parametrize(
    "how",
    ["empty", "text", "zip", "folder", "of another trial", "without slots", "an empty state",
     "strange slots"],
)  # fmt: skip
def test_the_trial_is_trained_from_its_beginning(place, how):
    assert place.type(*SEED) == 0
    (whole,) = place.trials()
    expected = metrics(whole)
    path = place.path / "again/checkpoints" / f"{whole.name}.pt"
    put(path, how, whole.name)
    assert place.type(*SEED, "out=again") == 0, place.err
    assert f"The checkpoint again/checkpoints/{whole.name}.pt" in place.err
    assert "is trained from the beginning" in place.err and "Traceback" not in place.err
    assert metrics(place.trials("again")[0]).equals(expected)
    assert {status_of(place.trials("again")[0]), status_of(whole)} <= {"done", "collapsed"}
    assert (place.path / "again/damaged" / f"{whole.name}.1.pt").exists()
