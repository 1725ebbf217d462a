"""What a study could find, told before it is trained: power of the verdicts that it will print.

Legend: J arms, k factors, n seeds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import comb, factorial, log1p, sqrt
from typing import Any

import numpy as np

from ablate.analysis.decisions import ALPHA
from ablate.analysis.effect_power import effect_power
from ablate.analysis.layout import layout_of
from ablate.analysis.paired import FEWEST_PAIRS
from ablate.analysis.pairs import pairs_of
from ablate.analysis.power import power
from ablate.analysis.terms import terms_of
from ablate.errors import UserError
from ablate.metric import SCALE
from ablate.plan.study import Plan
from ablate.screen.letters import counted

ASSUMED = 0.1  # SD of paired log ratios: what classic tricks at small sizes have
CHANGES = (0.05, 0.1, 0.2)
LUCK = 0.1  # SD of what searches of one arm find, in logs; nothing is known of it beforehand
DECLARED = 10.0  # %, the change that a study is for if it names none
MOST_SEEDS = 10_000
DOUBTED = 0.5


@dataclass(frozen=True)
class Question:
    """What the verdicts of a design rest on.

    Attributes:
        what: Of the verdicts, in words.
        verdicts: How many there are, adjusted together.
        scale: SD of an estimate from one seed over that of a paired difference of two arms.
        arms: J where a whole design gives the variance; 0 where each estimate has its own.
    """

    what: str
    verdicts: int
    scale: float = 1.0
    arms: int = 0

    def power(self, change: float, sd: float, seeds: int, alpha: float) -> float:
        """Return the probability of a verdict.

        Args:
            change: On the scale of the analysis.
            sd: Of paired differences of two arms.
            seeds: n, at least 3.
            alpha: Of all verdicts of one look together.
        """
        effect, level = change / (sd * self.scale), alpha / self.verdicts
        if self.arms:
            return effect_power(effect * sqrt(seeds), self.arms, seeds, level)
        return power(seeds, effect, level)


def sentences(plan: Plan, sd: float | None = None, source: str = "") -> list[str]:
    """Return the power of a plan and, where it is low, a doubt; nothing where it is not known.

    Args:
        plan: The study.
        sd: Of paired log ratios, measured; None is `ASSUMED`.
        source: Where it was measured.
    """
    question = asked_of(plan)
    if question is None:
        return []
    alpha = ALPHA / max(1, len(plan.analysis["looks"]))
    seeds = min(len(p.arm.seeds or plan.seeds) for p in plan.arms if not p.refused)
    if plan.orders:
        seeds = len(plan.seeds)  # an arm that not every seed visits is no replicate of its own
    spread = ASSUMED if sd is None else sd

    def at(percent: float, count: int) -> float:
        return question.power(-log1p(-percent / 100), spread, count, alpha)

    if seeds < FEWEST_PAIRS:
        return [f"Power: none, as nothing has a verdict under {FEWEST_PAIRS} seeds."]
    found = ", ".join(_percent(at(100 * change, seeds)) for change in CHANGES)
    basis = f"measured in {source}" if sd is not None else "an assumption: no results here yet"
    told = [
        f"Power: changes of -5, -10, -20 % get their verdict in {found} % of studies ("
        f"{question.what}; paired seeds with an SD of {spread:.2g} in logs, {basis})."
    ]
    wanted = plan.analysis.get("detect") or DECLARED
    if at(wanted, seeds) < DOUBTED:
        told.append(_doubt(wanted, at(wanted, seeds), lambda count: at(wanted, count)))
    return told


def after_search(
    plan: Plan, repeats: Sequence[Sequence[int]], sd: float | None, tuned: float | None
) -> list[str]:
    """Return the power of the table that follows a search; nothing where it is not known.

    The unit there is the repeat: SD^2 = 2 LUCK^2 + sd^2 / n for n scoring seeds a repeat.

    Args:
        plan: The study.
        repeats: The scoring seeds of each repeat.
        sd: Of paired log ratios from seed to seed, measured; None is `ASSUMED`.
        tuned: Of tuned ones from repeat to repeat, measured; None reckons it.
    """
    question, count = asked_of(plan), len(repeats)
    if question is None:
        return []
    if count < FEWEST_PAIRS:
        told = "one search of an arm does not tell" if count == 1 else "two searches hardly tell"
        return [
            f"Power after the search: none, as {told} the tricks from the luck of a search; type "
            f"search.repeats=5 (at least {FEWEST_PAIRS}) for verdicts."
        ]
    seeds = len(repeats[0])
    spread, basis = tuned, "measured in earlier ones"
    if spread is None:
        spread = sqrt(2 * LUCK**2 + (ASSUMED if sd is None else sd) ** 2 / seeds)
        basis = f"assuming that searches of one arm differ by an SD of {LUCK:g}"
    found = ", ".join(
        _percent(question.power(-log1p(-change), spread, count, ALPHA)) for change in CHANGES
    )
    return [
        f"Power after the search: {found} % for the same changes ({question.what}; {count} repeats "
        f"of {counted(seeds, 'seed')}, SD {spread:.2g} in logs, {basis})."
    ]


def asked_of(plan: Plan) -> Question | None:
    """Return the question of a plan whose metric is one of ratios, else None."""
    metric = plan.analysis["metric"]
    return question_of(plan) if metric is None or SCALE[metric] == "ratio" else None


def question_of(plan: Plan) -> Question | None:
    """Return what the verdicts of a plan rest on; None where its arms do not tell them apart."""
    arms = sum(not arm.refused for arm in plan.arms)
    if plan.design in ("full_factorial", "fractional_factorial", "plackett_burman"):
        return _effects(plan.summary())
    if plan.design == "pairs":
        return _counted("pair", len(pairs_of(layout_of(plan.summary()))), sqrt(0.5))
    if plan.design == "shapley":
        return _counted("share", len(plan.factors), sqrt(_share_size(plan) / 2))
    what = "step" if plan.design == "ladder" else "arm"
    return _counted(what, arms - 1)


def fewest(power_of: Callable[[int], float], wanted: float = 0.8) -> int | None:
    """Return the fewest seeds with power `wanted`; None where even `MOST_SEEDS` have it not."""
    high = FEWEST_PAIRS
    while power_of(high) < wanted:
        high *= 2
        if high > MOST_SEEDS:
            return None
    low = FEWEST_PAIRS - 1 if high == FEWEST_PAIRS else high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power_of(middle) >= wanted else (middle, high)
    return high


def _counted(what: str, verdicts: int, scale: float = 1.0) -> Question | None:
    if verdicts < 1:
        return None
    told = f"{verdicts} {what}s under Holm" if verdicts > 1 else f"one {what}"
    return Question(told, verdicts, scale)


def _effects(study: Mapping[str, Any]) -> Question | None:
    """Return the question of a factorial, by the least certain of its main effects."""
    layout = layout_of(study)
    try:
        terms = terms_of(layout)
    except UserError:
        return None
    size = max(float(np.square(term.contrast).sum()) for term in terms if term.order == 1)
    told = f"{len(terms)} effects under Holm"
    return Question(told, len(terms), sqrt(size / 2), len(layout.levels))


def _share_size(plan: Plan) -> float:
    """Return the variance of the least certain share of one seed, over that of one trial."""
    k = len(plan.factors)
    if not plan.orders:
        weights = [factorial(s) * factorial(k - s - 1) / factorial(k) for s in range(k)]
        return 2 * sum(comb(k - 1, s) * weight**2 for s, weight in enumerate(weights))
    return max(
        _of_orders(orders, factor) for orders in plan.orders.values() for factor in plan.factors
    )


def _of_orders(orders: Any, factor: str) -> float:
    """Return the sum of squared weights of subsets in a share that is a mean over orders."""
    weights: Counter[frozenset[str]] = Counter()
    for order in orders:
        place = order.index(factor)
        weights[frozenset(order[:place])] -= 1
        weights[frozenset(order[: place + 1])] += 1
    return sum((weight / len(orders)) ** 2 for weight in weights.values())


def _doubt(percent: float, now: float, power_of: Callable[[int], float]) -> str:
    seeds = fewest(power_of)
    takes = f"more than {MOST_SEEDS}" if seeds is None else str(seeds)
    return (
        f"Note: of studies like this {_percent(now)} % would find a change of -{percent:g} %, "
        f"which it is for (study.analysis.detect); with {takes} seeds 80 % would (study.seeds)."
    )


def _percent(share: float) -> str:
    if 0 < share < 0.005:
        return "under 1"
    return "over 99" if 0.995 < share < 1 else f"{100 * share:.0f}"
