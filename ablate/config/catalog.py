"""Which tricks there are: every yaml in conf/trick is one.

Reading the catalog imports no torch; a trick's class is imported when it is asked for. A user's own
config folder joins by `look_in`, in every process that trains.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablate.errors import UserError, unknown

if TYPE_CHECKING:
    from ablate.seams.base import Trick
    from ablate.seams.trick_set import TrickSet

_further: list[Path] = []


def look_in(*folders: Path) -> None:
    """Take the tricks of further config folders into the catalog; ours win over theirs."""
    for folder in folders:
        if folder not in _further and folder != conf_root() / "conf":
            _further.append(folder)
            names.cache_clear()
            entry.cache_clear()


def roots() -> list[Path]:
    """Return the config folders in the order in which Hydra searches them."""
    return [conf_root() / "conf", *_further]


def conf_root() -> Path:
    """Return what holds conf/ and sweeps/: the top of a checkout, or the installed package."""
    package = Path(__file__).parents[1]
    return package if (package / "conf").is_dir() else package.parent


@dataclass(frozen=True)
class Entry:
    """A trick's yaml: its class, its settings, and the ranges that a search may use."""

    name: str
    target: str
    settings: Mapping[str, Any]
    search: Mapping[str, Mapping[str, Any]]


@lru_cache
def names() -> list[str]:
    """Return the names of all tricks."""
    return sorted({file.stem for root in roots() for file in (root / "trick").glob("*.yaml")})


@lru_cache
def entry(name: str) -> Entry:
    """Return the yaml of one trick, read as Hydra reads it (1e-4 is a number, on is a word).

    Raises:
        UserError: There is no such trick, or its yaml has no key of its own name.
    """
    from omegaconf import OmegaConf

    files = [root / "trick" / f"{name}.yaml" for root in roots()]
    file = next((f for f in files if os.path.isfile(f)), None)  # no file has a name too long
    if file is None:
        raise unknown("trick", name, names())
    content = OmegaConf.to_container(OmegaConf.load(file))
    node = content.get(name) if isinstance(content, dict) else None
    if not isinstance(node, dict) or "_target_" not in node:
        raise UserError(
            f"{file} does not describe a trick; its one top key must be '{name}' with a "
            "_target_: module.Class below it."
        )
    return parse(name, node)


def parse(name: str, node: Mapping[str, Any]) -> Entry:
    """Return the entry of one config node, as the yaml or an override made it."""
    settings = {k: v for k, v in node.items() if k not in ("_target_", "search")}
    return Entry(name, node["_target_"], settings, node.get("search") or {})


def load(target: str) -> Any:
    """Return what an import path names; the working folder is looked in last, as by `python -m`.

    Raises:
        UserError: Nothing can be imported there.
    """
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    module, _, name = target.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(
            f"'{target}' cannot be imported ({error}); type package.module.Class, and start ablate "
            "where Python finds the package."
        ) from error
    except Exception as error:  # whatever a user's module does as it is imported
        raise UserError(
            f"'{target}' cannot be imported: {module} raises {type(error).__name__} ({error}); "
            "mend it and start again."
        ) from error


def load_class(target: str) -> type[Trick]:
    """Return the trick class that an import path names.

    Raises:
        UserError: Nothing can be imported there, or it is no trick.
    """
    from ablate.seams.base import Trick

    found = load(target)
    if not (isinstance(found, type) and issubclass(found, Trick)):
        raise UserError(f"'{target}' is not a subclass of ablate.trick.Trick.")
    return found


def trick_class(name: str) -> type[Trick]:
    """Return the class of a trick by its name."""
    return load_class(entry(name).target)


def trick_set(trials: Sequence[Mapping[str, Mapping[str, Any]]]) -> TrickSet:
    """Return one set for K trials of one structure: trick name -> settings, one mapping a trial."""
    from ablate.seams.trick_set import TrickSet

    return TrickSet(trick_class(name).stack([t[name] for t in trials]) for name in trials[0])
