"""CIFAR-10 batches in all four wrappings; a pickle can do nothing but hold arrays."""

import io
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest

from ablate.data import load
from ablate.errors import UserError

BATCHES = [f"data_batch_{number}" for number in range(1, 6)] + ["test_batch"]


def made() -> dict[str, tuple[np.ndarray, list[int]]]:
    rng = np.random.default_rng(0)
    return {
        name: (rng.integers(0, 256, (3, 3072), np.uint8), rng.integers(0, 10, 3).tolist())
        for name in BATCHES
    }


def by_python_2(pixels: np.ndarray, labels: list[int]) -> bytes:
    """A batch in the words of the published ones: protocol 2, written by Python 2."""

    def text(value: bytes) -> bytes:
        return b"T" + len(value).to_bytes(4, "little") + value

    rows, columns = (size.to_bytes(4, "little") for size in pixels.shape)
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85U\x01btR"
        + b"(K\x01J" + rows + b"J" + columns + b"\x86"
        + b"cnumpy\ndtype\n(U\x02u1K\x00K\x01tR(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xff"
        + b"K\x00tb\x89" + text(pixels.tobytes()) + b"tb"
    )  # fmt: skip
    listed = b"](" + b"".join(b"K" + bytes([label]) for label in labels) + b"e"
    return b"\x80\x02}(" + text(b"data") + array + text(b"labels") + listed + b"u."


def by_python_3(pixels: np.ndarray, labels: list[int], protocol: int = 2) -> bytes:
    return pickle.dumps({b"data": pixels, b"labels": labels}, protocol)


def binary(pixels: np.ndarray, labels: list[int]) -> bytes:
    return np.concatenate([np.array(labels, np.uint8)[:, None], pixels], 1).tobytes()


def write(place: Path, contents: dict[str, bytes], tarred: bool) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if not tarred:
        place.mkdir()
        for name, content in contents.items():
            (place / name).write_bytes(content)
        return
    with tarfile.open(place, "w:gz") as tar:
        for name, content in contents.items():
            member = tarfile.TarInfo(f"cifar-10/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


WRITERS = {
    "python 2": (by_python_2, ""),
    "python 3": (by_python_3, ""),
    "later protocol": (lambda *batch: by_python_3(*batch, protocol=4), ""),
    "binary": (binary, ".bin"),
}


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("tarred", [False, True])
def test_what_is_written_comes_back(tmp_path, writer, tarred):
    pack, ending = WRITERS[writer]
    place = tmp_path / ("any.tar.gz" if tarred else "any")
    batches = made()
    write(place, {name + ending: pack(*batch) for name, batch in batches.items()}, tarred)
    dataset = load("cifar10", root=place)
    assert (dataset.shape, dataset.classes) == ((3, 32, 32), 10)
    assert (len(dataset.train), len(dataset.held_out)) == (15, 3)
    pixels, _ = batches["test_batch"]
    assert (dataset.held_out.images.numpy() == pixels.reshape(3, 3, 32, 32)).all()
    assert dataset.train.labels is not None
    assert dataset.train.labels[3:6].tolist() == batches["data_batch_2"][1]


@pytest.mark.parametrize(
    "inside",
    ["cifar-10-batches-py", "cifar-10-python.tar.gz", "cifar10/cifar-10-python.tar.gz"],
)
def test_published_names_are_found_in_the_folder(tmp_path, inside):
    contents = {name: by_python_3(*batch) for name, batch in made().items()}
    write(tmp_path / inside, contents, tarred=inside.endswith("gz"))
    assert len(load("cifar10", root=tmp_path).train) == 15


class Runs:
    """Opens a file when it is unpickled."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_a_pickle_that_runs_something_is_refused_before_it_runs(tmp_path, protocol):
    contents = {name: by_python_3(*batch) for name, batch in made().items()}
    sign = tmp_path / "ran"
    contents["data_batch_3"] = pickle.dumps({b"data": Runs(sign), b"labels": []}, protocol)
    write(tmp_path / "any", contents, tarred=False)
    with pytest.raises(UserError, match=r"data_batch_3 .*it asks to call \w+\.open"):
        load("cifar10", root=tmp_path / "any")
    assert not sign.exists()


IMAGES, LABELS = made()["data_batch_2"]
DAMAGES = {
    "cut": by_python_3(IMAGES, LABELS)[:-100],
    "empty": b"",
    "no batch": pickle.dumps([1, 2]),
    "no labels": pickle.dumps({"data": IMAGES}, 2),
    "fewer labels": by_python_3(IMAGES, LABELS[:2]),
    "label 10": by_python_3(IMAGES, [1, 2, 10]),
    "other width": by_python_3(IMAGES[:, :3000], LABELS),
    "floats": by_python_3(IMAGES.astype(float), LABELS),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_batch_is_named(tmp_path, damage):
    contents = {name: by_python_3(*batch) for name, batch in made().items()}
    write(tmp_path / "any", contents | {"data_batch_2": DAMAGES[damage]}, tarred=False)
    with pytest.raises(UserError, match=r"Batch data_batch_2 in .* is no CIFAR-10 batch"):
        load("cifar10", root=tmp_path / "any")


@pytest.mark.parametrize("content", [binary(IMAGES, LABELS)[:-1], b"", binary(IMAGES, [1, 2, 99])])
def test_a_damaged_binary_batch_is_named(tmp_path, content):
    contents = {f"{name}.bin": binary(*batch) for name, batch in made().items()}
    write(tmp_path / "any", contents | {"test_batch.bin": content}, tarred=False)
    with pytest.raises(UserError, match="Batch test_batch in"):
        load("cifar10", root=tmp_path / "any")


@pytest.mark.parametrize("missing", ["data_batch_5", "test_batch"])
def test_a_missing_batch_is_named(tmp_path, missing):
    contents = {name: by_python_3(*made()[name]) for name in BATCHES if name != missing}
    write(tmp_path / "any", contents, tarred=False)
    with pytest.raises(UserError, match=f"no CIFAR-10 batch {missing}; say data.root=FOLDER"):
        load("cifar10", root=tmp_path / "any")


@pytest.mark.parametrize("spoil", [lambda c: c[: len(c) // 2], lambda c: b"no archive"])
def test_a_damaged_archive_is_named(tmp_path, spoil):
    archive = tmp_path / "cifar-10-python.tar.gz"
    write(archive, {name: by_python_3(*batch) for name, batch in made().items()}, tarred=True)
    archive.write_bytes(spoil(archive.read_bytes()))
    with pytest.raises(UserError, match=r"damaged archive .* run `ablate data fetch cifar10`"):
        load("cifar10", root=tmp_path)
