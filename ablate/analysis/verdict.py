"""The verdict for an arm: a rule fixed in advance, in a fixed order."""

from __future__ import annotations

from dataclasses import dataclass

from ablate.analysis.decisions import ALPHA
from ablate.analysis.metric import Metric
from ablate.analysis.paired import FEWEST_PAIRS, Paired

MORE_FAILURES = 2


@dataclass(frozen=True)
class Evidence:
    """All that the rule looks at, for one arm against the reference.

    Attributes:
        paired: Over complete pairs or, unpaired, all seeds; failures excluded.
        p_adjusted: Its p, adjusted for all arms.
        suspects: Trials of either arm that may be unmarked collapses.
        more_failures: Failed seeds of the arm minus those of the reference, over shared seeds.
        worst: Mean difference when each failure counts as the worst value of the two arms.
        alpha: Level of the verdict.
        margin: In percent, if one was declared.
        p_equivalence: Of the two one-sided tests against the margin; NaN without one.
    """

    paired: Paired
    p_adjusted: float
    suspects: tuple[str, ...]
    more_failures: int
    worst: float
    alpha: float = ALPHA
    margin: float | None = None
    p_equivalence: float = float("nan")


def verdict(evidence: Evidence, metric: Metric) -> tuple[str, str]:
    """Return the verdict and, where it needs one, its reason."""
    paired = evidence.paired
    if paired.pairs < FEWEST_PAIRS:
        what = "seeds of the smaller arm" if paired.variance == "welch" else "complete pairs"
        return "too few seeds", f"{what}: {paired.pairs} of the {FEWEST_PAIRS} needed"
    if paired.sd == 0:
        return _without_spread(evidence)
    if evidence.suspects:
        return "suspect", f"possible unmarked collapse: {'; '.join(evidence.suspects)}"
    if evidence.p_adjusted <= evidence.alpha:
        return _significant(evidence, metric)
    if evidence.p_equivalence <= evidence.alpha:
        return f"no difference beyond {evidence.margin:g} %", ""
    return "inconclusive", ""


def _without_spread(evidence: Evidence) -> tuple[str, str]:
    if evidence.paired.mean:
        return "suspect", "seeds do not vary"
    if evidence.more_failures or evidence.worst:
        return "suspect", "the same values in every pair, and other seeds that fail"
    return "identical", ""


def _significant(evidence: Evidence, metric: Metric) -> tuple[str, str]:
    better = metric.is_better(evidence.paired.mean)
    # Seen from the side that wins on quality: what does it pay in failures?
    more = evidence.more_failures if better else -evidence.more_failures
    turned = metric.is_better(evidence.worst) != better
    if more >= MORE_FAILURES:
        word, side = ("better", "more") if better else ("worse", "fewer")
        return "trade-off", f"{word}, with {more} failed seeds {side}"
    if turned:
        word = "better" if better else "worse"
        return "trade-off", f"{word}, but not when a failure counts as the worst value"
    return ("better" if better else "worse"), ""
