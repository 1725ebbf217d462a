"""From a table of any other trainer to a results folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ablate.analysis.conditions import UNTOLD, require_one_condition
from ablate.analysis.seeds import unpairable
from ablate.errors import UserError
from ablate.importer import arms, columns, trials, wide
from ablate.importer.asked import Declared, Reading
from ablate.importer.cells import filled, numbers, whole, words
from ablate.importer.declared import declared
from ablate.importer.file import read_file
from ablate.importer.numerals import plain
from ablate.importer.statuses import PENDING, read_statuses, told_statuses
from ablate.importer.values import refuse_values, without_failed
from ablate.store import read
from ablate.store.imported import digest, refuse_present, write_imported
from ablate.store.schema import CURVES, METRICS, conform, names
from ablate.trial import canonical

GENERATORS = ("raw", "ema")
NOT_MEASURED = (
    "{} empty cells are taken for metrics that were not measured at those images; write nan where "
    "a value was lost, which is a failure."
)
UNPAIRED = (
    "Arms are compared seed by seed; type --unpaired, here or at compare and report, to compare "
    "them by all their seeds (Welch's t)."
)


@dataclass(frozen=True)
class Taken:
    """What was imported.

    Attributes:
        folder: The results folder.
        rows: Of the table.
        trials: How many.
        arms: Their names.
        metrics: Their names.
        reference: The arm that others are compared with.
        tricks: The columns of on and off that became factors.
        left_out: Columns that were not used.
        not_finite: Values of trials without a status that are not finite: they count as failed.
        notes: How the file was read, where that was not to be seen from it; what to type next.
    """

    folder: Path
    rows: int
    trials: int
    arms: Sequence[str]
    metrics: Sequence[str]
    reference: str
    tricks: Sequence[str]
    left_out: Sequence[str]
    not_finite: int
    notes: Sequence[str] = ()


def import_table(
    file: Path,
    out: Path,
    reading: Reading | None = None,
    analysis: Declared | None = None,
    *,
    reference: str | None = None,
    curves: Path | None = None,
    like: Path | None = None,
) -> Taken:
    """Write the results in `file` to a new results folder `out`.

    Args:
        file: One row a result, or a column a metric; `docs/results.md` has its columns.
        out: Nothing may be there.
        reading: How the file is to be read.
        analysis: How its arms are to be compared, in every report.
        reference: The arm that others are compared with.
        curves: A second file: arm, seed, images, signal, value.
        like: A results folder that was trained under the same conditions.

    Raises:
        UserError: Something is missing or doubtful, all of it in one message; nothing is written.
    """
    reading, analysis = reading or Reading(), analysis or Declared()
    refuse_present(out)
    problems: list[str] = []
    frame, tricks, left, notes = _rows(file, reading, problems)
    _refuse(file, problems)
    frame, statuses = _ended(frame, reading, problems)
    if frame.empty:
        _refuse(file, problems or ["No run has ended; import the table when one has."])
    named = arms.reference_among(frame, tricks, reference, problems)
    metrics = declared(frame, analysis, problems)
    codes = trials.trial_codes(frame)
    sparse = wide.not_measured(frame, codes)
    notes.append(NOT_MEASURED.format(sparse.sum()) if sparse.any() else "")
    frame, codes = frame[~sparse].reset_index(drop=True), codes[~sparse]
    found = _trials(frame, codes, tricks, out.name, like, reading.statuses.get(""), problems)
    done = found["status"].to_numpy()[codes] == "done"
    _refuse_doubtful_rows(frame, codes, problems)
    refuse_values(frame, done, metrics, analysis, problems)
    arms.refuse_merged(found, problems)
    _refuse(file, problems)
    found = trials.with_ids(found, frame, codes).assign(study=out.name)
    tables = {
        "trials": found,
        "metrics": _metrics(frame, codes, found),
        "curves": _curves(curves, reading, found),
    }
    plan = {
        "reference": named,
        "seeds": [int(seed) for seed in sorted(found["seed"].unique())],
        "permutations": {},
        "analysis": analysis.analysis(),
        "metrics": metrics,
        "imported": {"imported_from": file.name, "sha256": digest(file)},
    } | arms.plan_of(frame, tricks)
    write_imported(out, tables, plan)
    lost = frame["metric"].notna() & ~np.isfinite(frame["value"]) & done
    apart = "" if analysis.unpaired else unpairable(found, named)
    apart = f"{apart} {UNPAIRED}" if apart else ""
    return Taken(
        out, len(frame), len(found), sorted(found["arm"].unique()),
        sorted(frame["metric"].dropna().unique()), named, tricks, left, int(lost.sum()),
        [note for note in (*notes, statuses, apart) if note],
    )  # fmt: skip


def told(taken: Taken) -> str:
    """Return what was imported and how it was read, for the terminal."""
    lines = [
        f"Imported {taken.trials} trials of {len(taken.arms)} arms from {taken.rows} rows into "
        f"{taken.folder}; reference: {taken.reference}; metrics: {columns.few(taken.metrics)}."
    ]
    if taken.tricks:
        lines.append(f"Tricks, from columns of on and off: {columns.few(taken.tricks)}.")
    if taken.left_out:
        lines.append(f"Not used: {columns.few(taken.left_out)}.")
    if taken.not_finite:
        lines.append(
            f"{taken.not_finite} values of trials that are `done` are missing or not finite: those "
            "trials are counted as failed."
        )
    lines += taken.notes
    lines.append(f"Report it: ablate report {taken.folder} -o reports/{taken.folder.name}")
    return "\n".join(lines)


def _rows(
    file: Path, reading: Reading, problems: list[str]
) -> tuple[pd.DataFrame, list[str], list[str], list[str]]:
    """Return the rows under our names, the tricks, what is not used, and how it was read."""
    frame = read_file(file, reading.sheet)
    notes = [f"Read as {frame.attrs['read']}." if frame.attrs.get("read") else ""]
    frame = columns.without(frame, reading.ignore, problems)
    empty = np.zeros(len(frame), dtype="bool")
    if wide.refuse_metrics(frame, reading.metrics, problems):
        theirs = list(reading.metrics.values())
        frame = plain(frame, theirs, reading.decimal, problems)
        frame, empty = wide.melted(frame, reading.metrics, problems)
    frame = columns.chosen(frame, reading.columns, reading.values, problems)
    frame = plain(frame, columns.NUMBERS, reading.decimal, problems)
    left = columns.others(frame, columns.KNOWN)
    tricks = arms.with_arms(frame, columns.KNOWN, problems, reading.arms)
    left = [name for name in left if name not in tricks]
    columns.refuse_doubtful(frame.drop(columns=tricks), columns.KNOWN, problems)
    offer = "" if reading.metrics else wide.offered(frame, columns.KNOWN)
    needed = ("seed",) if reading.metrics else columns.NEEDED[1:]
    columns.refuse_missing(frame, needed, problems, offer)
    frame[wide.EMPTY] = empty & ("images" in frame)
    return frame, tricks, left, notes


def _ended(frame: pd.DataFrame, reading: Reading, problems: list[str]) -> tuple[pd.DataFrame, str]:
    """Return the typed rows of runs that have ended, and how their statuses were read."""
    theirs = frame.get("status", pd.Series("", frame.index))
    frame, read_as = read_statuses(frame, reading.statuses, problems)
    frame = without_failed(_typed(frame, problems), reading.failed, problems)
    told = told_statuses(theirs, read_as, trials.trial_codes(frame))
    unended = frame.get("status", pd.Series("", frame.index)) == PENDING
    return frame[~unended].reset_index(drop=True), told


def _refuse(file: Path, problems: Sequence[str]) -> None:
    told = list(dict.fromkeys(problems))
    if len(told) == 1:
        raise UserError(f"{file}: {told[0]}")
    if told:
        raise UserError("\n".join([f"{file} cannot be imported yet:", *(f"- {x}" for x in told)]))


def _typed(frame: pd.DataFrame, problems: list[str]) -> pd.DataFrame:
    """Return `frame` with the columns of `schema.METRICS` and the seed, each with its dtype."""
    budget = "budget_images" if "budget_images" in frame else None
    images = frame.get("images", frame.get("images_shown", frame[budget] if budget else None))
    return frame.assign(
        seed=whole(frame["seed"], problems),
        metric=filled(frame["metric"], "").mask(lambda text: text == ""),
        value=numbers(frame["value"], problems),
        images=0 if images is None else whole(images, problems),
        **{"tricks": arms.settings_told(frame["tricks"], problems)} if "tricks" in frame else {},
        generator=_text(frame, "generator", "raw"),
        protocol=_text(frame, "protocol", UNTOLD),
        resample_sd=numbers(frame["resample_sd"], problems)
        if "resample_sd" in frame
        else float("nan"),
    )


def _text(frame: pd.DataFrame, name: str, otherwise: str) -> Any:
    column = filled(frame[name], otherwise) if name in frame else otherwise
    return pd.Series(column, index=frame.index, dtype="str")


def _trials(
    frame: pd.DataFrame,
    codes: np.ndarray,
    tricks: Sequence[str],
    study: str,
    like: Path | None,
    otherwise: str | None,
    problems: list[str],
) -> pd.DataFrame:
    found = trials.trials_of(frame, codes, problems)
    found = trials.with_status(found, otherwise, problems)
    same = None if like is None else canonical(require_one_condition(read(like)))
    found = trials.with_conditions(found, same, int(frame["images"].max()), problems)
    own = arms.identities(frame, tricks, study)
    text = found["arm"].map(own)
    last = trials.last_images(frame["images"], codes)
    shown = found["images_shown"].fillna(last) if "images_shown" in found else last
    nan = float("nan")
    wall = found.get("wall_seconds", nan)
    # A trial of another trainer had its device to itself, unless the table says otherwise.
    empty = {"wall_seconds": nan, "device_seconds": wall, "peak_memory_bytes": nan}
    return found.assign(
        tricks=found["tricks"].fillna(text) if "tricks" in found else text,
        images_shown=shown.astype("int64"),
        device=filled(found["device"], "") if "device" in found else "",
        **{name: value for name, value in empty.items() if name not in found},
    )


def _refuse_doubtful_rows(frame: pd.DataFrame, codes: np.ndarray, problems: list[str]) -> None:
    rows = frame[["images", "generator", "metric"]].assign(trial=codes)[frame["metric"].notna()]
    twice = rows.index[rows.duplicated()]
    if len(twice):
        one = frame.loc[twice[0]]
        problems.append(
            f"{len(twice)} rows repeat another one's arm, seed, metric and images (the first: arm "
            f"{one['arm']!r}, seed {one['seed']}, {one['metric']}, {one['images']} images); keep "
            "one of each, or add a column 'images' that tells them apart."
        )
    nameless = frame["metric"].isna() & frame["value"].notna()
    if nameless.any():
        row = int(np.flatnonzero(nameless)[0]) + 1
        problems.append(f"Row {row} has a value and no metric; name its metric.")
    for word in sorted(set(frame["generator"]) - set(GENERATORS)):
        problems.append(
            f"generator {word!r} is none; type raw, or ema for a running average of the weights."
        )
    for metric, protocols in frame.groupby("metric")["protocol"].unique().items():
        if len(protocols) > 1:
            problems.append(
                f"{metric} was measured under {len(protocols)} protocols "
                f"({columns.few(sorted(map(repr, protocols)))}), which do not compare; import them "
                "one by one, or type --value protocol=NAME if they are one and the same."
            )


def _metrics(frame: pd.DataFrame, codes: np.ndarray, found: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that hold a value; a trial that failed needs none to say so."""
    done = found["status"].to_numpy()[codes] == "done"
    kept = frame["metric"].notna() & (frame["value"].notna() | done)
    rows = frame.loc[kept, names(METRICS)]
    return rows.assign(trial=found["trial"].to_numpy()[codes][kept.to_numpy()])


def _curves(file: Path | None, reading: Reading, found: pd.DataFrame) -> pd.DataFrame:
    """Return the curves of a second file, each at its trial.

    Raises:
        UserError: A column is missing or doubtful, or a row is of no trial.
    """
    if file is None:
        return pd.DataFrame(columns=["trial", *names(CURVES)])
    problems: list[str] = []
    frame = read_file(file)
    renamed = {ours: theirs for ours, theirs in reading.columns.items() if theirs in frame}
    frame = columns.chosen(frame, renamed, {}, problems, columns.CURVE)
    frame = plain(frame, ("seed", "images", "value"), reading.decimal, problems)
    seen = set(words(frame["arm"])) if "arm" in frame else set()
    called = {arm: name for arm, name in reading.arms.items() if arm in seen}
    arms.with_arms(frame, columns.CURVE, problems, called)
    columns.refuse_missing(frame, columns.CURVE[1:], problems)
    _refuse(file, problems)
    frame = frame.assign(
        seed=whole(frame["seed"], problems),
        images=whole(frame["images"], problems),
        value=numbers(frame["value"], problems),
        signal=filled(frame["signal"], ""),
    )
    ids = found.drop_duplicates(["arm", "seed"], keep=False)[["arm", "seed", "trial"]]
    frame = frame.drop(columns="trial", errors="ignore").merge(ids, "left", ["arm", "seed"])
    lost = frame[frame["trial"].isna()]
    if len(lost):
        one = lost.iloc[0]
        problems.append(
            f"{len(lost)} rows are of no trial, or of several (the first: arm {one['arm']!r}, seed "
            f"{one['seed']}); give curves of the arms and seeds of the results."
        )
    _refuse(file, problems)
    return conform(frame, CURVES)[["trial", *names(CURVES)]]
