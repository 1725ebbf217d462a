"""Seeds that no two arms share, told when a table is imported."""

from __future__ import annotations

import pandas as pd

from ablate.analysis.seeds import apart, seeds_of, sharing_none


def seeds_apart(trials: pd.DataFrame, reference: str) -> str:
    """Return what to type where arms cannot be paired with the reference; "" where all can."""
    seeds = seeds_of(trials)
    found = sharing_none(seeds, reference)
    if not found:
        return ""
    more = f" (and {len(found) - 1} more arms)" if len(found) > 1 else ""
    first = apart(found[0], seeds, reference)
    return (
        f"{first[:1].upper()}{first[1:]}{more}. Arms are compared seed by seed; type --unpaired, "
        "here or at compare and report, to compare them by all their seeds (Welch's t)."
    )
