"""What a table says of metrics that the catalog does not know."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ablate.intake.cells import NO, YES, filled
from ablate.intake.columns import nearest
from ablate.metric_catalog import CATALOG

SCALES = ("ratio", "difference")


def declared(frame: pd.DataFrame, problems: list[str]) -> dict[str, dict[str, Any]]:
    """Return metric -> its scale and which way is better, of those that only the table knows.

    A metric that nobody declares is kept and not compared; one at least must be.
    """
    said = {
        name: filled(frame[name], "") for name in ("scale", "higher_is_better") if name in frame
    }
    rows = frame[["metric"]].assign(**said).drop_duplicates().dropna(subset="metric")
    found: dict[str, dict[str, Any]] = {}
    for metric, own in rows.groupby("metric"):
        told = {name: sorted(set(own[name]) - {""}) for name in said}
        problems += [
            f"{name} of {metric} is {' and '.join(texts)}; give all its rows the same."
            for name, texts in told.items()
            if len(texts) > 1
        ]
        one = {name: texts[0].strip().casefold() for name, texts in told.items() if texts}
        problems += _wrong(str(metric), one)
        if metric not in CATALOG and len(one) == 2:
            better = one["higher_is_better"] in YES
            found[str(metric)] = {"scale": one["scale"], "higher_is_better": better}
    metrics = [str(metric) for metric in rows["metric"].unique()]
    if not metrics:
        problems.append("No row names its metric; type --value metric=fid if all are of one.")
    elif not found and not set(metrics) & set(CATALOG):
        problems.append(_undeclared(metrics))
    return found


def _undeclared(metrics: list[str]) -> str:
    one = metrics[0]
    guess = nearest(one, list(CATALOG))
    hint = f" ({guess})" if guess.startswith("did") else ""
    return (
        f"Metric {one!r} is not known{hint}; type --value scale=ratio (only values > 0) or "
        "--value scale=difference, and --value higher_is_better=false or true."
    )


def _wrong(metric: str, told: dict[str, str]) -> list[str]:
    """Return what is wrong with a declaration: no such word, or another than the catalog's."""
    found = []
    if told.get("scale", SCALES[0]) not in SCALES:
        found.append(f"scale {told['scale']!r} of {metric} is none; type ratio or difference.")
    better = told.get("higher_is_better", YES[0])
    if better not in (*YES, *NO):
        found.append(f"higher_is_better {better!r} of {metric} is none; type true or false.")
    if metric in CATALOG and not found:
        known = CATALOG[metric]
        ours = {"scale": known.scale, "higher_is_better": known.better == "higher"}
        theirs = {name: text if name == "scale" else text in YES for name, text in told.items()}
        if any(ours[name] != value for name, value in theirs.items()):
            found.append(
                f"{metric} is compared by {known.scale}s and {known.better} is better; take scale "
                "and higher_is_better out of its rows, or give the metric another name."
            )
    return found
