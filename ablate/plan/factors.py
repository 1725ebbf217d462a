"""What a study's factors mean: factor -> level -> the tricks that it switches on, and with what.

A trick under test is a factor with the levels `off` and `on`. `study.factors` adds slots, whose
levels are tricks (`norm: [none, batch_norm, {batch_norm: {nets: D}}]`), and strengths, whose levels
are values of a setting (`r1.gamma: [0.1, 1, 10]`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ablate.config.catalog import entry, names, trick_class
from ablate.config.tree import resolved, tricks_of
from ablate.errors import UserError, unknown
from ablate.plan.design import NONE, REFERENCE, SWITCH

Tricks = Mapping[str, Mapping[str, Any]]  # trick -> the settings that differ from its own
Factor = Mapping[str, Tricks]  # level as text -> what it switches on


def factors_of(study: Mapping[str, Any], selected: Sequence[str]) -> dict[str, Factor]:
    """Return the factors of a study, its tricks under test first.

    Args:
        study: The node of the config.
        selected: Tricks of `trick=[...]`.

    Raises:
        UserError: A factor or a level is none, or a trick belongs to two.
    """
    always = named(study, "always", selected)
    tricks = named(study, "tricks", selected)
    if study["design"] in LISTED:
        for key in ("tricks", "factors"):
            if study[key]:
                raise UserError(f"study.{key} is not for study.design={study['design']}; drop it.")
        return LISTED[study["design"]](study)
    given = {name: factor(name, levels) for name, levels in flat(study["factors"]).items()}
    governed = {trick: name for name, one in given.items() for trick in tricks_in(one)}
    for key, chosen in (("always", always), ("tricks", tricks)):
        for trick in chosen:
            if trick in governed:
                raise UserError(
                    f"{trick} is in factor {governed[trick]} already; drop it from study.{key}."
                )
    switches = [t for t in tricks or selected if t not in always and t not in governed]
    refuse_shared(given)
    for name in given:
        if name in switches:
            raise UserError(f"The slot {name} is called like a trick under test; rename it.")
    off, on = SWITCH
    found: dict[str, Factor] = {t: {off: {}, on: {t: {}}} for t in switches}
    found |= given
    if not found:
        raise UserError("The study has no trick to test; type trick=[label_smooth,ema_g].")
    return found


def named(study: Mapping[str, Any], key: str, selected: Sequence[str]) -> list[str]:
    """Return a list of selected tricks that the study names.

    Raises:
        UserError: One is not selected.
    """
    given = study[key] or []
    given = list(given) if isinstance(given, list) else [given]
    for name in given:
        if name not in names():
            raise unknown("trick", str(name), selected or names())
        if name not in selected:
            chosen = ",".join([*selected, str(name)])
            raise UserError(
                f"study.{key} names {name}, which is not selected; type trick=[{chosen}]."
            )
    return given


def flat(factors: Any) -> dict[str, Any]:
    """Return `{r1: {gamma: [...]}}` as `{r1.gamma: [...]}`, as a command line may nest it.

    Raises:
        UserError: The factors are no mapping.
    """
    if not isinstance(factors, Mapping | None):
        raise UserError(
            f"study.factors={factors} has no names; type "
            "'study.factors={loss:[loss_ns,loss_hinge]}'."
        )
    found: dict[str, Any] = {}
    for name, levels in (factors or {}).items():
        inner = {f"{name}.{k}": v for k, v in levels.items()} if isinstance(levels, Mapping) else {}
        found |= inner or {str(name): levels}
    return found


def factor(name: str, levels: Any) -> Factor:
    """Return a slot or, where the name has a dot, a strength.

    Raises:
        UserError: It has fewer than two levels, one of them twice, or one that is none.
    """
    if not isinstance(levels, list) or len(levels) < 2:
        raise UserError(
            f"study.factors.{name}={levels} must list two levels or more, the reference's first."
        )
    read = strength if "." in name else slot
    found: dict[str, Tricks] = {}
    for level in levels:
        text, tricks = read(name, level)
        if text in found:
            raise UserError(f"study.factors.{name} has the level {text} twice; drop one.")
        found[text] = tricks
    return found


def slot(name: str, level: Any) -> tuple[str, Tricks]:
    """Return the text of a slot's level and its tricks."""
    if level is None or level == NONE:
        return NONE, {}
    place = f"study.factors.{name}"
    tricks = picked(level, place)
    return "+".join(word(trick, settings) for trick, settings in tricks.items()), tricks


def strength(name: str, level: Any) -> tuple[str, Tricks]:
    """Return the text of a strength's level, and its trick with the setting; none is without it.

    Raises:
        UserError: There is no such trick or setting.
    """
    trick, _, key = name.partition(".")
    if key not in entry(trick).settings:
        known = [f"{trick}.{k}" for k in entry(trick).settings]
        raise unknown("factor", name, known or names())
    if level is None or level == NONE:
        return NONE, {}
    return str(level), {trick: {key: level}}


def picked(given: Any, place: str) -> dict[str, Mapping[str, Any]]:
    """Return trick -> changed settings of `r1`, `{r1: {gamma: 3}}`, or a list of such.

    Raises:
        UserError: It is none of them, or names no trick.
    """
    if isinstance(given, list):
        found: dict[str, Mapping[str, Any]] = {}
        for item in given:
            found |= picked(item, place)
        return found
    tricks = {given: None} if isinstance(given, str) else given
    if not isinstance(tricks, Mapping):
        raise UserError(
            f"{place} has {given}, which is no trick; type names of tricks, {NONE}, or settings as "
            "{r1: {gamma: 3}}. The values of a setting are a factor of its name: r1.gamma."
        )
    for trick, settings in tricks.items():
        trick_class(str(trick))
        if not isinstance(settings, Mapping | None):
            raise UserError(f"{place} has {trick}: {settings}; type {trick}: {{setting: value}}.")
    return {str(trick): settings or {} for trick, settings in tricks.items()}


def word(trick: str, settings: Mapping[str, Any]) -> str:
    """Return a trick with the settings that were given, as a table calls it."""
    inside = ",".join(f"{key}={value}" for key, value in settings.items())
    return f"{trick}({inside})" if inside else trick


def tricks_in(levels: Factor) -> list[str]:
    """Return the tricks that any level of a factor switches on."""
    return list(dict.fromkeys(trick for tricks in levels.values() for trick in tricks))


def refuse_shared(given: Mapping[str, Factor]) -> None:
    """Refuse a trick in two factors, but for two strengths of a trick that stays on.

    Raises:
        UserError: The sentence names both.
    """
    owner: dict[str, str] = {}
    for name, levels in given.items():
        for trick in tricks_in(levels):
            other = owner.setdefault(trick, name)
            both = (name, other)
            if other == name or all("." in n and NONE not in given[n] for n in both):
                continue
            why = f", one of which has {NONE}" if all("." in n for n in both) else ""
            raise UserError(f"{trick} is in two factors, {other} and {name}{why}; keep it in one.")


def arms_given(study: Mapping[str, Any]) -> dict[str, Factor]:
    """Return `study.arms` as one factor; its reference is the arm called so, else without any.

    Raises:
        UserError: There are none, or one is no list of tricks.
    """
    arms = study["arms"]
    if not isinstance(arms, Mapping) or not arms:
        raise UserError(
            "study.design=explicit takes its arms by name; type "
            "'study.arms={mine:[ema_g,r1],other:[{r1:{gamma:10}}]}'."
        )
    found: dict[str, Tricks] = {
        str(name): picked(given or [], f"study.arms.{name}") for name, given in arms.items()
    }
    return {"arm": {REFERENCE: found.pop(REFERENCE, {})} | found}


def presets_given(study: Mapping[str, Any]) -> dict[str, Factor]:
    """Return `study.presets` as one factor, behind a reference without any.

    Raises:
        UserError: There is no such preset, or none is named.
    """
    from hydra import compose
    from hydra.core.global_hydra import GlobalHydra

    known = GlobalHydra.instance().config_loader().get_group_options("preset")
    names = [study["presets"]] if isinstance(study["presets"], str) else study["presets"]
    if not isinstance(names, list) or not names:
        raise UserError(
            f"study.design=presets takes a list of them; type study.presets=[{','.join(known)}]."
        )
    found: dict[str, Tricks] = {NONE: {}}
    for name in names:
        if name not in known:
            raise unknown("preset", str(name), known)
        if name in found:
            raise UserError(f"study.presets has {name} twice; drop one.")
        found[name] = tricks_of(resolved(compose("config", [f"preset={name}"]))["trick"])
    return {"preset": found}


LISTED: dict[str, Callable[[Mapping[str, Any]], dict[str, Factor]]] = {
    "presets": presets_given,
    "explicit": arms_given,
}
