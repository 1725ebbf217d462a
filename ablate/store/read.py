"""Many results folders, one long frame."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ablate.errors import UserError
from ablate.store.folders import TrialFolder, located
from ablate.store.imported import is_imported, read_imported
from ablate.store.marks import read_marks, with_marks
from ablate.store.plan import read_study
from ablate.store.record import Damaged, read_record, trial_row
from ablate.store.schema import (
    METRICS,
    RESULTS,
    TRIAL,
    Column,
    arrow_schema,
    completed,
    conform,
    names,
)


def read(*folders: Path | str) -> pd.DataFrame:
    """Return all results of `folders` as one long frame with the columns `schema.RESULTS`.

    Rows are sorted by trial, images, generator and metric. A trial that lies in several folders
    counts once: as it was trained here rather than imported, else the first. `frame.attrs` holds,
    as plain values, `damaged`: trial folders that were set aside, each with its `problem`, and
    `pending`: planned trials that have not ended, `notes`: trial -> why a person marked it, `code`:
    trial -> what tells its code from an earlier one, and `adopted`: those that other code trained.

    Raises:
        UserError: A folder is not there, has no results, or was written by a newer version.
    """
    found, pending = located(*folders)
    trials: list[dict[str, Any]] = []
    tables: list[pa.Table] = []
    damaged: list[dict[str, str]] = []
    for one in found:
        try:
            record = read_record(one.path)
            row = trial_row(record, one.study)
            table = table_of(one, "metrics", METRICS, record.contents["metrics.parquet"])
        except Damaged as error:
            if os.path.lexists(one.path):  # else `ablate retry` has just moved it
                damaged.append(
                    {"trial": one.trial, "path": str(one.path), "problem": error.problem}
                )
            continue
        trials.append(row if one.arm is None else row | {"arm": one.arm})
        tables.append(table)
    if found and not trials:
        raise UserError(
            f"None of the {len(found)} trial folders can be read (the first: "
            f"{damaged[0]['path']}, {damaged[0]['problem']}); type the command of the sweep again, "
            "which sets them aside and trains them anew."
        )
    own = [pd.DataFrame(trials, columns=names(TRIAL))] if trials else []
    values = [pa.concat_tables(tables).to_pandas()] if tables else []
    table, measured = _with_imported(own, values, folders)
    marks = read_marks(*folders)
    frame = _long(with_marks(table, marks), measured)
    counted = adopted(*folders)
    frame.attrs |= {
        "damaged": Kept(damaged),
        "pending": Kept(
            {"trial": trial.id, "arm": trial.arm, "seed": trial.seed} for trial in pending
        ),
        "notes": {trial: said["note"] for trial, said in marks.items()},
        "code": Told({row["trial"]: row["code"] for row in trials} | counted),
        "adopted": sorted(set(counted) & {row["trial"] for row in trials}),
    }
    return frame


class Kept(list[dict[str, Any]]):
    """A list that nobody changes: pandas copies what is noted at a table with every operation."""

    def __deepcopy__(self, _: object) -> Kept:
        return self


class Told(dict[str, Any]):
    """A mapping that nobody changes."""

    def __deepcopy__(self, _: object) -> Told:
        return self


def adopted(*folders: Path | str) -> dict[str, Any]:
    """Return trial -> the code that it counts as, where a study takes what earlier code trained."""
    found: dict[str, Any] = {}
    for folder in map(Path, folders):
        found |= read_study(folder).get("adopted", {})
    return found


def table_of(one: TrialFolder, name: str, columns: tuple[Column, ...], content: bytes) -> pa.Table:
    """Return the content of `<name>.parquet` of a trial with a column `trial` in front.

    Raises:
        Damaged: It is torn, or has other columns.
    """
    try:
        table = pq.ParquetFile(pa.BufferReader(content)).read(use_threads=False)
        whole = completed(table, columns).select(names(columns)).cast(arrow_schema(columns))
    except (OSError, KeyError, pa.ArrowException) as error:
        raise Damaged(one.path, f"{name}.parquet: {type(error).__name__}") from error
    return whole.add_column(0, "trial", pa.repeat(one.trial, len(whole)))


def _with_imported(
    trials: list[pd.DataFrame], metrics: list[pd.DataFrame], folders: Iterable[Path | str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the trials and the metrics of all folders, each trial once."""
    for folder in filter(is_imported, map(Path, folders)):
        seen = {trial for table in trials for trial in table["trial"]}
        table, values = read_imported(folder, "trials"), read_imported(folder, "metrics")
        if seen:
            table = table[~table["trial"].isin(seen)]
            values = values[values["trial"].isin(table["trial"])]
        trials, metrics = [*trials, table], [*metrics, values]
    return pd.concat(trials, ignore_index=True), pd.concat(metrics, ignore_index=True)


def _long(trials: pd.DataFrame, metrics: pd.DataFrame) -> pd.DataFrame:
    """Join on the trial, after giving each trial without a result its empty row."""
    measured = trials["trial"].isin(metrics["trial"].unique())  # not unique: ten times slower
    empty = trials[(trials["status"] != "done") | ~measured]
    metrics = pd.concat([metrics, _empty_rows(empty)], ignore_index=True)
    frame = conform(trials.merge(metrics, on="trial", how="inner"), RESULTS)
    frame = frame.sort_values(["trial", "images", "generator", "metric"], kind="stable")
    return _with_trick_columns(frame.reset_index(drop=True))


def _empty_rows(trials: pd.DataFrame) -> pd.DataFrame:
    rows = pd.DataFrame({"trial": trials["trial"], "images": trials["images_shown"]})
    strings = {"generator": "str", "metric": "str", "protocol": "str"}
    rows = rows.reindex(columns=["trial", *names(METRICS)])
    return rows.astype(strings | {"value": "float64", "resample_sd": "float64"})


def trick_names(frame: pd.DataFrame) -> list[str]:
    """Return the names of all tricks that occur, sorted."""
    return sorted({name for tricks in frame["tricks"].unique() for name in json.loads(tricks)})


def _with_trick_columns(frame: pd.DataFrame) -> pd.DataFrame:
    tricks = trick_names(frame)
    _refuse_hidden(set(tricks) & set(names(RESULTS)))
    on = {text: set(json.loads(text)) for text in frame["tricks"].unique()}
    columns = {name: frame["tricks"].map({t: name in s for t, s in on.items()}) for name in tricks}
    return pd.concat([frame, pd.DataFrame(columns, index=frame.index).astype("int8")], axis=1)


def _refuse_hidden(tricks: Iterable[str]) -> None:
    if tricks:
        raise UserError(f"Tricks {sorted(tricks)} bear the name of a result column; rename them.")
