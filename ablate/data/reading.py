"""What was read, for whoever trains on it: files that were left out, and how names were read."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Reading:
    """How files became a data set.

    Attributes:
        left_out: Why files were left out -> how many: {".avif": 3, "unreadable": 1}.
        notes: Sentences without a full stop, for what a person may not expect.
    """

    left_out: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __add__(self, other: "Reading") -> "Reading":
        both = Counter(self.left_out) + Counter(other.left_out)
        return Reading(dict(both), tuple(dict.fromkeys(self.notes + other.notes)))

    def __str__(self) -> str:
        if not self.left_out:
            return ""
        count = sum(self.left_out.values())
        each = ", ".join(f"{why} {n:,}" for why, n in sorted(self.left_out.items()))
        return f", {count:,} file{'s' if count > 1 else ''} left out ({each})"
