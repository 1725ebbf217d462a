"""Arrays of the user's own."""

import numpy as np
import pytest

from ablate.data import load
from ablate.errors import UserError


def save(tmp_path, array: np.ndarray, **options):
    np.save(tmp_path / "mine.npy", array, **options)
    return tmp_path / "mine.npy"


@pytest.mark.parametrize("shape", [(10, 4, 5), (10, 4, 5, 1), (10, 4, 5, 3)])
def test_bytes_and_floats_give_the_same_set(tmp_path, shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    dataset = load("npy", root=save(tmp_path, pixels))
    assert dataset.shape == (shape[3] if len(shape) == 4 else 1, 4, 5)
    for kind in (np.float16, np.float32, np.float64):
        floats = load("npy", root=save(tmp_path, (pixels / 255).astype(kind)))
        assert dataset.fingerprint == floats.fingerprint
    assert set(dataset.train.images.flatten(1).sum(1).tolist()) <= set(
        pixels.reshape(10, -1).sum(1).tolist()
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.1, 1.5])
def test_intensities_outside_the_unit_interval_are_refused(tmp_path, value):
    array = np.zeros((5, 4, 4))
    array[2, 1, 3] = value
    with pytest.raises(UserError, match=r"NaN or infinite pixels|values from 0 to 1"):
        load("npy", root=save(tmp_path, array))


@pytest.mark.parametrize("shape", [(10,), (10, 4), (10, 3, 4, 4), (2, 2, 2, 2, 3)])
def test_other_shapes_are_refused(tmp_path, shape):
    with pytest.raises(UserError, match=r"must hold images .*numpy\.moveaxis"):
        load("npy", root=save(tmp_path, np.zeros(shape, np.uint8)))


def test_whole_numbers_of_another_width_are_refused(tmp_path):
    with pytest.raises(UserError, match="type int64; save it with 8 bits a channel"):
        load("npy", root=save(tmp_path, np.zeros((5, 4, 4), np.int64)))


def test_pickled_objects_and_other_files_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"is no readable \.npy array"):
        load("npy", root=save(tmp_path, np.array([{}, None]), allow_pickle=True))
    (tmp_path / "mine.npy").write_bytes(b"hello")
    with pytest.raises(UserError, match=r"is no readable \.npy array"):
        load("npy", root=tmp_path / "mine.npy")
    with pytest.raises(UserError, match=r"is no readable \.npy array"):
        load("npy", root=tmp_path)
