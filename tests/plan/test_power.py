"""What a plan says it will find, against sums by hand."""

from itertools import permutations
from math import log, sqrt
from types import SimpleNamespace

import numpy as np
import pytest

from ablate.plan.pilot import spread_in
from ablate.plan.power import Question, fewest, question_of, sentences
from tests.store.synthetic import write_study

USUAL = {"metric": None, "looks": []}


def plan(design, arms, seeds=5, factors=(), orders=(), **analysis):
    one = SimpleNamespace(refused=(), arm=SimpleNamespace(seeds=None))
    return SimpleNamespace(
        design=design,
        arms=[one] * arms,
        seeds=tuple(range(seeds)),
        factors=dict.fromkeys(factors, ("off", "on")),
        orders=dict(orders),
        analysis=USUAL | analysis,
    )


def test_seven_arms_of_five_seeds():
    first, doubt = sentences(plan("leave_one_out", 8))
    assert "-5, -10, -20 % get their verdict in 3, 11, 56 % of studies (7 arms under" in first
    assert "SD of 0.1 in logs, an assumption: no results here yet" in first
    assert "11 % would find a change of -10 %" in doubt and "with 15 seeds" in doubt


@pytest.mark.parametrize(("percent", "doubts"), [(5, 1), (10, 1), (20, 0), (None, 1)])
def test_a_doubt_is_about_the_change_that_was_declared(percent, doubts):
    assert len(sentences(plan("leave_one_out", 8, detect=percent))) == 1 + doubts


def test_what_was_measured_is_taken_and_named():
    first, *doubt = sentences(plan("leave_one_out", 8), 0.05, "results/pilot")
    assert "SD of 0.05 in logs, measured in results/pilot" in first and not doubt


def test_what_cannot_be_told_is_not_told():
    assert sentences(plan("leave_one_out", 8, metric="kid")) == []
    assert sentences(plan("leave_one_out", 1)) == []
    assert sentences(plan("leave_one_out", 8, seeds=2)) == [
        "Power: none, as nothing has a verdict under 3 seeds."
    ]


def test_sixteen_arms_of_three_seeds():
    whole = Question("", 10, sqrt(2 / 16), 16)
    found = [whole.power(-log(ratio), 0.1, 3, 0.05) for ratio in (0.95, 0.9, 0.8)]
    np.testing.assert_allclose(found, [0.25, 0.90, 1.0], atol=6e-3)
    assert fewest(lambda n: whole.power(-log(0.95), 0.1, n, 0.05)) == 8


def test_shares_rest_on_all_orders():
    """The weight of every subset in a share, added up over all orders one by one."""
    names, weights = "abcd", {}
    for order in permutations(names):
        place = order.index("a")
        for size, sign in ((place, -1), (place + 1, 1)):
            subset = frozenset(order[:size])
            weights[subset] = weights.get(subset, 0) + sign / 24
    size = sum(weight**2 for weight in weights.values())
    assert question_of(plan("shapley", 16, factors=names)).scale == pytest.approx(sqrt(size / 2))
    every = {seed: list(permutations(names)) for seed in range(5)}
    drawn = question_of(plan("shapley", 16, factors=names, orders=every.items()))
    assert drawn.scale == pytest.approx(sqrt(size / 2)) and drawn.verdicts == 4


def test_an_earlier_folder_tells_its_spread(tmp_path):
    values = {
        "reference": [10.0, 12.0, 9.0, 11.0],
        "r1": [9.0, 12.5, 8.0, 11.5],
        "ema_g": [8.0, 9.0, 8.5, 9.5],
    }
    logs = {arm: np.log(row) for arm, row in values.items()}
    sds = [(logs[arm] - logs["reference"]).std(ddof=1) for arm in ("r1", "ema_g")]
    found = spread_in(write_study(tmp_path / "x", values))
    assert found == pytest.approx(np.sqrt(np.mean(np.square(sds))))
    assert spread_in(tmp_path / "nothing") is None
    two = {arm: row[:2] for arm, row in values.items()}
    assert spread_in(write_study(tmp_path / "two", two)) is None
