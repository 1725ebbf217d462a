"""`ablate tricks`: all tricks by group, and the card of one."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from ablate.config.catalog import entry, names, trick_class
from ablate.screen.grid import draw, put
from ablate.screen.letters import columns, counted, fitted, say, spelled
from ablate.seams.base import Trick
from ablate.seams.rules import TRAITS
from ablate.seams.setting import Setting

SOURCE = "Source:"


def print_tricks(console: Console) -> None:
    """Print every trick with one line, group by group."""
    groups: dict[str, list[type[Trick]]] = {}
    for name in names():
        found = trick_class(name)
        groups.setdefault(found.group or "other", []).append(found)
    wide = max(map(len, names()))
    for group in sorted(groups):
        console.print(Text(group, "bold"))
        for trick in groups[group]:
            entitled(f"  {trick.name:{wide}}  ", trick.summary(), console, "cyan")
    say(f"\n{counted(len(names()), 'trick')}. `ablate tricks NAME` shows the card of one.")


def print_card(name: str, console: Console) -> None:
    """Print everything that a trick says about itself.

    Raises:
        UserError: There is no such trick.
    """
    found = trick_class(name)
    body, source = paragraphs(found)
    entitled(name, f"  {found.group}", console, "bold cyan")
    say(f"\n{found.summary()}\n")
    for paragraph in body:
        say(f"  {paragraph}\n")
    if found.settings:
        draw(parameters(name, found), console, wraps=(2, 3))
    else:
        say("No parameters.")
    say("")
    facts = (
        *rules("needs", found.needs),
        *rules("excludes", found.excludes),
        *rules("in doubt with", found.doubts),
        ("cost", found.cost),
        ("off", off(found)),
        ("source", source),
        ("use", f"ablate train trick=[{name}]"),
    )
    wide = max(len(title) for title, _ in facts)
    for title, text in facts:
        entitled(f"{title:>{wide}}  ", text, console, "bold")


def entitled(title: str, text: str, console: Console, style: str) -> None:
    """Print a text behind its title, broken below itself."""
    whole = fitted(spelled(title + text, console.encoding), columns(console.file))
    put(Text(whole[: len(title)], style) + Text(whole[len(title) :]), console)


def paragraphs(found: type[Trick]) -> tuple[list[str], str]:
    """Return the docstring behind its first line: the formula and all, and the source."""
    text = inspect.getdoc(found) or ""
    parts = [" ".join(part.split()) for part in text.split("\n\n")[1:]]
    source = [part.removeprefix(SOURCE).strip() for part in parts if part.startswith(SOURCE)]
    return [part for part in parts if not part.startswith(SOURCE)], " ".join(source)


def parameters(name: str, found: type[Trick]) -> list[list[str]]:
    """Return headings and rows of the settings."""
    known = entry(name)
    lines = [[f"trick.{name}.", "default", "may be", "searched in"]]
    for key, setting in found.settings.items():
        default, search = plain(known.settings[key]), searched(known.search.get(key))
        lines.append([key, default, allowed(setting), search])
    return lines


def allowed(setting: Setting) -> str:
    """Return what a setting may be."""
    if setting.kind == "choice":
        return " | ".join(setting.choices)
    if setting.kind == "flag":
        return "true | false"
    kind = "whole number" if setting.kind == "integer" else "number"
    return kind + between(setting.low, setting.high)


def between(low: float, high: float) -> str:
    """Return a range in words."""
    if math.isfinite(low) and math.isfinite(high):
        return f" from {low:g} to {high:g}"
    if math.isfinite(low):
        return f" from {low:g}"
    return f" up to {high:g}" if math.isfinite(high) else ""


def searched(search: Mapping[str, Any] | None) -> str:
    """Return the range that a search uses."""
    if search is None:
        return ""
    if "choices" in search:
        return ", ".join(plain(value) for value in search["choices"])
    if "above" in search:
        return f"{search['above']} to {search['high']:g}"
    scale = ", log" if search.get("log") else ""
    return f"{search['low']:g} to {search['high']:g}{scale}"


def plain(value: Any) -> str:
    """Return a value as it is typed."""
    if isinstance(value, bool):
        return str(value).lower()
    return "null" if value is None else str(value)


def rules(title: str, rules: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return one line for each trait or trick, with the reason."""
    return [(title, f"{TRAITS.get(other, other)}: {why}") for other, why in rules.items()]


def off(found: type[Trick]) -> str:
    """Return the settings at which the trick does nothing."""
    if found.neutral is None:
        return "leave it out"
    return ", ".join(f"{key}={plain(value)}" for key, value in found.neutral.items())
