"""The cache changes how long loading takes and nothing else."""

import numpy as np
import pytest
from PIL import Image

from ablate.data import decode, load, pictures
from ablate.errors import UserError


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    for shade in range(10):
        Image.fromarray(np.full((6, 6, 3), shade, np.uint8)).save(folder / f"{shade}.png")
    return folder


@pytest.fixture
def decoded(monkeypatch):
    """Counts how many times images were decoded."""
    calls = []

    def counting(files, form):
        calls.append(len(files))
        return decode_all(files, form)

    decode_all = pictures.decode_all
    monkeypatch.setattr(pictures, "decode_all", counting)
    return calls


def test_the_second_load_decodes_nothing_and_is_the_same(root, tmp_path, decoded):
    loads = [load("image_folder", root=root, cache=tmp_path / "cache") for _ in range(3)]
    assert decoded == [10]
    assert len({each.fingerprint for each in [*loads, load("image_folder", root=root)]}) == 1
    assert sorted(path.suffix for path in (tmp_path / "cache").iterdir()) == [".json", ".npy"]


def test_another_form_or_file_is_another_entry(root, tmp_path, decoded):
    load("image_folder", root=root, cache=tmp_path / "cache")
    load("image_folder", root=root, cache=tmp_path / "cache", size=4)
    load("image_folder", root=root, cache=tmp_path / "cache", channels=1)
    Image.fromarray(np.full((6, 6, 3), 77, np.uint8)).save(root / "3.png")
    load("image_folder", root=root, cache=tmp_path / "cache")
    assert decoded == [10] * 4


@pytest.mark.parametrize("how", ["short", "flipped", "of another", "folder", "no digest"])
def test_a_damaged_entry_is_made_again(root, tmp_path, decoded, how):
    first = load("image_folder", root=root, cache=tmp_path / "cache")
    (entry,) = (tmp_path / "cache").glob("*.npy")
    whole = entry.read_bytes()
    entry.unlink()
    if how == "folder":
        entry.mkdir()
    elif how == "no digest":  # as it was kept before there were some: it may be of other files
        entry.with_suffix(".json").write_text('{"bad": [], "animated": 0}')
        entry.write_bytes(whole)
    elif how == "of another":
        np.save(entry, np.zeros((10, 3, 6, 6), np.uint8))
    else:
        bad = whole[:-5] if how == "short" else whole[:-5] + bytes([whole[-5] ^ 1]) + whole[-4:]
        entry.write_bytes(bad)
    assert load("image_folder", root=root, cache=tmp_path / "cache").fingerprint == first.fingerprint  # fmt: skip # noqa: E501
    assert load("image_folder", root=root, cache=tmp_path / "cache").fingerprint == first.fingerprint  # fmt: skip # noqa: E501
    assert decoded == [10, 10]


def test_a_cache_that_cannot_be_written_is_named(root, tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(UserError, match="give a cache folder that can be written"):
        load("image_folder", root=root, cache=tmp_path / "cache")


def test_a_full_disk_leaves_nothing_behind(root, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(UserError, match="No space left on device"):
        load("image_folder", root=root, cache=tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


def test_many_threads_keep_the_order(tmp_path):
    count = 3 * pictures.BLOCK + 17
    for at in range(count):
        Image.fromarray(np.array([[[at % 256, at // 256, 0]]], np.uint8)).save(
            tmp_path / f"{at:05}.png"
        )
    names = sorted(tmp_path.iterdir())
    files = [decode.Encoded(str(path), path.read_bytes) for path in names]
    images = pictures.decode_all(files, decode.Form(None, 3)).images[:, :, 0, 0].astype(int)
    assert (images[:, 0] + 256 * images[:, 1]).tolist() == list(range(count))
