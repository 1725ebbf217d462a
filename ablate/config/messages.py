"""What Hydra says about a mistaken override, as one sentence that says what to type instead."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, Override, RangeSweep
from hydra.errors import (
    ConfigCompositionException,
    HydraException,
    MissingConfigException,
    OverrideParseException,
)
from omegaconf.errors import OmegaConfBaseException

from ablate.config.catalog import names
from ablate.config.keys import NOTHING, choices, groups, no_key, one_of
from ablate.errors import UserError, unknown

MOST_JOBS = 10_000  # each takes Hydra a tenth of a second
SWEEP = "Sweep parameters '"
AMBIGUOUS = "Ambiguous value for argument '"


def explain(error: HydraException | OmegaConfBaseException) -> UserError:
    """Return the sentence for an error of Hydra or OmegaConf."""
    if isinstance(error, MissingConfigException):
        return missing(error)
    if isinstance(error, OverrideParseException):
        return UserError(
            f"'{error.override}' cannot be read; type key=value, several tricks as trick=[a,b], "
            "and put quotes around text with commas or spaces."
        )
    cause = error.__cause__
    if isinstance(error, ConfigCompositionException) and isinstance(cause, OmegaConfBaseException):
        return wrong_key(cause) if in_no_tree(cause) else plain(cause)
    for start, end, tell in ((AMBIGUOUS, "'\n", ambiguous), (SWEEP, "' requires", several)):
        if str(error).startswith(start):
            return tell(str(error).removeprefix(start).split(end)[0])
    if str(error).startswith("Could not override 'search/"):
        return UserError("Nothing is searched in this study; type search=optuna as well.")
    return plain(error)


def missing(error: MissingConfigException) -> UserError:
    """Return the sentence for a choice that no file stands for."""
    group, _, name = str(error.missing_cfg_file).rpartition("/")
    if group == "trick":
        return unknown("trick", name, names())
    options = error.options or choices(group)
    return unknown(group or "config", name, [str(option) for option in options])


def in_no_tree(cause: OmegaConfBaseException) -> bool:
    """Return whether a key was set that the tree does not have."""
    return "is not in struct" in str(cause) and getattr(cause, "parent_node", None) is not None


def wrong_key(cause: OmegaConfBaseException) -> UserError:
    """Return the sentence for a key that the tree does not have, with the nearest that it has."""
    key: str = str(cause.key)
    place = str(cause.full_key).rpartition(".")[0]
    node: Any = cause.parent_node
    if place == "trick" and key in names():
        chosen = ",".join([*map(str, node), key])
        return UserError(f"Trick {key} is not selected; type trick=[{chosen}].")
    if place == "trick":
        return unknown("trick", key, names())
    known = node if hasattr(node, "keys") else ()
    return no_key(place, key, known, node.get("name") if known else None)


def refuse_choices(overrides: Sequence[str]) -> None:
    """Refuse `group=null`, of which Hydra makes an error without a key, and `group=[one,other]`.

    Hydra lays the files of a list over each other: the last name wins, with keys of the first.

    Raises:
        UserError: The sentence says what to type for none, or which there are.
    """
    for override in overrides:
        key, _, value = override.replace(" ", "").partition("=")
        if key not in groups() or key == "preset":
            continue
        if value.lower() in ("null", "[null]") or value.isdigit():
            none = (
                f"type {key}={NOTHING[key]} for none" if key in NOTHING else f"type {one_of(key)}"
            )
            raise UserError(f"{key}={value} names nothing; {none}.")
        if key != "trick" and value.startswith("[") and "," in value:
            raise UserError(
                f"{override} names several; type one of them, or -m {key}={value[1:-1]} to train "
                "each."
            )


def in_each_job(overrides: Sequence[str]) -> list[str]:
    """Return the overrides of a multirun, values inside of what differs by job set in each job.

    Hydra composes once before there are jobs, with a part that is swept at its default: there
    `trick.r1.gamma=0.5` has nothing to set beside `trick=[r1],[r1,r2]`, nor `model.depth=2` beside
    `model=mlp,resnet`. What is swept waits for the jobs, so such a value becomes a sweep of one.

    Raises:
        UserError: It sets a number of a trick that some of the jobs do not select.
    """
    parser = OverridesParser.create()
    try:
        parsed = [parser.parse_override(override) for override in overrides]
    except HydraException:
        return list(overrides)  # Hydra says what is wrong with it
    swept = {o.key_or_group for o in parsed if o.is_sweep_override()} & {*groups()}
    if "preset" in swept:
        swept.add("trick")  # it selects some
    elif "trick" in swept:
        refuse_absent(parsed)
    return [
        f"{word.partition('=')[0]}=choice({word.partition('=')[2]})"
        if is_inside(o, swept) and not o.is_sweep_override()
        else word
        for o, word in zip(parsed, overrides, strict=True)
    ]


def refuse_absent(parsed: Sequence[Override]) -> None:
    """Refuse a number of a trick that is not in every set of a sweep.

    Raises:
        UserError: The sentence names such a set.
    """
    swept = [o.value() for o in parsed if o.key_or_group == "trick"]
    many = [one for value in swept if isinstance(value, ChoiceSweep) for one in value.list]
    sets = [one if isinstance(one, list) else [one] for one in many]
    for override in (o for o in parsed if is_inside(o, ("trick",))):
        name = override.key_or_group.split(".")[1]
        without = [one for one in sets if name not in map(str, one)]
        if without:
            shown = f"trick=[{','.join(map(str, without[0]))}]"
            raise UserError(
                f"{override.input_line} sets {name}, which {shown} does not select; type the sets "
                f"that select {name} in a command of their own."
            )


def is_inside(override: Override, parts: Collection[str]) -> bool:
    """Return whether an override sets a value inside of one of some parts of the tree."""
    part, dot, _ = override.key_or_group.partition(".")
    return bool(dot) and part in parts and not override.is_delete()


def refuse_many(overrides: Sequence[str]) -> None:
    """Refuse a multirun that nobody could train, before its jobs are listed.

    Raises:
        UserError: It has too many jobs, or a range without an end.
    """
    parse, count = OverridesParser.create().parse_override, 1
    for override in overrides:
        try:
            parsed = parse(override)
        except (OverrideParseException, ValueError):
            continue  # Hydra tells it
        if parsed.is_discrete_sweep():
            count *= jobs_of(parsed)
    if count > MOST_JOBS:
        raise UserError(f"-m names {count:,} trials; type at most {MOST_JOBS:,} at a time.")


def jobs_of(override: Override) -> int:
    """Return how many values a sweep has.

    Raises:
        UserError: Its range has no end.
    """
    value = override.value()
    if isinstance(value, RangeSweep):
        start, stop, step = value.start or 0, value.stop, value.step
        steps = (stop - start) / step if stop is not None and step else math.nan
        if not math.isfinite(steps):
            raise UserError(f"{override.input_line} has no end; type range(FIRST,END).")
        return max(0, math.ceil(steps))
    return len(value.list) if isinstance(value, ChoiceSweep) else 1


def ambiguous(override: str) -> UserError:
    """Return the sentence for several values in a command that takes one."""
    key, _, values = override.partition("=")
    both = f" or {key}=[{values}] for a set of them" if key == "trick" else ""
    both = f" or study.seeds=[{values}] in a study" if key == "seed" else both
    return UserError(f"{override} names several values; add -m to train one trial for each{both}.")


def several(override: str) -> UserError:
    """Return the sentence for a range or a choice in a command that takes one value."""
    key = override.partition("=")[0]
    return UserError(
        f"{override} names several values; add -m to train one trial for each, or type a list "
        f"where one is meant: {key}=[0,1,2]."
    )


def plain(error: BaseException) -> UserError:
    """Return the first line of a message."""
    line = next(iter(str(error).splitlines()), type(error).__name__)
    return UserError(f"The configuration does not compose: {line}")


def yaml_of(sweep: str, folder: Path) -> Path:
    """Return the file of a study: a path as it stands, or a name in the folder of ready ones.

    Raises:
        UserError: There is no such study.
    """
    if sweep.endswith((".yaml", ".yml")):
        file = Path(sweep).expanduser()
        if not file.is_file():
            raise UserError(f"There is no file {file}; type the path of a study's yaml.")
        return file
    file = folder / f"{sweep}.yaml"
    if not file.is_file():
        raise unknown("study", sweep, sorted(f.stem for f in folder.glob("*.yaml")))
    return file
