"""What is found below a folder or in a zip, what is left out, and what would never end."""

import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features

from ablate.data import load
from ablate.data.decode import endings
from ablate.errors import UserError
from tests.data.test_image_folder import FLAT, LABELLED, encode, picture, shades, write

SUFFIXES = {
    ".png": "png", ".apng": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".jpe": "jpeg",
    ".jfif": "jpeg", ".JPG": "jpeg", ".bmp": "bmp", ".dib": "dib", ".gif": "gif", ".tif": "tiff",
    ".tiff": "tiff", ".ppm": "ppm", ".pnm": "ppm", ".tga": "tga", ".pcx": "pcx", ".sgi": "sgi",
    ".jp2": "jpeg2000", ".qoi": "qoi", ".webp": "webp", ".avif": "avif",
}  # fmt: skip


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_suffix_that_pillow_reads_is_read(tmp_path, suffix):
    if suffix[1:] in ("webp", "avif") and not features.check(suffix[1:]):
        pytest.skip("this Pillow was built without it")
    content = encode(np.full((6, 6, 3), 60, np.uint8), SUFFIXES[suffix])
    write(tmp_path / "mine", {f"{n}{suffix}": content for n in range(4)})
    dataset = load("image_folder", root=tmp_path / "mine")
    assert (dataset.train.images.int() - 60).abs().max() <= 2  # some are lossy
    assert dataset.reading.left_out == {}


def test_formats_that_start_other_programs_are_never_read(tmp_path):
    assert not {".eps", ".ps", ".pdf", ".wmf", ".mpg"} & endings()
    content = encode(picture(0), "eps")
    write(tmp_path, FLAT | {"03.png": content})
    with pytest.raises(UserError, match=r"03\.png is no readable image \(none of PNG"):
        load("image_folder", root=tmp_path)


@pytest.mark.parametrize("zipped", [False, True])
def test_what_is_left_out_is_counted_by_suffix(tmp_path, zipped):
    others = {
        "a.mp4": b"", "b.MP4": b"", "c.txt": b"", "README": b"", ".DS_Store": b"",
        "Thumbs.db": b"", "__MACOSX/._00.png": b"", "old.zip": b"",
    }  # fmt: skip
    dataset = load("image_folder", root=write(tmp_path / "mine", FLAT | others, zipped))
    assert dataset.reading.left_out == {".mp4": 2, ".txt": 1, "without a suffix": 1, ".zip": 1}
    assert dataset.sentences()[0] == (
        "Data mine: 8 train (no labels), 2 held out, 5 files left out "
        "(.mp4 2, .txt 1, .zip 1, without a suffix 1)."
    )


def test_a_folder_of_packed_files_says_so(tmp_path):
    write(tmp_path, {"a.zip": b"", "b.zip": b""})
    with pytest.raises(UserError, match=r"no images .*, only \.zip 2; unpack what is packed"):
        load("image_folder", root=tmp_path)


def test_links_to_the_folder_itself_end(tmp_path):
    root = write(tmp_path / "mine", LABELLED)
    (root / "again").symlink_to(".")
    (root / "cat" / "up").symlink_to("..")
    plain = load("image_folder", root=write(tmp_path / "plain", LABELLED))
    dataset = load("image_folder", root=root)
    assert dataset.fingerprint == plain.fingerprint
    assert sum(dataset.reading.left_out.values()) == 2


def test_a_link_to_another_folder_is_followed_and_none_is_read_twice(tmp_path):
    elsewhere = write(tmp_path / "elsewhere", {f"{n}.png": encode(picture(n)) for n in range(5)})
    root = write(tmp_path / "mine", {f"ant/{n}.png": encode(picture(9 + n)) for n in range(5)})
    (root / "bee").symlink_to(elsewhere)
    dataset = load("image_folder", root=root)
    assert (dataset.classes, dataset.reading.left_out) == (2, {})
    assert len(dataset.train) + len(dataset.held_out) == 10
    (root / "cow").symlink_to(elsewhere)
    dataset = load("image_folder", root=root)
    assert dataset.classes == 2
    assert dataset.reading.left_out == {"links to folders read before (cow)": 1}


def test_links_to_nothing_and_pipes_are_left_out(tmp_path):
    root = write(tmp_path / "mine", FLAT)
    (root / "gone.png").symlink_to("nowhere.png")
    os.mkfifo(root / "pipe.png")
    dataset = load("image_folder", root=root)
    assert dataset.reading.left_out == {"links to nothing": 1, "no regular file": 1}


def test_a_folder_that_cannot_be_opened_is_named(tmp_path, monkeypatch):
    root = write(tmp_path / "mine", LABELLED)
    scandir = os.scandir

    def guarded(path):
        if Path(path).name == "cat":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    with pytest.raises(UserError, match=r"mine/cat cannot be opened \(Permission denied\)"):
        load("image_folder", root=root)


def test_backslashes_in_a_zip_are_folders(tmp_path):
    files = {name.replace("/", "\\"): content for name, content in LABELLED.items()}
    with zipfile.ZipFile(tmp_path / "win.zip", "w") as archive:
        for name, content in files.items():
            archive.writestr(f"faces\\{name}", content)
    plain = load("image_folder", root=write(tmp_path / "plain", LABELLED))
    assert load("image_folder", root=tmp_path / "win.zip").fingerprint == plain.fingerprint


def test_an_encrypted_zip_is_refused(tmp_path):
    path = write(tmp_path / "mine", FLAT, zipped=True)
    content = bytearray(path.read_bytes())
    for at in range(len(content) - 4):  # the flag of encryption, in the directory at the end
        if content[at : at + 4] == b"PK\x01\x02":
            content[at + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"mine\.zip is encrypted; unpack it with its password"):
        load("image_folder", root=path)


def test_a_name_that_stands_twice_in_a_zip_is_the_last_as_when_unpacked(tmp_path):
    with zipfile.ZipFile(tmp_path / "mine.zip", "w") as archive, pytest.warns(UserWarning):
        for shade in (1, 2, 3, 4, 9):
            archive.writestr(f"{shade % 9}.png" if shade < 9 else "1.png", encode(picture(shade)))
    dataset = load("image_folder", root=tmp_path / "mine.zip")
    found = shades(dataset.train.images) + shades(dataset.held_out.images)
    assert sorted(found) == [2, 3, 4, 9]


def test_the_first_frame_of_several_is_taken_and_told(tmp_path):
    frames = [Image.fromarray(np.full((6, 6, 3), shade, np.uint8)) for shade in (50, 200)]
    stream = io.BytesIO()
    frames[0].save(stream, "png", save_all=True, append_images=frames[1:])
    still = encode(np.full((6, 6, 3), 50, np.uint8))
    root = write(tmp_path / "mine", {"0.png": stream.getvalue()} | {f"{n}.png": still for n in (1, 2, 3)})  # noqa: E501 # fmt: skip
    for _ in range(2):  # the second time from the cache
        dataset = load("image_folder", root=root, cache=tmp_path / "cache")
        assert (dataset.train.images == 50).all()
        assert "1 file holds several frames; the first was taken" in dataset.reading.notes


BAD = {"03.png": b"hello", "05.png": FLAT["05.png"][:-30], "07.png": b""}


@pytest.mark.parametrize("zipped", [False, True])
def test_all_bad_files_are_named_at_once_and_can_be_left_out(tmp_path, zipped):
    root = write(tmp_path / "mine", FLAT | BAD, zipped)
    options = {"root": root, "cache": tmp_path / "cache"}
    with pytest.raises(UserError) as refusal:
        load("image_folder", **options)
    told = str(refusal.value)
    assert told.startswith("3 of 10 images cannot be used: ") and all(name in told for name in BAD)
    assert told.endswith("or say data.skip_unreadable=true to leave them out.")
    good = {name: content for name, content in FLAT.items() if name not in BAD}
    clean = load("image_folder", root=write(tmp_path / "clean", good))
    for _ in range(2):  # the second time from the cache
        dataset = load("image_folder", skip_unreadable=True, **options)
        assert dataset.fingerprint == clean.fingerprint
        assert dataset.reading.left_out == {"unreadable": 3}
    with pytest.raises(UserError, match="3 of 10 images"):  # though it lies in the cache
        load("image_folder", **options)


def test_of_many_bad_files_the_first_are_named_and_the_rest_counted(tmp_path):
    many = {f"{n:02}.png": b"bad" for n in range(40)}
    root = write(tmp_path / "mine", many | {"99.png": FLAT["01.png"]})
    with pytest.raises(UserError, match=r"40 of 41 .*04\.png is no[^,]*.*, and 35 more; remove"):
        load("image_folder", root=root)
    with pytest.raises(UserError, match=r"3 of 3 images cannot be used.*replace them\.$"):
        load(
            "image_folder",
            root=write(tmp_path / "b", {f"{n}.png": b"bad" for n in range(3)}),
            skip_unreadable=True,
        )


def test_labels_stay_with_their_images_when_some_are_left_out(tmp_path):
    splits = {f"{half}/{name}": content for half in ("train", "test") for name, content in LABELLED.items()}  # noqa: E501 # fmt: skip
    bad = {"train/cat/3.png": b"", "test/dog/4.png": b""}
    dataset = load("image_folder", root=write(tmp_path, splits | bad), skip_unreadable=True)
    for split, gone in ((dataset.train, 3), (dataset.held_out, 4)):
        assert split.labels is not None
        assert split.labels.tolist() == [1 - shade % 2 for shade in shades(split.images)]
        assert sorted(shades(split.images)) == [n for n in range(10) if n != gone]


def test_a_size_beyond_memory_is_no_fault_of_the_files(tmp_path, monkeypatch):
    def full(*_, **__):
        raise MemoryError

    monkeypatch.setattr(Image.Image, "resize", full)
    with pytest.raises(UserError, match=r"no memory for 10 images of data\.size=9; say a smaller"):
        load("image_folder", root=write(tmp_path, FLAT), size=9)


@pytest.mark.parametrize("value", ["yes", 1, None])
def test_a_switch_is_true_or_false(tmp_path, value):
    with pytest.raises(UserError, match=r"data\.skip_unreadable must be true or false"):
        load("image_folder", root=write(tmp_path, FLAT), skip_unreadable=value)


def test_a_folder_an_image_is_no_label(tmp_path):
    files = {f"{shade}/{shade}.png": encode(picture(shade)) for shade in range(10)}
    with pytest.raises(UserError, match="10 values for 10 images: ids are no labels; move the"):
        load("image_folder", root=write(tmp_path, files))
