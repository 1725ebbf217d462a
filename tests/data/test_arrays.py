"""Files of arrays: .npz, .pt, folders, and what must never be run or waited for."""

import os

import numpy as np
import pytest
import torch

from ablate.data import load
from ablate.errors import UserError
from tests.data.test_npy import PIXELS, save


def written(path, content):
    if path.suffix == ".npz":
        np.savez(path, **content)
    else:
        torch.save({name: torch.from_numpy(array) for name, array in content.items()}, path)
    return path


@pytest.mark.parametrize("suffix", [".npz", ".pt"])
def test_the_one_array_of_images_in_a_file_is_read(tmp_path, suffix):
    plain = load("npy", root=save(tmp_path, PIXELS))
    one = load("npy", root=written(tmp_path / f"one{suffix}", {"images": PIXELS}))
    assert (one.name, one.fingerprint) == ("one", plain.fingerprint)
    both = written(tmp_path / f"both{suffix}", {"y": np.arange(10), "x": PIXELS})
    dataset = load("npy", root=both)
    assert dataset.fingerprint == plain.fingerprint
    assert "x is read, and y left out" in dataset.reading.notes


@pytest.mark.parametrize("suffix", [".npz", ".pt"])
def test_several_arrays_of_images_are_named(tmp_path, suffix):
    root = written(tmp_path / f"k{suffix}", {"x_train": PIXELS, "x_test": PIXELS[:4] // 2})
    with pytest.raises(UserError, match=r"x_train \[10, 6, 5, 3\], x_test .*data\.array=x_train"):
        load("npy", root=root)
    with pytest.raises(UserError, match=r"holds no array 'x' but x_train.*data\.array=NAME"):
        load("npy", root=root, array="x")
    dataset = load("npy", root=root, array="x_train")
    assert dataset.fingerprint == load("npy", root=save(tmp_path, PIXELS)).fingerprint


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16, torch.float16])
def test_a_tensor_alone_or_in_a_list_is_read(tmp_path, kind):
    ones = torch.ones(10, 3, 6, 5, dtype=kind, requires_grad=True)
    for content in (ones, [ones, torch.arange(10)]):
        torch.save(content, tmp_path / "x.pt")
        assert (load("npy", root=tmp_path / "x.pt").train.images == 255).all()


def test_a_folder_of_one_array_is_that_array(tmp_path):
    assert load("npy", root=save(tmp_path, PIXELS).parent).name == "mine"
    np.save(tmp_path / "other.npy", PIXELS)
    with pytest.raises(UserError, match=r"2 such files, mine\.npy, other\.npy"):
        load("npy", root=tmp_path)


class Bomb:
    def __reduce__(self):
        return (open, ("exploded", "w"))


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".pt"])
def test_no_program_in_a_file_is_run(tmp_path, monkeypatch, suffix):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / f"bomb{suffix}"
    if suffix == ".pt":
        torch.save(Bomb(), path)
    elif suffix == ".npz":
        np.savez(path, x=np.array([Bomb()], object))
    else:
        np.save(path, np.array([Bomb()], object), allow_pickle=True)
    with pytest.raises(UserError, match="is no readable") as refusal:
        load("npy", root=path)
    assert "\n" not in str(refusal.value)
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize("content", [{}, {"lr": 0.1, "name": "adam"}, "text"])
def test_a_file_without_arrays_is_refused(tmp_path, content):
    torch.save(content, tmp_path / "x.pt")
    with pytest.raises(UserError, match="holds no array; say"):
        load("npy", root=tmp_path / "x.pt")


@pytest.mark.parametrize(
    "tensor",
    [
        torch.zeros(9, 8, 8).to_sparse(),
        torch.zeros(9, 8, 8, dtype=torch.float8_e4m3fn),
        torch.zeros(9, 8, 8, device="meta"),
    ],
    ids=["sparse", "float8", "meta"],
)
def test_a_tensor_that_numpy_does_not_know_is_refused(tmp_path, tensor):
    torch.save(tensor, tmp_path / "x.pt")
    with pytest.raises(UserError, match=r"x\.pt is no readable .* array \("):
        load("npy", root=tmp_path / "x.pt")


def test_images_without_pixels_are_refused(tmp_path):
    with pytest.raises(UserError, match="hold no pixels"):
        load("npy", root=save(tmp_path, np.zeros((20, 0, 8), np.uint8)))


@pytest.mark.parametrize("name", ["npy", "image_folder", "parquet"])
def test_a_pipe_is_not_waited_for(tmp_path, name):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UserError, match="is neither a file nor a folder"):
        load(name, root=tmp_path / "pipe")
