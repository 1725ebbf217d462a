"""Several listeners as one, and the one that ends training when somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ablate.train.loop import Listener, Outcome


class Several(Listener):
    """Tells every listener; training stops when `asked` says so."""

    def __init__(self, listeners: Sequence[Listener], asked: Callable[[], bool]) -> None:
        self.listeners, self.asked = listeners, asked

    @property
    def stop(self) -> bool:  # type: ignore[override]
        """Whether to end after this round."""
        return self.asked()

    def started(self, images: int) -> None:
        """Pass on."""
        for listener in self.listeners:
            listener.started(images)

    def interval(self, images: Sequence[int], seconds: float, signals: Mapping[str, float]) -> None:
        """Pass on."""
        for listener in self.listeners:
            listener.interval(images, seconds, signals)

    def evaluated(self, images: int, trial: int, generator: str, scores: list[Any]) -> None:
        """Pass on."""
        for listener in self.listeners:
            listener.evaluated(images, trial, generator, scores)

    def finished(self, trial: int, outcome: Outcome) -> None:
        """Pass on."""
        for listener in self.listeners:
            listener.finished(trial, outcome)

    def pruned(self, outcomes: Sequence[Outcome]) -> str | None:
        """Return the first reason."""
        reasons = (listener.pruned(outcomes) for listener in self.listeners)
        return next((reason for reason in reasons if reason is not None), None)

    def close(self) -> None:
        """Let those that hold something give it back, all of them."""
        for listener in self.listeners:
            getattr(listener, "close", lambda: None)()
