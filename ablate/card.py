"""`ablate tricks`: all tricks by group, and the card of one."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ablate.catalog import entry, names, trick_class
from ablate.trick import TRAITS, Setting, Trick

SOURCE = "Source:"


def print_tricks(console: Console) -> None:
    """Print every trick with one line, group by group."""
    groups: dict[str, list[type[Trick]]] = {}
    for name in names():
        found = trick_class(name)
        groups.setdefault(found.group or "other", []).append(found)
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, overflow="ellipsis")
    for group in sorted(groups):
        table.add_row(Text(group, style="bold"), "")
        for trick in groups[group]:
            table.add_row(Text(f"  {trick.name}", style="cyan"), Text(trick.summary()))
    console.print(table)
    console.print(f"\n{len(names())} tricks. `ablate tricks NAME` shows the card of one.")


def print_card(name: str, console: Console) -> None:
    """Print everything that a trick says about itself.

    Raises:
        UserError: There is no such trick.
    """
    console.print(card(name))


def card(name: str) -> RenderableType:
    """Return the card of a trick."""
    found = trick_class(name)
    body, source = paragraphs(found)
    facts = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    facts.add_column(justify="right", style="bold")
    for title, text in (
        *rules("needs", found.needs),
        *rules("excludes", found.excludes),
        *rules("in doubt with", found.doubts),
        ("cost", found.cost),
        ("off", off(found)),
        ("source", source),
        ("use", f"ablate train trick=[{name}]"),
    ):
        facts.add_row(title, Text(text))
    return Group(
        Text.assemble((name, "bold cyan"), f"  {found.group}"),
        Text(f"\n{found.summary()}\n"),
        *[Padding(Text(paragraph + "\n"), (0, 2)) for paragraph in body],
        parameters(name, found),
        Text(),
        facts,
    )


def paragraphs(found: type[Trick]) -> tuple[list[str], str]:
    """Return the docstring behind its first line: the formula and all, and the source."""
    text = inspect.getdoc(found) or ""
    parts = [" ".join(part.split()) for part in text.split("\n\n")[1:]]
    source = [part.removeprefix(SOURCE).strip() for part in parts if part.startswith(SOURCE)]
    return [part for part in parts if not part.startswith(SOURCE)], " ".join(source)


def parameters(name: str, found: type[Trick]) -> RenderableType:
    """Return the table of settings."""
    known = entry(name)
    if not found.settings:
        return Text("No parameters.")
    table = Table(f"trick.{name}.", "default", "may be", "searched in", box=None, padding=(0, 2))
    for key, setting in found.settings.items():
        table.add_row(
            Text(key),
            Text(plain(known.settings[key])),
            Text(allowed(setting)),
            Text(searched(known.search.get(key))),
        )
    return table


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
