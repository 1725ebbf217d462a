"""The report's text: question, answer, table, figures, failures, method."""

from __future__ import annotations

from typing import NamedTuple

from ablate.analysis.conditions import UNTOLD
from ablate.analysis.failures import FEWEST_TRIALS, bound
from ablate.report import words
from ablate.report.answer_section import answer_section, beside
from ablate.report.figures.curves import MOST_ARMS
from ablate.report.figures.forest import MOST_ROWS
from ablate.report.figures.samples import MOST_ARMS as MOST_GRIDS
from ablate.report.headline import answers
from ablate.report.method import incomplete, method
from ablate.report.shown import cut_short
from ablate.report.study import Study
from ablate.report.tables import arms as tables
from ablate.report.tables.annotations import marked_lines, suspect_lines
from ablate.report.tables.arms import code, escape
from ablate.report.tables.failures import policy_lines, reliability_lines
from ablate.report.tables.search import search_lines
from ablate.report.tables.tuned import AFTER, BEFORE, about, changed_table
from ablate.store.arms import read_arms

UNPAIRED = "**Unpaired: arms are compared by all their seeds (Welch's t), not seed by seed.**"
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
        Section("method", "Method", method(study)),
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
    left = [f"- {line}" for line in incomplete(tuned)]
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
