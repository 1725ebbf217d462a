"""Arrays of the user's own."""

import re

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


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((10,), r"numpy\.moveaxis"),
        ((10, 784), r"say data|x\.reshape\(-1, 28, 28\)"),
        ((10, 5, 4, 7), r"numpy\.moveaxis"),
        ((10, 8, 8, 4), "on a background first"),
        ((2, 2, 2, 2, 3), r"numpy\.moveaxis"),
    ],
)
def test_other_shapes_are_refused(tmp_path, shape, words):
    with pytest.raises(UserError, match=rf"must hold images .*{words}"):
        load("npy", root=save(tmp_path, np.zeros(shape, np.uint8)))


def test_whole_numbers_of_another_width_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"type int64; save it .* x\.astype\('uint8'\)"):
        load("npy", root=save(tmp_path, np.zeros((5, 4, 4), np.int64)))


def test_pickled_objects_and_other_files_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"is no readable \.npy"):
        load("npy", root=save(tmp_path, np.array([{}, None]), allow_pickle=True))
    (tmp_path / "mine.npy").write_bytes(b"hello")
    with pytest.raises(UserError, match=r"is no readable \.npy"):
        load("npy", root=tmp_path / "mine.npy")
    with pytest.raises(UserError, match=r"is no readable \.npy"):
        load("npy", root=tmp_path)


PIXELS = np.random.default_rng(0).integers(0, 256, (10, 6, 5, 3), np.uint8)


@pytest.mark.parametrize("channels", [1, 3])
def test_channels_first_is_recognised_and_told(tmp_path, channels):
    pixels = PIXELS[..., :channels]
    last = load("npy", root=save(tmp_path, pixels))
    first = load("npy", root=save(tmp_path, pixels.transpose(0, 3, 1, 2)))
    assert first.fingerprint == last.fingerprint
    note = f"an array [10, {channels}, 6, 5] is read as [N, C, H, W]"
    assert note in first.reading.notes and note not in last.reading.notes


@pytest.mark.parametrize("shape", [(40, 30, 3), (3, 40, 30), (40, 30, 4), (40, 30, 1), (1, 9, 9)])
def test_one_picture_is_no_set(tmp_path, shape):
    with pytest.raises(UserError, match="is one picture and no set; stack pictures"):
        load("npy", root=save(tmp_path, np.zeros(shape, np.uint8)))


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_rounding_beyond_the_unit_interval_is_no_mistake(tmp_path, kind):
    array = (PIXELS[..., 0] / 255).astype(kind)
    array[0, 0, 0], array[0, 0, 1] = np.nextafter(kind(1), kind(2)), -np.finfo(kind).eps
    expected = PIXELS[..., 0].copy()
    expected[0, 0, :2] = 255, 0
    rounded = load("npy", root=save(tmp_path, array)).fingerprint
    assert rounded == load("npy", root=save(tmp_path, expected)).fingerprint


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (-1, 1, r"\(x \+ 1\) / 2"),
        (0, 255, "x / 255"),
        (-2.1, 2.6, r"\(x - x\.min\(\)\)"),
        (0, 1.01, "x / 255"),
    ],
)
def test_what_to_type_for_floats_brings_them_into_the_interval(tmp_path, low, high, words):
    array = np.linspace(low, high, 200).reshape(5, 5, 8)
    with pytest.raises(UserError, match=f"values from 0 to 1, {words}") as refusal:
        load("npy", root=save(tmp_path, array))
    way_out = str(refusal.value).rpartition("to 1, ")[2].removesuffix(".")
    load("npy", root=save(tmp_path, eval(way_out, {"x": array})))  # our own words


@pytest.mark.parametrize("order", ["<u2", ">u2"])
def test_sixteen_bits_are_read_over_their_whole_range(tmp_path, order):
    array = np.array([0, 128, 129, 257, 65535, 32896] * 6, order).reshape(6, 2, 3)
    expected = np.array([0, 0, 1, 1, 255, 128] * 6, np.uint8).reshape(6, 2, 3)
    got = load("npy", root=save(tmp_path, array.repeat(3, 2)))
    assert got.fingerprint == load("npy", root=save(tmp_path, expected.repeat(3, 2))).fingerprint


@pytest.mark.parametrize("highest", [1, 255, 1023, 4095])
def test_sixteen_bits_of_which_few_are_used_are_refused_with_what_to_type(tmp_path, highest):
    array = np.zeros((6, 5, 5), np.uint16)
    array[0, 0, 0] = highest
    with pytest.raises(UserError, match="which would be black; save") as refusal:
        load("npy", root=save(tmp_path, array))
    way_out = str(refusal.value).rpartition("save ")[2].removesuffix(".")
    made = eval(way_out, {"x": array, "numpy": np})  # our own words
    assert (made.dtype, made.max()) == (np.uint8, min(highest, 255))


@pytest.mark.parametrize(
    ("array", "doubt"),
    [
        ((PIXELS > 128).astype(np.uint8), "no pixel is brighter than 1 of 255.*x \\* 255"),
        (PIXELS // 15, r"no pixel is brighter than 17 of 255.*x \* 15"),
        (PIXELS / 255**2, r"no pixel is brighter than 1 of 255"),
        (np.full((9, 5, 5), 200, np.uint8), "all training images are the same"),
        (PIXELS > 128, None),
        (PIXELS, None),
    ],
    ids=["0/1 bytes", "levels to 17", "scaled twice", "constant", "booleans", "right"],
)
def test_black_and_equal_images_are_doubted(tmp_path, array, doubt):
    dataset = load("npy", root=save(tmp_path, array))
    notes = [note for note in dataset.reading.notes if "test split" not in note]
    assert len(notes) == (doubt is not None)
    if doubt:
        assert re.search(doubt, notes[0])
        assert f"Note: {notes[0]}." in dataset.sentences()


def test_booleans_are_black_and_white(tmp_path):
    mask = PIXELS > 128
    white = load("npy", root=save(tmp_path, mask.astype(np.uint8) * 255))
    assert load("npy", root=save(tmp_path, mask)).fingerprint == white.fingerprint
