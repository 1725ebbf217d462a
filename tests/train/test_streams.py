"""Several stacks at once: whose turn it is changes nobody's numbers."""

import pytest

from ablate.train import streams
from ablate.train.loop import Run
from ablate.train.streams import take_turns, to_end
from tests.train.test_loop import BUDGET, TRICKS, MeanPixel, books
from tests.world import gan


def stack(seeds, rounds):
    return Run(gan(TRICKS, seeds=seeds, rounds=rounds), BUDGET, MeanPixel())


STACKS = [((0, 1), 12), ((2,), 6), ((3, 4), 18), ((5,), 12)]


@pytest.mark.parametrize("at_once", [1, 2, 3, 9])
def test_stacks_that_take_turns_are_the_stacks_alone(at_once):
    alone = [books(stack(*s).train()) for s in STACKS]
    ended = take_turns((stack(*s).rounds() for s in STACKS), at_once, "cpu")
    found = [books(outcomes) for outcomes in ended]
    assert sorted(found, key=str) == sorted(alone, key=str)


def counting(log, name, n):
    """Rest n times, then return the name; say when the end comes."""
    try:
        for _ in range(n):
            log.append(name)
            yield
        return name
    finally:
        log.append(name.upper())


def test_turns_go_round_and_the_next_begins_where_one_has_ended():
    log = []
    waiting = (counting(log, name, n) for name, n in (("a", 2), ("b", 3), ("c", 1)))
    assert list(take_turns(waiting, 2, "cpu")) == ["a", "b", "c"]
    assert "".join(log) == "ababAbBcC"


def test_the_next_is_not_made_before_there_is_room():
    made = []

    def stacks():
        for name in "abc":
            made.append(name)
            yield counting([], name, 1)

    turns = take_turns(stacks(), 2, "cpu")
    assert next(turns) == "a"
    assert made == ["a", "b"]


def test_what_one_raises_ends_the_others_as_well():
    def broken():
        yield
        raise ZeroDivisionError

    log = []
    with pytest.raises(ZeroDivisionError):
        list(take_turns(iter([counting(log, "a", 9), broken()]), 2, "cpu"))
    assert log[-1] == "A"


def test_to_the_end_is_without_a_rest():
    assert to_end(counting([], "a", 3)) == "a"


def test_a_stack_keeps_its_stream_and_those_at_once_have_others(monkeypatch):
    here, seen, made = [None], {}, iter("AB")

    class Stream:
        def __init__(self):
            self.name = next(made)

        def __enter__(self):
            here[0] = self.name

        def __exit__(self, *_):
            here[0] = None

    def stack(name, n):
        for _ in range(n):
            seen.setdefault(name, set()).add(here[0])
            yield

    monkeypatch.setattr(streams, "stream_on", lambda _: Stream())
    list(take_turns((stack(name, n) for name, n in (("a", 2), ("b", 5), ("c", 2))), 2, "cuda:0"))
    assert here == [None]
    assert seen["a"] == seen["c"] != seen["b"]
    assert all(len(names) == 1 for names in seen.values())
