"""What is left of a trial."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class Outcome:
    """What a trial has left behind; `status` is None while it is unfinished.

    Attributes:
        note: What a reader should know about how it was trained.
        began: The run's seconds when the trial got its slot; None while it waits for one.
    """

    status: str | None = None
    reason: str | None = None
    note: str = ""
    images: int = 0
    began: float | None = None
    wall_seconds: float = 0.0
    device_seconds: float = 0.0
    peak_memory_bytes: int = 0
    metrics: list[dict[str, Any]] = field(default_factory=list)
    curves: list[dict[str, Any]] = field(default_factory=list)
    samples: dict[str, np.ndarray] = field(default_factory=dict)
