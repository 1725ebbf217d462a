"""`image_folder`: the user's own images, in a folder or a zip; sub-folders are labels.

root/cat/1.png, root/dog/2.png               labelled; the held-out split is our fixed choice
root/train/cat/1.png, root/test/cat/2.png    labelled, with the user's own held-out split
root/1.png, root/2.png                       unlabelled
"""

import os
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from pathlib import Path, PurePosixPath

import torch

from ablate.data.cache import cached
from ablate.data.dataset import Dataset, Split
from ablate.data.decode import ENDINGS, Encoded, Form, decode_all
from ablate.data.root import find_root
from ablate.data.split import hold_out
from ablate.errors import UserError

HELD_OUT_NAMES = ("test", "val", "valid", "validation")


@dataclass(frozen=True)
class _File:
    parts: tuple[str, ...]  # path below the root, as label and split read it
    encoded: Encoded


def image_folder(
    root: str | Path | None,
    cache: Path | None = None,
    size: int | None = None,
    channels: int = 3,
    title: str | None = None,
) -> Dataset:
    """All images below `root`, in the order of their names.

    Args:
        root: Folder or zip.
        cache: Where decoded images are kept; None keeps none.
        size: Resize the short side and cut out the centre; None needs images of one size.
        channels: 1 or 3.
        title: What tables call the set; None takes the name of the folder.

    Raises:
        UserError: No images, images of several sizes, or a damaged one.
    """
    place = find_root(root, "image_folder")
    form = Form(size, channels)
    files = _without_common_folder(_list_files(place))
    train, held_out = _by_split(files)
    classes = _classes([*train, *held_out], place)
    first = _load_split(train, form, cache, classes)
    name = title or place.stem
    if held_out:
        second = _load_split(held_out, form, cache, classes)
    else:
        first, second = hold_out(first, name)
    return Dataset(name, first, second, classes=len(classes) or None)


def _list_files(place: Path) -> list[_File]:
    found = _in_zip(place) if place.is_file() else _in_folder(place)
    images = [file for file in found if _is_image(file.parts)]
    if not images:
        raise UserError(
            f"{place} holds no images ({', '.join(sorted(ENDINGS))}); "
            "say data.root=FOLDER with the folder or zip that holds them."
        )
    return sorted(images, key=lambda file: file.parts)


def _is_image(parts: tuple[str, ...]) -> bool:
    hidden = any(part.startswith((".", "__MACOSX")) for part in parts)
    return not hidden and PurePosixPath(parts[-1]).suffix.lower() in ENDINGS


def _in_folder(folder: Path) -> Iterable[_File]:
    for place, _, names in os.walk(folder, followlinks=True):
        for name in names:
            path = Path(place, name)
            yield _File(path.relative_to(folder).parts, Encoded(str(path), path.read_bytes))


def _in_zip(archive: Path) -> Iterable[_File]:
    # Stays open: its members are read later, by several threads, which a ZipFile allows.
    try:
        opened = zipfile.ZipFile(archive)
    except (zipfile.BadZipFile, OSError) as error:
        raise UserError(
            f"{archive} is no readable zip ({error}); say data.root=FOLDER with a folder or a zip."
        ) from error
    for name in opened.namelist():
        yield _File(
            PurePosixPath(name).parts, Encoded(f"{archive}:{name}", partial(opened.read, name))
        )


def _without_common_folder(files: list[_File]) -> list[_File]:
    """Drop leading folders that all images share: a zip often holds one folder with everything."""
    levels = zip(*(file.parts[:-1] for file in files), strict=False)
    depth = len(list(takewhile(lambda names: len(set(names)) == 1, levels)))
    return [_File(file.parts[depth:], file.encoded) for file in files]


def _by_split(files: list[_File]) -> tuple[list[_File], list[_File]]:
    """Files below train/ and below test/ (or its synonyms); all and none without such folders."""
    tops = {file.parts[0] for file in files if len(file.parts) > 1}
    test = next((name for name in HELD_OUT_NAMES if name in tops), None)
    if "train" not in tops or test is None:
        return files, []
    return tuple(  # type: ignore[return-value]
        [_File(file.parts[1:], file.encoded) for file in files if file.parts[0] == top]
        for top in ("train", test)
    )


def _classes(files: list[_File], place: Path) -> list[str]:
    """Names of the label folders, sorted; empty when no image lies in one."""
    labelled = [file for file in files if len(file.parts) > 1]
    if labelled and len(labelled) < len(files):
        loose = next(file for file in files if len(file.parts) == 1)
        raise UserError(
            f"Some images in {place} lie in label folders but {loose.encoded.name} does not; "
            "move all images into label folders, or none."
        )
    return sorted({file.parts[0] for file in labelled})


def _load_split(files: list[_File], form: Form, cache: Path | None, classes: list[str]) -> Split:
    encoded = [file.encoded for file in files]
    images = cached(
        cache, lambda: (file.read() for file in encoded), form, lambda: decode_all(encoded, form)
    )
    labels = torch.tensor([classes.index(file.parts[0]) for file in files]) if classes else None
    return Split(torch.from_numpy(images), labels)
