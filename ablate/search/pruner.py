"""Ending a setting early."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import optuna
from optuna.storages import InMemoryStorage


class Pruner:
    """Optuna's pruner, told about one setting report by report.

    Attributes:
        step: The report at which it ended the setting, or None.
    """

    def __init__(self, storage: InMemoryStorage, study: optuna.Study, number: int, last: int):
        """Take a study that knows the others, and the setting's number in it.

        Args:
            storage: Of the study.
            study: With the pruner.
            number: Of the setting, which is running.
            last: The report that ends it anyway.
        """
        study_id = storage.get_study_id_from_name(study.study_name)
        self.place = storage.get_trial_id_from_study_id_trial_number(study_id, number)
        self.storage, self.study, self.last = storage, study, last
        self.heard = 0
        self.step: int | None = None

    def hear(self, reports: Sequence[float]) -> int | None:
        """Take what is new in `reports`; return the step at which the setting ends early."""
        for value in reports[self.heard :]:
            self.heard += 1
            self.storage.set_trial_intermediate_value(self.place, self.heard, value)
            trial = self.storage.get_trial(self.place)
            stop = self.study.pruner.prune(self.study, trial) and self.heard < self.last
            if stop and self.step is None:
                self.step = self.heard
        return self.step

    @property
    def notes(self) -> dict[str, Any]:
        """What the pruner wrote about the setting, which it looks for in later ones."""
        return dict(self.storage.get_trial(self.place).system_attrs)
