"""Where the files of a set lie: the folder that the user named, and only that."""

from pathlib import Path

from ablate.data.fetch import SOURCES
from ablate.errors import UserError


def find_root(root: str | Path | None, name: str) -> Path:
    """The existing file or folder that holds the set `name`.

    `root` may be the folder of this set, or a folder of many sets with a sub-folder `name`.

    Raises:
        UserError: `root` is not given or does not exist.
    """
    way_out = "say data.root=FOLDER"
    if name in SOURCES:
        way_out += f" or download the files with `ablate data fetch {name}`"
    if not root:
        raise UserError(f"Data set {name!r} needs its files; {way_out}.")
    path = Path(root).expanduser()
    if not path.exists():
        raise UserError(f"There is no file or folder {path} for data set {name!r}; {way_out}.")
    return path / name if (path / name).is_dir() else path
