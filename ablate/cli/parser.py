"""A parser that says what to type instead."""

from __future__ import annotations

import argparse
import difflib
import sys
from typing import NoReturn

from ablate.errors import UserError
from ablate.screen.letters import columns, fitted


class Parser(argparse.ArgumentParser):
    """Says what to type instead."""

    def format_help(self) -> str:
        """Return the help as wide as the terminal is."""
        return fitted(super().format_help(), columns(sys.stdout))

    def error(self, message: str) -> NoReturn:
        """Raise a sentence rather than print the usage."""
        if "invalid choice: " in message:
            word = message.split("invalid choice: ")[1].split("'")[1]
            near = difflib.get_close_matches(word, COMMANDS, 1)
            hint = f"did you mean '{near[0]}'" if near else f"type one of {', '.join(COMMANDS)}"
            raise UserError(f"There is no command '{word}'; {hint}.")
        raise UserError(f"{message}; `{self.prog} --help` shows what to type.")


COMMANDS = (
    "train", "plan", "sweep", "status", "retry", "compare", "report", "mark", "import", "tricks",
    "data", "selftest",
)  # fmt: skip


def pair(example: str, text: str) -> tuple[str, str]:
    """Return both sides of NAME=VALUE.

    Raises:
        UserError: There is no `=`.
    """
    name, equals, value = text.partition("=")
    if not equals:
        raise UserError(f"{example.split(maxsplit=1)[0]} {text} cannot be read; type {example}.")
    return name, value
