"""The trials behind every number of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from ablate.analysis.layout import Layout, layout_of
from ablate.report import words
from ablate.report.shown import cut_short
from ablate.report.study import Study
from ablate.report.tables.effects import term

Rows = list[list[str]]


class Behind(NamedTuple):
    """What one row of a table was made from.

    Attributes:
        name: Its id in the page, where the row's numbers lead.
        title: The row.
        headings: Of `rows`.
        rows: One a trial.
        arms: What was set against what -> arm -> where its trials are, for an effect.
    """

    name: str
    title: str
    headings: list[str]
    rows: Rows
    arms: Mapping[str, Mapping[str, str]]


class Beside(NamedTuple):
    """What an arm's trials are set beside.

    Attributes:
        title: Of the column.
        values: Index seed.
    """

    title: str
    values: pd.Series


def trials_behind(
    study: Study, prefix: str = "", further: Sequence[Mapping[str, Beside]] = ()
) -> list[Behind]:
    """Return, for every arm, its trials beside those that they are paired with, each trial once.

    Args:
        study: Whose arms they are.
        prefix: Of the names: `prefix` + `trials-0` is the first row of the table of arms.
        further: Arm -> what else it is compared with, each a pair of columns.
    """
    values = by_seed(study)
    found = []
    for place, row in enumerate(study.table.to_dict("records")):
        arm, other = str(row["arm"]), str(row["reference"])
        paired = arm != other and not study.decisions.unpaired
        others = [Beside(f"{other}, same seed", values[other])] if paired else []
        others += [one[arm] for one in further if arm in one]
        title = f"{arm}: {row['done']} of {row['trials']} trials done"
        own = study.final[study.final["arm"] == arm]
        at = f" at {row['compared_images']} images" if cut_short(study.table) else ""
        found.append(Behind(f"{prefix}trials-{place}", title, *_rows(own, others, study, at), {}))
    return found


def by_seed(study: Study) -> dict[str, pd.Series]:
    """Return arm -> its values, index seed."""
    return {str(arm): one.set_index("seed")["value"] for arm, one in study.final.groupby("arm")}


def _rows(
    own: pd.DataFrame, others: Sequence[Beside], study: Study, at: str
) -> tuple[list[str], Rows]:
    """Return headings and rows of an arm's trials; `at` says where the metric was taken."""
    headings = ["seed", "trial", "ended as", f"{study.metric.name}{at}", "images shown"]
    headings += ["wall s", "device s"]
    rows = [_trial(one) for one in own.to_dict("records")]
    values = own["value"].to_numpy()
    for other in others:
        theirs = other.values.reindex(own["seed"]).to_numpy()
        headings += [other.title, "ratio" if study.metric.is_ratio else "difference"]
        change = study.metric.forward(values) - study.metric.forward(theirs)
        for cells, value, size in zip(rows, theirs, change, strict=True):
            cells += [_digits(value), _digits(study.metric.back(size))]
    return headings, rows


def _trial(one: words.Row) -> list[str]:
    seconds = [_digits(one[name], 4) for name in ("wall_seconds", "device_seconds")]
    told = [str(one["seed"]), one["trial"], _ending(one), _digits(one["value"])]
    return [*told, str(one["images_shown"]), *seconds]


def _ending(one: words.Row) -> str:
    """Return how a trial ended; one that is done without a value has failed as well."""
    if one["reason"]:
        return f"{one['status']}: {one['reason']}"
    return str(one["status"]) if np.isfinite(one["value"]) else f"{one['status']}, not finite"


def _digits(value: float, count: int = 6) -> str:
    return words.NONE if not np.isfinite(value) else f"{value:.{count}g}".replace("-", words.MINUS)


def arms_behind(study: Study, prefix: str = "") -> list[Behind]:
    """Return, for every effect or share, the arms that it is computed from.

    `prefix` is that of the names of this study's tables in the page.
    """
    places = {str(arm): f"{prefix}trials-{place}" for place, arm in enumerate(study.table["arm"])}
    layout = layout_of(study.plan).only(list(study.table["arm"]))
    kind = {"effects": "effect", "shares": "share"}[study.answer.kind]
    return [
        Behind(
            f"{prefix}{kind}-{place}",
            f"{kind} of {term(name)}: the arms it is computed from",
            [],
            [],
            {
                side: {arm: places[arm] for arm in arms}
                for side, arms in _sides(layout, name, study.answer.design).items()
            },
        )
        for place, name in enumerate(study.answer.names)
    ]


def _sides(layout: Layout, name: str, design: str) -> dict[str, list[str]]:
    """Return which arms the first name of an effect sets against which."""
    named = dict(factors_of(name))
    levels = layout.levels
    if design == "pairs":
        others = [factor for factor in layout.factors if factor not in named]
        levels = levels[layout.at_first()[others].all(axis=1)]
    at = [levels[one] == (level or layout.factors[one][-1]) for one, level in named.items()]
    count = np.sum(at, axis=0)  # [J], how many of the effect's factors are at their level
    if len(at) == 1:
        return {"with": list(levels.index[count == 1]), "without": list(levels.index[count == 0])}
    return {
        "both or neither": list(levels.index[count != 1]),
        "one of the two": list(levels.index[count == 1]),
    }


def factors_of(name: str) -> list[tuple[str, str]]:
    """Return factor and level of each part of an effect's first name; "" where it has two levels.

    As `a:b = -c:d` or `loss=ns:r1` names them.
    """
    first = name.split(" = ", maxsplit=1)[0].lstrip("-")
    parts = [part.partition("=") for part in first.split(":")]
    return [(factor, level) for factor, _, level in parts]
