"""Commands on a results folder: status, retry, compare, report, mark."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from ablate.cli.parser import Parser, pair
from ablate.errors import UserError
from ablate.screen.letters import console, counted, say, tied, visible

if TYPE_CHECKING:
    from ablate.report.study import Study

UNPAIRED = "compare arms by all their seeds (Welch's t), where they share none"


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
    from ablate.report.folder import write
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
    from ablate.report.printers.terminal import render, render_answer, render_changed
    from ablate.report.tables.annotations import what_to_type

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
