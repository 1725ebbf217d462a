"""Trials that only a person can judge: what to type, and what was said of them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ablate.analysis.suspects import suspects
from ablate.report.study import Study
from ablate.report.tables.arms import escape, markdown
from ablate.store.marks import COLLAPSED


def to_decide(study: Study) -> dict[str, list[str]]:
    """Return results folder -> the suspect trials that lie in it; it is called by its name."""
    found = suspects(study.final, study.metric).groupby("study")["trial"]
    return {str(name): sorted(map(str, trials)) for name, trials in found}


def what_to_type(study: Study, places: Mapping[str, Path] | None = None) -> list[str]:
    """Return the commands that settle suspect trials.

    Args:
        study: In which they are.
        places: Name -> path of a results folder; without it folders are called DIR, so that the
            text does not depend on where they lie.
    """
    return [
        f'ablate mark {_typed(places, name)} {" ".join(trials)} --collapsed --note "why"'
        for name, trials in to_decide(study).items()
    ]


def _typed(places: Mapping[str, Path] | None, name: str) -> str:
    return "DIR" if places is None else shlex.quote(str(places[name]))


def suspect_lines(study: Study) -> list[str]:
    """Return how a person settles the suspect trials; no lines where there are none."""
    return [
        "- A person decides what is suspect: look at the trial's samples and curves, then type "
        f"`{command}`, or `--sound` instead of `--collapsed`."
        for command in what_to_type(study)
    ]


def marked(study: Study) -> list[dict[str, Any]]:
    """Return arm, seed, trial, mark and note of every trial that a person has marked."""
    found = study.final.loc[study.final["mark"] != "", ["arm", "seed", "trial", "mark"]]
    notes = study.frame.attrs["notes"]
    rows = [{str(key): value for key, value in row.items()} for row in found.to_dict("records")]
    return [row | {"note": notes[row["trial"]]} for row in rows]


def marked_lines(study: Study) -> list[str]:
    """Return every trial that a person has marked, with the note; no lines where there are none."""
    rows = [
        [escape(str(one[key])) for key in ("arm", "seed", "trial", "mark", "note")]
        for one in marked(study)
    ]
    text = (
        "Marked by a person, who may have seen the results: a trial marked collapsed counts as "
        "failed, one marked sound makes nothing suspect."
    )
    headings = ["arm", "seed", "trial", "marked", "note"]
    return ["", text, "", *markdown(headings, rows)] if rows else []


def marked_text(study: Study) -> list[str]:
    """Return the marks for the method, in a sentence; nothing where there are none."""
    told = [
        f"{one['arm']} seed {one['seed']} as {one['mark']} ({one['note']})" for one in marked(study)
    ]
    return [f"Marked by a person after training: {escape('; '.join(told))}."] if told else []


def collapsed(study: Study) -> int:
    """Return how many trials failed by a person's word."""
    return int((study.final["mark"] == COLLAPSED).sum())
