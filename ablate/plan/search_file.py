"""The plan of a search on disk: search.json."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ablate.disk import replace_file, sealed, unsealed
from ablate.errors import UserError
from ablate.store.layout import move_aside
from ablate.store.plan import PLAN, STUDY, TUNED, locked, read_study

SEARCH = "search.json"  # the plan of a search
SEARCHED = "searched"  # in study.json, where there is such a plan


def is_over(folder: Path) -> bool:
    """Return whether nothing is searched in a folder, or no more."""
    return not (folder / SEARCH).is_file() or (folder / TUNED / STUDY).is_file()


def searches(folder: Path) -> dict[str, dict[str, Any]]:
    """Return title -> `key`, `metric`, `is_ratio` and `budget_images` of every arm's searches.

    Without a search there are none.

    Raises:
        UserError: `search.json` is lost, or is not what was written.
    """
    content = read_search(folder)
    if content is None:
        return {}
    metric, repeats = content["rules"]["metric"], len(content.get("repeats", [()]))
    return {
        titled(arm["trial"]["arm"], arm.get("repeat", 0), repeats): {**arm, "metric": metric}
        for arm in content["arms"]
    }


def titled(arm: str, repeat: int, repeats: int) -> str:
    """Return what a search is called beside those of the same arm; repeats are counted from 0."""
    return arm if repeats == 1 else f"{arm}, repeat {repeat + 1} of {repeats}"


def read_search(folder: Path) -> dict[str, Any] | None:
    """Return what `search.json` holds, None where nothing is searched.

    Raises:
        UserError: It is lost, is not what was written, or belongs to another study.
    """
    anew = "type the command of the sweep again, which writes it anew and keeps all results."
    if not folder.is_dir():
        return None
    try:
        with locked(folder):
            content, study = search_in(folder), read_study(folder)
        planned = study.get("plan_sha256")
        if content is not None and content.get("plan_sha256", planned) != planned:
            raise ValueError("it belongs to another plan")
    except ValueError as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{folder / SEARCH} cannot be read ({error}); {anew}") from error
    if content is None and study.get(SEARCHED):
        raise UserError(f"{folder} has lost its {SEARCH}; {anew}")
    return content


def search_in(folder: Path) -> dict[str, Any] | None:
    """Return what `search.json` holds, None where there is none.

    Raises:
        ValueError: It is not what was written.
    """
    try:
        content = unsealed((folder / SEARCH).read_bytes())
    except FileNotFoundError:
        return None
    except IsADirectoryError as error:
        raise ValueError("it is a folder") from error
    for key in ("rules", "seeds", "arms"):
        if not content.get(key):
            raise ValueError(f"it has no {key}")
    return content


def budgets(folder: Path) -> dict[str, int]:
    """Return the key of an arm's search -> its images, as far as an earlier plan can be read."""
    try:
        content = search_in(folder) or {"arms": []}
    except ValueError:
        return {}
    return {arm["key"]: arm["budget_images"] for arm in content["arms"]}


def drop_tuned(folder: Path) -> None:
    """Remove the plan that follows a search; its results stay, and it is told anew from books."""
    for name in (STUDY, PLAN, "trials"):
        path = folder / TUNED / name
        if path.is_dir() and not path.is_symlink():  # not by us: a copy that followed the link
            move_aside(folder, path)
        else:
            path.unlink(missing_ok=True)


def write_search(folder: Path, content: Mapping[str, Any] | None) -> None:
    """Write the plan of a search, or take an earlier one away; more trials go on from fewer."""
    path, text = folder / SEARCH, None if content is None else sealed(content)
    if path.is_file() and path.read_bytes() == text:
        return
    drop_tuned(folder)  # the best may be others now
    if path.is_dir():  # not by us
        move_aside(folder, path)
    if text is None:
        path.unlink(missing_ok=True)
    else:
        replace_file(path, text)
