"""Many encoded images to one array, with all that cannot be read named at once or left out.

Legend: N images, C H W image.
"""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ablate.data.cache import cached
from ablate.data.decode import Encoded, Form, Picture, Unreadable, decode
from ablate.data.reading import Reading
from ablate.errors import UserError

BLOCK = 256  # images handed to a thread at once; one by one, the queue costs more than decoding
NAMED = 5  # files that a refusal names; of more it says how many


@dataclass(frozen=True)
class Pictures:
    """What has become of N files.

    Attributes:
        images: uint8 [N - len(bad), C, H, W] in the order of the files.
        bad: Number of a file -> why it cannot be used.
        animated: How many hold several frames, of which the first was taken.
    """

    images: NDArray[np.uint8]
    bad: Mapping[int, str]
    animated: int = 0


def read_pictures(
    files: Sequence[Encoded], form: Form, cache: Path | None, skip_unreadable: bool
) -> tuple[NDArray[np.uint8], NDArray[np.bool_], Reading]:
    """Decode files, or find them decoded in `cache`.

    Returns:
        The images; which of the files they are, bool [N]; what a person should know.

    Raises:
        UserError: Files are damaged and shall not be left out, or the images have several sizes
            and `form.size` is None.
    """

    def make() -> tuple[NDArray[np.uint8], dict[str, object]]:
        try:
            found = decode_all(files, form)
        except MemoryError as error:
            raise UserError(
                f"There is no memory for {len(files):,} images of data.size={form.size}; say a "
                "smaller data.size."
            ) from error
        if found.bad and (not skip_unreadable or len(found.bad) == len(files)):
            raise _refusal(files, found.bad)
        return found.images, {"bad": sorted(found.bad), "animated": found.animated}

    images, note = cached(cache, files, form, make)
    bad, animated = note["bad"], note["animated"]
    if bad and not skip_unreadable:  # the cache was filled by somebody who left them out
        images, _ = make()
    kept = np.ones(len(files), bool)
    kept[bad] = False
    files_hold = "1 file holds" if animated == 1 else f"{animated:,} files hold"
    notes = (f"{files_hold} several frames; the first was taken",) if animated else ()
    return images, kept, Reading({"unreadable": len(bad)} if bad else {}, notes)


def decode_all(files: Sequence[Encoded], form: Form) -> Pictures:
    """Decode `files` in order, on a few threads.

    Raises:
        UserError: The images have several sizes and `form.size` is None.
    """
    bad: dict[int, str] = {}

    def attempt(at: int) -> Picture | None:
        try:
            return decode(files[at], form)
        except Unreadable as error:
            bad[at] = str(error)
            return None

    tried = ((at, attempt(at)) for at in range(len(files)))
    start, first = next(((at, image) for at, image in tried if image), (len(files), None))
    if first is None:
        return Pictures(np.empty((0, 1, 1, 1), np.uint8), bad)
    images = np.empty((len(files), *first.pixels.shape), np.uint8)

    def fill(block: int) -> int:
        animated = 0
        for at in range(block, min(block + BLOCK, len(files))):
            image = attempt(at)
            if image is None:
                continue
            if image.pixels.shape != first.pixels.shape:
                raise _mixed(files[start].name, first.pixels, files[at].name, image.pixels)
            images[at], animated = image.pixels, animated + image.animated
        return animated

    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        # Drawing the results draws the first exception out of the threads and cancels the rest.
        animated = sum(pool.map(fill, range(start, len(files), BLOCK)))
    return Pictures(np.delete(images, list(bad), 0) if bad else images, bad, animated)


def _refusal(files: Sequence[Encoded], bad: Mapping[int, str]) -> UserError:
    each = [f"{files[at].name} {bad[at]}" for at in sorted(bad)]
    more = f", and {len(each) - NAMED:,} more" if len(each) > NAMED else ""
    count = f"{len(each):,} of {len(files):,} images cannot be used: " if len(each) > 1 else ""
    way_out = (
        ", or say data.skip_unreadable=true to leave them out" if len(each) < len(files) else ""
    )
    them = "them" if count else "it"
    return UserError(
        f"{count}{', '.join(each[:NAMED])}{more}; remove or replace {them}"
        f"{way_out if count else way_out.replace('them', 'it')}."
    )


def _mixed(
    name: str, image: NDArray[np.uint8], other_name: str, other: NDArray[np.uint8]
) -> UserError:
    sides = [*image.shape[1:], *other.shape[1:]]
    return UserError(
        f"{name} has {image.shape[2]}x{image.shape[1]} pixels but {other_name} has "
        f"{other.shape[2]}x{other.shape[1]}; say data.size={min(32, *sides)} "
        "to bring all images to one size."
    )
