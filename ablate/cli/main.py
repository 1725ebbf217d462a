"""The command line. Everything heavy is imported by the command that needs it."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from ablate import __version__
from ablate.cli.importer import add_import
from ablate.cli.parser import Parser
from ablate.cli.setup import add_data, add_selftest, tricks
from ablate.cli.study import _add_choices, add_mark, add_study_commands, compare, report
from ablate.cli.texts import EPILOG, HELP, listing, studies
from ablate.errors import Unheard, UserError
from ablate.screen.letters import PAPER, columns, fitted, say, take_any_letter
from ablate.secrets import forget, hidden, hide_arguments, hide_title, tell_traces


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    keep_secrets(arguments, is_ours=argv is None)
    take_any_letter()
    try:
        code = run(arguments)
        if sys.stdout is not None:
            sys.stdout.flush()  # or its failure would be told by the interpreter as it ends
        return code
    except UserError as error:
        if isinstance(error, Unheard) and isinstance(error.__cause__, OSError):
            return unwritten(error.__cause__)
        return refused(error.typed)
    except OSError as error:
        if is_output(error):
            return unwritten(error)
        return refused(failing(error))
    except KeyboardInterrupt:
        say("Stopped at once; the same command goes on at the last checkpoint.", sys.stderr)
        return 130


def keep_secrets(arguments: Sequence[str], is_ours: bool) -> None:
    """See to it that nothing that was typed as a secret is shown.

    Args:
        arguments: Of the command.
        is_ours: Whether this process was started with them.
    """
    forget()
    hidden(list(arguments))  # remembers them
    tell_traces()
    if is_ours:
        hide_arguments()
        hide_title()


def refused(sentence: str) -> int:
    """Tell what is wrong; return the exit code."""
    with suppress(OSError):  # where nobody can hear it
        say(sentence, sys.stderr)
    return 2


def failing(error: OSError) -> str:
    """Return what is wrong with a disk; whatever was being done goes on when it is mended."""
    from ablate.disk import remedy

    where = f"{error.filename} cannot be read or written" if error.filename else "The disk fails"
    if error.errno == errno.ENAMETOOLONG:
        return f"{where}; {remedy(error)}."
    return f"{where}; {remedy(error)}, then type the same again: no result is lost."


def is_output(error: OSError) -> bool:
    """Return whether what failed is our output, be it a pipe, a terminal or a full device."""
    output = (errno.EPIPE, errno.EIO, errno.ENOSPC)
    return error.errno in output and error.filename is None


def unwritten(error: OSError) -> int:
    """Go without a word where nobody reads on (`| head`), else say so; return the exit code."""
    with suppress(OSError, ValueError):  # ValueError: it is no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left unwritten
    if error.errno == errno.EPIPE:
        return 128 + 13  # as a program that SIGPIPE ends
    return refused(
        f"The output cannot be written ({error.strerror}); no result is lost, the same command "
        "goes on."
    )


def run(arguments: list[str]) -> int:
    """Run a command; mistakes are raised."""
    if arguments[:1] and arguments[0] in HELP:
        return composed(arguments[0], arguments[1:])
    parsed = parser().parse_args(arguments)
    if parsed.command is None:
        parser().print_help()
        return 0
    command: Callable[[argparse.Namespace], None] = parsed.run
    command(parsed)
    return 0


def composed(command: str, rest: list[str]) -> int:
    """Run a command whose arguments are Hydra's."""
    if "-h" in rest or "--help" in rest or (command != "train" and not rest):
        whole = HELP[command] + "\n" + (listing() if command == "train" else studies())
        say(fitted(whole, columns(sys.stdout) or PAPER))
        return 0
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    from ablate.cli import hydra_app as app
    from ablate.config.catalog import conf_root
    from ablate.config.messages import explain

    try:
        if command == "train":
            app.train(rest)
        else:
            {"sweep": app.sweep, "plan": app.plan}[command](
                rest[0], rest[1:], conf_root() / "sweeps"
            )
    except (HydraException, OmegaConfBaseException) as error:
        raise explain(error) from error
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of everything but Hydra's overrides."""
    top = Parser(
        prog="ablate",
        description="Which GAN training tricks help, which hurt, and which only help together.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"ablate {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    commands.add_parser("train", help="train one trial, or several with -m")
    commands.add_parser("plan", help="print what a study would train, and how long it would take")
    commands.add_parser("sweep", help="plan and train a study")
    add_study_commands(commands)
    one = commands.add_parser("compare", help="the table of a results folder, in the terminal")
    _add_choices(one)
    one.add_argument(
        "--arms", nargs="+", default=[], metavar="ARM",
        help="show only these; p stays adjusted for all arms of the study",
    )  # fmt: skip
    one.set_defaults(run=compare)
    one = commands.add_parser("report", help="tables and figures of a results folder")
    _add_choices(one)
    one.add_argument("-o", "--out", type=Path, help="folder of the report")
    one.add_argument(
        "--summary", action="store_true",
        help="print it in a few lines of Markdown, for a pull request; needs no -o",
    )  # fmt: skip
    one.add_argument(
        "--wandb", nargs="?", const="", metavar="MODE",
        help="log the report as one run of Weights & Biases: offline or online; by default as in "
        "WANDB_MODE, else offline",
    )  # fmt: skip
    one.set_defaults(run=report)
    add_mark(commands)
    add_import(commands)
    one = commands.add_parser("tricks", help="list all tricks, or show one")
    one.add_argument("name", nargs="?", help="name of a trick")
    one.add_argument("--config-dir", type=Path, help="a folder of yours with trick/NAME.yaml")
    one.set_defaults(run=tricks)
    add_data(commands)
    add_selftest(commands)
    return top
