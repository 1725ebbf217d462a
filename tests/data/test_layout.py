"""Splits are read from names of every spelling, in folders, zips and Parquet alike."""

import io
import zipfile
from pathlib import Path, PurePosixPath

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from ablate.data import load
from ablate.data.layout import layout, split_word
from ablate.errors import UserError

# name -> (train files, held-out files), by what a person would say of each
PAIRS = {
    "capitals": ("Train", "Test"),
    "shouting": ("TRAIN", "TEST"),
    "gerunds": ("training", "testing"),
    "keras": ("train", "validation"),
    "val": ("train", "val"),
    "dev": ("train", "dev"),
    "eval": ("Training", "eval"),
    "held out": ("train", "held_out"),
    "hive": ("split=train", "split=test"),
    "coco": ("train2017", "val2017"),
    "kaggle": ("seg_train/seg_train", "seg_test/seg_test"),
    "hub": ("default/train", "default/test"),
    "behind": ("train_images", "test_images"),
    "domains": ("trainA", "testA"),
}


def png(shade: int) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.full((6, 6, 3), shade, np.uint8)).save(stream, "png")
    return stream.getvalue()


def write(root: Path, files: dict[str, int], zipped: bool = False) -> Path:
    if zipped:
        with zipfile.ZipFile(root.with_suffix(".zip"), "w") as archive:
            for name, shade in files.items():
                archive.writestr(name, png(shade))
        return root.with_suffix(".zip")
    for name, shade in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(png(shade))
    return root


def shard(path: Path, *shades: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cells = [{"bytes": png(shade), "path": None} for shade in shades]
    pq.write_table(pa.table({"image": cells}), path)


def shades(split) -> list[int]:
    return split.images[:, 0, 0, 0].tolist()


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("form", ["split/label", "label/split", "outer/split"])
@pytest.mark.parametrize("pair", PAIRS)
def test_images_are_halved_by_folders(tmp_path, pair, form, zipped):
    files = {}
    for half, start in zip(PAIRS[pair], (0, 10), strict=True):
        for label, shade in (("ant", start), ("ant", start + 1), ("bee", start + 2)):
            folder = {"split/label": f"{half}/{label}", "label/split": f"{label}/{half}"}
            files[f"{folder.get(form, f'outer/{half}')}/{shade:02}.png"] = shade
    dataset = load("image_folder", root=write(tmp_path / "mine", files, zipped))
    assert (shades(dataset.train), shades(dataset.held_out)) == ([0, 1, 2], [10, 11, 12])
    labelled = form != "outer/split"
    assert dataset.classes == (2 if labelled else None)
    if labelled:
        assert dataset.train.labels.tolist() == dataset.held_out.labels.tolist() == [0, 0, 1]
    assert any("trained on" in note and "held out" in note for note in dataset.reading.notes)


@pytest.mark.parametrize("pair", PAIRS)
def test_shards_are_halved_by_folders(tmp_path, pair):
    train, held_out = PAIRS[pair]
    shard(tmp_path / "mine" / train / "0000.parquet", 0, 1)
    shard(tmp_path / "mine" / train / "0001.parquet", 2)
    shard(tmp_path / "mine" / held_out / "0000.parquet", 10)
    dataset = load("parquet", root=tmp_path / "mine")
    assert (shades(dataset.train), shades(dataset.held_out)) == ([0, 1, 2], [10])


@pytest.mark.parametrize(
    ("train", "held_out"),
    [
        ("mnist_train.parquet", "mnist_test.parquet"),
        ("TRAIN.parquet", "Test.parquet"),
        ("data/train-00000-of-00001-a09b74b3ef9c3b56.parquet", "data/test-00000-of-00001.parquet"),
        ("cifar-training-0.PARQUET", "cifar-validation-0.parquet"),
        ("default/partial-train/0.parquet", "default/partial-test/0.parquet"),
    ],
)
def test_shards_are_halved_by_their_own_names(tmp_path, train, held_out):
    shard(tmp_path / "mine" / train, 0, 1)
    shard(tmp_path / "mine" / held_out, 10)
    dataset = load("parquet", root=tmp_path / "mine")
    assert (shades(dataset.train), shades(dataset.held_out)) == ([0, 1], [10])


def test_images_are_halved_by_the_first_word_of_their_names_where_all_have_one(tmp_path):
    files = {"train_0.png": 0, "train_1.png": 1, "test_0.png": 10, "test_1.png": 11}
    dataset = load("image_folder", root=write(tmp_path / "a", files))
    assert (shades(dataset.train), shades(dataset.held_out)) == ([0, 1], [10, 11])
    # A picture of a train among others is no half.
    dataset = load("image_folder", root=write(tmp_path / "b", files | {"ship_1.png": 20}))
    assert (len(dataset.train), len(dataset.held_out)) == (4, 1)


@pytest.mark.parametrize("kind", ["image_folder", "parquet"])
def test_a_validation_split_beside_a_test_split_is_left_out_and_counted(tmp_path, kind):
    for half, start in (("train", 0), ("val", 10), ("test", 20), ("unlabeled", 30)):
        if kind == "parquet":
            shard(tmp_path / "mine" / half / "0.parquet", start, start + 1)
        else:
            write(tmp_path / "mine", {f"{half}/{start + n}.png": start + n for n in range(2)})
    dataset = load(kind, root=tmp_path / "mine")
    assert (shades(dataset.train), shades(dataset.held_out)) == ([0, 1], [20, 21])
    files = 1 if kind == "parquet" else 2
    assert dataset.reading.left_out == {"val/": files, "unlabeled/": files}


@pytest.mark.parametrize("kind", ["image_folder", "parquet"])
@pytest.mark.parametrize("half", ["test", "Testing", "val", "split=test", "outer/eval"])
def test_a_held_out_half_alone_is_never_trained_on_without_a_word(tmp_path, kind, half):
    root = tmp_path / "mine"
    if kind == "parquet":
        shard(root / half / "0.parquet", 0, 1, 2)
    else:
        write(root, {f"{half}/{n}.png": n for n in range(3)})
    with pytest.raises(UserError, match=r"holds no training images, only .*data\.root="):
        load(kind, root=root)
    dataset = load(kind, root=root / half)  # said so, it may be
    assert sorted(shades(dataset.train) + shades(dataset.held_out)) == [0, 1, 2]


def test_test_shards_alone_are_refused(tmp_path):
    shard(tmp_path / "mnist_test.parquet", 0, 1, 2)
    with pytest.raises(UserError, match=r"no train\*\.parquet, only mnist_test\.parquet"):
        load("parquet", root=tmp_path)
    assert len(load("parquet", root=tmp_path / "mnist_test.parquet").train) == 2


@pytest.mark.parametrize("beside", ["cat/1.png", "1.png"])
def test_a_test_folder_beside_others_is_refused(tmp_path, beside):
    root = write(tmp_path / "mine", {"test/a.png": 0, beside: 1, "cat/2.png": 2})
    with pytest.raises(UserError, match=r"holds test/ but no train/ beside it \(there is cat/\)"):
        load("image_folder", root=root)


def test_several_pairs_are_refused(tmp_path):
    files = {f"{half}{domain}/1.png": 0 for half in ("train", "test") for domain in "AB"}
    with pytest.raises(UserError, match=r"several pairs of splits \(testA/, testB/, trainA/ and"):
        load("image_folder", root=write(tmp_path / "mine", files))


def test_a_shard_named_after_two_splits_is_refused(tmp_path):
    shard(tmp_path / "train_test.parquet", 0, 1, 2)
    shard(tmp_path / "train.parquet", 0, 1, 2)
    with pytest.raises(UserError, match=r"train_test\.parquet is named after two splits"):
        load("parquet", root=tmp_path)


@pytest.mark.parametrize(
    "labels", [("train_station", "test_tube"), ("train", "ship"), ("contest", "trainer")]
)
def test_labels_that_sound_like_splits_are_labels(tmp_path, labels):
    files = {f"{label}/{n}.png": n for n in range(4) for label in labels}
    dataset = load("image_folder", root=write(tmp_path / "mine", files))
    assert dataset.classes == 2
    assert len(dataset.train) + len(dataset.held_out) == 8
    is_told = any("train/ is read as a label" in note for note in dataset.reading.notes)
    assert is_told == ("train" in labels)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Seg_TRAIN2017", ("train", ("seg", "2017"))),
        ("split=test", ("test", ())),
        ("Held-Out", ("validation", ())),
        ("trainA", ("train", ("a",))),
        ("latest", None),
        ("traintest", None),
        ("train_test", None),
        ("", None),
    ],
)
def test_words_of_names(name, meant):
    assert split_word(name) == meant


@pytest.mark.parametrize("shards", [False, True])
def test_no_file_is_in_both_halves_and_none_is_lost(shards):
    """A law over made-up trees: trained on, held out, or counted."""
    rng = np.random.default_rng(0)
    words = ["train", "Test", "val", "cat", "seg_train", "seg_test", "a", "training", "x2"]
    tried = 0
    for _ in range(500):
        names = [
            PurePosixPath(*rng.choice(words, rng.integers(0, 4)), f"{rng.choice(words)}_{n}.png")
            for n in range(rng.integers(1, 8))
        ]
        try:
            found = layout([name.parts for name in names], Path("root"), shards)
        except UserError as error:
            assert str(error).endswith(".") and "\n" not in str(error)
            continue
        tried += 1
        assert not set(found.train) & set(found.held_out)
        left = sum(found.reading.left_out.values())
        assert len(found.train) + len(found.held_out) + left == len(names)
    assert tried > 100
