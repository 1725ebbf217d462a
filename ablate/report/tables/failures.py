"""What failures do to the answer, and which arm fails more often."""

from __future__ import annotations

import pandas as pd

from ablate.analysis.columns import POLICIES, RELIABILITY
from ablate.analysis.failure_rows import level_of
from ablate.analysis.policies import policies
from ablate.analysis.reliability import TOO_FEW, reliability
from ablate.analysis.suspects import suspects
from ablate.report import words
from ablate.report.study import Study
from ablate.report.tables.arms import escape, markdown
from ablate.store.schema import names

TOLD = {
    "exclude": "left out (decides)",
    "worst": "the worst value of the two arms",
    "censor": "worse than every value, by ranks",
    "marked": "as left out, suspects failed too",
}


def policy_rows(study: Study) -> pd.DataFrame:
    """Return `policies` of every arm that failed, or is suspect, or whose reference is."""
    if study.decisions.unpaired or study.decisions.one_search:  # they are tests, of pairs
        return pd.DataFrame(columns=names(POLICIES))
    doubted = set(suspects(study.final, study.metric)["arm"])
    failed = set(study.failed["arm"])
    table = policies(study.units, study.reference, study.metric)
    if study.reference not in doubted | failed:
        table = table[table["arm"].isin(doubted | failed)]
    if not doubted:
        table = table[table["policy"] != "marked"]
    if not failed:
        table = table[table["policy"].isin(["exclude", "marked"])]
    return table if doubted or failed else pd.DataFrame(columns=names(POLICIES))


def policy_lines(study: Study) -> list[str]:
    """Return every answer beside the others; no lines where nothing failed."""
    rows = [
        [
            escape(row["arm"]),  # in every row: the page sorts them
            TOLD[row["policy"]],
            str(row["pairs"]),
            _effect(row),
            words.p_value(row["p"]),
        ]
        for row in policy_rows(study).to_dict("records")
    ]
    kind = "ratio" if study.metric.is_ratio else "difference"
    headings = ["arm", "a failure is", "pairs", f"{kind} [95 % CI]", "p, unadjusted"]
    text = (
        "No single number is right where a trick improves the trials that finish and breaks "
        "others. Failures are never filled in with a mean."
    )
    return [*markdown(headings, rows), "", text] if rows else []


def _effect(row: words.Row) -> str:
    if row["policy"] == "censor":
        return f"better in {row['seeds_better']:.0f} of {row['pairs']}"
    return words.effect(row)


def reliability_rows(study: Study) -> pd.DataFrame:
    """Return `reliability` of arms that fail where the reference does not, if one can be told."""
    decisions = study.decisions
    if study.failed.empty or decisions.unpaired or decisions.one_search:  # it is a test, of pairs
        return pd.DataFrame(columns=names(RELIABILITY))
    table = reliability(study.units, study.reference, level_of(decisions))
    table = table[table["only_arm"] + table["only_reference"] > 0]
    return table[:0] if (table["verdict"] == TOO_FEW).all() else table


def reliability_lines(study: Study) -> list[str]:
    """Return who fails more often than the reference, or why nobody can say."""
    judged = reliability_rows(study)
    if judged.empty:
        if study.decisions.one_search:
            return ["Failures are counted and not tested: they are those of the settings found."]
        nobody = (
            "No arm is told from the reference by its failures: one of them must fail alone in 7 "
            "seeds at least, and in more where several arms are compared."
        )
        return [words.in_units(nobody, study.decisions.unit)]
    rows = [
        [
            escape(row["arm"]),
            str(row["seeds"]),
            f"{row['only_arm']}, {row['only_reference']}",
            words.p_value(row["p_holm"]),
            row["verdict"],
        ]
        for row in judged.to_dict("records")
    ]
    headings = [
        "arm",
        f"{study.decisions.unit}s",
        "failed alone: arm, reference",
        "Holm p (McNemar, exact)",
        "verdict",
    ]
    return markdown(headings, rows)
