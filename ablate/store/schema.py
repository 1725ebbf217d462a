"""Every column of the results: dtype, unit, meaning. The only place that knows them.

A results folder of a higher `SCHEMA` was written by a newer version and is refused, so a column may
be added here and never change its meaning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from ablate.errors import UserError

SCHEMA = 1

STATUSES: Mapping[str, str] = {
    "done": "spent its whole budget",
    "diverged": "a value stopped being finite",
    "collapsed": "the samples became one point or constant",
    "pruned": "stopped early by the search",
    "crashed": "ended by an error of the program",
    "killed": "ended from outside",
}


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        name: As it stands in the file and in the frame.
        dtype: "int64", "float64" (NaN: not known) or "str".
        unit: What one is; "" where the column names or identifies.
        meaning: One sentence.
        was_added: Tables that were written before it was there lack it: NaN.
    """

    name: str
    dtype: str
    unit: str
    meaning: str
    was_added: bool = False


METRICS = (
    Column("images", "int64", "real images", "Shown to D when this evaluation was made."),
    Column("generator", "str", "", "`raw` weights of G, or `ema`: their running average."),
    Column("metric", "str", "", "Name of the metric."),
    Column("value", "float64", "of the metric", "NaN: this trial has no value."),
    Column("resample_sd", "float64", "of the metric", "SD over re-samples of the same network."),
    Column("protocol", "str", "", "Extractor, its hash, samples and split; equal ones compare."),
)

CURVES = (
    Column("images", "int64", "real images", "Shown to D at this point of the curve."),
    Column("signal", "str", "", "loss_d, loss_g, grad_norm_d, grad_norm_g, score_real, ..."),
    Column("value", "float64", "of the signal", "Mean since the point before, over all turns."),
    Column(
        "last",
        "float64",
        "of the signal",
        "Of the last turn alone. NaN: not known; what ablate wrote before it kept means has it as "
        "`value`.",
        was_added=True,
    ),
)

TRIAL = (
    Column("study", "str", "", "Name of the results folder."),
    Column("trial", "str", "", "16 hex digits: what decides the result, hashed."),
    Column("arm", "str", "", "Label of the trick set."),
    Column("seed", "int64", "", "Training seed, the unit of replication."),
    Column("tricks", "str", "", "JSON, trick name -> settings; `{}` is the reference."),
    Column("data", "str", "", "Name of the data set."),
    Column("model", "str", "", "Name of the networks."),
    Column("budget_images", "int64", "real images", "To be shown to D; 0: not told."),
    Column(
        "conditions", "str", "", "JSON of data, model, budget, metric, train; no machine paths."
    ),
    Column("status", "str", "", "How the trial ended: " + ", ".join(STATUSES) + "."),
    Column("reason", "str", "", "Why it ended so; empty for `done`."),
    Column("images_shown", "int64", "real images", "Shown to D when the trial ended."),
    Column("wall_seconds", "float64", "s", "From first to last step, as a clock on the wall."),
    Column("device_seconds", "float64", "s", "Of the device, this trial's share of its stack."),
    Column("peak_memory_bytes", "float64", "bytes", "Highest use of device memory by the process."),
    Column("device", "str", "", "Model of the device."),
)

MARKS = (
    Column(
        "mark", "str", "", "A person's word: `collapsed`, which is its status then, or `sound`."
    ),
)

# One row per (trial, images, generator, metric). A trial that is not `done`, or has no metric, has
# one more row, at images_shown, without generator, metric and value: it can be counted and never
# averaged. Behind these stands one int8 column per trick that occurs, named after it: 1 is on.
RESULTS = TRIAL + METRICS + MARKS

ARROW = {"int64": pa.int64(), "float64": pa.float64(), "str": pa.string()}


def names(columns: tuple[Column, ...]) -> list[str]:
    """Return the names of `columns` in their order."""
    return [column.name for column in columns]


def arrow_schema(columns: tuple[Column, ...]) -> pa.Schema:
    """Return the schema of the Parquet file that holds `columns`."""
    return pa.schema([(column.name, ARROW[column.dtype]) for column in columns])


def completed(table: pa.Table, columns: tuple[Column, ...]) -> pa.Table:
    """Return a table with those of `columns` that were added after it was written, empty."""
    for column in columns:
        if column.was_added and column.name not in table.column_names:
            nothing = pa.nulls(len(table), ARROW[column.dtype])
            table = table.append_column(column.name, nothing)
    return table


def conform(frame: pd.DataFrame, columns: tuple[Column, ...]) -> pd.DataFrame:
    """Return `frame` with `columns` first, each with its dtype; further columns follow.

    Raises:
        UserError: A column is missing or holds what its dtype cannot.
    """
    late = {one.name: np.nan for one in columns if one.was_added and one.name not in frame}
    frame = frame.assign(**late) if late else frame
    known = names(columns)
    missing = [name for name in known if name not in frame]
    if missing:
        raise UserError(
            f"The table lacks the columns {missing}; give it all of {known}, "
            "as `ablate/store/schema.py` describes them."
        )
    ordered = frame[known + [name for name in frame if name not in known]]
    found = dict(zip(known, ordered.dtypes, strict=False))
    wrong = {one.name: one.dtype for one in columns if found[one.name] != one.dtype}
    try:
        return ordered.astype(wrong) if wrong else ordered
    except (TypeError, ValueError) as error:
        dtypes = {column.name: column.dtype for column in columns}
        raise UserError(
            f"The table does not fit its columns ({error}); convert them to {dtypes}."
        ) from error
