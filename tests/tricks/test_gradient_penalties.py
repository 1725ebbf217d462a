"""With a linear D(x) = w x + v the slope is w everywhere, and every penalty is known."""

import math

import pytest

from ablate.core.layers import Linear, Reshape
from ablate.trick import TEXTBOOK, TrickSet, Turn
from tests.tricks.stand import trick
from tests.world import gan, settings

GP = "gp_interp"
WHOLE = Turn("D")


def linear(player, recipe):
    n = math.prod(recipe.shape)
    if player == "D":
        return [Linear("out", n, 1)]
    return [Linear("out", recipe.latent_dim, n), Reshape("image", recipe.shape)]


def penalty(shape, length, name, turn=WHOLE, **changes):
    """Return the penalty of a linear D whose slope has this norm."""
    g = gan({name: settings(name, **changes)}, build=linear, shape=shape)
    w = g.D.part("out.weight")
    w.mul_(length / w.norm())
    g.feed.refill()
    step = g.differentiate(turn, g.draw(grad=True))
    return float((step.total - step.loss).detach())


CASES = [
    (GP, {}, 10 * (3 - 1) ** 2, 10 * 0.5**2),
    (GP, {"norm": 0.0}, 10 * 3**2, 10 * 0.5**2),
    (GP, {"sided": "one"}, 10 * (3 - 1) ** 2, 0.0),
    (GP, {"place": "real"}, 10 * (3 - 1) ** 2, 10 * 0.5**2),
    (GP, {"place": "fake"}, 10 * (3 - 1) ** 2, 10 * 0.5**2),
    ("r1", {"gamma": 10.0}, 10 / 2 * 3**2, 10 / 2 * 0.5**2),
    ("r2", {"gamma": 10.0}, 10 / 2 * 3**2, 10 / 2 * 0.5**2),
]


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 4, 4), (2,)])
@pytest.mark.parametrize(("name", "changes", "steep", "flat"), CASES)
def test_on_a_linear_d(name, changes, steep, flat, shape):
    assert penalty(shape, 3.0, name, **changes) == pytest.approx(steep, rel=1e-4)
    assert penalty(shape, 0.5, name, **changes) == pytest.approx(flat, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("name", ["r1", "r2"])
def test_a_lazy_penalty_is_rare_and_heavy(name):
    plain = penalty((2,), 3.0, name)
    due = Turn("D", due=frozenset({name}))
    assert penalty((2,), 3.0, name, due, every=4) == pytest.approx(4 * plain, rel=1e-4)
    assert penalty((2,), 3.0, name, every=4) == 0


def test_each_side_has_its_penalty_in_a_step_of_two_halves():
    halves = {side: Turn("D", sides=(side,)) for side in ("real", "fake")}
    assert penalty((2,), 3.0, "r1", halves["fake"]) == 0
    assert penalty((2,), 3.0, "r2", halves["real"]) == 0


def due(rounds):
    return [t.due for stages in rounds for stage in stages for t in stage if t.player == "D"]


def test_lazy_turns_are_counted_over_all_of_ds_turns():
    r1, r2 = trick("r1", every=4), trick("r2", every=2)
    marked = due(TrickSet([r1, r2]).phases(list(TEXTBOOK)))
    assert marked == [{"r1", "r2"}, set(), {"r2"}, set()]
    uneven = due(TrickSet([trick("r1", every=2), trick("n_critic")]).phases(list(TEXTBOOK)))
    assert uneven == [{"r1"}, set()] * 5
