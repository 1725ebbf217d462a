"""Files of arrays: .npz, .pt, folders, and what must never be run or waited for."""

import io
import os
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from ablate.data import arrays, load
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


def promising(shape):
    """Return the beginning of a .npy of bytes of a shape, and little behind it."""
    file = io.BytesIO()
    head = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, head)
    return file.getvalue() + bytes(100)


@pytest.mark.parametrize("shape", [(2**44, 8, 8), (2**62, 2**62, 3), (-1, 8, 8)])
def test_a_header_that_promises_more_than_there_is_is_told(tmp_path, shape):
    (tmp_path / "x.npy").write_bytes(promising(shape))
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as packed:
        packed.writestr("x.npy", promising(shape))
    for name in ("x.npy", "x.npz"):
        with pytest.raises(UserError, match=rf"{name} is no readable .*data\.root=FILE\.npy"):
            load("npy", root=tmp_path / name)


def test_packed_zeros_that_fill_the_memory_are_refused_before_they_are_unpacked(
    tmp_path, monkeypatch
):
    np.savez_compressed(tmp_path / "x.npz", x=np.zeros((1000, 32, 32), np.uint8))
    assert (tmp_path / "x.npz").stat().st_size < 20_000
    monkeypatch.setattr(arrays, "memory_bytes", lambda: 1_000_000)
    monkeypatch.setattr(np, "load", None)
    with pytest.raises(UserError, match=r"x\.npz holds 1 MB, .* 1 MB of memory; type data.root="):
        load("npy", root=tmp_path / "x.npz")


def test_a_view_that_repeats_one_number_is_refused(tmp_path):
    torch.save(torch.zeros(1).expand(2**40, 8, 8), tmp_path / "x.pt")  # 281 TB of one number
    assert (tmp_path / "x.pt").stat().st_size < 20_000
    with pytest.raises(UserError, match=r"x\.pt holds 281 TB, .*fewer images"):
        load("npy", root=tmp_path / "x.pt")


def test_parquet_of_more_than_the_memory_is_refused_before_it_is_read(tmp_path, monkeypatch):
    column = pa.array([bytes(10_000)] * 1000)
    pq.write_table(pa.table({"image": column}), tmp_path / "x.parquet", use_dictionary=False)
    assert (tmp_path / "x.parquet").stat().st_size < 1_000_000  # of 10 MB
    monkeypatch.setattr(arrays, "memory_bytes", lambda: 1_000_000)
    monkeypatch.setattr(pq.ParquetFile, "read", None)
    with pytest.raises(UserError, match=r"x\.parquet holds 10 MB, .* 1 MB of memory"):
        load("parquet", root=tmp_path / "x.parquet")
