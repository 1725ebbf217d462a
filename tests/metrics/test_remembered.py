import os

import pytest
import torch

from ablate.errors import UserError
from ablate.metrics.cache import digest, remembered


class Builder:
    def __init__(self):
        self.calls = 0

    def __call__(self):
        self.calls += 1
        return {"x": torch.arange(100.0)}


def test_built_once_and_read_back(tmp_path):
    build, file = Builder(), tmp_path / "new" / "x.pt"
    for _ in range(3):
        assert torch.equal(remembered(file, build)["x"], torch.arange(100.0))
    assert build.calls == 1
    assert os.listdir(file.parent) == ["x.pt"]  # nothing temporary stays


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "foreign"])
def test_a_damaged_file_is_rebuilt(tmp_path, damage):
    build, file = Builder(), tmp_path / "x.pt"
    remembered(file, build)
    whole = file.read_bytes()
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    broken = {"cut": whole[:middle], "flip": flipped, "empty": b"", "foreign": b"text" * 99}
    file.write_bytes(broken[damage])
    assert torch.equal(remembered(file, build)["x"], torch.arange(100.0))
    assert build.calls == 2
    assert file.read_bytes() == whole


def test_a_build_that_fails_leaves_nothing(tmp_path):
    def build():
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        remembered(tmp_path / "x.pt", build)
    assert not list(tmp_path.iterdir())


def test_a_write_that_fails_leaves_nothing(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError("disk full")

    monkeypatch.setattr("ablate.metrics.cache.os.replace", refuse)
    with pytest.raises(UserError, match=r"disk full.*cache folder that can be written"):
        remembered(tmp_path / "x.pt", Builder())
    assert not list(tmp_path.iterdir())


def test_a_cache_that_is_no_folder(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot keep"):
        remembered(tmp_path / "file" / "x.pt", Builder())


def test_a_file_that_stands_in_anothers_place_is_built_again(tmp_path):
    here, there = tmp_path / "x.pt", tmp_path / "y.pt"
    remembered(here, Builder())
    remembered(there, lambda: {"a": torch.zeros(2)})
    here.write_bytes(there.read_bytes())
    builder = Builder()
    assert_same = torch.testing.assert_close
    assert_same(remembered(here, builder), builder())


def test_digest_sees_values_names_shapes_and_types():
    base = torch.zeros(4)
    others = [{"b": base}, {"a": base + 1}, {"a": base.view(2, 2)}, {"a": base.int()}]
    found = {digest(tensors) for tensors in [{"a": base}, *others]}
    assert len(found) == 5
    assert digest({"a": base, "b": base}) == digest({"b": base, "a": base})
