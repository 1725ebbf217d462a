"""Whether real and fake share a pass through D, and a move of it."""

from collections.abc import Iterator, Mapping
from typing import Any

from ablate.trick import (
    Others,
    Problem,
    Recipe,
    Round,
    Stage,
    Trick,
    Turn,
    UserError,
    choice,
    flag,
    missing,
)


class BatchSplit(Trick):
    """D sees real and fake in one merged pass, or moves once for each instead of once for both.

    Separate passes of which one summed loss is taken are the baseline. `merged` joins both batches,
    which matters only where D mixes the samples of a batch: under batch norm real and fake then
    share their statistics, while separate passes tell by statistics which batch is which.
    `step=two` moves D on the real batch and then on the fake one, two Adam steps on half the loss:
    the two train_on_batch calls of the GAN-hacks tutorial, which calls it "separate batches". A
    penalty of D then acts in both moves, as a Keras regulariser does.

    Source: GAN hacks (Chintala et al. 2016), number 4; the tutorial built on it (Brownlee 2019).
    """

    group = "latent, data and augmentation"
    rank = 3  # splits what n_critic has repeated
    cost = "step=two: one more optimiser step of D"
    neutral = {"merged": False, "step": "sum"}

    merged: bool = flag()
    step: str = choice("sum", "two")

    @classmethod
    def check(cls, settings: Mapping[str, Any]) -> None:
        """Refuse two moves on one pass."""
        if settings["merged"] is True and settings["step"] == "two":
            raise UserError(
                "trick.batch_split.merged=true is one pass and step=two is two; "
                "type trick.batch_split.step=sum or merged=false."
            )

    def marks(self) -> frozenset[str]:
        """Return whether D moves twice on one batch."""
        return frozenset({"two_moves_d"} if self.step == "two" else ())

    def problems(self, others: Others, recipe: Recipe) -> Iterator[Problem]:
        """Refuse to split a loss that is no sum; doubt what changes its meaning."""
        marks = others.marks()
        if self.step == "two":
            if "separable" not in marks:
                why = "step=two moves D on the loss of one side alone"
                yield Problem(True, missing(self.name, "separable", why, marks))
            if "simultaneous" in marks:
                yield Problem(
                    True,
                    "batch_split with step=two under a simultaneous update: D's second move is at "
                    "another point; type trick.batch_split.step=sum or another update_order.",
                )
            for name in marks.get("gradient_penalty", ()):
                yield Problem(
                    False,
                    f"batch_split with step=two and {name}: the penalty acts in both moves of D.",
                )
        if self.merged:
            for name in marks.get("batch_coupled_d", ()):
                yield Problem(
                    False,
                    f"batch_split with merged=true and {name}: real and fake share the statistics "
                    "of one batch.",
                )

    def phases(self, rounds: list[Round]) -> list[Round]:
        """Mark or split every turn of D."""
        return [tuple(s for stage in stages for s in self.split(stage)) for stages in rounds]

    def split(self, stage: Stage) -> list[Stage]:
        """Return the stages that stand for one."""
        if self.step == "two" and any(turn.player == "D" for turn in stage):
            return [(turn._replace(sides=(side,)),) for turn in stage for side in turn.sides]
        return [tuple(self.marked(turn) for turn in stage)]

    def marked(self, turn: Turn) -> Turn:
        """Return a turn of D with the passes this trick asks for."""
        return turn._replace(merged=self.merged) if turn.player == "D" else turn
