"""Folders and zips of images: order, labels, splits, sizes, and every wrong file named."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ablate.data import load
from ablate.errors import UserError


def picture(shade: int, shape: tuple[int, ...] = (6, 6, 3)) -> np.ndarray:
    return (np.arange(np.prod(shape)).reshape(shape) + shade).astype(np.uint8)


def encode(array: np.ndarray, kind: str = "png") -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, kind)
    return stream.getvalue()


def write(root: Path, files: dict[str, bytes], zipped: bool = False) -> Path:
    if zipped:
        with zipfile.ZipFile(root.with_suffix(".zip"), "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return root.with_suffix(".zip")
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


FLAT = {f"{shade:02}.png": encode(picture(shade)) for shade in range(10)}
LABELLED = {f"{'cat' if s % 2 else 'dog'}/{s}.png": encode(picture(s)) for s in range(10)}
SPLIT = {
    f"{part}/{label}/{shade}.png": encode(picture(shade))
    for part, label, shade in [
        ("train", "ant", 1), ("train", "bee", 2), ("train", "bee", 3),
        ("test", "bee", 4), ("test", "cow", 5),
    ]
}  # fmt: skip


def shades(images: torch.Tensor) -> list[int]:
    return images[:, 0, 0, 0].tolist()


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("prefix", ["", "outer/inner/"])
def test_images_come_back_bit_for_bit(tmp_path, zipped, prefix):
    root = write(tmp_path / "mine", {prefix + k: v for k, v in FLAT.items()}, zipped)
    dataset = load("image_folder", root=root)
    assert (dataset.name, dataset.shape, dataset.classes) == ("mine", (3, 6, 6), None)
    assert sorted(shades(dataset.train.images) + shades(dataset.held_out.images)) == list(range(10))
    assert len(dataset.held_out) == 2
    shade = shades(dataset.train.images)[0]
    assert (dataset.train.images[0].numpy() == picture(shade).transpose(2, 0, 1)).all()


@pytest.mark.parametrize("zipped", [False, True])
def test_sub_folders_are_labels(tmp_path, zipped):
    dataset = load("image_folder", root=write(tmp_path / "mine", LABELLED, zipped))
    assert dataset.classes == 2
    for split in (dataset.train, dataset.held_out):
        assert split.labels is not None
        # cat, odd, comes before dog, even
        assert split.labels.tolist() == [1 - shade % 2 for shade in shades(split.images)]


@pytest.mark.parametrize("test_name", ["test", "val"])
def test_train_and_test_folders_are_the_splits(tmp_path, test_name):
    files = {name.replace("test/", f"{test_name}/"): content for name, content in SPLIT.items()}
    dataset = load("image_folder", root=write(tmp_path, files), title="farm")
    assert (dataset.name, dataset.classes) == ("farm", 3)
    assert dataset.train.labels is not None
    assert dataset.held_out.labels is not None
    assert (shades(dataset.train.images), dataset.train.labels.tolist()) == ([1, 2, 3], [0, 1, 1])
    assert (shades(dataset.held_out.images), dataset.held_out.labels.tolist()) == ([4, 5], [1, 2])


def test_a_folder_and_its_zip_are_the_same_set(tmp_path):
    folder = load("image_folder", root=write(tmp_path / "a", LABELLED))
    other_order = dict(reversed(LABELLED.items()))
    zipped = load("image_folder", root=write(tmp_path / "b", other_order, zipped=True))
    assert folder.fingerprint == zipped.fingerprint


def test_files_that_are_no_images_are_passed_over(tmp_path):
    extra = {"note.txt": b"hello", ".hidden.png": b"1", "__MACOSX/._01.png": b"2"}
    plain = load("image_folder", root=write(tmp_path / "a", FLAT))
    assert plain.fingerprint == load("image_folder", root=write(tmp_path / "b", FLAT | extra)).fingerprint  # fmt: skip # noqa: E501


@pytest.mark.parametrize(("height", "width"), [(10, 30), (30, 10), (10, 10)])
def test_size_resizes_the_short_side_and_cuts_the_centre(tmp_path, height, width):
    array = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    root = write(tmp_path, {f"{at}.png": encode(array) for at in range(4)})
    image = load("image_folder", root=root, size=5).train.images[0]
    resized = Image.fromarray(array).resize((width // 2, height // 2), Image.Resampling.BICUBIC)
    left, top = (width // 2 - 5) // 2, (height // 2 - 5) // 2
    expected = np.asarray(resized.crop((left, top, left + 5, top + 5)))
    assert (image.numpy() == expected.transpose(2, 0, 1)).all()


@pytest.mark.parametrize("mode", ["1", "P"])
def test_indices_and_bits_are_resized_as_the_colours_they_stand_for(tmp_path, mode):
    noise = np.random.default_rng(0).integers(0, 256, (30, 30, 3), np.uint8)
    image = Image.fromarray(noise).convert(mode)
    for folder, made in (("a", image), ("b", image.convert("RGB"))):
        (tmp_path / folder).mkdir()
        for at in range(4):
            made.save(tmp_path / folder / f"{at}.png")
    first, second = (load("image_folder", root=tmp_path / name, size=7) for name in "ab")
    assert first.fingerprint == second.fingerprint


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "F"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [None, 4])
def test_every_mode_becomes_the_asked_channels(tmp_path, mode, channels, size):
    grey = Image.fromarray(np.full((6, 6), 255, np.uint8))
    image = Image.fromarray(np.ones((6, 6), np.float32)) if mode == "F" else grey.convert(mode)
    if mode == "P":
        image.info["transparency"] = bytes([255, 0, 128])
    for at in range(4):
        image.save(tmp_path / f"{at}.tiff" if mode in {"F", "CMYK"} else tmp_path / f"{at}.png")
    images = load("image_folder", root=tmp_path, channels=channels, size=size).train.images
    assert images.shape[1:] == (channels, size or 6, size or 6)
    assert (images == 255).all()


def test_a_photograph_is_turned_upright(tmp_path):
    stored = np.zeros((4, 8, 3), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side
    for at in range(4):
        Image.fromarray(stored).save(tmp_path / f"{at}.png", exif=exif)
    assert load("image_folder", root=tmp_path).shape == (3, 8, 4)


def tiff(value: float) -> bytes:
    return encode(np.full((6, 6), value, np.float32), "tiff")


JPEG = encode(np.random.default_rng(0).integers(0, 256, (6, 6, 3), np.uint8), "jpeg")
WRONG = {
    "mixed sizes": ("05.png", encode(picture(0, (8, 9, 3))), r"9x8; say data\.size=6 "),
    "no image": ("05.png", b"hello", r"05\.png is no readable image \(none of PNG"),
    "empty": ("05.png", b"", r"05\.png is no readable image"),
    "cut png": ("05.png", FLAT["05.png"][:-30], r"05\.png is no readable image"),
    "cut jpeg": ("05.jpg", JPEG[:-50], r"05\.jpg is no readable image"),
    "nan": ("05.tiff", tiff(float("nan")), r"05\.tiff has NaN or infinite pixels; remove"),
    "infinite": ("05.tiff", tiff(float("inf")), r"05\.tiff has NaN or infinite pixels; remove"),
    "floats to 255": (
        "05.tiff",
        tiff(255),
        r"float pixels from 255 to 255 \(save it with.* x / 255\)",
    ),
    "32 bits": ("05.tiff", encode(np.full((6, 6), 70_000, np.int32), "tiff"), "8 bits a channel"),
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("cached", [False, True])
@pytest.mark.parametrize("zipped", [False, True])
def test_a_wrong_file_is_named(tmp_path, wrong, cached, zipped):
    name, content, words = WRONG[wrong]
    root = write(tmp_path / "mine", FLAT | {name: content}, zipped)
    with pytest.raises(UserError, match=words) as refusal:
        load("image_folder", root=root, cache=tmp_path / "cache" if cached else None)
    assert name in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert not list(tmp_path.glob("cache/*"))


def test_the_size_that_a_refusal_names_works(tmp_path):
    root = write(tmp_path, FLAT | {"99.png": encode(picture(0, (50, 40, 3)))})
    with pytest.raises(UserError) as refusal:
        load("image_folder", root=root)
    size = int(str(refusal.value).split("data.size=")[1].split()[0])
    assert load("image_folder", root=root, size=size).shape == (3, size, size)


@pytest.mark.parametrize("cached", [False, True])
def test_a_damaged_zip_member_is_named(tmp_path, cached):
    root = write(tmp_path / "mine", FLAT, zipped=True)
    content = bytearray(root.read_bytes())
    content[content.index(FLAT["03.png"]) + 20] ^= 255
    root.write_bytes(content)
    with pytest.raises(UserError, match=r"mine\.zip:03\.png cannot be read"):
        load("image_folder", root=root, cache=tmp_path / "cache" if cached else None)


def test_a_file_that_is_no_zip_is_refused(tmp_path):
    (tmp_path / "mine.zip").write_bytes(b"hello")
    with pytest.raises(UserError, match="is no readable zip"):
        load("image_folder", root=tmp_path / "mine.zip")


@pytest.mark.parametrize("files", [{}, {"note.txt": b"hello"}], ids=["empty", "only text"])
def test_a_folder_without_images_is_refused(tmp_path, files):
    with pytest.raises(UserError, match=r"holds no images.* say data\.root=FOLDER"):
        load("image_folder", root=write(tmp_path, files))


def test_too_few_images_are_refused(tmp_path):
    with pytest.raises(UserError, match="add images until there are at least 3"):
        load("image_folder", root=write(tmp_path, {"1.png": FLAT["01.png"]}))


def test_loose_images_beside_label_folders_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"01\.png does not; move all images"):
        load("image_folder", root=write(tmp_path, LABELLED | {"01.png": FLAT["01.png"]}))


@pytest.mark.parametrize(
    ("option", "value"),
    [("size", 0), ("size", 3.5), ("size", True), ("size", "big"), ("channels", 2)],
)
def test_options_that_cannot_work_are_refused(tmp_path, option, value):
    with pytest.raises(UserError, match=rf"data\.{option} must be"):
        load("image_folder", root=write(tmp_path, FLAT), **{option: value})
