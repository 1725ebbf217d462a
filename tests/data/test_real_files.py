"""The published files themselves, where a copy lies beside the project."""

import gzip
import hashlib
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ablate.data import load, pictures

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
MNIST_MD5 = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}


def folder(name: str) -> Path:
    if not (SHARED / name).is_dir():
        pytest.skip(f"no real files in ../shared/data/{name}")
    return SHARED / name


def test_mnist_is_read_as_it_was_written():
    root = folder("mnist")
    start = time.process_time()  # not the wall clock: a busy machine must not fail this
    dataset = load("mnist", root=root)
    assert time.process_time() - start < 3  # seconds; half a second is usual
    assert (len(dataset.train), len(dataset.held_out)) == (60_000, 10_000)
    assert dataset.fingerprint == load("mnist", root=root.parent).fingerprint
    for part, split in (("train", dataset.train), ("t10k", dataset.held_out)):
        assert split.labels is not None
        for name, data, header in (
            (f"{part}-images-idx3-ubyte", split.images, 16),
            (f"{part}-labels-idx1-ubyte", split.labels.byte(), 8),
        ):
            with gzip.open(root / f"{name}.gz") as file:
                start_of_file = file.read(header)
            content = start_of_file + data.numpy().tobytes()
            assert hashlib.md5(content).hexdigest() == MNIST_MD5[name]


def test_stacked_mnist_has_all_modes():
    dataset = load("stacked", root=folder("mnist"), of="mnist", samples=20_000)
    assert (dataset.name, dataset.shape) == ("stacked_mnist", (3, 28, 28))
    assert dataset.train.labels is not None
    assert len(dataset.train.labels.unique()) == 1000


def test_a_slice_of_the_parquet_set(tmp_path):
    """A thousand rows of each part, because the whole takes ten seconds."""
    for part in ("train", "test"):
        file = pq.ParquetFile(folder("cifar10-jpeg") / f"{part}.parquet")
        rows = next(file.iter_batches(1000))
        pq.write_table(pa.Table.from_batches([rows]), tmp_path / f"{part}.parquet")
    dataset = load("parquet", root=tmp_path)
    assert (dataset.shape, len(dataset.train), len(dataset.held_out)) == ((3, 32, 32), 1000, 1000)
    assert 100 < dataset.train.images.float().mean() < 140


@pytest.mark.slow
def test_the_whole_parquet_set(tmp_path, monkeypatch):
    root = folder("cifar10-jpeg")
    dataset = load("parquet", root=root, cache=tmp_path)
    assert (dataset.name, dataset.shape, dataset.classes) == ("cifar10-jpeg", (3, 32, 32), 10)
    assert (len(dataset.train), len(dataset.held_out)) == (50_000, 10_000)
    assert dataset.train.labels is not None
    assert dataset.train.labels.bincount().tolist() == [5000] * 10
    # Colour means of CIFAR-10 in the order red, green, blue; JPEG moves them by less than 1.
    means = dataset.train.images.float().mean((0, 2, 3))
    assert means.tolist() == pytest.approx([125.3, 123.0, 113.9], abs=1)
    monkeypatch.setattr(pictures, "decode_all", None)  # the second time, nothing is decoded
    assert load("parquet", root=root, cache=tmp_path).fingerprint == dataset.fingerprint
