"""What can be said of a table when it is imported: how it is to be read, how to be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ablate.analysis.decisions import Decisions
from ablate.errors import UserError
from ablate.importer.columns import nearest

SCALES = ("ratio", "difference")
WAYS = ("lower", "higher")


@dataclass(frozen=True)
class Reading:
    """How a file is to be read.

    Attributes:
        columns: Our column -> how the file calls it.
        values: Our column -> what it is in every row.
        metrics: Metric -> the column that holds it, of a table with a column a metric.
        ignore: Columns that are not looked at.
        statuses: A word of the file -> one of `schema.STATUSES`, or `pending`.
        arms: An arm of the file -> its name.
        failed: Metric -> the value that stands for a failed trial.
        sheet: Of a workbook.
        decimal: The mark before the decimals, "," or ".".
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, str] = field(default_factory=dict)
    ignore: Sequence[str] = ()
    statuses: Mapping[str, str] = field(default_factory=dict)
    arms: Mapping[str, str] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)
    sheet: str | None = None
    decimal: str | None = None

    def __post_init__(self) -> None:
        """Refuse a mark that is none.

        Raises:
            UserError: `decimal` is neither a comma nor a point.
        """
        if self.decimal not in (None, ",", "."):
            raise UserError(f"--decimal {self.decimal} is none; type --decimal , or --decimal .")


@dataclass(frozen=True)
class Declared:
    """What a study declares of its analysis before training, for a table that was imported.

    Attributes:
        scales: Metric -> `ratio` or `difference`.
        better: Metric -> `lower` or `higher`.
        margin: In percent, as `study.analysis.margin`.
        looks: Numbers of seeds, as `study.analysis.looks`.
        variance: `own` or `guarded`, as `study.analysis.variance`.
        unpaired: Arms are compared by all their seeds rather than by shared ones.
    """

    scales: Mapping[str, str] = field(default_factory=dict)
    better: Mapping[str, str] = field(default_factory=dict)
    margin: float | None = None
    looks: Sequence[int] = ()
    variance: str = "own"
    unpaired: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be decided.

        Raises:
            UserError: The sentence says what can.
        """
        _refuse_words("--scale", self.scales, SCALES)
        _refuse_words("--better", self.better, WAYS)
        Decisions(
            variance=self.variance,
            margin=self.margin,
            looks=tuple(self.looks),
            unpaired=self.unpaired,
        )

    def analysis(self) -> dict[str, object]:
        """Return what study.json holds under `analysis`: nothing that is the default."""
        said = {"margin": self.margin, "looks": list(self.looks), "unpaired": self.unpaired}
        found: dict[str, object] = {key: value for key, value in said.items() if value}
        return found | ({} if self.variance == "own" else {"variance": self.variance})


def _refuse_words(option: str, typed: Mapping[str, str], known: Sequence[str]) -> None:
    for metric, word in typed.items():
        if word not in known:
            raise UserError(f"{option} {metric}={word} is none; {nearest(word, known)}.")
