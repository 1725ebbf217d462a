"""What is declared of the metrics of a table: their scale and which way is better."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ablate.importer.asked import SCALES, Declared
from ablate.importer.cells import NO, YES, alike, filled
from ablate.importer.columns import nearest
from ablate.metric import either_way, hint, known

COLUMNS = ("scale", "higher_is_better")


def declared(
    frame: pd.DataFrame, analysis: Declared, problems: list[str]
) -> dict[str, dict[str, Any]]:
    """Return metric -> its scale and which way is better, where the catalog does not say just that.

    A metric that nobody declares is kept and not compared; one at least must be.

    Args:
        frame: With the columns `metric`, `value` and, perhaps, `COLUMNS`.
        analysis: As typed; it stands above the catalog's scale.
        problems: Gets one sentence for everything that is not clear.
    """
    metrics = [str(metric) for metric in frame["metric"].dropna().unique()]
    for option, typed in (("--scale", analysis.scales), ("--better", analysis.better)):
        problems += [
            f"{option} {name}={word}: the table has no metric {name!r}; {nearest(name, metrics)}."
            for name, word in typed.items()
            if name not in metrics
        ]
    for group in alike(frame["metric"]):
        problems.append(
            f"Metrics {' and '.join(map(repr, group))} differ only by case, blanks or dashes; give "
            "them one name in the file, or names that differ."
        )
    told = len(problems)
    said = {metric: own for metric, own in _by_column(frame, problems).items()}
    found = {metric: _one(metric, said.get(metric, {}), analysis, problems) for metric in metrics}
    if not metrics:
        problems.append("No row names its metric; type --value metric=fid if all are of one.")
    elif len(problems) == told and not any(found.values()):
        problems.append(_undeclared(metrics[0]))
    scales = {own["scale"] for own in found.values() if own}
    if analysis.margin is not None and scales == {"difference"}:
        problems.append(
            f"--margin {analysis.margin:g} is a percentage, and {', '.join(metrics)} is compared "
            "by differences; leave it out."
        )
    return {metric: own for metric, own in found.items() if own and not _is_known(metric, own)}


def scale_of(metric: str, found: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Return the scale that a metric is compared on, of `declared` or of the catalog."""
    if metric in found:
        return str(found[metric]["scale"])
    entry = known(metric)
    return None if entry is None else entry.scale


def _by_column(frame: pd.DataFrame, problems: list[str]) -> dict[str, dict[str, str]]:
    """Return metric -> what its rows say of it."""
    said = {name: filled(frame[name], "") for name in COLUMNS if name in frame}
    rows = frame[["metric"]].assign(**said).drop_duplicates().dropna(subset="metric")
    found = {}
    for metric, own in rows.groupby("metric"):
        told = {name: sorted(set(own[name]) - {""}) for name in said}
        problems += [
            f"{name} of {metric} is {' and '.join(texts)}; give all its rows the same."
            for name, texts in told.items()
            if len(texts) > 1
        ]
        one = {name: texts[0].casefold() for name, texts in told.items() if texts}
        problems += _wrong(str(metric), one)
        found[str(metric)] = one
    return found


def _one(
    metric: str, said: Mapping[str, str], analysis: Declared, problems: list[str]
) -> dict[str, Any] | None:
    """Return what holds for one metric; None where too little is said."""
    entry = known(metric)
    either = either_way(metric)
    scale = analysis.scales.get(metric) or said.get("scale") or (either and either[0])
    better = analysis.better.get(metric)
    if better is None and "higher_is_better" in said:
        better = "higher" if said["higher_is_better"] in YES else "lower"
    if entry is not None:
        scale, better = scale or entry.scale, better or entry.better
    if scale is None or better is None:
        return None
    return {"scale": scale, "higher_is_better": better == "higher"}


def _is_known(metric: str, own: Mapping[str, Any]) -> bool:
    entry = known(metric)
    return entry is not None and own == {
        "scale": entry.scale,
        "higher_is_better": entry.better == "higher",
    }


def _undeclared(metric: str) -> str:
    either = either_way(metric)
    if either is not None:
        return (
            f"Metric {metric!r} is better {either[1]} against a target and better {either[2]} "
            f"among samples, which should differ; type --better {metric}={either[1]} or --better "
            f"{metric}={either[2]}."
        )
    guess = hint(metric)
    return (
        f"Metric {metric!r} is not known{f' ({guess})' if guess else ''}; type --scale "
        f"{metric}=ratio (only values > 0) or --scale {metric}=difference, and --better "
        f"{metric}=lower or --better {metric}=higher."
    )


def _wrong(metric: str, told: dict[str, str]) -> list[str]:
    """Return what is wrong with a declaration: no such word, or another than the catalog's."""
    found = []
    if told.get("scale", SCALES[0]) not in SCALES:
        found.append(f"scale {told['scale']!r} of {metric} is none; type ratio or difference.")
    better = told.get("higher_is_better", YES[0])
    if better not in (*YES, *NO):
        found.append(f"higher_is_better {better!r} of {metric} is none; type true or false.")
    entry = known(metric)
    if entry is not None and not found:
        ours = {"scale": entry.scale, "higher_is_better": entry.better == "higher"}
        theirs = {name: text if name == "scale" else text in YES for name, text in told.items()}
        if any(ours[name] != value for name, value in theirs.items()):
            found.append(
                f"{metric} is compared by {entry.scale}s and {entry.better} is better; take scale "
                f"and higher_is_better out of its rows and type --scale {metric}=... or --better "
                f"{metric}=... if this one differs, or give the metric another name."
            )
    return found
