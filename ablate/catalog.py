"""Which tricks there are: every yaml in conf/trick is one.

Reading the catalog imports no torch; a trick's class is imported when it is asked for.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from ablate.errors import UserError

if TYPE_CHECKING:
    from ablate.trick import Trick, TrickSet


def conf_root() -> Path:
    """Return the folder that holds conf/ and sweeps/: the checkout's top, or the installed package."""
    package = Path(__file__).parent
    return package if (package / "conf").is_dir() else package.parent


@dataclass(frozen=True)
class Entry:
    """A trick's yaml: its class, its settings, and the ranges that a search may use."""

    name: str
    target: str
    settings: Mapping[str, Any]
    search: Mapping[str, Mapping[str, Any]]


@lru_cache
def names(*folders: Path) -> list[str]:
    """Return the names of all tricks, from conf/trick and from further config folders."""
    roots = [conf_root() / "conf", *folders]
    return sorted({file.stem for root in roots for file in (root / "trick").glob("*.yaml")})


@lru_cache
def entry(name: str, *folders: Path) -> Entry:
    """Return the yaml of one trick.

    Raises:
        UserError: There is no such trick; the nearest name is told.
    """
    for root in (*folders, conf_root() / "conf"):
        file = root / "trick" / f"{name}.yaml"
        if file.is_file():
            return parse(name, yaml.safe_load(file.read_text())[name])
    raise UserError(f"There is no trick '{name}'; {nearest(name, names(*folders))}.")


def parse(name: str, node: Mapping[str, Any]) -> Entry:
    """Return the entry of one config node, as the yaml or an override made it."""
    settings = {k: v for k, v in node.items() if k not in ("_target_", "search")}
    return Entry(name, node["_target_"], settings, node.get("search") or {})


def nearest(name: str, known: Iterable[str]) -> str:
    """Return what to type instead of an unknown name."""
    known = list(known)
    near = difflib.get_close_matches(name, known, 1)
    return f"did you mean '{near[0]}'" if near else f"type one of {', '.join(sorted(known))}"


def load_class(target: str) -> type[Trick]:
    """Return the class that an import path names.

    Raises:
        UserError: Nothing can be imported there, or it is no trick.
    """
    from ablate.trick import Trick

    module, _, name = target.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(
            f"The trick class '{target}' cannot be imported ({error}); type _target_: module.Class."
        ) from error
    if not (isinstance(found, type) and issubclass(found, Trick)):
        raise UserError(f"'{target}' is not a subclass of ablate.trick.Trick.")
    return found


def trick_class(name: str, *folders: Path) -> type[Trick]:
    """Return the class of a trick by its name."""
    return load_class(entry(name, *folders).target)


def trick_set(trials: Sequence[Mapping[str, Mapping[str, Any]]]) -> TrickSet:
    """Return one set for K trials of one structure: trick name -> settings, one mapping a trial."""
    from ablate.trick import TrickSet

    return TrickSet(trick_class(name).stack([t[name] for t in trials]) for name in trials[0])
