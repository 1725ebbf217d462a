"""Image parquet: shards, columns, labels, and every damage named."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from ablate.data import load
from ablate.errors import UserError


def encode(shade: int, side: int = 5) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.full((side, side, 3), shade, np.uint8)).save(stream, "png")
    return stream.getvalue()


def cells(shades: range) -> list[dict[str, Any]]:
    return [{"bytes": encode(shade), "path": f"{shade}.png"} for shade in shades]


def write(path: Path, **columns: list[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)
    return path


def write_set(root: Path, image: str = "image", label: str | None = "label") -> Path:
    """Shades 0..9 in two train shards, 10..12 in a test shard; the label is the shade modulo 4."""
    for name, shades in (
        ("train-00000-of-00002", range(6)), ("train-00001-of-00002", range(6, 10)),
        ("test-00000-of-00001", range(10, 13)),
    ):  # fmt: skip
        labels = {} if label is None else {label: [shade % 4 for shade in shades]}
        write(root / f"{name}.parquet", **{image: cells(shades)}, **labels)
    return root


@pytest.mark.parametrize("image", ["image", "img"])
@pytest.mark.parametrize("below", ["", "data"])
def test_shards_are_joined_in_order(tmp_path, image, below):
    write_set(tmp_path / "mine" / below, image)
    dataset = load("parquet", root=tmp_path / "mine")
    assert (dataset.name, dataset.shape, dataset.classes) == ("mine", (3, 5, 5), 4)
    assert dataset.train.images[:, 1, 2, 3].tolist() == list(range(10))
    assert dataset.held_out.images[:, 1, 2, 3].tolist() == [10, 11, 12]
    assert dataset.train.labels is not None
    assert dataset.train.labels.tolist() == [shade % 4 for shade in range(10)]


def test_without_test_shards_the_held_out_split_is_ours(tmp_path):
    path = write(tmp_path / "all.parquet", pixels=[encode(shade) for shade in range(10)])
    dataset = load("parquet", root=path, title="greys", size=3, channels=1)
    assert (dataset.name, dataset.shape, dataset.classes) == ("greys", (1, 3, 3), None)
    assert (len(dataset.train), len(dataset.held_out)) == (8, 2)
    assert load("parquet", root=tmp_path, size=3, channels=1).fingerprint == dataset.fingerprint


def test_labels_are_chosen_by_name(tmp_path):
    write_set(tmp_path, label="fine")
    assert load("parquet", root=tmp_path).classes is None
    assert load("parquet", root=tmp_path, label_column="fine").classes == 4
    with pytest.raises(UserError, match="no label column 'coarse' among its columns image, fine"):
        load("parquet", root=tmp_path, label_column="coarse")


def test_hidden_labels_leave_a_split_unlabelled(tmp_path):
    write_set(tmp_path)
    write(tmp_path / "test-0.parquet", image=cells(range(3)), label=[-1, -1, -1])
    (tmp_path / "test-00000-of-00001.parquet").unlink()
    dataset = load("parquet", root=tmp_path)
    assert dataset.held_out.labels is None
    assert dataset.classes == 4
    assert "no label of the held-out half is known" in dataset.reading.notes


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (["a", "b", "c"], "3 values for 3 images: ids are no labels"),
        ([0.5, 1.0, 1.0], "holds measurements"),
        ([1, None, 1], "is null for 1 of 3 images"),
        ([1, 1, -1], "is negative for 1 of 3 images"),
        ([[1], [1, 2], []], "holds list<.*>, which is no label"),
        ([{"a": 1}] * 3, "holds struct<.*>, which is no label"),
        ([2**63 + 1] * 3, "holds no class numbers"),
    ],
    ids=["ids", "measurements", "null", "negative", "lists", "structs", "beyond int64"],
)
def test_labels_that_are_no_classes_are_refused_and_null_does_without(tmp_path, labels, words):
    kinds = pa.array(labels, pa.uint64()) if labels[0] == 2**63 + 1 else labels
    write(tmp_path / "train.parquet", image=cells(range(3)), label=kinds)
    with pytest.raises(UserError, match=rf"{words}.*; say data\.label_column=null to do without"):
        load("parquet", root=tmp_path)
    dataset = load("parquet", root=tmp_path, label_column=None)
    assert (dataset.classes, dataset.train.labels, dataset.held_out.labels) == (None, None, None)


@pytest.mark.parametrize(
    ("labels", "numbers", "classes"),
    [
        (["dog", "cat", "cat", "eel", "cat", "dog"], [1, 0, 0, 2, 0, 1], 3),
        ([True, False, False, True, False, False], [1, 0, 0, 1, 0, 0], 2),
        ([2.0, 0.0, 0.0, 2.0, 0.0, 2.0], [2, 0, 0, 2, 0, 2], 3),
        ([5, 3, 3, 5, 3, 3], [5, 3, 3, 5, 3, 3], 6),
        ([100_000, 7, 7, 100_000, 7, 7], [1, 0, 0, 1, 0, 0], 2),
        (pa.array(["b", "a", "a", "b", "a", "a"]).dictionary_encode(), [1, 0, 0, 1, 0, 0], 2),
    ],
    ids=["names", "booleans", "whole floats", "small gaps", "large gaps", "dictionary"],
)
def test_labels_of_every_kind_are_classes(tmp_path, labels, numbers, classes):
    write(tmp_path / "train.parquet", image=cells(range(6)), label=labels)
    write(tmp_path / "test.parquet", image=cells(range(6)), label=labels)
    dataset = load("parquet", root=tmp_path)
    assert dataset.classes == classes
    for split in (dataset.train, dataset.held_out):
        assert split.labels is not None
        assert split.labels.tolist() == numbers
    gaps = [note for note in dataset.reading.notes if "gaps" in note]
    assert bool(gaps) == (max(numbers) == 1 and labels[0] == 100_000)


def test_names_of_both_halves_are_one_list(tmp_path):
    write(tmp_path / "train.parquet", image=cells(range(3)), label=["b", "d", "d"])
    write(tmp_path / "test.parquet", image=cells(range(2)), label=["c", "a"])
    dataset = load("parquet", root=tmp_path)
    assert dataset.classes == 4
    assert dataset.train.labels is not None and dataset.held_out.labels is not None
    assert (dataset.train.labels.tolist(), dataset.held_out.labels.tolist()) == ([1, 3, 3], [2, 0])
    write(tmp_path / "test.parquet", image=cells(range(2)), label=[0, 1])
    with pytest.raises(UserError, match="of another kind than the held-out labels"):
        load("parquet", root=tmp_path)


def test_labels_that_some_shards_lack_are_refused(tmp_path):
    write(tmp_path / "train-0.parquet", image=cells(range(3)), label=[0, 1, 0])
    write(tmp_path / "train-1.parquet", image=cells(range(3)))
    with pytest.raises(UserError, match=r"is missing in some shards; say data\.label_column=null"):
        load("parquet", root=tmp_path)
    assert load("parquet", root=tmp_path, label_column=None).classes is None


def test_ids_of_many_images_are_told_at_once(tmp_path, monkeypatch):
    """Before any image is decoded; some of a hundred ids stand twice."""
    monkeypatch.setattr("ablate.data.parquet.read_pictures", None)
    ids = [*range(60), *range(40)]
    write(tmp_path / "train.parquet", image=cells(range(100)), label=[f"{n}.png" for n in ids])
    with pytest.raises(UserError, match="60 values for 100 images: ids are no labels"):
        load("parquet", root=tmp_path)


def test_columns_without_labels_are_named(tmp_path):
    write_set(tmp_path, label="fine")
    assert "no column is called label; fine are left out" in load("parquet", root=tmp_path).reading.notes  # fmt: skip # noqa: E501


def test_without_an_image_column_the_columns_are_named(tmp_path):
    write(tmp_path / "train.parquet", text=["a"], label=[1])
    with pytest.raises(UserError, match=r"0 image columns among its columns text, label; an image"):
        load("parquet", root=tmp_path)


@pytest.mark.parametrize("wanted", [None, "picture"])
def test_a_column_to_choose_is_named(tmp_path, wanted):
    both = {"left": cells(range(4)), "right": cells(range(4, 8))}
    write(tmp_path / "train.parquet", **both)
    with pytest.raises(UserError, match=r"columns left, right; say data\.image_column=left"):
        load("parquet", root=tmp_path, image_column=wanted)
    images = load("parquet", root=tmp_path, image_column="right").train.images
    assert 4 <= int(images.min()) <= int(images.max()) < 8


def test_shards_of_another_name_are_for_training_but_test_shards_never(tmp_path):
    write(tmp_path / "0000.parquet", image=cells(range(5)))
    write(tmp_path / "test.parquet", image=cells(range(5, 8)))
    dataset = load("parquet", root=tmp_path)
    assert dataset.train.images[:, 0, 0, 0].tolist() == list(range(5))
    assert dataset.held_out.images[:, 0, 0, 0].tolist() == [5, 6, 7]


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ({"bytes": encode(9)[:-30], "path": None}, "Row 2 of .* is no readable image"),
        ({"bytes": b"hello", "path": None}, "Row 2 of .* is no readable image"),
        ({"bytes": None, "path": "2.png"}, "Row 2 of .* holds no image bytes"),
        (None, "Row 2 of .* holds no image bytes"),
        ({"bytes": encode(9, side=6), "path": None}, r"Row 2 of .* say data\.size=5"),
    ],
    ids=["cut", "no image", "path only", "null", "other size"],
)
@pytest.mark.parametrize("cached", [False, True])
def test_a_wrong_row_is_named(tmp_path, cell, words, cached):
    write(tmp_path / "train.parquet", image=[*cells(range(2)), cell, *cells(range(3, 5))])
    with pytest.raises(UserError, match=words):
        load("parquet", root=tmp_path, cache=tmp_path / "cache" if cached else None)


@pytest.mark.parametrize("spoil", [lambda c: c[:-20], lambda c: b"hello", lambda c: b""])
def test_a_damaged_shard_is_named(tmp_path, spoil):
    write_set(tmp_path)
    path = tmp_path / "train-00001-of-00002.parquet"
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(UserError, match=r"train-00001-of-00002\.parquet is no readable") as refusal:
        load("parquet", root=tmp_path)
    assert "\n" not in str(refusal.value)


def test_folders_without_one_clear_set_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"holds no train\*\.parquet"):
        load("parquet", root=tmp_path)
    write_set(tmp_path / "a")
    write_set(tmp_path / "b")
    with pytest.raises(UserError, match=r"several folders .*say data\.root=FOLDER with one"):
        load("parquet", root=tmp_path)


def test_a_shard_without_rows_is_refused(tmp_path):
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    pq.write_table(pa.table({"image": pa.array([], kind)}), tmp_path / "train.parquet")
    with pytest.raises(UserError, match="holds no images; say"):
        load("parquet", root=tmp_path)
