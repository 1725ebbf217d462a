"""The schedule, as a table."""

import pytest

from tests.world import gan, settings


@pytest.mark.parametrize(
    ("d_turns", "g_turns", "rounds"),
    [
        (1, 1, ["DG"]),
        (3, 1, ["D", "D", "DG"]),
        (1, 3, ["DG", "G", "G"]),
        (2, 2, ["D", "DG", "G"]),
    ],
)
def test_the_schedule(d_turns, g_turns, rounds):
    tricks = {"n_critic": settings("n_critic", d_turns=d_turns, g_turns=g_turns)}
    assert ["".join(t.player for s in r for t in s) for r in gan(tricks).rounds] == rounds
