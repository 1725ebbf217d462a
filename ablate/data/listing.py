"""The image files below a folder or in a zip, and a count of what else lies there."""

import os
import zipfile
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from ablate.data.decode import Encoded, endings
from ablate.data.layout import Parts
from ablate.data.reading import Reading
from ablate.errors import UserError

HIDDEN = (".", "__MACOSX")  # what desktops and downloaders leave behind; not even counted
LITTER = {"thumbs.db", "desktop.ini"}


@dataclass(frozen=True)
class Found:
    """An image file.

    Attributes:
        parts: Its path below the root.
        encoded: The file.
    """

    parts: Parts
    encoded: Encoded


def list_images(place: Path) -> tuple[list[Found], Reading]:
    """All image files in the order of their names, and what was left out.

    Raises:
        UserError: There are none, or a zip or a folder cannot be opened.
    """
    left = Counter[str]()
    found = _in_zip(place, left) if place.is_file() else _in_folder(place, left)
    images = sorted(found, key=lambda file: file.parts)
    if not images:
        each = ", ".join(f"{why} {n:,}" for why, n in sorted(left.items()))
        packed = {".zip", ".tar", ".gz", ".tgz", ".7z", ".rar"} & set(left)
        raise UserError(
            f"{place} holds no images that Pillow reads{f', only {each}' if left else ''}; "
            f"{'unpack what is packed, and ' if packed else ''}"
            "say data.root=FOLDER with the folder or zip that holds them."
        )
    return images, Reading(left)


def _is_hidden(parts: Parts) -> bool:
    return any(part.startswith(HIDDEN) for part in parts) or parts[-1].lower() in LITTER


def _is_image(parts: Parts, left: Counter[str]) -> bool:
    """Whether the name is an image's; any other is counted."""
    suffix = PurePosixPath(parts[-1]).suffix.lower()
    if suffix not in endings():
        left[suffix or "without a suffix"] += 1
    return suffix in endings()


def _in_folder(folder: Path, left: Counter[str]) -> Iterator[Found]:
    for path in _walk(folder, left):
        parts = path.relative_to(folder).parts
        if _is_hidden(parts) or not _is_image(parts, left):
            continue
        if path.is_file():
            yield Found(parts, Encoded(str(path), path.read_bytes))
        else:  # a pipe would be waited for without an end
            left["links to nothing" if path.is_symlink() else "no regular file"] += 1


def _walk(folder: Path, left: Counter[str]) -> Iterator[Path]:
    """All files below; links to folders are followed, last, and no folder is read twice.

    Raises:
        UserError: A folder cannot be opened.
    """
    todo, seen = deque([folder]), set[tuple[int, int]]()
    while todo:
        for place, folders, names in os.walk(todo.popleft(), onerror=_refuse):
            status = os.stat(place)
            if (status.st_dev, status.st_ino) in seen:
                left[f"links to folders read before ({Path(place).relative_to(folder)})"] += 1
                folders.clear()
                continue
            seen.add((status.st_dev, status.st_ino))
            todo += sorted(p for name in folders if (p := Path(place, name)).is_symlink())
            yield from (Path(place, name) for name in names)


def _refuse(error: OSError) -> None:
    raise UserError(
        f"{error.filename} cannot be opened ({error.strerror}); make it readable or move it away."
    ) from error


def _in_zip(archive: Path, left: Counter[str]) -> Iterator[Found]:
    # Stays open: its members are read later, by several threads, which a ZipFile allows.
    try:
        opened = zipfile.ZipFile(archive)
    except (zipfile.BadZipFile, OSError) as error:
        raise UserError(
            f"{archive} is no readable zip ({error}); say data.root=FOLDER with a folder or a zip."
        ) from error
    members = {info.filename: info for info in opened.infolist() if not info.is_dir()}
    for name, info in members.items():
        # Some programs of Windows write backslashes, which no reader elsewhere takes for folders.
        parts = PurePosixPath(name.replace("\\", "/")).parts
        if not parts or _is_hidden(parts) or not _is_image(parts, left):
            continue
        if info.flag_bits & 1:
            raise UserError(
                f"{archive} is encrypted; unpack it with its password and say data.root=FOLDER."
            )
        yield Found(parts, Encoded(f"{archive}:{name}", partial(opened.read, info)))
