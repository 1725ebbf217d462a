"""search/optuna.db, where Optuna's own tools see a search: a mirror, told from the books.

Read here without Optuna, which takes its time to import.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

FILE = "search/optuna.db"
TABLE = "studies"  # that every storage of Optuna has
BROKEN = ("SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_CANTOPEN")


def damage_of_mirror(folder: Path) -> str | None:
    """Return what is wrong with the mirror of a study's search, None where nothing is."""
    path = folder / FILE
    if path.is_dir():
        return "it is a folder"
    if not path.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as base:
            ((found,),) = base.execute("PRAGMA quick_check(1)").fetchall()
            named = base.execute("SELECT 1 FROM sqlite_master WHERE name = ?", [TABLE]).fetchall()
    except sqlite3.Error as error:  # another process may hold it, which is no damage
        name = getattr(error, "sqlite_errorname", "")
        return str(error) if name.startswith(BROKEN) else None
    if found != "ok":
        return " ".join(str(found).split())
    return None if named else "it is no storage of Optuna's"


def told_of_mirror(folder: Path) -> str | None:
    """Return what a person is told of a damaged mirror; None where there is nothing to tell."""
    problem = damage_of_mirror(folder)
    if problem is None:
        return None
    return (
        f"{folder / FILE}, where Optuna's tools see the search, is damaged ({problem}); no result "
        "is in it, and the command of the sweep tells it again."
    )
