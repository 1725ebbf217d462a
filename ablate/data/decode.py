"""One encoded image file (PNG, JPEG, ...) to pixels: upright, opaque, of the asked size.

Legend: C H W image.
"""

import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ablate.data.option import whole_number
from ablate.data.pixels import to_pixels
from ablate.errors import UserError

if TYPE_CHECKING:
    from PIL import Image

# A fixed list: some other formats start external programs. MPO is a JPEG of several pictures.
FORMATS = ("PNG", "JPEG", "MPO", "BMP", "DIB", "GIF", "TIFF", "WEBP", "AVIF", "JPEG2000", "PPM", "QOI")  # fmt: skip # noqa: E501
UNSIGNED = ("TGA", "PCX", "SGI")  # begin with next to nothing: read where the suffix says so


class Unreadable(Exception):
    """An image that cannot be used; the words follow its name."""


@dataclass(frozen=True)
class Form:
    """What every decoded image looks like.

    Attributes:
        size: Side in pixels after the short side is resized and the centre is cut out;
            None keeps the images as they are.
        channels: 1 (grey) or 3 (colour).
        background: What lies behind transparent pixels: a colour, or a grey level.

    Raises:
        UserError: Another value.
    """

    size: int | None
    channels: int
    background: str | int = "white"

    def __post_init__(self) -> None:
        if self.size is not None:
            whole_number("size", self.size, least=1)
        if self.channels not in (1, 3):
            raise UserError(
                f"data.channels must be 1 (grey) or 3 (colour) but got {self.channels!r}; "
                "write data.channels=3."
            )
        colour_of(self.background)


class Picture(NamedTuple):
    """A decoded image.

    Attributes:
        pixels: uint8 [C, H, W].
        animated: Whether its file holds further frames, which are left out.
    """

    pixels: NDArray[np.uint8]
    animated: bool


@dataclass(frozen=True)
class Encoded:
    """One image file before it is decoded.

    Attributes:
        name: What messages call it.
        source: Returns its bytes.
    """

    name: str
    source: Callable[[], bytes]

    def read(self) -> bytes:
        """Its bytes.

        Raises:
            Unreadable: They cannot be read.
        """
        try:
            return self.source()
        except (OSError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
            raise Unreadable(f"cannot be read ({error})") from error


@cache
def endings() -> frozenset[str]:
    """Suffixes of image files that the Pillow of this machine reads."""
    from PIL import Image

    known = Image.registered_extensions()  # loads all of Pillow's plug-ins
    return frozenset(end for end, kind in known.items() if kind in (*FORMATS, *UNSIGNED))


@cache
def formats_of(suffix: str) -> list[str]:
    """Formats that a file of this suffix may have: any with a signature, whatever it is called."""
    from PIL import Image

    kind = Image.registered_extensions().get(suffix.lower())
    return [name for name in (*FORMATS, kind) if name in Image.OPEN and name in FORMATS + UNSIGNED]


def colour_of(background: str | int) -> tuple[int, int, int]:
    """Red, green and blue of `data.background`.

    Raises:
        UserError: It is no colour.
    """
    from PIL import ImageColor

    if isinstance(background, int) and not isinstance(background, bool) and 0 <= background <= 255:
        return background, background, background
    try:
        red, green, blue = ImageColor.getrgb(background)  # type: ignore[misc]
    except (ValueError, AttributeError, TypeError) as error:
        raise UserError(
            f"data.background={background} is no colour; type white, black, another name, a grey "
            "level from 0 to 255, or '\"#80ff00\"' with both quotes."
        ) from error
    return red, green, blue


def decode(file: Encoded, form: Form) -> Picture:
    """One image as pixels.

    Raises:
        Unreadable: The file is damaged, has NaN, or pixels of an unknown range.
    """
    content = file.read()
    try:
        picture, animated = _open(content, PurePath(file.name).suffix)
        picture = _opaque(_in_bytes(picture), colour_of(form.background))
        if form.size is not None:
            picture = _square(picture, form.size)
        pixels = np.asarray(picture.convert("L" if form.channels == 1 else "RGB"))
    except UserError as error:  # of pixels whose range is not known
        raise Unreadable(reason_of(error)) from error
    except MemoryError:  # is no fault of the file
        raise
    except Exception as error:  # a damaged file makes a decoder fail in any way
        raise Unreadable(f"is no readable image ({_reason(error)})") from error
    return Picture(pixels[None] if form.channels == 1 else pixels.transpose(2, 0, 1), animated)


def _open(content: bytes, suffix: str) -> "tuple[Image.Image, bool]":
    """The first frame, upright, and whether there are others."""
    from PIL import Image, ImageOps

    with Image.open(BytesIO(content), formats=formats_of(suffix)) as opened:
        depth = _bits(opened)
        picture = ImageOps.exif_transpose(opened)
        _mend_key(picture, depth)
        try:
            animated = opened.format != "MPO" and bool(getattr(opened, "is_animated", False))
        except Exception:  # a second frame that cannot be read does no harm to the first
            animated = True
    return picture, animated


def _bits(opened: "Image.Image") -> int:
    """Bits a channel in the file, where Pillow unpacks them into 8."""
    tiles = getattr(opened, "tile", None)
    raw = str(tiles[0].args) if tiles else ""  # 'RGB;16B', 'L;2'
    digits = "".join(filter(str.isdigit, raw.partition(";")[2]))
    return int(digits) if opened.format == "PNG" and digits else 8


def _mend_key(picture: "Image.Image", bits: int) -> None:
    """Give the transparent level of a PNG the depth that Pillow has given its pixels."""
    key = picture.info.get("transparency")
    if bits == 8 or isinstance(key, bytes | type(None)) or picture.mode not in {"L", "RGB", "1"}:
        return
    levels = key if isinstance(key, tuple) else (key,)
    scaled = tuple(round(level * 255 / (2**bits - 1)) if bits < 8 else level >> 8 for level in levels)  # noqa: E501 # fmt: skip
    picture.info["transparency"] = scaled if isinstance(key, tuple) else scaled[0]


def _in_bytes(picture: "Image.Image") -> "Image.Image":
    """The picture with 8 bits a channel; one of 16 bits keeps its transparent level as alpha."""
    from PIL import Image

    if picture.mode != "F" and not picture.mode.startswith("I"):
        return picture
    levels = np.asarray(picture)
    made = Image.fromarray(to_pixels(levels, "It"))
    key = picture.info.get("transparency")
    if isinstance(key, int):
        made.putalpha(Image.fromarray(np.where(levels == key, 0, 255).astype(np.uint8)))
    return made


def _opaque(picture: "Image.Image", background: tuple[int, int, int]) -> "Image.Image":
    """The picture on a background: before it is resized, for colours behind alpha are nobody's."""
    from PIL import Image

    if not picture.has_transparency_data:
        return picture
    ground = Image.new("RGBA", picture.size, (*background, 255))
    above = picture.convert("LA") if picture.mode == "La" else picture  # has no other way out
    return Image.alpha_composite(ground, above.convert("RGBA")).convert("RGB")


def _square(picture: "Image.Image", size: int) -> "Image.Image":
    """Resize the short side to `size` and cut out the centre.

    Bicubic with antialiasing; without it, resizing alone moves a Frechet distance
    (Parmar 2022, arXiv 2104.11222).
    """
    from PIL import Image, ImageOps

    if picture.mode in {"P", "1"}:  # indices and bits cannot be interpolated
        picture = picture.convert("RGB")
    return ImageOps.fit(picture, (size, size), Image.Resampling.BICUBIC)


def reason_of(error: UserError) -> str:
    """What an error says of pixels, to stand behind a name; what to do about it in brackets."""
    what, _, way_out = str(error).removeprefix("It ").removesuffix(".").partition("; ")
    return what if way_out.startswith("remove") else f"{what} ({way_out})"


def _reason(error: Exception) -> str:
    from PIL import UnidentifiedImageError

    if isinstance(error, UnidentifiedImageError):  # its own words show a buffer's address
        return f"none of {', '.join(FORMATS)}"
    return str(error) or type(error).__name__
