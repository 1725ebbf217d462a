"""What a power cut must not take: contents before their names, names in the folders above them."""

import os
from pathlib import Path

import pytest

from ablate.disk import make_folder, swapped
from tests.plan.test_search import TUNED
from tests.plan.test_sweep import TWO

FORGOTTEN = {"claims", "cache"}  # of the living alone; checked when read, and made again


class Disk:
    """What is asked of the disk, in order; names of descriptors as they were opened."""

    def __init__(self, monkeypatch):
        self.calls = []
        for name in ("mkdir", "replace", "rename", "symlink", "fsync"):
            monkeypatch.setattr(os, name, self.watched(name, getattr(os, name)))

    def watched(self, name, call):
        def told(first, *rest, **options):
            if name == "fsync":
                self.calls.append((name, Path(os.readlink(f"/proc/self/fd/{first}"))))
            done = call(first, *rest, **options)
            if name == "mkdir":
                self.calls.append((name, real(first)))
            elif name != "fsync":
                self.calls.append((name, real(first), real(rest[0])))
            return done

        return told

    def at_risk(self, below):
        """Return what a power cut after the last call may take."""
        found = []
        for n, (name, *paths) in enumerate(self.calls):
            path = paths[-1]
            if name == "fsync" or not is_kept(path, below):
                continue
            before = {p for call, *ps in self.calls[:n] for p in ps if call == "fsync"}
            after = {p for call, *ps in self.calls[n:] for p in ps if call == "fsync"}
            if path.parent not in after:
                found.append(f"{name} of {path}")
            if name in ("replace", "rename") and paths[0] not in before:
                found.append(f"content of {path}")
        return found


def real(path):
    """Return a path as descriptors tell it: `tuned/trials` is a link."""
    path = Path(path).absolute()
    return path.parent.resolve() / path.name


def is_kept(path, below):
    """Return whether a name is there to stay."""
    inside = path.relative_to(below).parts if path.is_relative_to(below) else ()
    hidden = any(part.startswith(".") for part in inside)
    return bool(inside) and not hidden and not FORGOTTEN.intersection(inside)


@pytest.fixture
def disk(monkeypatch):
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("needs /proc")
    return Disk(monkeypatch)


@pytest.mark.parametrize(
    "words",
    [TWO, (*TUNED, "hydra/launcher=basic", "search.trials=2", "study.seeds=[5]")],
    ids=["study", "tuned"],
)
def test_all_that_a_sweep_leaves_is_on_the_disk(place, disk, words):
    assert place.type("sweep", *words, "out=deep/er/study") == 0, place.err
    made = {path.relative_to(place.path) for call, *_, path in disk.calls if call == "mkdir"}
    assert {Path(p) for p in ("deep", "deep/er", "deep/er/study", "deep/er/study/trials")} <= made
    names = {path.name for call, *_, path in disk.calls if call == "replace"}
    assert {"plan.jsonl", "study.json"} <= names and any(n.endswith(".pt") for n in names)
    assert disk.at_risk(place.path) == []


def test_a_risk_is_seen(tmp_path, disk):
    (tmp_path / "one").mkdir()
    (tmp_path / "beside").write_text("x")
    (tmp_path / "beside").replace(tmp_path / "one" / "file")
    found = disk.at_risk(tmp_path)
    assert [risk.partition(" of ")[0] for risk in found] == ["mkdir", "replace", "content"]


def test_a_folder_that_is_there_is_not_synced_again(tmp_path, disk):
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    synced = [path for call, *_, path in disk.calls if call == "fsync"]
    assert synced == [tmp_path, tmp_path / "a"]


def test_what_fails_half_way_leaves_what_was_there(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(RuntimeError), swapped(path) as file:
        file.write(b"ne")
        raise RuntimeError
    assert os.listdir(tmp_path) == ["file"]
    assert path.read_text() == "old"
