"""Arrays of the user's own."""

import os
import re

import numpy as np
import pytest
import torch

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
