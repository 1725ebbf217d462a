"""Slots: trials that end early make room, and nobody's numbers change for it."""

from types import SimpleNamespace

import pytest
import torch

from ablate.train import loop
from ablate.train.listener import Listener
from ablate.train.loop import Run
from ablate.train.slots import IDLE, room
from tests.contract.laws import double
from tests.train.test_loop import BUDGET, TRICKS, MeanPixel, StopAfter, books
from tests.train.test_loop import run as one_run
from tests.world import gan

__all__ = ["double"]
pytestmark = pytest.mark.usefixtures("double")
SEEDS = (3, 4, 5, 6, 7)
SICK = 1  # diverges at once
ROUNDS = 30  # five periods of the schedule


def make(places):
    """Return trials by their place; the sick one has a parameter that is no number."""
    made = gan(TRICKS, seeds=[SEEDS[max(n, 0)] for n in places], rounds=ROUNDS)
    for slot, n in enumerate(places):
        if n == SICK:
            made.G.theta[slot] = float("nan")
    return made


def lease(slots, listener=None, path=None, places=None):
    """Return a run of all trials in so many slots."""
    places = places or list(range(slots))
    return Run(
        make(places), BUDGET, MeanPixel(), path, "a", listener or Listener(),
        make=make, slots=places, size=len(SEEDS),
    )  # fmt: skip


def close(mine, theirs):
    """Whether two books say the same, up to rounding."""
    for a, b in zip(mine, theirs, strict=True):
        assert (a.status, a.images) == (b.status, b.images)
        for rows in ("metrics", "curves"):
            left, right = (getattr(o, rows) for o in (a, b))
            numbers = ("value", "last") if rows == "curves" else ("value",)
            words = ([{k: v for k, v in r.items() if k not in numbers} for r in o]
                     for o in (left, right))  # fmt: skip
            assert next(words) == next(words)
            values = ([[r[n] for n in numbers] for r in rows_] for rows_ in (left, right))
            torch.testing.assert_close(*map(torch.tensor, values), rtol=1e-9, atol=1e-12,
                                       equal_nan=True)  # fmt: skip


@pytest.fixture(scope="module")
def alone():
    """Every trial by itself."""
    torch.set_default_dtype(torch.float64)
    found = []
    for n in range(len(SEEDS)):
        sick = one_run(seeds=(SEEDS[n],))
        if n == SICK:
            sick.gan.G.theta[:] = float("nan")
        found += sick.train()
    torch.set_default_dtype(torch.float32)
    return found


@pytest.mark.parametrize("slots", [1, 2, 4])
def test_trials_that_wait_for_a_slot_are_the_trials_alone(alone, slots):
    close(lease(slots).train(), alone)


def test_idle_slots_are_nobodys(alone):
    close(lease(4, places=[0, IDLE, 1, IDLE]).train(), alone)
    run = lease(8, places=[*range(5), IDLE, IDLE, IDLE])
    close(run.train(), alone)
    assert sum(o.device_seconds for o in run.outcomes) == pytest.approx(run.shared)


class Watched(Listener):
    """Keeps who has ended, in order, and how many slots there were."""

    def __init__(self):
        self.order, self.run = [], None

    def finished(self, trial, outcome):
        self.order.append((trial, len(self.run.slots)))


def watched(slots):
    listener = Watched()
    listener.run = lease(slots, listener)
    listener.run.train()
    return listener.order


def test_a_dead_trial_gives_its_slot_to_the_one_that_waits():
    # 1 dies in its first interval; 4 takes its slot then and ends last, in a stack of its own.
    assert watched(4) == [(1, 4), (0, 4), (2, 4), (3, 4), (4, 1)]


def test_a_stack_shrinks_to_powers_of_two_as_its_trials_end():
    assert watched(5) == [(1, 5), (0, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.parametrize(("slots", "images"), [(2, 100), (2, 300), (4, 200), (5, 200)])
def test_a_run_that_stops_between_moves_continues_bit_for_bit(tmp_path, slots, images):
    expected = str(books(lease(slots).train()))  # NaN is not NaN
    path = tmp_path / "lease.pt"
    first = lease(slots, StopAfter(images), path)
    first.train()
    content = torch.load(path)
    again = lease(slots, None, path, content["slots"])
    assert str(books(again.train())) == expected


@pytest.mark.parametrize("slots", [2, 4])
def test_time_is_shared_out_whole(slots, monkeypatch):
    """By a clock on which a round takes a second, and nothing else takes any."""
    now, step = [7.0], Run.step

    def timed(run, play):
        now[0] += 1.0
        step(run, play)

    monkeypatch.setattr(Run, "step", timed)
    monkeypatch.setattr(loop, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    outcomes = lease(slots).train()
    assert sum(o.device_seconds for o in outcomes) == pytest.approx(now[0] - 7.0, rel=1e-12)
    assert all(0 < o.wall_seconds <= now[0] - 7.0 for o in outcomes)
    assert max(o.wall_seconds + o.began for o in outcomes) == now[0] - 7.0


def test_all_trials_end_where_a_listener_prunes():
    class Pruner(Listener):
        def pruned(self, outcomes):
            return "no good"

    found = lease(2, Pruner()).train()
    assert [o.status for o in found] == ["pruned", "diverged", "pruned", "pruned", "pruned"]
    assert found[4].images == 0


def test_sizes_of_stacks():
    assert [room(n) for n in (0, 1, 2, 3, 4, 5, 8, 9)] == [1, 1, 2, 4, 4, 8, 8, 16]
