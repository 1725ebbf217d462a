"""Effects, shares and steps as tables of text, for paper and terminal alike."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from ablate.analysis.guard import FEWEST_LEFT
from ablate.analysis.layout import SUBSETS
from ablate.analysis.metric import Metric
from ablate.analysis.paired import FEWEST_PAIRS
from ablate.report import words
from ablate.report.answer import Answer

Lines = list[list[str]]
LACK = "lack of fit"
OWN = "by own spread"
LONG = ("p", "p, own spread", OWN)


def lines(answer: Answer, metric: Metric) -> Lines:
    """Return the headings, then the rows; the first cell of each is a name."""
    rows = answer.table.to_dict("records")
    if answer.kind == "effects":
        return _effects(rows, metric)
    if answer.kind == "shares":
        return _shares(rows, metric)
    return _steps(rows, metric)


def short(table: Lines) -> Lines:
    """Leave out what a terminal or a page of a paper has no room for and the report has."""
    kept = [i for i, heading in enumerate(table[0]) if heading not in LONG]
    return [[line[i] for i in kept] for line in table]


def _effects(rows: list[dict[Any, Any]], metric: Metric) -> Lines:
    headings = ["effect", f"{_kind(metric)} [95 % CI]", "p", "p, own spread", OWN, "Holm p"]
    headings += ["varies by seed", "verdict", "failed with, without"]
    return _told([headings, *map(_effect, rows)])


def _told(table: Lines) -> Lines:
    """Return the table without columns in which no row says anything; effects stay, if unknown."""
    columns = list(zip(*table, strict=True))
    kept = [
        i for i, (_, *cells) in enumerate(columns) if i < 2 or set(cells) - {words.NONE, "0, 0"}
    ]
    return [[line[i] for i in kept] for line in table]


def _effect(row: dict[Any, Any]) -> list[str]:
    return [
        _named(row),
        words.effect(row),
        words.p_value(row["p"]),
        words.p_value(row["own_p"]),
        _by_own(row),
        words.p_value(row["p_holm"]),
        _varies(row),
        row["verdict"],
        _broke(row),
    ]


def _named(row: dict[Any, Any]) -> str:
    """Return the term and, where absent arms changed that, what it is."""
    meaning = str(row.get("meaning") or "")
    if not meaning:
        return term(row["term"])
    told = meaning if meaning.startswith("with ") else f"here {_shown(meaning)}"
    return f"{term(row['term'])} ({told})"


def _shown(text: str) -> str:
    named = re.sub(r"(?<=\S):(?=\S)", f" {words.TIMES} ", text)
    return named.replace("- ", f"{words.MINUS} ")


def _varies(row: dict[Any, Any]) -> str:
    if np.isnan(row["p_varies"]):
        return words.NONE
    return "yes" if row["varies"] else "maybe" if row["may_vary"] else "no"


def _by_own(row: dict[Any, Any]) -> str:
    """Return the effect with the interval of its own spread, where it may vary by seed."""
    if not row["may_vary"] or np.isnan(row["own_low"]):
        return words.NONE
    return words.effect(row | {"low": row["own_low"], "high": row["own_high"]})


def _broke(row: dict[Any, Any]) -> str:
    if np.isnan(row["failed_with"]):
        return words.NONE
    return f"{row['failed_with']:.0f}, {row['failed_without']:.0f}"


def _shares(rows: list[dict[Any, Any]], metric: Metric) -> Lines:
    headings = ["trick", f"share as a {_kind(metric)} [95 % CI]", "p", "Holm p", "verdict"]
    headings.append("failed with, without")
    table = [
        [
            term(row["factor"]),
            words.effect(row),
            words.p_value(row["p"]),
            words.p_value(row["p_holm"]),
            row["verdict"],
            _broke(row),
        ]
        for row in rows
    ]
    total = metric.back(sum(row["effect_mean"] for row in rows))
    whole = {"effect": total, "low": np.nan, "high": np.nan, "scale": metric.scale}
    lines = [headings, *table, ["all together", words.effect(whole), *[words.NONE] * 4]]
    broke = any(row["failed_with"] + row["failed_without"] > 0 for row in rows)
    return lines if broke else [line[:-1] for line in lines]


def _steps(rows: list[dict[Any, Any]], metric: Metric) -> Lines:
    headings = [
        "rung",
        f"{metric.name} {words.arrow(metric)}",
        f"step, a {_kind(metric)} [95 % CI]",
    ]
    headings += words.headings(metric)[3:]
    return [headings, *([*words.cells(row)[:4], _step(row), *words.cells(row)[5:]] for row in rows)]


def _step(row: dict[Any, Any]) -> str:
    return "first rung" if row["arm"] == row["reference"] else str(row["verdict"])


def term(name: str) -> str:
    """Return `a × b = −c × d` for `a:b = -c:d`."""
    parts = [part.replace(":", f" {words.TIMES} ") for part in name.split(" = ")]
    return " = ".join(words.MINUS + part[1:] if part[0] == "-" else part for part in parts)


def _kind(metric: Metric) -> str:
    return "ratio" if metric.is_ratio else "difference"


def headline(answer: Answer, metric: Metric) -> str:
    """Return what the table's numbers are, on the scale that they are on."""
    tell = {"effects": _of_effects, "shares": _of_shares, "steps": _of_steps}[answer.kind]
    return words.in_units(tell(answer, metric), answer.unit)


def _of_effects(answer: Answer, metric: Metric) -> str:
    table = answer.table
    parts = [*_meaning(answer, metric), *_mixed(answer), *map(_shown, answer.notes)]
    if answer.one_search:
        parts.append(words.OF_ONE_SEARCH)
    elif len(table):
        parts.append(_variance(_used(table), int(table["missing"].max()), _may(table)))
    if (table["verdict"] == words.IDENTICAL).any():
        parts.append(
            "Identical: with it every number is the one without it; these copies are no replicates "
            "and do not count for the other effects."
        )
    if tested := int(table["p"].notna().sum()):
        those = "all" if tested == len(table) else "the"
        parts.append(
            f"Each interval is of its effect alone (95 %); Holm p is adjusted over {those} "
            f"{tested} effects{'' if tested == len(table) else ' with a test'}. "
            "**Inconclusive is not zero.**"
        )
    return " ".join(parts)


def _used(table: pd.DataFrame) -> str:
    """Return which variance the tested effects have; what is identical has none."""
    nothing = "few" if table["seeds"].max() < FEWEST_PAIRS else "none"
    used = [str(one) for one in table["variance"] if one != "none"]
    return LACK if LACK in used else next(iter(used), nothing)


def _meaning(answer: Answer, metric: Metric) -> list[str]:
    if metric.is_ratio:
        main = "the geometric mean with a trick over the one without it"
        change = "the square root of what one trick's ratio is multiplied by when the other is on"
        none = "1 is no interaction, ratios multiply"
    else:
        main = "the mean with a trick less the one without it"
        change = "half of what is added to one trick's difference when the other is on"
        none = "0 is no interaction, differences add"
    of_main = f"A main effect is {main}, over all settings of the others."
    of_pair = f"An interaction ({words.TIMES}) is {change}: {none}."
    orders = set(answer.table["order"])
    return [of_main] * (1 in orders) + [of_pair] * (2 in orders)


def _mixed(answer: Answer) -> list[str]:
    """Return what the numbers are mixed with, as the design cannot tell it apart."""
    told = []
    if any(" = " in name for name in answer.names):
        told.append("Effects joined by = are one number in this design: it is of their sum.")
    if answer.design == "fractional_factorial":
        told.append("Interactions of three tricks and more are mixed into all of these.")
    elif answer.design in SUBSETS:
        told.append(
            "A regression on the tricks, over all arms; interactions are left out, and count as "
            "noise between arms."
        )
    elif 2 not in set(answer.table["order"]):
        told.append(
            "These arms do not tell interactions apart: the main effects are right where there are "
            "none, and mixed with them elsewhere."
        )
    return told


def _variance(variance: str, missing: int, may: str) -> str:
    gone = f" Trials that are missing: {missing}." if missing else ""
    if variance in ("guarded", LACK):
        largest = "larger" if variance == "guarded" else "largest"
        arms = "" if variance == "guarded" else ", that of arms off the regression"
        return (
            f"Least squares with seeds as blocks; the variance is the {largest} of the pooled one"
            f"{arms} and the effect's own from seed to seed (own spread: p by that alone). Varies "
            f"by seed: the own one is significantly larger (F test, Holm).{may}{gone}"
        )
    if variance == "ols":
        return (
            "Least squares with seeds as blocks; no effect's own spread over seeds is known, so "
            f"its variance is the pooled one, unguarded.{gone}"
        )
    if variance == "few arms":
        return (
            f"Arms are missing, and fewer than {FEWEST_LEFT} beyond the effects are left to tell "
            f"interactions from noise: no interval and no verdict.{gone}"
        )
    if variance == "own":
        return "Student's t over seeds in which all four arms are done."
    if variance == "few":
        return f"No interval and no verdict under {FEWEST_PAIRS} seeds."
    return "There is nothing to measure an error by, so no interval and no test."


def _may(table: pd.DataFrame) -> str:
    """Return what is said where an effect may vary by seed; measured by `benchmarks.coverage`."""
    if not table["may_vary"].any():
        return ""
    return (
        " Maybe: its F alone has p ≤ 0.2. Rely on the wider of this interval and the one by own "
        "spread, a column of the report: if an effect does vary by seed, this one covers about "
        "86 % at 3 seeds and 91 % at 5, not 95 %."
    )


def _of_shares(answer: Answer, metric: Metric) -> str:
    first = answer.table.iloc[0]
    adds = "multiply to the ratio" if metric.is_ratio else "add up to the difference"
    scheme = (
        "all subsets"
        if first["scheme"] == "exact"
        else f"{first['permutations']} orders a seed or more, drawn afresh for every seed"
    )
    lost = int(first["seeds_left_out"])
    left = f" {lost} seeds are left out: no order of tricks is complete in them." if lost else ""
    test = (
        f"Student's t over {first['seeds']} seeds, p adjusted over the tricks (Holm).{left} "
        "**Inconclusive is not zero.**"
    )
    return (
        "Shapley shares: what a trick changes, averaged over the orders of adding it; shares "
        f"{adds} of all tricks to none. From {scheme}"
        + (f".{left} {words.OF_ONE_SEARCH}" if answer.one_search else f"; {test}")
    )


def _of_steps(answer: Answer, metric: Metric) -> str:
    mean = "Geometric mean" if metric.is_ratio else "Mean"
    against = "over" if metric.is_ratio else "less"
    return (
        f"{mean} ± SD over seeds, and each rung {against} the one before. A rung has the tricks of "
        "the one before and one more, and is paired with it over seeds; "
        + (
            words.OF_ONE_SEARCH[0].lower() + words.OF_ONE_SEARCH[1:]
            if answer.one_search
            else "each interval is of its step alone (95 %), p is adjusted over all steps (Holm)."
        )
        + " What a trick adds depends on where in the ladder it stands. **Inconclusive is not "
        "equal.**"
    )
