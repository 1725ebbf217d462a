"""The command line. Everything heavy is imported by the command that needs it."""

from __future__ import annotations

import argparse
import difflib
import errno
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TextIO

from ablate import __version__
from ablate.errors import Unheard, UserError
from ablate.screen import (
    PAPER,
    columns,
    console,
    counted,
    fitted,
    say,
    take_any_letter,
    tied,
    visible,
)
from ablate.secrets import forget, hidden, hide_arguments, hide_title, tell_traces

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

Trains one trial and writes it to out/trials/. The same command again finds it finished, or goes \
on where it was stopped.

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

Plans a study, prints and writes the plan, and trains it. The same command again goes on where it \
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

Prints what a study would train, and how long it would take here, measured on a few rounds. Its \
results folder is not touched. STUDY and the overrides are those of `ablate sweep`.

  study.design=fractional_factorial study.resolution=4
  'study.factors={loss:[loss_ns,loss_hinge],r1.gamma:[none,0.1,1]}'
"""
UNPAIRED = "compare arms by all their seeds (Welch's t), where they share none"
READING = (
    ("--column", "NAME=THEIRS", "how the file calls a column: arm=method"),
    ("--value", "NAME=VALUE", "what a column is in every row: metric=fid"),
    ("--metric", "NAME[=THEIRS]", "a column that holds a metric: fid=val/fid"),
    ("--ignore", "NAME", "a column that is not looked at"),
    ("--status", "NAME=STATUS", "what a word of its status means: running=killed"),
    ("--arm", "NAME=ARM", "another name for an arm, or that it is one of its own: SN=sn"),
    ("--failed", "NAME=VALUE", "a metric's value that stands for a failed trial: fid=-1"),
)
DECLARED = (
    ("--scale", "METRIC=SCALE", "compared by ratio or difference: fid=difference"),
    ("--better", "METRIC=WAY", "which values are better, lower or higher: sharpness=higher"),
)
HELP = {"train": TRAIN, "sweep": SWEEP, "plan": PLAN}
GROUPS = ("data", "model", "budget", "metric", "tracker", "preset")


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
    from ablate.store.disk import remedy

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
    lines = [(f.stem, f.read_text("utf-8").splitlines()[0].lstrip("# ")) for f in files]
    return "\n".join(f"  {name:20}{comment}" for name, comment in lines)


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

    count = counted(len(parsed.trials), "trial")
    if not parsed.word:
        marks.unmark(parsed.folder, parsed.trials)
        say(f"{count} of {parsed.folder}: no longer marked.")
        return
    marks.mark(parsed.folder, parsed.trials, parsed.word, parsed.note)
    what = marks.WORDS[parsed.word]
    say(f"{count} of {parsed.folder} marked as {parsed.word}: each {what} in every report.")


def add_import(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add `ablate import`."""
    one = commands.add_parser("import", help="take in the results of another trainer, as a table")
    one.add_argument(
        "file", type=Path, metavar="FILE",
        help="CSV, Excel, Parquet or JSON; one row a result, or a column a metric",
    )  # fmt: skip
    one.add_argument("-o", "--out", type=Path, help="results folder (default: results/FILE)")
    one.add_argument("--reference", metavar="ARM", help="arm that the others are compared with")
    one.add_argument("--curves", type=Path, metavar="FILE", help="arm, seed, images, signal, value")
    one.add_argument(
        "--like", type=Path, metavar="DIR",
        help="a results folder that was trained under the same conditions",
    )  # fmt: skip
    group = one.add_argument_group("how the file is read (several times, where it says NAME)")
    for option, metavar, told in READING:
        group.add_argument(option, action="append", default=[], metavar=metavar, help=told)
    group.add_argument("--sheet", metavar="NAME", help="of a workbook that has several")
    group.add_argument("--decimal", metavar="MARK", help="before the decimals: , or .")
    group = one.add_argument_group("how its arms are compared, in every report")
    for option, metavar, told in DECLARED:
        group.add_argument(option, action="append", default=[], metavar=metavar, help=told)
    group.add_argument(
        "--margin", type=float, metavar="PERCENT", help="within it arms show `no difference`"
    )
    group.add_argument(
        "--looks", type=int, nargs="+", default=[], metavar="SEEDS",
        help="planned numbers of seeds: alpha is shared among them",
    )  # fmt: skip
    group.add_argument("--variance", default="own", metavar="WORD", help="own or guarded")
    group.add_argument("--unpaired", action="store_true", help=UNPAIRED)
    one.set_defaults(run=take_in)


def take_in(parsed: argparse.Namespace) -> None:
    """Run `ablate import`."""
    from ablate.intake import Declared, Reading, import_table, told

    reading = Reading(
        columns=pairs("--column arm=method", parsed.column),
        values=pairs("--value metric=fid", parsed.value),
        metrics=dict(
            pair("--metric fid=val/fid", text) if "=" in text else (text, text)
            for text in parsed.metric
        ),
        ignore=parsed.ignore,
        statuses=pairs("--status running=killed", parsed.status),
        arms=pairs("--arm SN=sn", parsed.arm),
        failed=pairs("--failed fid=-1", parsed.failed),
        sheet=parsed.sheet,
        decimal=parsed.decimal,
    )
    analysis = Declared(
        scales=pairs("--scale fid=difference", parsed.scale),
        better=pairs("--better sharpness=higher", parsed.better),
        margin=parsed.margin,
        looks=parsed.looks,
        variance=parsed.variance,
        unpaired=parsed.unpaired,
    )
    out = parsed.out or Path("results") / parsed.file.name.split(".")[0]
    where = {"reference": parsed.reference, "curves": parsed.curves, "like": parsed.like}
    say(told(import_table(parsed.file, out, reading, analysis, **where)))


def pairs(example: str, texts: Sequence[str]) -> dict[str, str]:
    """Return both sides of every NAME=VALUE of an option.

    Raises:
        UserError: There is no `=`, or one name is there twice with two values.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, value = pair(example, text)
        if found.setdefault(name, value) != value:
            option = example.split(maxsplit=1)[0]
            raise UserError(f"{option} says two things of {name!r}; type it once.")
    return found


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
    from ablate.plan.status import print_status

    print_status(parsed.folder, console())


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
    say(again(parsed.folder, parsed.status, parsed.arm))


def _add_choices(one: argparse.ArgumentParser) -> None:
    """Add what a comparison can be asked for."""
    one.add_argument("folders", nargs="+", type=Path, metavar="DIR", help="results folder")
    told = "the metric that decides; one that was not planned to is described, not tested"
    one.add_argument("--metric", help=told)
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
    one.add_argument("--unpaired", action="store_true", help=UNPAIRED)


def compare(parsed: argparse.Namespace) -> None:
    """Run `ablate compare`."""
    from ablate.report.study import require_arms

    study = gathered(parsed)
    require_arms(study, parsed.arms)
    show(study, parsed.arms)


def report(parsed: argparse.Namespace) -> None:
    """Run `ablate report`.

    Raises:
        UserError: There is no folder to write to, or wandb cannot log.
    """
    from ablate.report.build import write
    from ablate.report.summary import summarize

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
        print(visible(summarize(study)), end="")
        tell_damage(study, sys.stderr)
    else:
        show(study)
    if parsed.out is None:
        return
    folder, notes = write(study, parsed.out), sys.stderr if parsed.summary else sys.stdout
    say(f"Report: {folder / 'report.html'}", notes)
    if logged:
        from ablate.tracker.study import log_study

        run = log_study(study, folder, tracker)
        say(f"Weights & Biases: run {run} in {tracker['dir']}", notes)


def gathered(parsed: argparse.Namespace) -> Study:
    """Return the study that is asked for."""
    from ablate.report.study import gather

    where = dict(condition(text) for text in parsed.where)
    options = {} if parsed.protocol is None else {"protocol": parsed.protocol}
    asked = (parsed.folders, parsed.metric, parsed.reference, where)
    return gather(*asked, screen=parsed.screen, unpaired=parsed.unpaired, **options)


def show(study: Study, arms: Sequence[str] = ()) -> None:
    """Print what the design asks, and the arms."""
    from ablate.analysis.seeds import unpairable
    from ablate.report.marks import what_to_type
    from ablate.report.terminal import render, render_answer, render_changed

    if study.tuned is not None:
        say("Untuned")
    if study.answer.kind != "arms" and not arms:
        render_answer(study.answer, study.metric)
        say("")
    if study.answer.missing and not arms:
        say(f"{study.answer.missing}\n")
    decided = study.decisions
    render(study.table, screen=decided.screen, arms=arms, unit=decided.unit)
    if study.tuned is not None:
        say("\nTuned: each arm at the best setting of its search")
        show(study.tuned, arms)
        if not arms:
            say("\nWhat tuning changed")
            render_changed(study)
    tell_damage(study, sys.stdout)
    apart = "" if study.decisions.unpaired else unpairable(study.final, study.reference)
    if apart:
        say(f"{apart} Type --unpaired to compare arms by all their seeds (Welch's t).")
    places = {folder.resolve().name: folder for folder in study.folders}
    for command in what_to_type(study, places):
        say(f"Suspect: look at the trial, then type (or --sound):\n  {tied(command)}")


def tell_damage(study: Study, where: TextIO) -> None:
    """Name the trials that are left out because they are damaged."""
    from ablate.store.record import told

    damaged = told({one["trial"]: one["problem"] for one in study.frame.attrs["damaged"]})
    if damaged:
        say(damaged, where)


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
    """Run `ablate tricks`.

    Raises:
        UserError: There is no such trick, or no folder of one's own.
    """
    from ablate.card import print_card, print_tricks
    from ablate.catalog import look_in

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
