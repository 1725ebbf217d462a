"""What a study decides about its statistics before training, and what no study may decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ablate.errors import UserError

ALPHA = 0.05
FEWEST_SEEDS = 3  # of a look: under it no arm has a verdict
VARIANCES = ("own", "guarded")

# What can be asked for and is not done, with what was measured of it.
REFUSED: Mapping[str, Mapping[str, str]] = {
    "interval": {
        "bootstrap": "over 3 to 5 seeds a 95 % bootstrap interval covers 74 to 85 %",
        "bca": "over 3 to 5 seeds a 95 % BCa interval covers 54 to 85 %",
    },
    "failures": {
        "mean": "filling failures with a mean doubles to triples false verdicts",
        "tobit": "divergence is not the tail of the metric, which Tobit takes it for",
        "drop": "a block of 16 arms outlives 10 % failures with probability 0.19",
    },
    "effects": {
        "importance": "an importance has no sign, no interval and no paired seeds: it is no effect"
    },
    "variance": {
        "pooled": "pooling alone names null arms in up to 43 % of studies with one noisy arm",
        "moderated": "with few arms and one reference it names null arms in 8 to 20 % of studies",
    },
    "correction": {
        "none": "every arm more is one more chance of a false verdict",
        "bh": "it keeps the share of false finds, not the chance of one; ask for a screen by name",
    },
}
DONE: Mapping[str, str] = {
    "interval": "t",
    "failures": "exclude",
    "effects": "ols",
    "variance": "own or guarded",
    "correction": "holm",
}


@dataclass(frozen=True)
class Decisions:
    """Fixed in the plan, so that no result can have chosen them.

    Attributes:
        variance: "own" of each arm, or "guarded" (`ablate.analysis.guarded`).
        margin: In percent; arms whose ratio surely lies within it show `no difference`.
        looks: Numbers of seeds at which the study is looked at; alpha is divided by how many.
        screen: Benjamini-Hochberg instead of Holm: for picking what to study next.
        tuning_seeds: Seeds that chose settings; no arm is scored on them.
        unpaired: Arms are compared by all their seeds, as where no seed is shared.
        repeats: Scoring seeds of every repeat of the search that chose the settings; none where
            nothing was searched.
    """

    variance: str = "own"
    margin: float | None = None
    looks: tuple[int, ...] = ()
    screen: bool = False
    tuning_seeds: tuple[int, ...] = ()
    unpaired: bool = False
    repeats: tuple[tuple[int, ...], ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot be decided.

        Raises:
            UserError: The sentence says what can.
        """
        check(self.variance, self.margin, list(self.looks))
        if self.unpaired and (self.looks or self.variance == "guarded"):
            what = "Planned looks count" if self.looks else "variance=guarded pools over"
            raise UserError(
                f"{what} seeds that arms share, and an unpaired comparison asks for none; leave "
                "one of the two out."
            )

    @property
    def alpha(self) -> float:
        """Level of one look: a Bonferroni share of 5 %."""
        return ALPHA / max(1, len(self.looks))

    @property
    def one_search(self) -> bool:
        """Whether settings were found by a single search: nothing is tested for a trick."""
        return len(self.repeats) == 1

    @property
    def unit(self) -> str:
        """What is counted: seeds, or repeats of a search."""
        return "repeat" if len(self.repeats) > 1 else "seed"


def decisions_of(
    study: Mapping[str, Any], screen: bool = False, unpaired: bool = False
) -> Decisions:
    """Return what `study.json` holds under `analysis`; what it lacks is the default.

    A plan of an earlier version may hold a look at 2 seeds, where no arm can have a verdict: it is
    taken at 3; one of a searched study was searched once.

    Args:
        study: What it holds.
        screen: Benjamini-Hochberg is asked for.
        unpaired: Is asked for, even if the study does not declare it.

    Raises:
        UserError: Something is asked for that is not done; the sentence gives the reason.
    """
    declared = study.get("analysis") or {}
    looks = declared.get("looks") or ()
    for key, done in DONE.items():
        if key != "variance" and declared.get(key, done) != done:
            refuse(key, str(declared[key]))
    return Decisions(
        variance=declared.get("variance") or "own",
        margin=declared.get("margin"),
        looks=tuple(sorted({max(look, FEWEST_SEEDS) for look in looks})),
        screen=screen,
        tuning_seeds=tuple(study.get("tuning_seeds") or ()),
        unpaired=unpaired or bool(declared.get("unpaired")),
        repeats=repeats_of(study),
    )


def repeats_of(study: Mapping[str, Any]) -> tuple[tuple[int, ...], ...]:
    """Return the scoring seeds of each repeat of a tuned study; none where nothing was searched."""
    if not study.get("search"):
        return ()
    return tuple(map(tuple, study.get("repeats") or [study.get("seeds") or []]))


def check(variance: Any, margin: Any, looks: Any, prefix: str = "") -> None:
    """Refuse what no study can decide: the one rule of plans, imported tables and reports.

    Args:
        variance: As typed.
        margin: As typed; None is none.
        looks: As typed; [] is one look, at the end.
        prefix: Of the keys where they were typed, `study.analysis.`.

    Raises:
        UserError: The sentence says what can be decided.
    """
    if variance not in VARIANCES:
        refuse("variance", str(variance), prefix)
    check_percent("margin", margin, prefix)
    whole = isinstance(looks, list) and all(type(n) is int and n >= FEWEST_SEEDS for n in looks)
    if not whole or looks != sorted(set(looks)):
        raise UserError(
            f"{prefix}looks={looks} must be rising numbers of seeds of at least {FEWEST_SEEDS}: "
            "[5,10], or [] for one look at the end."
        )


def check_percent(key: str, asked: Any, prefix: str = "") -> None:
    """Refuse what is no percentage; None is none. `prefix` as in `check`.

    Raises:
        UserError: The sentence says what is one.
    """
    numeric = isinstance(asked, int | float) and not isinstance(asked, bool)
    if asked is not None and not (numeric and 0 < asked < 100):
        raise UserError(
            f"{prefix}{key}={asked} must be a percentage above 0 and below 100; leave it out for "
            "none."
        )


def refuse(key: str, asked: str, prefix: str = "") -> None:
    """Refuse a method by name; `prefix` as in `check`.

    Raises:
        UserError: Always, with the reason where one is known.
    """
    why = REFUSED[key].get(asked)
    told = f": {why}" if why else ", which is not known"
    raise UserError(f"{prefix}{key}={asked} is not done{told}; choose {DONE[key]}.")
