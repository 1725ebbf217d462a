"""The command line. Everything heavy is imported by the command that needs it."""

from __future__ import annotations

import argparse
import difflib
import errno
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from ablate import __version__
from ablate.errors import UserError

if TYPE_CHECKING:
    from ablate.report.study import Study

EPILOG = """\
examples:
  ablate tricks                                    what there is
  ablate train trick=[label_smooth,ema_g] seed=3   one trial
  ablate plan demo                                 what a study would train, and how long
  ablate sweep demo                                a ready study
  ablate status results/demo                       how far it is
  ablate compare results/demo                      its arms, in the terminal
  ablate report results/demo -o reports/demo       its tables and figures
  ablate mark results/demo TRIAL --sound --note "looked at"   what a person says of a suspect
  ablate import theirs.csv                         results of another trainer, for a report
  ablate selftest                                  does this machine compute what it is asked to
"""
TRAIN = """\
usage: ablate train [key=value ...] [-m] [--config-dir DIR]

Trains one trial and writes it to out/trials/. The same command again finds it finished, or goes on
where it was stopped.

  trick=[label_smooth,ema_g]       tricks, several at once (`ablate tricks` lists them)
  trick.label_smooth.real_low=0.9  a setting of a selected trick
  budget.images=500000 seed=3      any other value; `ablate train --cfg job` prints all
  device=cuda                      cpu, cuda, cuda:1 or auto
  out=results/mine                 where results go
  tracker=wandb                    mirror to Weights & Biases

  -m seed=0,1,2                    train each of several values; 'trick=[],[a],[a,b]' works as well
  -m hydra/launcher=joblib ...     at the same time, one per core
  -m hydra/launcher=stack ...      those that differ in seed or numbers as one program
  --config-dir DIR                 a folder of yours with trick/NAME.yaml, data/NAME.yaml, ...
"""
SWEEP = """\
usage: ablate sweep STUDY [key=value ...] [--config-dir DIR]

Plans a study, prints and writes the plan, and trains it. The same command again goes on where it
was stopped. STUDY is a ready one or the path of a yaml.

  trick=[label_smooth,ema_g]       other tricks than the yaml selects
  study.seeds=[0,1,2,3,4]          seeds; every arm gets the same
  study.always=[batch_norm]        tricks that are on in every arm
  out=results/mine                 where results go
  hydra/launcher=basic             all trials in this process; the default is one worker per core
  hydra/launcher=ray               on a Ray cluster: hydra.launcher.address=HOST:6379
  hydra/launcher=submitit_slurm    as Slurm jobs: study.workers=8 hydra.launcher.partition=gpus
"""
PLAN = """\
usage: ablate plan STUDY [key=value ...] [--config-dir DIR]

Prints what a study would train, and how long it would take here, measured on a few rounds. Its
results folder is not touched. STUDY and the overrides are those of `ablate sweep`.

  study.design=fractional_factorial study.resolution=4
  'study.factors={loss:[loss_ns,loss_hinge],r1.gamma:[none,0.1,1]}'
"""
HELP = {"train": TRAIN, "sweep": SWEEP, "plan": PLAN}
GROUPS = ("data", "model", "budget", "metric", "tracker", "preset")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        return run(arguments)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        print(f"{error}; free the disk, or type another out=.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped at once; the same command goes on at the last checkpoint.", file=sys.stderr)
        return 130


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
        print(HELP[command] + "\n" + (listing() if command == "train" else studies()))
        return 0
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    from ablate import app
    from ablate.catalog import conf_root
    from ablate.overrides import explain

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


def listing() -> str:
    """Return what can be typed for every group."""
    from ablate.catalog import conf_root

    lines = []
    for group in GROUPS:
        names = sorted(file.stem for file in (conf_root() / "conf" / group).glob("*.yaml"))
        lines.append(f"  {group + '=':10}{', '.join(names)}")
    return "\n".join(lines)


def studies() -> str:
    """Return the ready studies with the first line of each."""
    from ablate.catalog import conf_root

    files = sorted((conf_root() / "sweeps").glob("*.yaml"))
    lines = [(file.stem, file.read_text().splitlines()[0].lstrip("# ")) for file in files]
    return "\n".join(f"  {name:20}{comment}" for name, comment in lines)


class Parser(argparse.ArgumentParser):
    """Says what to type instead."""

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


def add_mark(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add `ablate mark`."""
    one = commands.add_parser("mark", help="say of a suspect trial whether it collapsed")
    one.add_argument("folder", type=Path, metavar="DIR", help="results folder")
    one.add_argument("trials", nargs="+", metavar="TRIAL", help="id, as the report has it")
    word = one.add_mutually_exclusive_group(required=True)
    word.add_argument(
        "--collapsed", dest="word", action="store_const", const="collapsed",
        help="it counts as failed",
    )  # fmt: skip
    word.add_argument(
        "--sound", dest="word", action="store_const", const="sound",
        help="it no longer makes its arm suspect",
    )  # fmt: skip
    word.add_argument("--undo", dest="word", action="store_const", const="", help="take it back")
    one.add_argument("--note", default="", metavar="TEXT", help="why; the report shows it")
    one.set_defaults(run=mark)


def mark(parsed: argparse.Namespace) -> None:
    """Run `ablate mark`."""
    from ablate.store import marks

    count = f"{len(parsed.trials)} trial{'' if len(parsed.trials) == 1 else 's'}"
    if not parsed.word:
        marks.unmark(parsed.folder, parsed.trials)
        print(f"{count} of {parsed.folder}: no longer marked.")
        return
    marks.mark(parsed.folder, parsed.trials, parsed.word, parsed.note)
    what = marks.WORDS[parsed.word]
    print(f"{count} of {parsed.folder} marked as {parsed.word}: each {what} in every report.")


def add_import(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add `ablate import`."""
    one = commands.add_parser("import", help="take in the results of another trainer, as a table")
    one.add_argument("file", type=Path, metavar="FILE", help="CSV or Parquet, one row a result")
    one.add_argument("-o", "--out", type=Path, help="results folder (default: results/FILE)")
    one.add_argument(
        "--column", action="append", default=[], metavar="NAME=THEIRS",
        help="how the file calls a column: arm=method",
    )  # fmt: skip
    one.add_argument(
        "--value", action="append", default=[], metavar="NAME=VALUE",
        help="what a column is in every row: metric=fid",
    )  # fmt: skip
    one.add_argument("--reference", metavar="ARM", help="arm that the others are compared with")
    one.add_argument("--curves", type=Path, metavar="FILE", help="arm, seed, images, signal, value")
    one.add_argument(
        "--like", type=Path, metavar="DIR",
        help="a results folder that was trained under the same conditions",
    )  # fmt: skip
    one.set_defaults(run=take_in)


def take_in(parsed: argparse.Namespace) -> None:
    """Run `ablate import`."""
    from ablate.intake import import_table, told

    taken = import_table(
        parsed.file,
        parsed.out or Path("results") / parsed.file.name.split(".")[0],
        columns_of=dict(pair("--column arm=method", text) for text in parsed.column),
        values=dict(pair("--value metric=fid", text) for text in parsed.value),
        reference=parsed.reference,
        curves=parsed.curves,
        like=parsed.like,
    )
    print(told(taken))


def pair(example: str, text: str) -> tuple[str, str]:
    """Return both sides of NAME=VALUE.

    Raises:
        UserError: There is no `=`.
    """
    name, equals, value = text.partition("=")
    if not equals:
        raise UserError(f"{example.split(maxsplit=1)[0]} {text} cannot be read; type {example}.")
    return name, value


def add_study_commands(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add what can be asked of, and done to, a study that is under way."""
    one = commands.add_parser("status", help="how far a study is, and what it has cost")
    one.add_argument("folder", type=Path, metavar="DIR", help="results folder")
    one.set_defaults(run=status)
    one = commands.add_parser("retry", help="let the next sweep train failed trials again")
    one.add_argument("folder", type=Path, metavar="DIR", help="results folder")
    one.add_argument("--status", required=True, help="crashed, killed, diverged, ...")
    one.add_argument("--arm", help="of this arm alone")
    one.add_argument("--yes", action="store_true", help="also where the status is done")
    one.set_defaults(run=retry)


def status(parsed: argparse.Namespace) -> None:
    """Run `ablate status`."""
    from rich.console import Console

    from ablate.plan.status import print_status

    print_status(parsed.folder, Console())


def retry(parsed: argparse.Namespace) -> None:
    """Run `ablate retry`.

    Raises:
        UserError: Results that are good are to be moved, and nobody said yes to it.
    """
    from ablate.plan.retry import retry as again

    if parsed.status == "done" and not parsed.yes:
        raise UserError(
            "Trials that are done have nothing to mend; type --yes as well to train them again."
        )
    print(again(parsed.folder, parsed.status, parsed.arm))


def _add_choices(one: argparse.ArgumentParser) -> None:
    """Add what a comparison can be asked for."""
    one.add_argument("folders", nargs="+", type=Path, metavar="DIR", help="results folder")
    one.add_argument("--metric", help="the metric that decides")
    one.add_argument("--reference", help="arm that the others are compared with")
    one.add_argument("--protocol", help="which one, where the metric was measured under several")
    one.add_argument(
        "--where", action="append", default=[], metavar="KEY=VALUE",
        help="which conditions, where a folder holds several: data.name=digits",
    )  # fmt: skip
    one.add_argument(
        "--screen", action="store_true",
        help="adjust p by Benjamini-Hochberg: to pick what to study next, not to conclude",
    )  # fmt: skip


def compare(parsed: argparse.Namespace) -> None:
    """Run `ablate compare`."""
    from ablate.report import require_arms

    study = gathered(parsed)
    require_arms(study, parsed.arms)
    show(study, parsed.arms)


def report(parsed: argparse.Namespace) -> None:
    """Run `ablate report`.

    Raises:
        UserError: There is no folder to write to, or wandb cannot log.
    """
    from ablate.report import summarize, write

    logged = parsed.wandb is not None
    if parsed.out is None and (logged or not parsed.summary):
        raise UserError(
            "the following arguments are required: -o/--out; `ablate report --help` shows what to "
            "type."
        )
    if logged:
        from ablate.tracker import check_tracker, exported

        tracker = exported(parsed.wandb, parsed.folders[0])
        check_tracker(tracker)
    study = gathered(parsed)
    if parsed.summary:
        print(summarize(study), end="")
    else:
        show(study)
    if parsed.out is None:
        return
    folder, notes = write(study, parsed.out), sys.stderr if parsed.summary else sys.stdout
    print(f"Report: {folder / 'report.html'}", file=notes)
    if logged:
        from ablate.tracker.study import log_study

        run = log_study(study, folder, tracker)
        print(f"Weights & Biases: run {run} in {tracker['dir']}", file=notes)


def gathered(parsed: argparse.Namespace) -> Study:
    """Return the study that is asked for."""
    from ablate.report import gather

    where = dict(condition(text) for text in parsed.where)
    options = {} if parsed.protocol is None else {"protocol": parsed.protocol}
    asked = (parsed.folders, parsed.metric, parsed.reference, where)
    return gather(*asked, screen=parsed.screen, **options)


def show(study: Study, arms: Sequence[str] = ()) -> None:
    """Print what the design asks, and the arms."""
    from ablate.report import render, render_answer, render_changed, what_to_type

    if study.tuned is not None:
        print("Untuned")
    if study.answer.kind != "arms" and not arms:
        render_answer(study.answer, study.metric)
        print()
    render(study.table, screen=study.decisions.screen, arms=arms)
    if study.tuned is not None:
        print("\nTuned: each arm at the best setting of its search")
        show(study.tuned, arms)
        if not arms:
            print("\nWhat tuning changed")
            render_changed(study)
    places = {folder.resolve().name: folder for folder in study.folders}
    for command in what_to_type(study, places):
        print(f"Suspect: look at the trial, then type (or --sound):\n  {command}")


def condition(text: str) -> tuple[str, object]:
    """Return key and value of KEY=VALUE; numbers and switches as such.

    Raises:
        UserError: There is no `=`.
    """
    import json

    key, value = pair("--where data.name=digits", text)
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


def tricks(parsed: argparse.Namespace) -> None:
    """Run `ablate tricks`."""
    from rich.console import Console

    from ablate.card import print_card, print_tricks
    from ablate.catalog import look_in

    if parsed.config_dir is not None:
        look_in(parsed.config_dir)
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=160)
    if parsed.name is None:
        print_tricks(console)
    else:
        print_card(parsed.name, console)


def fetch(parsed: argparse.Namespace) -> None:
    """Run `ablate data fetch`."""
    from ablate.data import fetch as download

    print(download(parsed.name, parsed.root))


def selftest(parsed: argparse.Namespace) -> None:
    """Run `ablate selftest`.

    Raises:
        UserError: A word means nothing.
        SystemExit: A law fails.
    """
    from ablate import selftest
    from ablate.catalog import unknown
    from ablate.compose import Machine, resolve_device, resolve_rung

    given = {"device": "auto", "rung": "auto", "cache": "~/.cache/ablate"}
    for key, value in (pair("selftest device=cuda", word) for word in parsed.words):
        if key not in given:
            raise unknown("key", key, given)
        given[key] = value
    device, cache = resolve_device(given["device"]), Path(given["cache"]).expanduser()
    rung = resolve_rung(given["rung"], device)
    if not selftest.told(Machine(device, Path(), cache, rung=rung)):
        raise SystemExit(1)
