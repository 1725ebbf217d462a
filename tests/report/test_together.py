"""What an interaction makes of a main effect, against means of four cells taken by hand."""

from math import exp, log

import numpy as np

from ablate.analysis.metric import Metric
from ablate.report import words
from ablate.report.together import depends

FD = Metric("fd", "ratio", higher_is_better=False)
KID = Metric("kid", "difference", higher_is_better=False)
SWITCHES = {"a": ["off", "on"], "b": ["off", "on"]}


def rows(neither, a, b, both, verdict="better together"):
    """Return the effects of four cells: what a does is its mean with b and without it."""
    with_b, without_b = both - b, a - neither
    with_a, without_a = both - a, b - neither
    return [
        {"term": "a", "order": 1, "verdict": "better", "effect_mean": (with_b + without_b) / 2},
        {"term": "b", "order": 1, "verdict": "", "effect_mean": (with_a + without_a) / 2},
        {"term": "a:b", "order": 2, "verdict": verdict, "effect_mean": (with_b - without_b) / 2},
    ]  # fmt: skip


def test_a_trick_that_helps_only_beside_another():
    cells = [log(20), log(21), log(19), log(10)]  # a: 1.05 alone, 10 / 19 beside b
    assert depends(rows(*cells), SWITCHES, FD) == [
        "The effect of `a` is 0.5263 with `b` and 1.050 without it."
    ]
    assert exp(cells[3] - cells[2]) == 10 / 19 or np.isclose(exp(cells[3] - cells[2]), 10 / 19)


def test_differences_have_their_sign():
    (told,) = depends(rows(0.5, 0.6, 0.5, 0.1), SWITCHES, KID)
    assert told == f"The effect of `a` is {words.MINUS}0.4000 with `b` and +0.1000 without it."


def test_what_is_not_sure_or_small_changes_nothing():
    cells = [log(20), log(21), log(19), log(10)]
    assert depends(rows(*cells, verdict="inconclusive"), SWITCHES, FD) == []
    assert depends(rows(log(20), log(10), log(19), log(9)), SWITCHES, FD) == []


def test_what_the_design_cannot_tell_is_not_told():
    mixed = rows(log(20), log(21), log(19), log(10))
    mixed[2]["term"] = "a:b = -c:d"
    (told,) = depends(mixed, SWITCHES, FD)
    name = f"a {words.TIMES} b = {words.MINUS}c {words.TIMES} d"
    assert told == f"Its interaction `{name}` changes what the effect of `a` means."
    levels = SWITCHES | {"b": ["0.1", "10"]}
    assert (
        "changes what the effect of `a` means"
        in depends(rows(log(20), log(21), log(19), log(10)), levels, FD)[0]
    )
