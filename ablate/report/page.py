"""The report's text: question, answer, table, figures, failures, method."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ablate.analysis.conditions import UNTOLD
from ablate.analysis.failure_rows import level_of
from ablate.analysis.failures import FEWEST_TRIALS, bound
from ablate.report import tables, words
from ablate.report.answer_section import answer_section, beside
from ablate.report.curves_figure import MOST_ARMS
from ablate.report.failure_tables import policy_lines, reliability_lines
from ablate.report.forest_figure import MOST_ROWS
from ablate.report.headline import answers
from ablate.report.manifest import trained_with
from ablate.report.marks import marked_lines, marked_text, suspect_lines
from ablate.report.samples_figure import MOST_ARMS as MOST_GRIDS
from ablate.report.search_section import search_lines
from ablate.report.shown import cut_short, shown
from ablate.report.study import Study
from ablate.report.tables import code, escape
from ablate.report.tuned import AFTER, BEFORE, about, changed_table
from ablate.store.arms import read_arms

UNPAIRED = "**Unpaired: arms are compared by all their seeds (Welch's t), not seed by seed.**"
UNITS = {"seed": "training seed", "repeat": "repeat of the search, with seeds of its own,"}
ASKED = "what the study asks"
OFTEN = 0.3  # from this failure rate on, quality is read "when it finishes"


def question(study: Study) -> str:
    """Return what the study asks, in one sentence."""
    name, data = escape(study.metric.name), study.conditions["data"]["name"]
    on = "" if data == UNTOLD else f" on {escape(data)}"
    together = 2 in set(study.answer.table.get("order", ()))
    return {
        "arms": f"Which arms have a better {name} than {code(study.reference)}{on}?",
        "effects": f"Which tricks change {name}{on}{', and which only together' * together}?",
        "shares": f"What share of the change in {name}{on} has each trick?",
        "steps": f"Which steps of the ladder change {name}{on}?",
    }[study.answer.kind]


class Section(NamedTuple):
    """One part of the report.

    Attributes:
        key: What it is about; another rendering may show it in its own way.
        title: Its heading; "" where it follows the answer at once.
        lines: Markdown.
    """

    key: str
    title: str
    lines: list[str]


def page(study: Study, told: list[Section]) -> str:
    """Return the whole of report.md; `told` are its sections."""
    lines = [f"# {question(study)}", *answers(study), ""]
    for section in told:
        lines += [f"## {section.title}", ""] if section.title else []
        lines += ["\n".join(section.lines).rstrip(), ""]
    return "\n".join(lines).rstrip() + "\n"


def sections(study: Study, figures: list[str]) -> list[Section]:
    """Return what there is to tell, in its order; `figures` are the files that exist."""
    rest = [
        Section("unanswered", "No answer to what the design asks", _unanswered(study)),
        Section("outlook", "What an inconclusive arm could have shown", _outlook(study)),
        Section("reasons", "Reasons", _reasons(study)),
        Section("ranks", "Ranks", _ranks(study)),
        Section("refused", "Arms that were planned and cannot be", _refused(study)),
        Section("doubts", "Doubts about combinations", _doubts(study)),
        Section("search", "What the search has tried", search_lines((study.tuned or study).plan)),
        Section("curves", "Training curves", _curves(study, figures)),
        Section("samples", "Samples", _samples(study, figures)),
        Section("failures", "Failures", _failures(study)),
        Section("policies", "What failures do to the answer", policy_lines(study)),
        Section("others", "Other metrics, described and not tested", _others(study)),
        Section("method", "Method", _method(study)),
    ]
    first = _tables(study, figures, "arms.png")
    if study.tuned is not None:
        first = [one._replace(title=f"{BEFORE}: {one.title or ASKED}") for one in first]
        first += _tuned(study, study.tuned, figures)
    return [section for section in first + rest if section.lines]


def _tuned(study: Study, tuned: Study, figures: list[str]) -> list[Section]:
    """Return the same tables of the tuned study, and what tuning changed."""
    found = [
        Section(f"tuned-{one.key}", f"{AFTER}: {one.title or ASKED}", one.lines)
        for one in _tables(tuned, figures, "tuned.png")
    ]
    found[0] = found[0]._replace(lines=[about(tuned), "", *found[0].lines])
    left = [f"- {line}" for line in _incomplete(tuned)]
    return [
        *found,
        Section("tuned-reasons", f"{AFTER}: reasons", _reasons(tuned) + left),
        Section("changed", "What tuning changed, arm by arm", changed_table(study)),
    ]


def _tables(study: Study, figures: list[str], forest: str) -> list[Section]:
    """Return the sections that answer the question; `forest` is the file that shows the arms."""
    arms = _arms(study, [forest] if forest in figures else [])
    if study.answer.kind == "arms":
        return [Section("arms", "", arms)]
    own = [] if forest == "tuned.png" else figures  # of what the design asks only one is drawn
    return [
        Section("answer", "", answer_section(study, own)),
        Section("arms", "Arms against the reference", [beside(study), "", *arms]),
    ]


def _arms(study: Study, figures: list[str]) -> list[str]:
    lines = [*tables.main_table(study), "", *legend(study)]
    for one in figures:
        lines += ["", f"![Every arm against the reference, with its interval]({one})"]
        if len(study.table) > MOST_ROWS + 1:
            lines += ["", f"The first {MOST_ROWS} arms; report.html draws all."]
    return lines


def _unanswered(study: Study) -> list[str]:
    return [escape(study.answer.missing)] if study.answer.missing else []


def _ranks(study: Study) -> list[str]:
    if study.answer.kind in ("effects", "shares") or study.declared:
        return []
    table = tables.rank_table(study)
    text = "From all pairs of arms, Holm over all of them: an arm outranks another only if surely."
    if len(study.failed):
        text += (
            " Ranks are of trials that finished: "
            f"{len(study.failed)} of {len(study.final)} failed and have no rank."
        )
    return [*table, "", text] if table else []


def legend(study: Study) -> list[str]:
    """Return what the numbers of the table of arms are."""
    mean = "Geometric mean" if study.metric.is_ratio else "Mean"
    lower = "higher" if study.metric.higher_is_better else "lower"
    logs = " (of logarithms, times the mean)" if study.metric.is_ratio else ""
    over = "" if study.decisions.unpaired else " over pairs"
    scale = f" Ratios are of geometric means{over}." if study.metric.is_ratio else ""
    method = "Benjamini-Hochberg: a screen, not a verdict" if study.decisions.screen else "Holm"
    cut = cut_short(study.table)
    adjusted = f"p is adjusted for all arms ({method})"
    if study.declared:
        adjusted = f"there is no test, as {code(study.declared)} was to decide"
    tested = f"The interval is for each comparison alone (95 %); {adjusted}."
    if study.decisions.one_search:
        tested = words.OF_ONE_SEARCH
    told = (
        f"{mean} and standard deviation over seeds{logs}; {lower} is better.{scale} "
        f"{_pairs(study)} {tested} "
        "**Inconclusive is not equal.** Bold: `better` by the verdict; bold arms are not compared "
        "with each other. Cost: seconds of a done trial over the reference's, ± SD over seeds; `~` "
        "and one digit where that is not known, as of trials that were timed as one stack."
    )
    cut_off = f" **{escape(cut)}**" if cut else ""
    return [words.in_units(told, study.decisions.unit) + cut_off]


def _pairs(study: Study) -> str:
    pairs = study.table[study.table["arm"] != study.table["reference"]].set_index("arm")["pairs"]
    if pairs.empty:
        return "Nothing to pair."
    if study.decisions.unpaired:
        return UNPAIRED
    usual = int(pairs.max())
    fewer = [f"{escape(str(arm))} {n}" for arm, n in pairs.items() if n < usual]
    less = f" (fewer: {words.listing(fewer, 8)})" if fewer else ""
    return f"Each arm is paired with the reference over {usual} seeds{less}."


def _outlook(study: Study) -> list[str]:
    table = tables.outlook_table(study)
    if not table:
        return []
    text = (
        "Could see: an improvement this large gets its verdict in 80 % of studies of as many pairs "
        f"and arms. Seeds needed: for the same, with the spread as measured, and with the upper "
        "limit of it (80 %), as few seeds measure a spread badly. Both are for the verdict of this "
        f"table: {_share(study)}, as if no other arm differed (if others do, Holm finds more)."
    )
    return [*table, "", words.in_units(text, study.decisions.unit)]


def _share(study: Study) -> str:
    """Return the level that the first of several verdicts must pass, in words."""
    tested = int(study.table["p"].notna().sum())
    over = f" over {tested} tested arms" if tested > 1 else ""
    looks = len(study.decisions.looks)
    return f"at 5 %{over}" + (f" and {looks} planned looks" if looks > 1 else "")


def _reasons(study: Study) -> list[str]:
    told = study.table[study.table["reason"] != ""]
    lines = [
        f"- {escape(str(row.arm))}: {row.verdict}, {escape(str(row.reason))}."
        for row in told.itertuples()
    ]
    lines += [
        f"- {escape(row['arm'])}: Holm p is {words.p_value(row['p_holm'])} by t and "
        f"{words.p_value(row['p_flip'])} by exact sign flips of whole {study.decisions.unit}s: the "
        "answers differ."
        for row in study.table.to_dict("records")
        if row["second_opinion"] == "differs"
    ]
    often = study.table[study.table["failed"] >= OFTEN * study.table["trials"]]
    lines += suspect_lines(study)
    return lines + [
        f"- {escape(str(row.arm))}: its quality is that of the trials that finish, "
        f"{row.done} of {row.trials}."
        for row in often[often["done"] > 0].itertuples()
    ]


def _refused(study: Study) -> list[str]:
    return [
        f"- {escape(arm.name)}: n/a: {escape(' '.join(arm.refused))}"
        for arm in read_arms(*study.folders)
        if arm.refused
    ]


def _doubts(study: Study) -> list[str]:
    told = {doubt for arm in read_arms(*study.folders) if not arm.refused for doubt in arm.doubts}
    return [f"- {escape(doubt)}" for doubt in sorted(told)]


def _curves(study: Study, figures: list[str]) -> list[str]:
    if "curves.png" not in figures:
        return []
    text = (
        "Mean and range over seeds that are done; a failed seed ends with a cross. Losses of "
        "different adversaries do not compare, so each panel of a loss has its own axis; the "
        "metric's axis is shared." + _cut(study, MOST_ARMS)
    )
    return ["![Losses and metric over images shown, a row per arm](curves.png)", "", text]


def _cut(study: Study, most: int) -> str:
    return f" The first {most} arms; report.html has all." if len(study.table) > most else ""


def _samples(study: Study, figures: list[str]) -> list[str]:
    if "samples.png" not in figures:
        return []
    text = "All of one seed, the one with the fewest failures; its first samples, none picked out."
    text += _cut(study, MOST_GRIDS)
    return ["![Samples, a row per arm and the same latents in every row](samples.png)", "", text]


def _failures(study: Study) -> list[str]:
    rates = [
        [escape(str(row["arm"])), words.rate(row)]
        for row in study.table.to_dict("records")
        if row["failed"]
    ]
    if not rates:
        return [_none_failed(len(study.final)), *marked_lines(study)]
    lines = [*tables.markdown(["arm", "failed, 95 % interval or bound"], rates), ""]
    lines += [*reliability_lines(study), "", *tables.failure_table(study)]
    return lines + marked_lines(study)


def _none_failed(trials: int) -> str:
    """Return that nothing failed, and from 10 trials on what that says of the rate."""
    if trials < FEWEST_TRIALS:
        return f"None: 0 of {trials}."
    most = words.percent(bound(0, trials))
    return f"None: 0 of {trials}, under {most} % (95 %, exact), if trials are alike."


def _others(study: Study) -> list[str]:
    table, left_out = tables.other_metrics(study)
    return table + ([""] if table and left_out else []) + [f"- {escape(text)}" for text in left_out]


def _method(study: Study) -> list[str]:
    lines = [*_design(study), *_statistics(study), *marked_text(study), *_cost(study)]
    further = (_data_read, _provenance, _adopted, _incomplete)
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


def _incomplete(study: Study) -> list[str]:
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
