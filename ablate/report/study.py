"""All that a report shows, gathered from the results once."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from ablate.analysis.arms import name_arms, reference_of
from ablate.analysis.compare import compare
from ablate.analysis.conditions import require_one_condition, where
from ablate.analysis.decisions import Decisions, decisions_of
from ablate.analysis.failures import failures
from ablate.analysis.final import final_values
from ablate.analysis.layout import has_factors, layout_of
from ablate.analysis.looks import at_look
from ablate.analysis.metric import Metric, metric_of
from ablate.analysis.repeats import by_repeat
from ablate.analysis.sources import require_one_source
from ablate.analysis.tuned import changed
from ablate.errors import Unscored, UserError
from ablate.metric import is_like
from ablate.report.answer import Answer, answer_of
from ablate.report.described import is_declared, untested
from ablate.store import read, read_curves, read_provenance
from ablate.store.folders import has_results
from ablate.store.plan import STUDY, TUNED
from ablate.store.study import read_study

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
        units: What is compared: those, or of repeated searches one row an arm and repeat.
        failed: One row per failed trial.
        conditions: data, model, budget, metric, train.
        options: What was asked of `compare` besides metric and reference.
        plan: What `study.json` holds; empty where there is none.
        decisions: What it decided: variance, margin, looks.
        answer: To what its design asks beyond arms against a reference.
        declared: The metric that was to decide, where another one is described; "" elsewhere.
        tuned: The study that followed its search, if one has.
        changed: `analysis.tuned.changed` of the two; empty without it.
    """

    folders: Sequence[Path]
    frame: pd.DataFrame
    metric: Metric
    reference: str
    table: pd.DataFrame
    final: pd.DataFrame
    units: pd.DataFrame
    failed: pd.DataFrame
    conditions: Mapping[str, Any]
    options: Mapping[str, Any]
    plan: Mapping[str, Any]
    decisions: Decisions
    answer: Answer
    declared: str = ""
    tuned: Study | None = None
    changed: pd.DataFrame = field(default_factory=pd.DataFrame)

    @cached_property
    def curves(self) -> pd.DataFrame:
        """Columns arm, trial, seed, failed, signal, images, value; read when first asked for."""
        curves = read_curves(*self.folders, trials=set(self.final["trial"]))
        return curves.merge(self.final[["trial", "arm", "seed", "failed"]], on="trial")

    @cached_property
    def provenance(self) -> Mapping[str, Mapping[str, Any]]:
        """Trial -> git, versions, device, command, config; read when first asked for."""
        return read_provenance(*self.folders, trials=set(self.final["trial"]))


def gather(
    folders: Sequence[Path],
    metric: str | None = None,
    reference: str | None = None,
    conditions: Mapping[str, Any] | None = None,
    **options: Any,
) -> Study:
    """Read `folders` and compare their arms; `options`: `screen`, `unpaired`, those of `compare`.

    The plan decides what is not asked for: metric, reference, variance, margin and looks. Of one
    folder that was searched the tuned study comes with it, as soon as a trial of it has ended.

    Raises:
        UserError: What is asked for is not there or does not compare.
    """
    study = _gather(folders, metric, reference, conditions, **options)
    inside = folders[0] / TUNED
    if len(folders) > 1 or not (inside / STUDY).is_file() or not has_results(inside):
        return study
    try:
        tuned = _gather([inside], study.metric.name, reference, conditions, **options)
    except Unscored:
        return study
    table = changed(study.final, tuned.final, study.metric, tuned.decisions)
    return replace(study, tuned=tuned, changed=table)


def _gather(
    folders: Sequence[Path],
    metric: str | None,
    reference: str | None,
    conditions: Mapping[str, Any] | None,
    *,
    screen: bool = False,
    unpaired: bool = False,
    **options: Any,
) -> Study:
    results, plan = read(*folders), read_study(*folders)
    decisions = decisions_of(plan, screen, unpaired)
    chosen = where(results, conditions or {})
    require_one_source(chosen)
    frame = at_look(name_arms(chosen, decisions.repeats), plan, decisions)
    frame.attrs = results.attrs
    shared = require_one_condition(frame)
    name = metric or planned_metric(plan) or primary_metric(frame)
    options = declared_scale(plan, name) | options
    known = metric_of(name, options.get("scale"), options.get("higher_is_better"))
    declared = declared_metric(plan, frame)
    described = declared if declared not in ("", name) else ""
    if described:
        decisions = replace(decisions, margin=None)  # it was declared for the other one
    options = declared_change(plan, known) | options
    reference = reference_of(frame, reference or planned_reference(plan, frame))
    final = final_values(frame, known, options.get("generator"), options.get("protocol"))
    study = Study(
        folders=folders,
        frame=frame,
        metric=known,
        reference=reference,
        table=compare(frame, name, reference, decisions=decisions, **options),
        final=final,
        units=by_repeat(final, known, decisions),
        failed=failures(final),
        conditions=shared,
        options=options,
        plan=plan,
        decisions=decisions,
        answer=answer_of(final, plan, known, decisions, options.get("detect")),
        declared=described,
    )
    return _described(study) if described else study


def _described(study: Study) -> Study:
    """Return a study of a metric that was chosen after looking: no test, no verdict."""
    answer = replace(study.answer, table=untested(study.answer.table))
    return replace(study, table=untested(study.table), answer=answer)


def require_arms(study: Study, arms: Sequence[str]) -> None:
    """Refuse arms that the study does not have.

    Raises:
        UserError: The sentence names the nearest ones.
    """
    known = list(study.table["arm"])
    for arm in arms:
        if arm not in known:
            near = difflib.get_close_matches(arm, known, 3, cutoff=0.4) or known[:8]
            raise UserError(f"There is no arm {arm!r}; type one of {near}.")


def declared_scale(plan: Mapping[str, Any], metric: str) -> dict[str, Any]:
    """Return scale and higher_is_better of a metric that an imported table declares, or nothing."""
    return dict((plan.get("metrics") or {}).get(metric, {}))


def declared_change(plan: Mapping[str, Any], metric: Metric) -> dict[str, float]:
    """Return `detect`, the change in percent that the plan declares, or nothing."""
    percent = (plan.get("analysis") or {}).get("detect")
    return {"detect": percent / 100} if percent and metric.is_ratio else {}


def planned_metric(plan: Mapping[str, Any]) -> str | None:
    """Return the metric that the study declares for its verdicts, if it does."""
    return (plan.get("analysis") or {}).get("metric")


def declared_metric(plan: Mapping[str, Any], frame: pd.DataFrame) -> str:
    """Return the metric that was to decide before training; "" where none was."""
    if not is_declared(plan):
        return ""
    try:
        return planned_metric(plan) or primary_metric(frame)
    except UserError:
        return ""


def planned_reference(plan: Mapping[str, Any], frame: pd.DataFrame) -> str | None:
    """Return the arm that the plan compares with, or None where it leaves that open.

    Not every fraction of a factorial has the arm without tricks; there the first of those with the
    fewest stands in.
    """
    ran = set(frame["arm"].unique())
    if plan.get("reference") in ran:
        return str(plan["reference"])
    if not has_factors(plan):
        return None
    changed = (~layout_of(plan).at_first()).sum(axis=1)
    changed = changed[changed.index.isin(ran)]
    return None if changed.empty else str(changed.idxmin())


def primary_metric(frame: pd.DataFrame) -> str:
    """Return the metric that the plan names, else the usual one that is there.

    Raises:
        UserError: Neither decides.
    """
    present = sorted(frame["metric"].dropna().unique())
    planned = json.loads(frame["conditions"].iloc[0])["metric"].get("primary")
    candidates = [planned] if planned else [name for name in USUAL if name in present]
    if not candidates:  # the only one that is some FID: fid50k_full
        candidates = [name for name in present if is_like("fid", name)]
        candidates = candidates if len(candidates) == 1 else []
    if not candidates and len(present) == 1:
        candidates = present
    if not candidates:
        raise UserError(
            f"It is not said which metric decides; give metric=, one of {present}.",
            f"It is not said which metric decides; type --metric with one of {present}.",
        )
    return str(candidates[0])
