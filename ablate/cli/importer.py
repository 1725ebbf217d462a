"""`ablate import`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from ablate.cli.parser import Parser, pair
from ablate.cli.study import UNPAIRED
from ablate.errors import UserError
from ablate.screen.letters import say

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
    from ablate.importer.asked import Declared, Reading
    from ablate.importer.table import import_table, told

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
