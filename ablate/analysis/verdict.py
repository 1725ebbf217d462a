"""The verdict for an arm: a rule fixed in advance, in a fixed order."""

from __future__ import annotations

from dataclasses import dataclass

from ablate.analysis.decisions import ALPHA
from ablate.analysis.metric import Metric
from ablate.analysis.paired import FEWEST_PAIRS, Paired

MORE_FAILURES = 2  # withhold praise; McNemar's mid-p at 5 %, the brake of effects, asks for 5


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
        failing: `fails more` or `fails less` where its failures are told from chance.
        failures: Their counts in words; "" where neither arm failed.
        unit: What the pairs are of: "seed", or "repeat" of a search.
    """

    paired: Paired
    p_adjusted: float
    suspects: tuple[str, ...]
    more_failures: int
    worst: float
    alpha: float = ALPHA
    margin: float | None = None
    p_equivalence: float = float("nan")
    failing: str = ""
    failures: str = ""
    unit: str = "seed"


def verdict(evidence: Evidence, metric: Metric) -> tuple[str, str]:
    """Return the verdict and, where it needs one, its reason."""
    paired = evidence.paired
    if paired.pairs < FEWEST_PAIRS:
        return _too_few(evidence)
    if paired.sd == 0:
        return _without_spread(evidence)
    if evidence.suspects:
        return "suspect", f"possible unmarked collapse: {'; '.join(evidence.suspects)}"
    if evidence.p_adjusted <= evidence.alpha:
        return _significant(evidence, metric)
    return _undecided(evidence)


def _undecided(evidence: Evidence) -> tuple[str, str]:
    """Return what is left to say where the metric names nothing."""
    if evidence.failing:
        return evidence.failing, evidence.failures
    if evidence.p_equivalence <= evidence.alpha:
        return f"no difference beyond {evidence.margin:g} %", ""
    return "inconclusive", evidence.failures


def _too_few(evidence: Evidence) -> tuple[str, str]:
    """Return that pairs are too few, unless it is that the arm breaks them."""
    if evidence.failing and not evidence.suspects:
        return evidence.failing, evidence.failures
    welch = evidence.paired.variance == "welch"
    what = f"{evidence.unit}s of the smaller arm" if welch else "complete pairs"
    pairs = f"{what}: {evidence.paired.pairs} of the {FEWEST_PAIRS} needed"
    return f"too few {evidence.unit}s", "; ".join(filter(None, [pairs, evidence.failures]))


def _without_spread(evidence: Evidence) -> tuple[str, str]:
    if evidence.paired.mean:
        return "suspect", f"{evidence.unit}s do not vary"
    if evidence.failing:
        return evidence.failing, evidence.failures
    if evidence.more_failures or evidence.worst:
        told = f"the same values in every pair, and other {evidence.unit}s that fail"
        return "suspect", told
    return "identical", ""


def _significant(evidence: Evidence, metric: Metric) -> tuple[str, str]:
    better = metric.is_better(evidence.paired.mean)
    # Seen from the side that wins on quality: what does it pay in failures?
    more = evidence.more_failures if better else -evidence.more_failures
    turned = metric.is_better(evidence.worst) != better
    if more >= MORE_FAILURES:
        word, side = ("better", "more") if better else ("worse", "fewer")
        return "trade-off", f"{word}, with {more} failed {evidence.unit}s {side}"
    if turned:
        word = "better" if better else "worse"
        return "trade-off", f"{word}, but not when a failure counts as the worst value"
    return ("better" if better else "worse"), ""
