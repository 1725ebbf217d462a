"""What the search before a tuned study has tried, spent and found."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from ablate.metric import SCALE
from ablate.report.tables.arms import escape, markdown

COLUMNS = ["arm", "repeat", "settings", "images", "budget_images", "best", "value", "tricks"]


def search_table(study: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row an arm and repeat of a tuned study; no rows where nothing was searched.

    `settings` counts what was tried by how it ended. `value` is the best one's metric over the
    tuning seeds (their geometric mean on the ratio scale): too good, being the best of many.
    """
    rows = [row(about, study) for about in study.get("search", [])]
    return pd.DataFrame(rows, columns=COLUMNS).astype({"best": "Int64"})  # 1, and none is not NaN


def row(about: Mapping[str, Any], study: Mapping[str, Any]) -> dict[str, Any]:
    """Return what one arm's search has come to."""
    counts = dict(about["settings"])
    if about["failed"]:
        counts["failed"] = about["failed"]
        counts["complete"] = counts.get("complete", 0) - about["failed"]
    value = about["value"]
    if value is not None and SCALE[study["tuning_metric"]] == "ratio":
        value = math.exp(value)
    return {
        "arm": about["arm"],
        "repeat": about.get("repeat", 0) + 1,
        "settings": ", ".join(f"{n} {state}" for state, n in counts.items() if n),
        "images": about["images"],
        "budget_images": about["budget_images"],
        "best": about["best"],
        "value": value,
        "tricks": "; ".join(
            f"{trick}.{key}={setting:.4g}"
            for trick, settings in about["tricks"].items()
            for key, setting in settings.items()
            if f"{trick}.{key}" in about["searched"]
        ),
    }


def search_lines(study: Mapping[str, Any]) -> list[str]:
    """Return the table as Markdown, and how to read it; no lines where nothing was searched."""
    table = search_table(study)
    if table.empty:
        return []
    metric = study["tuning_metric"]
    repeated = table["repeat"].max() > 1
    rows = [
        [
            escape(one["arm"]),
            *([str(one["repeat"])] if repeated else []),
            one["settings"],
            f"{one['images']:,} of {one['budget_images']:,}",
            "none" if pd.isna(one["value"]) else f"{one['value']:.4g} (setting {one['best']})",
            escape(one["tricks"]),
        ]
        for one in table.to_dict("records")
    ]
    headings = [
        "arm",
        *(["repeat"] if repeated else []),
        "settings tried",
        "images spent",
        f"best {metric}",
        "its settings",
    ]
    seeds = ", ".join(map(str, study["tuning_seeds"]))
    text = (
        f"Searched on seeds {seeds}, which no other table holds. The best of many looks better "
        "than it is: compare arms by the tables above, never by this one. Setting 0 is the arm as "
        "it was."
    )
    return [*markdown(headings, rows), "", text]
