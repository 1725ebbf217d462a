"""Which of their columns is which of ours, and what to type where that is not clear."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

import pandas as pd

from ablate.store.schema import METRICS, TRIAL, names

NEEDED = ("arm", "seed", "metric", "value")
DECLARED = ("scale", "higher_is_better")  # of a metric that the catalog does not know
KNOWN = tuple(dict.fromkeys([*NEEDED, *names(TRIAL + METRICS), *DECLARED]))
CURVE = ("arm", "seed", "images", "signal", "value")
ALSO = {"status": ("state", "run_state", "run_status", "trial_state", "job_state")}  # wandb, Slurm
NUMBERS = (
    "seed", "value", *(column.name for column in TRIAL + METRICS if column.dtype != "str"),
)  # fmt: skip
CLOSE = 0.8  # from this similarity on, a column may be a known one that is written wrongly
MOST = 12  # names in a list


def chosen(
    frame: pd.DataFrame,
    columns: Mapping[str, str],
    values: Mapping[str, str],
    problems: list[str],
    known: Sequence[str] = KNOWN,
) -> pd.DataFrame:
    """Return `frame` under our names; columns that are none of ours keep theirs.

    Args:
        frame: As the file has it.
        columns: Our name -> theirs, as typed.
        values: Our name -> what it is in all rows, as typed.
        problems: Gets one sentence for everything that is not clear.
        known: Our names.
    """
    for option, typed in (("--column", columns), ("--value", values)):
        problems += [
            f"{option} {name}={text}: a table of results has no column {name!r}; "
            f"{nearest(name, known)}."
            for name, text in typed.items()
            if name not in known
        ]
    problems += [
        f"--column {name}={theirs}: the file has no column {theirs!r}; "
        f"{nearest(theirs, list(map(str, frame)))}."
        for name, theirs in columns.items()
        if theirs not in frame
    ]
    columns = {name: text for name, text in columns.items() if text in frame and name in known}
    typed = {theirs: name for name, theirs in columns.items()}
    there = list(map(str, frame))
    free = [name for name in known if name not in columns and name not in frame]
    found = {_plain(name): name for name in there if name not in typed and name not in known}
    for name, alike in ALSO.items():
        twice = [found[one] for one in alike if one in found]
        if name in frame and name not in columns and twice:
            problems.append(
                f"Columns {name!r} and {twice[0]!r} both tell a {name}; type --ignore {twice[0]} "
                f"or --ignore {name}."
            )
    for name in free:
        theirs = next((one for one in (name, *ALSO.get(name, ())) if one in found), None)
        typed |= {} if theirs is None else {found[theirs]: name}
    hidden = [name for name in [*columns, *values] if name in frame]  # what is typed wins
    frame = frame.drop(columns=[name for name in hidden if name not in typed]).rename(columns=typed)
    return frame.assign(**{name: text for name, text in values.items() if name in known})


def without(frame: pd.DataFrame, ignore: Sequence[str], problems: list[str]) -> pd.DataFrame:
    """Return `frame` without the columns of `ignore`."""
    problems += [
        f"--ignore {name}: the file has no column {name!r}; {nearest(name, list(map(str, frame)))}."
        for name in ignore
        if name not in frame
    ]
    return frame.drop(columns=[name for name in ignore if name in frame])


def refuse_doubtful(frame: pd.DataFrame, known: Sequence[str], problems: list[str]) -> None:
    """Tell of columns that may be one of ours which is not there."""
    absent = [name for name in known if name not in frame and name not in NEEDED]
    for theirs in others(frame, known):
        near = difflib.get_close_matches(_plain(theirs), absent, 1, CLOSE)
        if near:
            problems.append(
                f"Column {theirs!r} may be {near[0]!r}; type --column {near[0]}={theirs}, or "
                f"--ignore {theirs}."
            )


def refuse_missing(
    frame: pd.DataFrame, needed: Sequence[str], problems: list[str], wide: str = ""
) -> None:
    """Tell of columns that a table must have; `wide`: what to type if metrics are columns."""
    both = {"metric", "value"} if wide else set()
    if both and both.isdisjoint(frame):
        problems.append(f"There is no column 'metric' and no column 'value'; {wide}.")
        needed = [name for name in needed if name not in both]
    left = others(frame, KNOWN)
    for name in needed:
        if name not in frame:
            near = difflib.get_close_matches(name, left, 3, 0.5) or left
            told = f" (there are {few(near)})" if near else ""
            problems.append(
                f"There is no column {name!r}; type --column {name}=COLUMN{told}, or "
                f"--value {name}=... if all rows have the same."
            )


def others(frame: pd.DataFrame, known: Sequence[str]) -> list[str]:
    """Return the columns that are none of ours."""
    return [name for name in map(str, frame) if name not in known]


def nearest(name: str, known: Sequence[str]) -> str:
    """Return what to type instead of an unknown word, whatever its case."""
    folded = {word.casefold(): word for word in known}
    near = difflib.get_close_matches(name.casefold(), folded, 1)
    return f"did you mean {folded[near[0]]!r}" if near else f"choose one of {few(known)}"


def few(items: Sequence[object]) -> str:
    """Return `a, b, c`, and no more than MOST of them."""
    shown = ", ".join(map(str, items[:MOST]))
    return shown if len(items) <= MOST else f"{shown} and {len(items) - MOST} more"


def _plain(name: str) -> str:
    return name.strip().lower().replace(" ", "_")
