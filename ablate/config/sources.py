"""The code behind a trial, as far as it may change under the same config.

What a user wrote (networks of `model=module`, tricks of a package of theirs) is hashed: the module
that is named and every module of the user's own that it imports. What we wrote has a revision,
which moves when its numbers move. The first revision of everything stands for itself: it is left
out, so that a trial keeps its id.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import site
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

from ablate.config import revision
from ablate.config.catalog import entry, load, trick_class
from ablate.trial import canonical

OURS = ("ablate", "hydra_plugins")
UNSEEN = "no source"  # of a module that lies in no file
_hashed: dict[str, tuple[ModuleSpec, str]] = {}


def code_of(tricks: Iterable[str], model: Mapping[str, Any]) -> dict[str, Any]:
    """Return part of a trial -> what tells its code from an earlier one.

    Args:
        tricks: Names.
        model: The node of the config.

    Returns:
        `core`, `metric` and `model` have a revision, or `model` a hash; `trick.NAME` likewise.
        Parts of ours in their first revision are left out.
    """
    name = str(model["name"])
    found: dict[str, Any] = {"core": revision.CORE, "metric": revision.METRIC}
    if name == "module":
        found["model"] = digest(model["generator"], model["discriminator"])
    else:
        found["model"] = revision.MODELS.get(name, 1)
    for trick in sorted(tricks):
        target, number = entry(trick).target, trick_class(trick).revision
        theirs = "" if is_ours(target) else digest(target)
        found[f"trick.{trick}"] = told(theirs, number)
    return {part: value for part, value in found.items() if value != 1}


def told(theirs: str, number: int) -> str | int:
    """Return a user's source, and a revision if it has moved, as one value."""
    return f"{theirs}@{number}" if theirs and number > 1 else theirs or number


def sources_of(tricks: Iterable[str], model: Mapping[str, Any]) -> dict[str, str]:
    """Return module -> hash of everything that a user wrote, for the provenance."""
    targets = [entry(trick).target for trick in tricks]
    if model["name"] == "module":
        targets += [model["generator"], model["discriminator"]]
    found: dict[str, str] = {}
    for target in targets:
        found |= {} if is_ours(target) else hashes(target)
    return dict(sorted(found.items()))


def is_ours(target: str) -> bool:
    """Return whether an import path names something of this package."""
    return target.partition(".")[0] in OURS


def digest(*targets: str) -> str:
    """Return 16 hex digits of all code of the user's own behind some import paths."""
    found: dict[str, str] = {}
    for target in targets:
        load(target)  # what cannot be imported is told here, and the folder we are in is looked in
        found |= hashes(target)
    return hashlib.sha256(canonical([*targets, found]).encode()).hexdigest()[:16]


def hashes(target: str) -> dict[str, str]:
    """Return module -> hash, of the module of an import path and of all it imports of the user's.

    Imports are read from the source, those in functions too, and nothing is imported for it.
    """
    module = target.rpartition(".")[0]
    todo, found = [module], dict[str, str]()
    top = module.partition(".")[0]
    while todo:
        name = todo.pop()
        for spec in specs_of(name, top):
            if spec.name not in found:
                found[spec.name] = hash_of(spec)
                todo += imports_of(spec)
    return found or {module: UNSEEN}


def specs_of(name: str, top: str) -> Iterator[ModuleSpec]:
    """Yield where a module and the packages around it lie, if they are the user's own."""
    parts = name.split(".")
    try:
        spec = importlib.util.find_spec(parts[0])  # of a top-level name: imports nothing
    except (ImportError, ValueError):
        return
    if spec is None or not is_own(spec, top):
        return
    yield spec
    for depth in range(2, len(parts) + 1):
        spec = PathFinder.find_spec(".".join(parts[:depth]), spec.submodule_search_locations)
        if spec is None:
            return  # a name inside the module
        yield spec


def is_own(spec: ModuleSpec, top: str) -> bool:
    """Return whether a top-level module is the user's: not Python's, not ours, not installed.

    What is installed counts where it is the package that was named.
    """
    if spec.name in OURS or spec.name in sys.stdlib_module_names:
        return False
    places = [spec.origin] if spec.origin else list(spec.submodule_search_locations or [])
    installed = any(Path(p).is_relative_to(root) for p in places for root in installed_in())
    return bool(places) and (spec.name == top or not installed)


@lru_cache
def installed_in() -> tuple[Path, ...]:
    """Return the folders of Python itself and of installed packages."""
    kinds = ("stdlib", "platstdlib", "purelib", "platlib")
    named = [sysconfig.get_path(kind) for kind in kinds]
    found = [*named, *site.getsitepackages(), site.getusersitepackages()]
    return tuple(Path(folder) for folder in dict.fromkeys(found))


def hash_of(spec: ModuleSpec) -> str:
    """Return 16 hex digits of a module's source, as it was when this process imported it."""
    loaded = getattr(sys.modules.get(spec.name), "__spec__", None)
    known = _hashed.get(spec.name)
    if known is not None and known[0] is loaded:
        return known[1]
    found = hashlib.sha256(content_of(spec)).hexdigest()[:16]
    if loaded is not None:
        _hashed[spec.name] = (loaded, found)
    return found


def content_of(spec: ModuleSpec) -> bytes:
    """Return what of a file decides what it does; of a package without a file, nothing."""
    if spec.origin is None or not Path(spec.origin).is_file():
        return b""
    tree = syntax(spec)
    if tree is None:
        return Path(spec.origin).read_bytes()
    return canonical(plain(without_docstrings(tree))).encode()


def syntax(spec: ModuleSpec) -> ast.Module | None:
    """Return a module's syntax, None of what is no Python or is not imported for its mistakes."""
    if spec.origin is None or not spec.origin.endswith(".py"):
        return None
    try:
        return ast.parse(Path(spec.origin).read_bytes())
    except (SyntaxError, ValueError):
        return None


def plain(node: Any) -> Any:
    """Return syntax as lists: no places, no comments, and nothing that is empty.

    Fields that later Pythons add are empty in earlier code, so a hash outlives an upgrade.
    """
    if isinstance(node, ast.Constant):
        return ["Constant", {"value": repr(node.value)}]
    if isinstance(node, ast.AST):
        inside = {key: plain(value) for key, value in ast.iter_fields(node)}
        return [type(node).__name__, {k: v for k, v in inside.items() if v not in (None, [])}]
    if isinstance(node, list):
        return [plain(item) for item in node]
    return node


def without_docstrings(tree: ast.Module) -> ast.Module:
    """Return the tree without strings that are statements."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [line for line in body if not is_text(line)]  # type: ignore[attr-defined]
    return tree


def is_text(line: ast.AST) -> bool:
    """Return whether a statement is a string and nothing else."""
    value = line.value if isinstance(line, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def imports_of(spec: ModuleSpec) -> Iterator[str]:
    """Yield every name that a module imports; `from a import b` may mean the module a.b."""
    tree = syntax(spec)
    package = spec.name if spec.submodule_search_locations is not None else spec.parent or ""
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.rsplit(".", node.level - 1)[0] if node.level else ""
            base = ".".join(filter(None, (parents, node.module)))
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
