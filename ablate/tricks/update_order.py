"""The order in which the players move."""

from collections.abc import Iterator

from ablate.trick import Others, Problem, Recipe, Round, Trick, choice


class UpdateOrder(Trick):
    """G moves before D, or both move at once, instead of D before G.

    d_first is the baseline. g_first: D is shown fakes of the generator that has just moved, from
    the same latents; with the fakes of before it would be the simultaneous update in disguise.
    simultaneous: both gradients are taken at the same point before either moves, which changes
    convergence on the Dirac GAN.

    Source: Mescheder et al. 2018, arXiv 1801.04406, section 2 and appendix D (alternating against
    simultaneous gradient descent); both orders occur in tutorials.
    """

    group = "schedule and averaging"
    cost = "g_first: one more pass through G"
    neutral = {"order": "d_first"}

    order: str = choice("d_first", "g_first", "simultaneous")

    def marks(self) -> frozenset[str]:
        """Return whether both players move at once."""
        return frozenset({"simultaneous"} if self.order == "simultaneous" else ())

    def problems(self, others: Others, recipe: Recipe) -> Iterator[Problem]:
        """Refuse several turns of one player in a simultaneous update."""
        if self.order == "simultaneous" and "uneven_turns" in others.marks():
            yield Problem(
                True,
                "update_order=simultaneous is not defined where one player moves more often: type "
                "trick.update_order.order=d_first or g_first, or one turn each in n_critic.",
            )

    def phases(self, rounds: list[Round]) -> list[Round]:
        """Reorder the stages of every round."""
        return [self.ordered(stages) for stages in rounds]

    def ordered(self, stages: Round) -> Round:
        """Return one round with its turns in the order asked for."""
        turns = [turn for stage in stages for turn in stage]
        turns.sort(key=lambda turn: turn.player, reverse=self.order == "g_first")
        return (tuple(turns),) if self.order == "simultaneous" else tuple((t,) for t in turns)
