"""A study before and after its search: the tuned tables beside the untuned ones."""

from __future__ import annotations

from ablate.analysis.tuned import MARK
from ablate.report import words
from ablate.report.study import Study
from ablate.report.tables.arms import escape, headings_of, markdown
from ablate.screen.letters import counted

BEFORE, AFTER = "Untuned", "Tuned"
SETTINGS = (
    "Every arm at the best setting that its search found, under the seeds of the untuned arms, "
    "which no search has seen. Sections that are not called tuned are about the arms as they were; "
    "`ablate report DIR/tuned` has all of them for the tuned ones."
)
CHANGED = (
    "Each arm as tuned against itself untuned, paired by seed; p is adjusted over the arms (Holm). "
    "`identical`: no setting was found better than its own. An arm with many settings to search "
    "has more to gain, so this says what tuning did, not which trick is better."
)
OF_ITS_SETTING = " It is about the setting that one search found; another may end elsewhere."


def about(tuned: Study) -> str:
    """Return what the tuned tables are of."""
    repeats = tuned.decisions.repeats
    if len(repeats) < 2:
        return SETTINGS
    return (
        f"{SETTINGS} The search was repeated {len(repeats)} times, with new draws, new tuning "
        f"seeds and {counted(len(repeats[0]), 'scoring seed')} of its own each time. What is "
        "counted is the repeat: its value is the mean over its seeds, and it has failed if one of "
        "them has."
    )


def changed_about(study: Study) -> str:
    """Return how to read what tuning changed."""
    assert study.tuned is not None, "only a search changes arms"
    decisions = study.tuned.decisions
    one_search = OF_ITS_SETTING if decisions.one_search else ""
    return words.in_units(CHANGED, decisions.unit) + one_search


def changed_lines(study: Study) -> list[list[str]]:
    """Return headings and rows of what tuning changed, as text."""
    metric = study.metric
    before = study.table.set_index("arm")
    heads = [
        "arm",
        f"{metric.name} {words.arrow(metric)} untuned",
        f"{metric.name} {words.arrow(metric)} tuned",
        f"{'ratio' if metric.is_ratio else 'difference'}, tuned to untuned [95 % CI]",
        "Holm p",
        "verdict",
        "failed untuned, tuned",
    ]
    rows = []
    for row in study.changed.to_dict("records"):
        own = before.loc[row["reference"]]
        rows.append(
            [
                str(row["arm"]).removesuffix(MARK),
                words.spread(own["mean"], own["seed_sd"]),
                words.spread(row["mean"], row["seed_sd"]),
                words.effect(row),
                words.p_value(row["p_holm"]),
                row["verdict"],
                f"{own['failed']} of {own['trials']}, {row['failed']} of {row['trials']}",
            ]
        )
    return [heads, *rows]


def changed_table(study: Study) -> list[str]:
    """Return what tuning changed as Markdown, and how to read it."""
    heads, *rows = changed_lines(study)
    told = []
    for name, *rest in rows:
        cells = [escape(name), *rest]
        bold = "better" in rest
        told.append([f"**{one}**" for one in cells[:4]] + cells[4:] if bold else cells)
    return [*markdown(headings_of(heads, study.metric), told), "", *changed_text(study)]


def changed_text(study: Study) -> list[str]:
    """Return how to read it, and the reasons behind its verdicts."""
    reasons = [
        f"- {escape(str(row.arm).removesuffix(MARK))}: {row.verdict}, {escape(str(row.reason))}."
        for row in study.changed[study.changed["reason"] != ""].itertuples()
    ]
    return [changed_about(study), "", *reasons]
