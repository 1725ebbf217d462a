"""Which keys a config has: those of our own yaml files, and no others.

A key that nothing reads would be part of a trial and change nothing. The yaml that describes a part
says which keys it has, which of them need a value, and which are whole numbers.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from ablate.config.catalog import conf_root, entry
from ablate.errors import UserError, nearest

Node = Mapping[str, Any]
NAMED = ("data", "model", "tracker")  # a file for each `name`
ALIKE = {"budget": "budget/screen", "metric": "metric/default"}  # all files have the same keys
INSIDE = {"train": "config", "study": "study"}  # the file that they stand in
EXACT = 2.0**53  # above it, not every whole number is a float
LARGEST = 1e300  # of a number; the rest overflows as soon as it is used
LONGEST = 2**63
RANGE = ("low", "high", "log", "choices", "above")
TRICK = ("_target_", "search")
OPEN = ("data.label_column",)  # where null means something though ours is another value
NOTHING = {"trick": "[]", "tracker": "none", "preset": "[]"}  # what is typed for none


def checked_keys(tree: Node) -> dict[str, Any]:
    """Return a composed tree, without Hydra's own node, with whole numbers as such: 1e3 is 1000.

    Raises:
        UserError: A key is unknown, missing, or has no value where one is needed; the sentence says
            what to type.
    """
    for key in tree:
        refuse_endless(str(key), tree[key])
    found = checked("", tree, whole_of(tree))
    for part in (*NAMED, *ALIKE, *INSIDE):
        if part in tree:
            found[part] = checked(part, tree[part], known_of(part, tree[part]))
    if "study" in tree:
        declared, known = found["study"]["analysis"], content("study")["study"]["analysis"]
        found["study"]["analysis"] = checked("study.analysis", declared, known)
    if "search" in tree:
        found["search"] = checked_search(tree["search"])
    for name, node in tree["trick"].items():
        check_trick(str(name), node)
    return found


def refuse_endless(place: str, given: Any) -> None:
    """Refuse numbers that are none: JSON has no inf and no nan, and no setting means either.

    Raises:
        UserError: There is one, or a whole number of more than 64 bits.
    """
    if isinstance(given, Mapping):
        for key, value in given.items():
            refuse_endless(join(place, key), value)
    elif isinstance(given, list):
        for value in given:
            refuse_endless(place, value)
    elif isinstance(given, int) and abs(given) > 10**30:  # too long for a sentence
        raise UserError(f"{place} is a number of {len(str(given))} digits; type a smaller one.")
    elif isinstance(given, int | float) and not -LARGEST <= given <= LARGEST:
        raise UserError(f"{place}={given:g} is no number that can be used; type a finite one.")
    elif isinstance(given, int) and abs(given) >= LONGEST:
        raise UserError(f"{place}={given:g} has more than 64 bits; type a smaller number.")


def checked(place: str, given: Any, known: Node) -> dict[str, Any]:
    """Return one node of the tree.

    Args:
        place: Its full key, "" for the whole tree.
        given: What was composed.
        known: What our yaml has there.

    Raises:
        UserError: As `checked_keys`.
    """
    if not isinstance(given, Mapping):
        raise holds_keys(place, given)
    for key in given:
        if key not in known:
            raise no_key(place, str(key), known, given.get("name"))
    missing = [key for key in known if key not in given and not is_optional(place, key)]
    if missing:
        full = join(place, missing[0])
        raise UserError(
            f"{full} is missing; type {typed(full, known[missing[0]])} and leave out ~{full}."
        )
    return {key: value_of(join(place, key), value, known[key]) for key, value in given.items()}


def no_key(place: str, key: str, known: Iterable[Any], name: Any = None) -> UserError:
    """Return the sentence for a key that the tree does not have, with the nearest that it has.

    Args:
        place: Where it was typed, "" for the whole tree.
        key: What was typed.
        known: What is there.
        name: Of the file that was chosen for that place, where there are several.
    """
    keys = sorted(str(k) for k in known if k not in (*TRICK, "hydra"))
    if place == "search" and key in (*content("search/optuna"), "pruner"):
        return UserError(
            f"search.{key} is given and nothing is searched; type search=optuna, or leave it out."
        )
    if not place and key in groups():
        return UserError(f"{key} is not there; type {key}=NAME, {one_of(key)}.")
    if not keys:
        return UserError(f"{place}.{key} is given and {place} holds nothing; drop {place}=.")
    others = {other: near(key, content(f"{place}/{other}")) for other in choices(place)}
    if place in NAMED and any(others.values()) and not near(key, keys):
        other = max(others, key=lambda name: (key in others[name], bool(others[name])))
        return UserError(
            f"There is no key '{key}' in {place}={name}; did you mean '{others[other][0]}' of "
            f"{place}={other}?"
        )
    inside = f" in {place}" if place else ""
    return UserError(f"There is no key '{key}'{inside}; {nearest(key, keys)}.")


def holds_keys(place: str, given: Any) -> UserError:
    """Return the sentence for one value where there are several keys."""
    return UserError(f"{place}={text(given)} names nothing; {place} holds further keys.")


def near(key: str, known: Iterable[str]) -> list[str]:
    """Return the known key that is most like another, if one is."""
    return difflib.get_close_matches(key, list(known), 1)


@lru_cache
def groups() -> tuple[str, ...]:
    """Return the parts of the tree of which one file is chosen."""
    inside = Path(conf_root(), "conf").iterdir()
    return tuple(sorted(folder.name for folder in inside if folder.is_dir()))


def choices(group: str) -> list[str]:
    """Return what can be typed behind `group=`."""
    return sorted(file.stem for file in Path(conf_root(), "conf", group).glob("*.yaml"))


def one_of(group: str) -> str:
    """Return what can be typed behind `group=`, in words."""
    return f"one of {', '.join(choices(group))}"


def is_optional(place: str, key: str) -> bool:
    """Return whether a part does without a key: a data set's function knows its own defaults."""
    return place == "data" and key not in ("name", "fraction")


def value_of(full: str, given: Any, known: Any) -> Any:
    """Return a value, a whole number as such.

    Raises:
        UserError: It is none, or a tree where a value is needed.
    """
    if given is None and (known is None or full in OPEN):
        return None
    if given is None and (full in NOTHING or not isinstance(known, Mapping)):
        raise UserError(f"{full}=null is no value; type {typed(full, known)}.")
    if isinstance(known, Mapping) and not isinstance(given, Mapping):
        raise holds_keys(full, given)
    if isinstance(given, Mapping) and known is not None and not isinstance(known, Mapping):
        raise UserError(f"{full}={text(given)} is no value; type {typed(full, known)}.")
    if isinstance(given, list):
        return [whole(value) if is_whole(known) else value for value in given]
    return whole(given) if is_whole(known) else given


def is_whole(known: Any) -> bool:
    """Return whether a value may be a whole number: ours is one, a list of such, or open."""
    if isinstance(known, list):
        return all(is_whole(value) for value in known)
    return known is None or (isinstance(known, int) and not isinstance(known, bool))


def whole(value: Any) -> Any:
    """Return a whole number that was written as 1e3 or 1000.0 as one; all else as it is."""
    exact = isinstance(value, float) and value.is_integer() and abs(value) <= EXACT
    return int(value) if exact else value


def checked_search(given: Any) -> dict[str, Any]:
    """Return the node of a search, its sampler and its pruner.

    Raises:
        UserError: As `checked_keys`, or settings of a search are given and nothing is searched.
    """
    if not isinstance(given, Mapping):
        return checked("search", given, {})
    known = {**content("search/optuna"), "sampler": {}, "pruner": {}}
    if given.get("sampler") is None:
        return checked("search", given, content("search/none"))
    found = checked("search", given, known)
    check_texts(found)
    for part in ("sampler", "pruner"):
        described = content(f"search/{part}/{found[part].get('name')}")
        if described:  # what checks the search knows the names
            found[part] = checked(f"search.{part}", found[part], described)
    return found


def check_texts(search: Node) -> None:
    """Refuse what is no name where a search needs one, and what is no list of such.

    Raises:
        UserError: The sentence says what to type.
    """
    for key in ("metric", "cost", "warm_start", "storage"):
        if not isinstance(search[key], str | None):
            raise UserError(f"search.{key}={text(search[key])} is no name; type one, or null.")
    chosen = search["settings"]
    if chosen is not None and not (
        isinstance(chosen, list) and all(isinstance(one, str) for one in chosen)
    ):
        raise UserError(
            f"search.settings={text(chosen)} is no list of settings; type null for all of them, or "
            "[r1.gamma,adam.lr]."
        )


def check_trick(name: str, node: Any) -> None:
    """Refuse another class than a trick's yaml names, and words in its ranges that mean nothing.

    Its settings are checked by the trick itself.

    Raises:
        UserError: The sentence says what to type.
    """
    if not isinstance(node, Mapping) or "_target_" not in node:
        return  # a trick that is not selected; what reads tricks says so
    if node["_target_"] != entry(name).target:
        raise UserError(
            f"trick.{name}._target_ cannot be changed; give your class a yaml of its own: "
            "conf/trick/NAME.yaml in a folder that --config-dir names."
        )
    for key, given in (node.get("search") or {}).items():
        for word in given if isinstance(given, Mapping) else ():
            if word not in RANGE:
                place = f"trick.{name}.search.{key}"
                raise UserError(f"There is no key '{word}' in {place}; {nearest(word, RANGE)}.")


def whole_of(tree: Node) -> Node:
    """Return our top level: that of a trial or, where there is a study, of a study."""
    study = content("study") if "study" in tree else {}
    parts: dict[str, Any] = {key: {} for key in (*NAMED, *ALIKE, *(["search"] if study else []))}
    return {**content("config"), **parts, **study}


def known_of(part: str, given: Any) -> Node:
    """Return what our yaml has in a part, by its `name` where every name has a file.

    Raises:
        UserError: It has no name.
    """
    if part in INSIDE:
        return dict(content(INSIDE[part])[part])
    if part in ALIKE:
        return content(ALIKE[part])
    name = given.get("name") if isinstance(given, Mapping) else ""
    if not isinstance(name, str):
        none = "has no value" if name is None else f"is {text(name)}, which is no name"
        raise UserError(f"{part}.name {none}; type {part}=NAME, {one_of(part)}.")
    found = content(f"{part}/{name}") or dict(given if isinstance(given, Mapping) else {})
    if part == "data" and "of" in found and isinstance(given, Mapping):
        return {**content(f"data/{given.get('of')}"), **found}  # a set made of another
    return found


@lru_cache
def content(name: str) -> dict[str, Any]:
    """Return a yaml of ours without its defaults list, {} where there is none."""
    from omegaconf import OmegaConf

    file = Path(conf_root(), "conf", f"{name}.yaml")
    if not file.is_file():
        return {}
    found = OmegaConf.to_container(OmegaConf.load(file), resolve=False)
    assert isinstance(found, dict)
    return {str(key): value_in(value) for key, value in found.items() if key != "defaults"}


def value_in(value: Any) -> Any:
    """Return a value of ours; one that is taken from elsewhere may be none."""
    return None if isinstance(value, str) and value.startswith("${") else value


def join(place: str, key: str) -> str:
    """Return a full key."""
    return f"{place}.{key}" if place else str(key)


def typed(full: str, value: Any) -> str:
    """Return how a key is typed with the value that ours has."""
    return f"{full}={NOTHING.get(full) or text(value)}"


def text(value: Any) -> str:
    """Return a value as it is typed."""
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{k}:{text(v)}" for k, v in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ",".join(map(text, value)) + "]"
    return {"None": "null", "True": "true", "False": "false"}.get(str(value), str(value))
