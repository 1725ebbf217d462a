"""Parquet columns that hold rows of pixels rather than encoded images."""

import numpy as np
import pytest

from ablate.data import load
from ablate.errors import UserError
from tests.data.test_parquet_set import write

GREY = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)
COLOUR = np.arange(3 * 4 * 5 * 3, dtype=np.uint8).reshape(3, 4, 5, 3)


@pytest.mark.parametrize(
    ("rows", "channels", "expected"),
    [
        (GREY.tolist(), 1, GREY[:, None]),
        ((GREY / 255).tolist(), 1, GREY[:, None]),
        (COLOUR.tolist(), 3, COLOUR.transpose(0, 3, 1, 2)),
        (COLOUR.transpose(0, 3, 1, 2).tolist(), 3, COLOUR.transpose(0, 3, 1, 2)),
    ],
    ids=["grey", "floats", "channels last", "channels first"],
)
def test_rows_of_pixels_are_images(tmp_path, rows, channels, expected):
    write(tmp_path / "train.parquet", image=rows, boxes=[[[0]]] * 3)
    write(tmp_path / "test.parquet", image=rows, boxes=[[[0]]] * 3)
    with pytest.raises(UserError, match=r"say data\.image_column=image"):
        load("parquet", root=tmp_path)
    dataset = load("parquet", root=tmp_path, image_column="image", channels=channels)
    assert (dataset.train.images.numpy() == expected).all()


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ([[1, 2], [3]], "holds no image of numbers"),
        ([[1, 2], [3, 999]], "has pixels of type int64"),
        ([[1.0, 2.0], [3.0, 4.0]], r"has float pixels from 1 to 4 \(save it"),
        (None, "holds no pixels"),
    ],
    ids=["ragged", "beyond bytes", "floats beyond one", "null"],
)
def test_rows_that_are_no_pixels_are_named(tmp_path, row, words):
    good = [[0, 0], [1, 1]]
    if isinstance(row, list) and isinstance(row[0][0], float):
        good = [[0.0, 0.0], [1.0, 1.0]]
    write(tmp_path / "train.parquet", image=[good, good, row, good])
    with pytest.raises(UserError, match=rf"Row 2 of .*train\.parquet ({words})"):
        load("parquet", root=tmp_path)
