"""A stack that crashes is trained again in halves, so that only the guilty go down."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import ablate.run
from ablate.compose import Machine
from ablate.run import Bench, checkpoint_of, halves, is_out_of_memory, run
from ablate.train.loop import Listener, Outcome
from ablate.trial import Trial


def all_done(stack, listener):
    """Train nothing, and say so."""
    outcomes = [Outcome(status="done", images=1) for _ in stack]
    for place, outcome in enumerate(outcomes):
        listener.finished(place, outcome)
    return outcomes


def test_only_the_guilty_trial_of_a_stack_crashes(tmp_path, monkeypatch):
    one = Trial({}, 0, {"name": "d"}, {"name": "m"}, {"images": 1}, {}, {})
    trials = [one, replace(one, seed=1), replace(one, seed=2)]
    seen = []

    def fit(stack, machine, listener, slots):
        seen.append([trial.seed for trial in stack])
        if any(trial.seed == 1 for trial in stack):
            raise RuntimeError("seed 1")
        yield
        return all_done(stack, listener)

    monkeypatch.setattr(ablate.run, "fit", fit)
    machine = Machine("cpu", tmp_path, Path("cache"))
    statuses = run(trials, Bench(machine, {"device": "cpu"}, lambda _: Listener()))
    assert statuses == ["done", "crashed", "done"]
    assert seen == [[0, 1, 2], [0, 1], [0], [1], [2]]


def test_a_listener_is_closed_whatever_happens(tmp_path, monkeypatch):
    closed = []

    class Door(Listener):
        def close(self):
            closed.append(True)

    def fit(*_):
        raise RuntimeError

    monkeypatch.setattr(ablate.run, "fit", fit)
    one = Trial({}, 0, {"name": "d"}, {"name": "m"}, {"images": 1}, {}, {})
    machine = Machine("cpu", tmp_path, Path("cache"))
    run([one], Bench(machine, {"device": "cpu"}, lambda _: Door()))
    assert closed == [True]


class Stand:
    """Eight trials, a bench, what was tried, and a memory that holds `room` trials at a time."""

    def __init__(self, folder):
        one = Trial({}, 0, {"name": "d"}, {"name": "m"}, {"images": 1}, {}, {})
        self.trials = [replace(one, seed=seed) for seed in range(8)]
        machine = Machine("cpu", folder, Path("cache"))
        self.bench = Bench(machine, {"device": "cpu"}, lambda _: Listener())
        self.tried, self.slots, self.room = [], [], 8

    def fit(self, stack, machine, listener, slots):
        self.tried.append([trial.seed for trial in stack])
        self.slots.append(slots)
        if slots > self.room:
            # What PyTorch's allocator on the CPU says.
            raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you...")
        yield
        return all_done(stack, listener)

    def status(self, trial):
        path = self.bench.machine.out / "trials" / trial.id / "status.json"
        return json.loads(path.read_text())


@pytest.fixture
def stand(tmp_path, monkeypatch):
    here = Stand(tmp_path)
    monkeypatch.setattr(ablate.run, "fit", here.fit)
    return here


def test_a_stack_that_finds_no_room_gets_half_the_slots_and_says_so(stand):
    stand.room = 2
    assert run(stand.trials, stand.bench) == ["done"] * 8
    assert stand.tried == [list(range(8))] * 3
    assert stand.slots == [8, 4, 2]
    note = stand.status(stand.trials[0])["note"]
    assert note == "A stack of 4 ran out of memory; trained in one of 2 or fewer."
    assert stand.status(stand.trials[0])["reason"] is None


def test_slots_that_were_asked_for_are_halved(stand):
    stand.room = 1
    three = replace(stand.bench, slots=lambda _: 3)
    assert run(stand.trials[:6], three) == ["done"] * 6
    assert stand.slots == [3, 2, 1]


def test_a_trial_that_finds_no_room_alone_has_crashed(stand):
    stand.room = 0
    assert run(stand.trials[:2], stand.bench) == ["crashed"] * 2
    assert stand.status(stand.trials[0])["reason"] == "out of memory"


def test_a_stack_that_fits_says_nothing(stand):
    run(stand.trials, stand.bench)
    assert stand.tried == [list(range(8))]
    assert stand.status(stand.trials[0])["note"] == ""


def begin(stand, trials):
    path = checkpoint_of(trials, stand.bench.machine.out)
    path.parent.mkdir(exist_ok=True)
    path.touch()
    return path


def test_what_was_begun_in_halves_goes_on_in_halves(stand):
    begin(stand, stand.trials[4:])
    run(stand.trials, stand.bench)
    assert stand.tried == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_what_was_begun_as_a_whole_goes_on_as_a_whole_though_a_part_is_written(stand):
    run(stand.trials[:1], stand.bench)
    path = begin(stand, stand.trials)
    run(stand.trials, stand.bench)
    assert stand.tried == [[0], list(range(8))]
    assert not path.exists()


def test_what_is_finished_or_not_wanted_is_not_trained(stand):
    run(stand.trials[:2], stand.bench)
    picky = replace(stand.bench, wanted=lambda trial: trial.seed != 5)
    run(stand.trials, picky)
    assert stand.tried == [[0, 1], [2, 3, 4, 6, 7]]


def test_a_crash_leaves_no_checkpoint(stand):
    path = begin(stand, stand.trials[:1])
    stand.room = 0
    run(stand.trials[:1], stand.bench)
    assert not path.exists()


def test_halves_are_powers_of_two_and_a_rest():
    sizes = {n: [len(half) for half in halves(range(n))] for n in (1, 2, 3, 5, 6, 8, 16)}
    assert sizes == {1: [], 2: [1, 1], 3: [2, 1], 5: [4, 1], 6: [4, 2], 8: [4, 4], 16: [8, 8]}


def test_errors_that_mean_no_memory():
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory."))
    assert is_out_of_memory(MemoryError())
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**50)
    assert is_out_of_memory(caught.value)
    assert not is_out_of_memory(RuntimeError("shapes differ"))
    assert not is_out_of_memory(ValueError("out of memory"))
