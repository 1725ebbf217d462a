"""How a report was made: design, budget, protocol, statistics, cost, code."""

from __future__ import annotations

from typing import Any

import numpy as np

from ablate.analysis.failure_rows import level_of
from ablate.report import words
from ablate.report.manifest import trained_with
from ablate.report.shown import cut_short, shown
from ablate.report.study import Study
from ablate.report.tables.annotations import marked_text
from ablate.report.tables.arms import escape

UNITS = {"seed": "training seed", "repeat": "repeat of the search, with seeds of its own,"}


def method(study: Study) -> list[str]:
    """Return a line a fact of how the report was made."""
    lines = [*_design(study), *_statistics(study), *marked_text(study), *_cost(study)]
    further = (_data_read, _provenance, _adopted, incomplete)
    return [f"- {line}" for line in [*lines, *(told for tell in further for told in tell(study))]]


def _design(study: Study) -> list[str]:
    conditions = study.conditions
    seeds = sorted(int(seed) for seed in study.final["seed"].unique())
    each = study.final.groupby("arm")["seed"].nunique()
    same = (
        "the same in every arm" if each.nunique() == 1 else f"{each.min()} to {each.max()} an arm"
    )
    return [
        f"Seeds: {words.listing([str(seed) for seed in seeds], 12)}; {same}. The "
        f"{UNITS[study.decisions.unit]} is the unit of replication: {_shared(study)}.",
        _budget(study),
        f"Data: {escape(_settings(conditions['data']))}. Model: "
        f"{escape(_settings(conditions['model']))}.",
        _protocol(study),
    ]


def _shared(study: Study) -> str:
    if "imported" in study.frame:
        return "of imported trials it is not told what else those of one seed share"
    return "same batches, latents and first weights in every arm"


def _budget(study: Study) -> str:
    images, train = shown(study), study.conditions["train"]
    each = "in every trial that is done" if images.isdigit() else "as trials differ"
    told = f"{images} real images shown to D {each}" if images else "not told"
    cut = cut_short(study.table)
    settings = f" {escape(_settings(train))}." if train else ""
    return f"Budget: {told}." + (f" {escape(cut)}" if cut else "") + settings


def _protocol(study: Study) -> str:
    rows = study.table[study.table["protocol"] != ""]
    generators = rows.groupby("generator")["arm"].apply(list)
    told = {"raw": "weights as trained", "ema": "averaged weights"}
    used = "; ".join(
        f"{told.get(str(name), str(name))}: {escape(words.listing(arms, 12))}"
        for name, arms in generators.items()
    )
    protocol = rows["protocol"].iloc[0] if len(rows) else "none"
    which = "last shared" if cut_short(study.table) else "last"
    return (
        f"Protocol: {escape(protocol)}, {which} evaluation. Scored by {used}. Both are in "
        "table.csv."
    )


def _statistics(study: Study) -> list[str]:
    if study.decisions.one_search:
        return [f"Statistics: described and not tested. {words.OF_ONE_SEARCH}", _spreads(study)]
    values = "values" if study.decisions.unpaired else "paired values"
    scale = f"logarithms of {values} (ratio scale)" if study.metric.is_ratio else values
    test = "Student's t" if not study.decisions.unpaired else "Welch's t, unpaired,"
    which = "all seeds" if study.decisions.unpaired else "complete seed pairs only"
    exact = (
        "an exact test of all seeds"
        if study.decisions.unpaired
        else "McNemar's exact test over seeds"
    )
    side = "below" if study.metric.higher_is_better else "above"
    check = (
        f"A value {side} its arm's median by a factor of 2.5 and four robust SDs makes it suspect."
        if study.metric.is_ratio
        else "Unmarked collapses are looked for on the ratio scale only, so not here."
    )
    told = [
        f"Statistics: {test} on {scale}, {which}; failures are excluded and "
        f"counted, never filled in; NaN and infinity are failures. {_level(study)}; "
        "`trade-off` if the arm fails in 2 or more seeds more. Failures have a family of their own "
        f"at {100 * level_of(study.decisions):.2g} %: {exact} for arms, "
        f"permutation within seeds for effects and shares (Tarone, Holm). {check}",
        *_decided(study),
        _opinion(study),
        _spreads(study),
    ]
    return [words.in_units(line, study.decisions.unit) for line in told]


def _level(study: Study) -> str:
    decisions = study.decisions
    looks = words.listing([str(look) for look in decisions.looks]) if decisions.looks else ""
    why = f", 5 % over {len(decisions.looks)} planned looks (at {looks} seeds)" if looks else ""
    adjusted = "Benjamini-Hochberg" if decisions.screen else "Holm"
    return f"Verdict at {adjusted} p ≤ {decisions.alpha:g}{why}"


def _decided(study: Study) -> list[str]:
    """Return what the plan declared before training."""
    lines, margin = [], study.decisions.margin
    if study.decisions.variance == "guarded":
        used = int((study.table["variance"] == "guarded").sum())
        lines.append(
            "Variance, as planned: guarded, pooled over arms and never smaller than an arm's own; "
            f"for {used} of {len(study.table) - 1} arms (it needs 4 arms of 5 pairs)."
        )
    if margin is not None:
        level = 100 * (1 - 2 * study.decisions.alpha)
        lines.append(
            f"Margin, as planned: `no difference beyond {margin:g} %` where the {level:g} % "
            "interval lies within it (two one-sided tests)."
        )
    return lines


def _opinion(study: Study) -> str:
    if study.declared:
        return f"Second opinion: none, as {escape(study.metric.name)} is described and not tested."
    if study.decisions.unpaired:
        return "Second opinion: none, as exact sign flips need seed pairs."
    asked = study.table[study.table["second_opinion"].isin(["same", "differs"])]
    if asked.empty:
        return "Second opinion: exact sign flips of whole seeds, not computed under 6 seeds."
    differ = int((asked["second_opinion"] == "differs").sum())
    told = (
        f"differs for {differ} of {len(asked)} arms" if differ else "the same for every arm asked"
    )
    return f"Second opinion, exact sign flips of whole seeds for all arms (max-t): {told}."


def _spreads(study: Study) -> str:
    seed, evaluation, rho = (
        float(study.table[name].median()) if study.table[name].notna().any() else float("nan")
        for name in ("seed_sd", "resample_sd", "seed_correlation")
    )
    return (
        f"Spread, median over arms: {_short(seed)} over seeds, {_short(evaluation)} over "
        f"re-samples of one network; correlation of paired seeds {words.number(rho, 2)}."
    )


def _short(value: float) -> str:
    return words.NONE if not np.isfinite(value) else f"{value:.2g}"


def _cost(study: Study) -> list[str]:
    reference = study.table.iloc[0]
    spent = study.table["device_seconds_spent"].sum()
    devices = sorted(device for device in study.final["device"].unique() if device)
    mixed = " Cost does not compare over several devices." if len(devices) > 1 else ""
    return [
        f"Cost: a done trial of the reference takes {_short_seconds(reference['device_seconds'])}, "
        f"all {len(study.final)} trials {_short_seconds(spent)}, on "
        f"{escape(words.listing(devices or ['an unknown device']))}.{mixed}"
    ]


def _short_seconds(seconds: float) -> str:
    if not np.isfinite(seconds):
        return "unknown time"
    if seconds < 10:
        return f"{seconds:.2g} s"  # a short trial does not take 0 s
    return f"{seconds / 3600:.1f} h" if seconds >= 7200 else f"{seconds:.0f} s"


def _provenance(study: Study) -> list[str]:
    return [
        f"Trained with ({state['trials']} trials): {escape(_settings(state['versions'] or {}))}; "
        f"git: {escape(_settings(state['git'] or {}) or 'unknown')}."
        for state in trained_with(study)
    ]


def _data_read(study: Study) -> list[str]:
    """Return what was read of the data, as the trials' provenance keeps it, each once."""
    told: dict[str, None] = {}
    for trial in study.provenance.values():
        data = trial.get("data") or {}
        if data:
            left = _settings(data.get("left_out") or {})
            counts = f"{data['train']} training and {data['held_out']} held-out samples"
            told[f"Read: {counts}{f'; files left out: {left}' if left else ''}."] = None
    return [escape(line) for line in told]


def _adopted(study: Study) -> list[str]:
    """Return how many trials earlier sources have trained, which count as `code=recorded` says."""
    count = len(study.frame.attrs["adopted"])
    return [
        f"**{count} of {len(study.final)} trials were trained by another source of the networks or "
        "tricks than the plan's, and count as they are (`code=recorded`).**"
    ] if count else []  # fmt: skip


def incomplete(study: Study) -> list[str]:
    """Return what is said of trials that are not in the tables."""
    pending, damaged = study.frame.attrs["pending"], study.frame.attrs["damaged"]
    lines, whole = [], len(pending) + len(study.final) + len(damaged)
    if pending:
        lines.append(
            f"**Planned and not ended: {len(pending)} of {whole} trials. "
            "This report is a first look.**"
        )
    if damaged:
        told = [f"{one['trial']} ({one['problem']})" for one in damaged]
        lines.append(
            f"Set aside, as they cannot be read: {escape(words.listing(told))}. Delete these "
            "folders and start the sweep again, which trains them anew."
        )
    return lines


def _settings(settings: dict[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in sorted(settings.items()))
