"""Encoded image files (PNG, JPEG, ...) to one uint8 array.

Legend: N images, C H W image.
"""

import os
import zipfile
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ablate.data.option import whole_number
from ablate.data.pixels import to_pixels
from ablate.errors import UserError

if TYPE_CHECKING:
    from PIL import Image

# A fixed list: some other formats start external programs.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
ENDINGS = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm"}
BLOCK = 256  # images handed to a thread at once; one by one, the queue costs more than decoding


@dataclass(frozen=True)
class Form:
    """What every decoded image looks like.

    Attributes:
        size: Side in pixels after the short side is resized and the centre is cut out;
            None keeps the images as they are.
        channels: 1 (grey) or 3 (colour).

    Raises:
        UserError: Another value.
    """

    size: int | None
    channels: int

    def __post_init__(self) -> None:
        if self.size is not None:
            whole_number("size", self.size, least=1)
        if self.channels not in (1, 3):
            raise UserError(
                f"data.channels must be 1 (grey) or 3 (colour) but got {self.channels!r}; "
                "write data.channels=3."
            )


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
            UserError: They cannot be read.
        """
        try:
            return self.source()
        except (OSError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
            raise UserError(
                f"{self.name} cannot be read ({error}); remove or replace it."
            ) from error


def decode_all(files: Sequence[Encoded], form: Form) -> NDArray[np.uint8]:
    """Decode `files` in order, on a few threads, to uint8 [N, C, H, W].

    Raises:
        UserError: A file is damaged (named), or the images have several sizes and
            `form.size` is None.
    """
    first = decode(files[0], form)
    images = np.empty((len(files), *first.shape), np.uint8)

    def fill(start: int) -> None:
        for at in range(start, min(start + BLOCK, len(files))):
            image = decode(files[at], form)
            if image.shape != first.shape:
                raise _mixed(files[0].name, first, files[at].name, image)
            images[at] = image

    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        for _ in pool.map(fill, range(0, len(files), BLOCK)):
            pass  # draws the first exception out of the threads and cancels the rest
    return images


def decode(file: Encoded, form: Form) -> NDArray[np.uint8]:
    """One image as uint8 [C, H, W].

    Raises:
        UserError: The file is damaged, has NaN or 16-bit pixels.
    """
    try:
        picture = _open(file)
        if form.size is not None:
            picture = _square(picture, form.size)
        pixels = np.asarray(picture.convert("L" if form.channels == 1 else "RGB"))
    except UserError:
        raise
    except Exception as error:  # a damaged file makes a decoder fail in any way
        raise UserError(
            f"{file.name} is no readable image ({_reason(error)}); remove or replace it."
        ) from error
    return pixels[None] if form.channels == 1 else pixels.transpose(2, 0, 1)


def _open(file: Encoded) -> "Image.Image":
    """The picture, upright, with 8 bits a channel and no transparency."""
    from PIL import Image, ImageOps

    with Image.open(BytesIO(file.read()), formats=FORMATS) as opened:
        picture = ImageOps.exif_transpose(opened)
    if picture.mode == "F" or picture.mode.startswith("I"):
        picture = Image.fromarray(to_pixels(np.asarray(picture), file.name))
    if "transparency" in picture.info:  # a palette with bytes of alpha: not straight to RGB
        picture = picture.convert("RGBA")
    return picture


def _square(picture: "Image.Image", size: int) -> "Image.Image":
    """Resize the short side to `size` and cut out the centre.

    Bicubic with antialiasing; without it, resizing alone moves a Frechet distance
    (Parmar 2022, arXiv 2104.11222).
    """
    from PIL import Image, ImageOps

    if picture.mode in {"P", "1"}:  # indices and bits cannot be interpolated
        picture = picture.convert("RGB")
    return ImageOps.fit(picture, (size, size), Image.Resampling.BICUBIC)


def _reason(error: Exception) -> str:
    from PIL import UnidentifiedImageError

    if isinstance(error, UnidentifiedImageError):  # its own words show a buffer's address
        return f"none of {', '.join(FORMATS)}"
    return str(error) or type(error).__name__


def _mixed(
    name: str, image: NDArray[np.uint8], other_name: str, other: NDArray[np.uint8]
) -> UserError:
    sides = [*image.shape[1:], *other.shape[1:]]
    return UserError(
        f"{name} has {image.shape[2]}x{image.shape[1]} pixels but {other_name} has "
        f"{other.shape[2]}x{other.shape[1]}; say data.size={min(32, *sides)} "
        "to bring all images to one size."
    )
