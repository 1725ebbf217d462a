"""The smallest commands that train something, run inside this process."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from ablate.cli.main import main

PATIENCE = 120.0  # seconds that a busy machine may take for what is done in one

# Two evaluations of sixteen samples after four batches of eight; `raw` needs no classifier.
SMALL = (
    "metric=raw",
    "model.width=4",
    "train.batch_size=8",
    "train.latent_dim=4",
    "budget.images=32",
    "budget.evaluations=2",
    "budget.samples=16",
    "budget.curve_points=4",
)


class Place:
    """An empty folder that commands are typed in.

    Attributes:
        path: The folder.
        out: What the last command printed.
        err: What it told on the error stream.
    """

    def __init__(self, path: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.path, self.capture = path, capture
        self.out = self.err = ""

    def type(self, *words: str, small: Sequence[str] = SMALL) -> int:
        """Run a command and return its exit code."""
        if words[0] in ("train", "plan", "sweep"):
            first = 1 if words[0] == "train" else 2
            words = (*words[:first], *small, f"cache={self.path / 'cache'}", *words[first:])
        try:
            code = main(words)
        except SystemExit as ended:
            code = int(ended.code or 0)
        self.out, self.err = self.capture.readouterr()
        return code

    def trials(self, folder: str = "results/train") -> list[Path]:
        """Return the folders of finished trials."""
        return sorted((self.path / folder / "trials").glob("[!.]*"))


def metrics(trial: Path) -> pd.DataFrame:
    """Return the metrics of a finished trial."""
    return pd.read_parquet(trial / "metrics.parquet")
