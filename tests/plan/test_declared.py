"""Whatever a plan accepts, a report accepts: what is typed, over every kind of value."""

from itertools import product

import pytest

from ablate.analysis.against import limit_of
from ablate.analysis.decisions import decisions_of
from ablate.analysis.metric import metric_of
from ablate.errors import UserError
from ablate.plan.declared import KEYS, declared

MEASURED = ("fd_classifier", "kid", "precision")
TYPED = {
    "metric": (None, "fd_classifier", "kid", "fid", "fdd", "", 5, True, ["kid"]),
    "margin": (None, 5, 0.5, 0, -1, 100, True, "5", float("nan"), [5]),
    "looks": ([], [5], [3, 5], [2, 5], [2], [1, 5], [0, 5], [5, 3], [3, 3, 5], [3], [3, 5.0],
              [True, 5], ["3", 5], 5, None, "[3,5]"),
    "variance": ("own", "guarded", "pooled", None, 1),
    "detect": (None, 5, 0),
}  # fmt: skip


def accepted(typed, seeds=5, arms=4):
    try:
        return declared(typed, seeds, arms, MEASURED)
    except UserError as error:
        assert len(str(error).splitlines()) == 1
        return None


def test_what_a_plan_accepts_a_report_accepts():
    found = [accepted(dict(zip(KEYS, one, strict=True))) for one in product(*map(TYPED.get, KEYS))]
    kept = [one for one in found if one is not None]
    for one in kept:
        decided = decisions_of({"analysis": one})
        assert list(decided.looks) == one["looks"] and decided.margin == one["margin"]
        limit_of(decided, metric_of(one["metric"] or "fd_classifier"))
    # by hand: 2 metrics with 3 margins and 2 changes, kid with neither; looks [], [5], [3, 5]; 2
    # variances
    assert len(kept) == (2 * 3 * 2 + 1) * 3 * 2


@pytest.mark.parametrize(("arms", "seeds"), [(3, 5), (4, 4)])
def test_arms_that_cannot_be_trained_pool_nothing(arms, seeds):
    usual = {"metric": None, "margin": None, "looks": [], "variance": "guarded", "detect": None}
    assert accepted(usual, seeds, arms) is None and accepted(usual, 5, 4) is not None
