"""A trial: everything that decides a result, frozen and hashed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Trial:
    """An arm, a seed and a budget.

    Attributes:
        tricks: Trick name -> all of its settings; empty for the reference.
        seed: Of every draw.
        data: Name, fraction and options of the data set; never a path, which is the machine's.
        model: Name and sizes of the networks.
        budget: `images` shown to D, `evaluations`, `samples` an evaluation, `curve_points`.
        metric: Extractor, split, and the options of metrics.
        train: batch_size, latent_dim, precision, channels_last.
        code: Part -> hash of a user's source or revision of ours; empty where all of it is ours
            and in its first revision.
        arm: Label of the arm in tables; not part of the identity.
    """

    tricks: Mapping[str, Settings]
    seed: int
    data: Settings
    model: Settings
    budget: Settings
    metric: Settings
    train: Settings
    arm: str = "reference"
    code: Settings = field(default_factory=dict)

    @cached_property
    def id(self) -> str:
        """16 hex digits of what decides the result: equal trials are one trial."""
        content = {key: value for key, value in self.content().items() if key != "arm"}
        return hashlib.sha256(canonical(content).encode()).hexdigest()[:16]

    @cached_property
    def kin(self) -> str:
        """The id but for the code: what a trial of other sources has in common with this one."""
        return replace(self, code={}).id

    def content(self) -> dict[str, Any]:
        """Return every field; `code` only where there is some, as before there was any."""
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        return found if self.code else {k: v for k, v in found.items() if k != "code"}

    @property
    def images(self) -> int:
        """Real images shown to D in whole batches: the budget, the last batch included."""
        images, batch = int(self.budget["images"]), int(self.train["batch_size"])
        return -(-images // batch) * batch

    def at_seed(self, seed: int) -> Trial:
        """Return the same arm under another seed."""
        return replace(self, seed=seed)

    def to_json(self) -> str:
        """Return one line of JSON, the same for equal trials."""
        return canonical(self.content())

    @classmethod
    def from_json(cls, line: str) -> Trial:
        """Return the trial of a line that `to_json` wrote."""
        return cls(**json.loads(line))


def canonical(content: Any) -> str:
    """Return JSON with sorted keys and no spaces; a number that is not finite is refused."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
