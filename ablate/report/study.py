"""All that a report shows, gathered from the results once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ablate.analysis.arms import name_arms, reference_of
from ablate.analysis.compare import compare
from ablate.analysis.conditions import require_one_condition, where
from ablate.analysis.failures import failures
from ablate.analysis.final import final_values
from ablate.analysis.metric import Metric, metric_of
from ablate.errors import UserError
from ablate.store import read, read_curves, read_provenance

USUAL = ("fid", "fd_classifier", "fd_raw")


@dataclass(frozen=True)
class Study:
    """The results of one study and the answer to its question.

    Attributes:
        folders: Results folders.
        frame: Results as `store.read` gives them, of one set of conditions, arms named.
        metric: The primary metric.
        reference: Arm that all others are compared with.
        table: `compare` of the primary metric.
        final: `final_values` of the primary metric.
        failed: One row per failed trial.
        curves: Columns arm, trial, seed, failed, signal, images, value.
        conditions: data, model, budget, metric, train.
        provenance: Trial -> git, versions, device, command, config.
        options: What was asked of `compare` besides metric and reference.
    """

    folders: Sequence[Path]
    frame: pd.DataFrame
    metric: Metric
    reference: str
    table: pd.DataFrame
    final: pd.DataFrame
    failed: pd.DataFrame
    curves: pd.DataFrame
    conditions: Mapping[str, Any]
    provenance: Mapping[str, Mapping[str, Any]]
    options: Mapping[str, Any]


def gather(
    folders: Sequence[Path],
    metric: str | None = None,
    reference: str | None = None,
    conditions: Mapping[str, Any] | None = None,
    **options: Any,
) -> Study:
    """Read `folders` and compare their arms; `options` are those of `compare`.

    Raises:
        UserError: What is asked for is not there or does not compare.
    """
    results = read(*folders)
    frame = name_arms(where(results, conditions or {}))
    frame.attrs = results.attrs
    shared = require_one_condition(frame)
    name = primary_metric(frame) if metric is None else metric
    known = metric_of(name, options.get("scale"), options.get("higher_is_better"))
    reference = reference_of(frame, reference)
    final = final_values(frame, known, options.get("generator"), options.get("protocol"))
    ids = set(final["trial"])
    curves = read_curves(*folders, trials=ids)
    return Study(
        folders=folders,
        frame=frame,
        metric=known,
        reference=reference,
        table=compare(frame, name, reference, **options),
        final=final,
        failed=failures(final),
        curves=curves.merge(final[["trial", "arm", "seed", "failed"]], on="trial"),
        conditions=shared,
        provenance=read_provenance(*folders, trials=ids),
        options=options,
    )


def primary_metric(frame: pd.DataFrame) -> str:
    """Return the metric that the plan names, else the usual one that is there.

    Raises:
        UserError: Neither decides.
    """
    present = sorted(frame["metric"].dropna().unique())
    planned = json.loads(frame["conditions"].iloc[0])["metric"].get("primary")
    candidates = [planned] if planned else [name for name in USUAL if name in present]
    if not candidates and len(present) == 1:
        candidates = present
    if not candidates:
        raise UserError(f"Say which metric decides; these trials have {present}.")
    return str(candidates[0])
