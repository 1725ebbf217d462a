"""Commands around studies: tricks, data, selftest."""

from __future__ import annotations

import argparse
from pathlib import Path

from ablate.cli.parser import Parser, pair
from ablate.errors import UserError
from ablate.screen.letters import console, say


def add_data(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add `ablate data`."""
    one = commands.add_parser("data", help="download public data sets")
    actions = one.add_subparsers(dest="action", required=True, parser_class=Parser)
    one = actions.add_parser("fetch", help="download one, checked against its checksum")
    one.add_argument("name", help="mnist, fashion_mnist or cifar10")
    one.add_argument("--root", type=Path, required=True, help="folder of data sets")
    one.set_defaults(run=fetch)


def add_selftest(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add `ablate selftest`."""
    one = commands.add_parser("selftest", help="measure whether this machine computes rightly")
    one.add_argument("words", nargs="*", metavar="KEY=VALUE", help="device=, rung=, cache=")
    one.set_defaults(run=selftest)


def tricks(parsed: argparse.Namespace) -> None:
    """Run `ablate tricks`.

    Raises:
        UserError: There is no such trick, or no folder of one's own.
    """
    from ablate.cli.tricks import print_card, print_tricks
    from ablate.config.catalog import look_in

    if parsed.config_dir is not None:
        if not parsed.config_dir.is_dir():
            raise UserError(
                f"There is no folder {parsed.config_dir}; type --config-dir DIR with trick/ in it."
            )
        look_in(parsed.config_dir)
    if parsed.name is None:
        print_tricks(console())
    else:
        print_card(parsed.name, console())


def fetch(parsed: argparse.Namespace) -> None:
    """Run `ablate data fetch`."""
    from ablate.data import fetch as download

    say(download(parsed.name, parsed.root))


def selftest(parsed: argparse.Namespace) -> None:
    """Run `ablate selftest`.

    Raises:
        UserError: A word means nothing.
        SystemExit: A law fails.
    """
    from ablate.errors import unknown
    from ablate.runner import selftest
    from ablate.runner.machine import Machine, resolve_device, resolve_rung

    given = {"device": "auto", "rung": "auto", "cache": "~/.cache/ablate"}
    for key, value in (pair("selftest device=cuda", word) for word in parsed.words):
        if key not in given:
            raise unknown("key", key, given)
        given[key] = value
    device, cache = resolve_device(given["device"]), Path(given["cache"]).expanduser()
    rung = resolve_rung(given["rung"], device)
    if not selftest.told(Machine(device, Path(), cache, rung=rung)):
        raise SystemExit(1)
