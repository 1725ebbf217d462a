"""Where the files of a set lie: the folder that the user named, and only that."""

import os
from pathlib import Path

from ablate.data.fetch import SOURCES
from ablate.errors import UserError

# Folders and files that are called so everywhere; the name of a set is that of what holds them.
NAMELESS = {
    "all", "array", "arrays", "data", "dataset", "datasets", "default", "file", "files", "image",
    "image_folder", "images", "img", "imgs", "npy", "parquet", "photo", "pic", "pics", "picture",
    "pictures", "raw", "test", "testing", "train", "training", "val", "valid", "validation",
}  # fmt: skip


def find_root(root: str | Path | None, name: str) -> Path:
    """The existing file or folder that holds the set `name`.

    `root` may be the folder of this set, or a folder of many sets with a sub-folder `name`.

    Raises:
        UserError: `root` is not given, does not exist, or is no file and no folder.
    """
    way_out = "say data.root=FOLDER"
    if name in SOURCES:
        way_out += f" or download the files with `ablate data fetch {name}`"
    if not root:
        raise UserError(f"Data set {name!r} needs its files; {way_out}.")
    path = Path(root).expanduser()
    if not path.exists():
        raise UserError(f"There is no file or folder {path} for data set {name!r}; {way_out}.")
    if not (path.is_dir() or path.is_file()):  # a pipe would be waited for without an end
        raise UserError(f"{path} is neither a file nor a folder; {way_out}.")
    return path / name if (path / name).is_dir() else path


def title_of(title: object, place: Path) -> str:
    """What tables call a set: its title, else the folder's or file's name that says something."""
    if title:
        return str(title)
    whole = Path(os.path.abspath(place))  # links keep the name that the user gave them
    above = [folder.name for folder in whole.parents][:2]
    names = [whole.stem if whole.is_file() else whole.name, *above]
    telling = (name for name in names if name and name.lower() not in NAMELESS)
    return next(telling, names[0] or "data")
