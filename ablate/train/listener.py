"""Who is told of training while it goes on, and may end it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ablate.errors import Unheard, UserError
from ablate.train.outcome import Outcome


class Listener:
    """What the loop tells while it runs. This one is silent; set `stop` to end after a round.

    Trials are named by their place among those that the run was given.
    """

    stop: bool = False

    def started(self, images: int) -> None:
        """Training begins; `images` is the whole budget of a trial."""

    def interval(self, images: Sequence[int], seconds: float, signals: Mapping[str, float]) -> None:
        """Some time has passed; images of every trial, signals as means over those in a slot."""

    def evaluated(self, images: int, trial: int, generator: str, scores: list[Any]) -> None:
        """A generator of a trial was scored."""

    def finished(self, trial: int, outcome: Outcome) -> None:
        """A trial has ended."""

    def pruned(self, outcomes: Sequence[Outcome]) -> str | None:
        """Return why all trials end here for good, asked after every evaluation but the last."""
        return None


class Several(Listener):
    """Tells every listener; training stops when `asked` says so.

    Raises:
        Unheard: One of them failed, whatever it raised.
    """

    def __init__(self, listeners: Sequence[Listener], asked: Callable[[], bool]) -> None:
        self.listeners, self.asked = listeners, asked

    @property
    def stop(self) -> bool:  # type: ignore[override]
        """Whether to end after this round."""
        return self.asked()

    def started(self, images: int) -> None:
        """Pass on."""
        self.tell("started", images)

    def interval(self, images: Sequence[int], seconds: float, signals: Mapping[str, float]) -> None:
        """Pass on."""
        self.tell("interval", images, seconds, signals)

    def evaluated(self, images: int, trial: int, generator: str, scores: list[Any]) -> None:
        """Pass on."""
        self.tell("evaluated", images, trial, generator, scores)

    def finished(self, trial: int, outcome: Outcome) -> None:
        """Pass on."""
        self.tell("finished", trial, outcome)

    def pruned(self, outcomes: Sequence[Outcome]) -> str | None:
        """Return the first reason."""
        return next((reason for reason in self.tell("pruned", outcomes) if reason), None)

    def tell(self, name: str, *what: Any) -> list[Any]:
        """Call a method of every listener; return what they say."""
        try:
            return [getattr(listener, name)(*what) for listener in self.listeners]
        except UserError:
            raise
        except Exception as error:
            raise Unheard(
                f"Progress cannot be told ({error or type(error).__name__}); nothing is lost, the "
                "same command goes on at the last checkpoint."
            ) from error

    def close(self) -> None:
        """Let those that hold something give it back, all of them."""
        for listener in self.listeners:
            getattr(listener, "close", lambda: None)()
