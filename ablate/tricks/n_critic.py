"""Several turns of one player for one of the other."""

from collections.abc import Iterator

from ablate.trick import Others, Problem, Recipe, Round, Trick, integer


class NCritic(Trick):
    """D moves `d_turns` times, each time on fresh images, before G moves; or G moves more often.

    A round is a batch: the schedule becomes d_turns - 1 rounds of D alone, the round of both, and
    g_turns - 1 rounds of G alone. The budget counts images shown to D, so that more turns of D mean
    fewer of G within one budget.

    Source: Goodfellow et al. 2014, arXiv 1406.2661, algorithm 1 (k); Arjovsky et al. 2017, arXiv
    1701.07875 (5); GAN hacks, number 14.
    """

    group = "schedule and averaging"
    rank = 1
    cost = "d_turns times D's turn for one turn of G"
    neutral = {"d_turns": 1, "g_turns": 1}

    d_turns: int = integer(1, 100)
    g_turns: int = integer(1, 100)

    def marks(self) -> frozenset[str]:
        """Return whether one player moves more often."""
        return frozenset({"uneven_turns"} if self.d_turns != 1 or self.g_turns != 1 else ())

    def phases(self, rounds: list[Round]) -> list[Round]:
        """Repeat the stages of one player before and after every round of both."""
        return [r for both in rounds for r in self.unfold(both)]

    def unfold(self, both: Round) -> list[Round]:
        """Return the rounds that stand for one round of both players."""
        alone = {p: tuple(s for s in both if any(t.player == p for t in s)) for p in ("D", "G")}
        return [*[alone["D"]] * (self.d_turns - 1), both, *[alone["G"]] * (self.g_turns - 1)]

    def problems(self, others: Others, recipe: Recipe) -> Iterator[Problem]:
        """Note that ttur is partly the same lever."""
        if "ttur" in others:
            yield Problem(
                False,
                "n_critic with ttur: partly the same lever; compare them at equal turns of D.",
            )
