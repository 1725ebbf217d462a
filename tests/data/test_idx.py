"""IDX files: what is written comes back; every damage is named."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from ablate.data import load
from ablate.errors import UserError

NAMES = ("mnist", "fashion_mnist")


def idx(array: np.ndarray) -> bytes:
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


def write_set(folder: Path, packed: bool = False, side: int = 28) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    arrays = {}
    for part, count in (("train", 12), ("t10k", 5)):
        arrays[f"{part}-images-idx3-ubyte"] = rng.integers(0, 256, (count, side, side), np.uint8)
        arrays[f"{part}-labels-idx1-ubyte"] = rng.integers(0, 10, count, np.uint8)
    folder.mkdir(exist_ok=True)
    for name, array in arrays.items():
        if packed:
            (folder / f"{name}.gz").write_bytes(gzip.compress(idx(array)))
        else:
            (folder / name).write_bytes(idx(array))
    return arrays


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("below", [False, True])
def test_what_is_written_comes_back(tmp_path, name, packed, below):
    arrays = write_set(tmp_path / name if below else tmp_path, packed)
    dataset = load(name, root=str(tmp_path))
    assert (dataset.name, dataset.shape, dataset.classes) == (name, (1, 28, 28), 10)
    for part, split in (("train", dataset.train), ("t10k", dataset.held_out)):
        assert (split.images[:, 0].numpy() == arrays[f"{part}-images-idx3-ubyte"]).all()
        assert split.labels is not None
        assert (split.labels.numpy() == arrays[f"{part}-labels-idx1-ubyte"]).all()


IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
DAMAGES = {
    "truncated": (IMAGES, lambda content: content[:-1], "is truncated or damaged"),
    "too long": (LABELS, lambda content: content + b"1", "is truncated or damaged"),
    "header only begun": (IMAGES, lambda content: content[:9], "is no IDX file"),
    "empty": (IMAGES, lambda content: b"", "starts with nothing"),
    "labels for images": (IMAGES, lambda content: idx(np.zeros(3, np.uint8)), "is no IDX file"),
    "png": (IMAGES, lambda content: b"\x89PNG\r\n" * 9, "is no IDX file"),
    "other count": (LABELS, lambda content: idx(np.zeros(11, np.uint8)), "each of the 12 images"),
    "label 10": (LABELS, lambda content: content[:-1] + bytes([10]), "a label from 0 to 9"),
    "other size": (
        IMAGES,
        lambda content: idx(np.zeros((12, 32, 32), np.uint8)),
        "32x32 pixels but mnist has 28x28; for other images write data=image_folder",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_every_damage_is_named_with_its_file(tmp_path, damage):
    name, spoil, words = DAMAGES[damage]
    write_set(tmp_path)
    path = tmp_path / name
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(UserError, match=words) as refusal:
        load("mnist", root=tmp_path)
    assert str(path) in str(refusal.value)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda c: c[:-20],
        lambda c: b"no gzip",
        lambda c: c[:40] + b"\0" * 9 + c[49:],
        lambda c: b"1",
        lambda c: c[:10] + b"\xff" * 9,
    ],
    ids=["cut", "other file", "overwritten", "one byte", "no deflate"],
)
def test_damaged_gzip_is_named(tmp_path, spoil):
    write_set(tmp_path, packed=True)
    path = tmp_path / f"{IMAGES}.gz"
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(UserError, match="damaged gzip file"):
        load("mnist", root=tmp_path)


def test_a_missing_file_is_named(tmp_path):
    write_set(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(UserError, match=r"neither t10k-labels-idx1-ubyte nor .*\.gz; say"):
        load("mnist", root=tmp_path)
