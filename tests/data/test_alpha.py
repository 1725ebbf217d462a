"""Transparent pixels show the background, once, before anything is resized."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from ablate.data import load
from ablate.data.decode import Encoded, Form, decode
from ablate.errors import UserError

COLOURS = {"white": (255, 255, 255), "black": (0, 0, 0), "#80ff00": (128, 255, 0), 77: (77,) * 3}


def chunk(kind: bytes, content: bytes) -> bytes:
    whole = kind + content
    return struct.pack(">I", len(content)) + whole + struct.pack(">I", zlib.crc32(whole))


def png(bits: int, kind: int, row: bytes, key: bytes, palette: bytes = b"") -> bytes:
    """A PNG of 4 equal rows of 4 pixels, written by hand: kind 0 grey, 2 colour, 3 palette."""
    head = struct.pack(">IIBBBBB", 4, 4, bits, kind, 0, 0, 0)
    plte = chunk(b"PLTE", palette) if palette else b""
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + plte + chunk(b"tRNS", key)
        + chunk(b"IDAT", zlib.compress((b"\0" + row) * 4)) + chunk(b"IEND", b"")
    )  # fmt: skip


def row_of(content: bytes, channels: int = 1, background: str | int = "white", size=None):
    form = Form(size, channels, background)
    return decode(Encoded("x.png", lambda: content), form).pixels[:, 0]


PALETTE = bytes([10, 10, 10, 20, 20, 20, 30, 30, 30, 40, 40, 40])
KEYED = {  # content, the four grey levels that are stored, which of them is transparent
    "1 bit": (png(1, 0, b"\x50", struct.pack(">H", 1)), [0, 255, 0, 255], [0, 1, 0, 1]),
    "2 bits": (png(2, 0, b"\x1b", struct.pack(">H", 2)), [0, 85, 170, 255], [0, 0, 1, 0]),
    "4 bits": (png(4, 0, b"\x0f\x35", struct.pack(">H", 3)), [0, 255, 51, 85], [0, 0, 1, 0]),
    "8 bits": (png(8, 0, bytes([0, 3, 200, 255]), struct.pack(">H", 3)), [0, 3, 200, 255], [0, 1, 0, 0]),  # noqa: E501
    "16 bits": (png(16, 0, struct.pack(">4H", 0, 514, 515, 65535), struct.pack(">H", 515)), [0, 2, 2, 255], [0, 0, 1, 0]),  # noqa: E501
    "colour": (png(8, 2, bytes([1, 1, 1, 2, 2, 2, 1, 1, 1, 9, 9, 9]), struct.pack(">3H", 2, 2, 2)), [1, 2, 1, 9], [0, 1, 0, 0]),  # noqa: E501
    "colour of 16 bits": (png(16, 2, struct.pack(">12H", *[257] * 3, *[514] * 3, *[771] * 3, *[0] * 3), struct.pack(">3H", 514, 514, 514)), [1, 2, 3, 0], [0, 1, 0, 0]),  # noqa: E501
    "palette": (png(8, 3, bytes([0, 1, 2, 3]), bytes([255, 0]), PALETTE), [10, 20, 30, 40], [0, 1, 0, 0]),  # noqa: E501
    "small palette": (png(2, 3, b"\x1b", bytes([255, 255, 0]), PALETTE), [10, 20, 30, 40], [0, 0, 1, 0]),  # noqa: E501
}  # fmt: skip


@pytest.mark.parametrize("background", ["white", "black", 77])
@pytest.mark.parametrize("kind", KEYED)
def test_a_transparent_level_is_the_background(kind, background):
    content, levels, clear = KEYED[kind]
    behind = COLOURS[background][0]
    expected = [behind if c else level for level, c in zip(levels, clear, strict=True)]
    assert row_of(content, background=background)[0].tolist() == expected
    assert row_of(content, 3, background)[1].tolist() == expected


def composited(rgba: np.ndarray, colour: tuple[int, ...]) -> np.ndarray:
    """The definition, in floats: alpha times the colour and the rest of the background."""
    alpha = rgba[..., 3:].astype(float) / 255
    return rgba[..., :3] * alpha + np.array(colour) * (1 - alpha)


@pytest.mark.parametrize("background", COLOURS)
@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA", "P"])
def test_every_mode_with_alpha_is_composited(mode, background):
    rng = np.random.default_rng(0)
    grey = rng.integers(0, 256, (6, 6), np.uint8)
    alpha = rng.integers(0, 256, (6, 6), np.uint8)
    stack = [grey if mode != "RGBA" else rng.integers(0, 256, (6, 6), np.uint8) for _ in range(3)]
    rgba = np.stack([*stack, alpha], -1)
    stream = io.BytesIO()
    if mode in ("P", "PA"):
        image = Image.fromarray(grey)
        image.putpalette(bytes(level for at in range(256) for level in (at, at, at)))
    if mode == "P":  # one alpha a colour of the palette
        rgba[..., 3] = grey // 2
        image.save(stream, "png", transparency=bytes(at // 2 for at in range(256)))
    elif mode == "PA":
        image.putalpha(Image.fromarray(alpha))
        assert image.mode == "PA"
        image.save(stream, "tiff")
    else:
        Image.fromarray(rgba).convert(mode).save(stream, "png")
    name = "x.tiff" if mode == "PA" else "x.png"
    pixels = decode(Encoded(name, stream.getvalue), Form(None, 3, background)).pixels
    expected = composited(rgba, COLOURS[background]).transpose(2, 0, 1)
    assert np.abs(pixels - expected).max() <= 1  # a level, of rounding


@pytest.mark.parametrize("background", COLOURS)
@pytest.mark.parametrize("channels", [1, 3])
def test_a_transparent_picture_is_resized_as_its_opaque_twin(tmp_path, background, channels):
    """Whatever hides behind the transparency: it is nobody's colour, and never blended in."""
    rng = np.random.default_rng(1)
    rgba = rng.integers(0, 256, (4, 24, 24, 4), np.uint8)
    twin = np.rint(composited(rgba, COLOURS[background])).astype(np.uint8)
    sets = []
    for name, pictures in (("clear", rgba), ("opaque", twin)):
        (tmp_path / name).mkdir()
        for at, picture in enumerate(pictures):
            Image.fromarray(picture).save(tmp_path / name / f"{at}.png")
        options = {"background": background} if name == "clear" else {}
        sets.append(
            load("image_folder", root=tmp_path / name, size=9, channels=channels, **options)
        )
    difference = sets[0].train.images.int() - sets[1].train.images.int()
    assert int(difference.abs().max()) <= 1


def test_sizes_are_mixed_without_a_seam(tmp_path):
    """A transparent picture of the asked size and one that is made smaller: both white."""
    for at in range(8):
        side = 8 if at % 2 else 16
        Image.new("RGBA", (side, side), (200, 0, 0, 0)).save(tmp_path / f"{at}.png")
    dataset = load("image_folder", root=tmp_path, size=8)
    assert (dataset.train.images == 255).all()
    assert any("all training images are the same" in note for note in dataset.reading.notes)
    assert (load("image_folder", root=tmp_path, size=8, background="black").train.images == 0).all()


def test_the_background_is_part_of_the_cache(tmp_path):
    for at in range(4):
        Image.new("RGBA", (4, 4), (at, 0, 0, 0)).save(tmp_path / f"{at}.png")
    for background, level in (("white", 255), ("black", 0), ("white", 255)):
        found = load("image_folder", root=tmp_path, cache=tmp_path / "c", background=background)
        assert (found.train.images == level).all()


@pytest.mark.parametrize("background", ["whiet", 256, -1, True, None, "#12345678", 1.5, [1, 2]])
def test_a_background_that_is_no_colour_is_refused(tmp_path, background):
    with pytest.raises(UserError, match=r"data\.background=.* is no colour; type white, black"):
        load("image_folder", root=tmp_path, background=background)


def test_sixteen_bit_grey_is_read_over_its_whole_range():
    levels = np.array([[0, 257, 65535, 32896]], np.uint16).repeat(4, 0)
    stream = io.BytesIO()
    Image.fromarray(levels).save(stream, "png")
    assert row_of(stream.getvalue())[0].tolist() == [0, 1, 255, 128]
