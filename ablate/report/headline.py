"""What a study found, in a sentence on its tricks that says no more than its verdicts.

The one text that the page, the Markdown, the summary and the tracker open with.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ablate.analysis.repeats import ONE_SEARCH
from ablate.analysis.suspects import suspects
from ablate.report import words
from ablate.report.study import Study
from ablate.report.tables.annotations import collapsed
from ablate.report.tables.arms import code, escape
from ablate.report.tables.effects import term
from ablate.report.tables.tuned import AFTER, BEFORE
from ablate.report.together import depends

MOST = 5  # of those that share a verdict
HELPS, HURTS = "helps", "hurts"
REFERENCE = "suspect reference"  # of arms that are not suspect themselves
FIRM = {"better": HELPS, "worse": HURTS}
NUMBERED = {
    "better together": "better together than each alone promises:",
    "worse together": "worse together than each alone promises:",
    "trade-off": "a trade-off between quality and failures:",
    words.DESCRIBED: "described, not tested:",
    ONE_SEARCH: "at the settings of one search, no result for a trick:",
}
FAILING = {"fails more": "fails more often:", "fails less": "fails less often:"}
BARE = {
    "suspect": "suspect, to be looked at before it is believed:",
    REFERENCE: "suspect because of a trial of the reference, to be looked at first:",
    "identical": "identical, no number changes:",
    "too few seeds": "too few seeds for an answer:",
    "too few repeats": "too few repeats of the search for an answer:",
    "no interval": "without an interval:",
}
KINDS = {"arms": "arms", "effects": "effects", "shares": "tricks", "steps": "steps"}


class Finding(NamedTuple):
    """One row of the table that answers the study.

    Attributes:
        subject: A trick, or what else was compared, as code.
        row: Of the table.
        sign: 1 if the row is about a trick being there, -1 if about its being away; 0 where it is
            no single trick.
        against: What it is compared with, in words.
    """

    subject: str
    row: Mapping[Any, Any]
    sign: int = 0
    against: str = ""

    @property
    def number(self) -> str:
        """The effect in brackets, with what it is the effect of; "" without one."""
        told = words.effect(self.row)
        side = {1: "with it ", -1: "without it ", 0: ""}[self.sign]
        return "" if told == words.NONE else f" ({side}{told})"


def answers(study: Study) -> list[str]:
    """Return the answer as lines, and where a search followed also the tuned one."""
    if study.tuned is None:
        return [answer(study)]
    return [f"{BEFORE}. {answer(study)}", "", f"{AFTER}. {answer(study.tuned)}"]


def answer(study: Study) -> str:
    """Return what a study found: every row by its verdict, the largest of each first."""
    found = findings(study)
    own = set(suspects(study.final, study.metric)["arm"])
    by_verdict: dict[str, list[Finding]] = {}
    for one in sorted(found, key=_size, reverse=True):
        by_verdict.setdefault(_verdict(one, own), []).append(one)
    margins = {name: f"{name}:" for name in by_verdict if name.startswith("no difference")}
    numbered = {name: text for name, text in (NUMBERED | margins).items() if name in by_verdict}
    parts = _firm(by_verdict)
    parts += [
        f"{text} {_listed([one.subject + one.number for one in by_verdict[name]])}"
        for name, text in numbered.items()
    ]
    parts += [
        f"{text} {_listed([_failing(one) for one in by_verdict[name]])}"
        for name, text in FAILING.items()
        if name in by_verdict
    ]
    parts += [
        f"{text} {_listed([one.subject for one in by_verdict[name]])}"
        for name, text in BARE.items()
        if name in by_verdict
    ]
    if "inconclusive" in by_verdict:
        count = f"{len(by_verdict['inconclusive'])} of {len(found)} {_kind(found, study)}"
        parts.append(f"inconclusive, which is not equal: {count}")
    if not parts:
        parts = ["there is only the reference: described, not tested"]
    shown = [one for name in (*FIRM, *numbered) for one in by_verdict.get(name, [])]
    told = [f"**{_capital('; '.join(parts))}.**", *_scale(shown, study), *_depends(study)]
    told.append(_failed(study))
    return " ".join([*told, *_caution(study)])


def _verdict(one: Finding, suspected: Collection[str]) -> str:
    """Return the verdict of a finding; of an arm that is suspect only by its reference, that."""
    verdict = str(one.row["verdict"])
    by_reference = (
        verdict == "suspect"
        and one.row.get("reference") in suspected
        and one.row["arm"] not in suspected
    )
    return REFERENCE if by_reference else verdict


def _depends(study: Study) -> list[str]:
    """Return which main effects mean something else beside another trick."""
    if study.answer.kind != "effects":
        return []
    factors = {name: list(map(str, told)) for name, told in study.plan["factors"].items()}
    return depends(study.answer.table.to_dict("records"), factors, study.metric)


def findings(study: Study) -> list[Finding]:
    """Return everything that was compared, in the order of its table."""
    if study.answer.kind in ("effects", "shares"):
        rows = study.answer.table.to_dict("records")
        factors = {name: list(map(str, told)) for name, told in study.plan["factors"].items()}
        return [
            _effect(row, name, factors) for name, row in zip(study.answer.names, rows, strict=True)
        ]
    table = study.table if study.answer.kind == "arms" else study.answer.table
    tested = table[table["arm"] != table["reference"]]
    tricks = _tricks(study)
    return [_arm(row, tricks, study) for row in tested.to_dict("records")]


def _effect(row: Mapping[Any, Any], name: str, factors: Mapping[str, list[str]]) -> Finding:
    """Return a main effect as that of a trick, if the design tells it from all others."""
    factor, _, level = name.partition("=")
    levels = factors.get(factor, [])
    here = f" ({row['meaning']})" if row.get("meaning") else ""  # where absent arms changed it
    if levels == ["off", "on"]:
        return Finding(code(name) + here, row, 1)
    if levels:
        changed = code(f"{factor}={level or levels[-1]}") + here
        return Finding(changed, row, 0, f" than {code(f'{factor}={levels[0]}')}")
    return Finding(
        code(term(name)) + here, row, 0, ", as one number in this design," * (" = " in name)
    )


def _arm(row: Mapping[Any, Any], tricks: Mapping[str, dict[str, Any]], study: Study) -> Finding:
    """Return an arm as the trick that it has more or less than the other, if that is all."""
    arm, other = str(row["arm"]), str(row["reference"])
    own, theirs = tricks[arm], tricks[other]
    changed = set(own) ^ set(theirs)
    trick = next(iter(changed), "")
    # what both have is set differently in a tuned study, where each arm is at its own best
    alike = study.plan.get("search") or all(own[one] == theirs[one] for one in own.keys() & theirs)
    if len(changed) == 1 and alike and trick in arm:  # a table calls it by another name else
        return Finding(code(trick), row, 1 if trick in own else -1)
    return Finding(code(arm), row, 0, f" than {code(other)}")


def _size(one: Finding) -> float:
    return abs(one.row["effect_mean"]) if np.isfinite(one.row["effect_mean"]) else 0.0


def _tricks(study: Study) -> dict[str, dict[str, Any]]:
    """Return arm -> its tricks with their settings; those of an imported arm are its columns."""
    told = study.frame.drop_duplicates("arm").set_index("arm")["tricks"]
    return {
        str(arm): {name: one for name, one in json.loads(text).items() if name != "imported"}
        for arm, text in told.items()
    }


def _firm(by_verdict: Mapping[str, list[Finding]]) -> list[str]:
    """Return what is sure, as clauses; being worse without a trick is that it helps."""
    told: dict[str, list[str]] = {HELPS: [], HURTS: []}
    for verdict, word in FIRM.items():
        other = HURTS if word == HELPS else HELPS
        for one in by_verdict.get(verdict, []):
            side = other if one.sign < 0 else word
            says = side if one.sign else f"is {verdict}{one.against}"
            told[side].append(f"{one.subject} {says}{one.number}")
    return [_listed(clauses) for clauses in told.values() if clauses]


def _failing(one: Finding) -> str:
    """Return what fails, with its counts: the verdict is about them."""
    subject = f"the arm without {one.subject}" if one.sign < 0 else one.subject
    return f"{subject} ({escape(one.row['reason'])})"


def _listed(items: Sequence[str]) -> str:
    return words.listing(items, MOST)


def _kind(found: Sequence[Finding], study: Study) -> str:
    of_tricks = study.answer.kind == "arms" and all(one.sign for one in found)
    return "tricks" if of_tricks else KINDS[study.answer.kind]


def _scale(shown: Sequence[Finding], study: Study) -> list[str]:
    """Return what the numbers in brackets are; nothing where there are none."""
    if not any(one.number for one in shown):
        return []
    metric, against = study.metric, {"arms": code(study.reference), "steps": "the rung before"}
    side = "higher" if metric.higher_is_better else "lower"
    change = "ratio" if metric.is_ratio else "difference"
    told = f"{change} of {code(metric.name)}"
    if study.answer.kind in against:
        told += f" {'to' if metric.is_ratio else 'from'} {against[study.answer.kind]}"
    else:
        told = f"{'share' if study.answer.kind == 'shares' else 'effect'} as a {told}"
    level = ", 95 % interval" if any("[" in one.number for one in shown) else ""
    return [f"In brackets: {told} ({side} is better){level}."]


def _failed(study: Study) -> str:
    marked = collapsed(study)
    it = "it" if marked == 1 else "them"
    why = f", {marked} of them because a person marked {it} as collapsed" if marked else ""
    return f"{len(study.failed)} of {len(study.final)} trials failed{why}."


def _caution(study: Study) -> list[str]:
    """Return why this is not the last word, if it is not."""
    told, pending = [], len(study.frame.attrs["pending"])
    if study.declared:
        told.append(
            f"Described, not tested: {code(study.declared)} was to decide before training, "
            f"{code(study.metric.name)} was chosen after it."
        )
    if study.decisions.screen:
        told.append("A screen (Benjamini-Hochberg): for picking what to study next, no verdict.")
    if pending:
        whole = pending + len(study.final) + len(study.frame.attrs["damaged"])
        told.append(f"A first look: {pending} of {whole} planned trials have not ended.")
    return told


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
