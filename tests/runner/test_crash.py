"""A stack that crashes is trained again in halves, so that only the guilty go down."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import ablate.runner.stack
from ablate.errors import UserError
from ablate.runner.context import Bench
from ablate.runner.fit import checkpoint_of
from ablate.runner.machine import Machine
from ablate.runner.memory import is_out_of_memory
from ablate.runner.stack import halves, rounds_of, run
from ablate.train.crash import training
from ablate.train.listener import Listener
from ablate.train.outcome import Outcome
from ablate.train.slots import IDLE
from ablate.train.streams import to_end
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
        with training():
            if any(trial.seed == 1 for trial in stack):
                raise RuntimeError("seed 1")
        yield
        return all_done(stack, listener)

    monkeypatch.setattr(ablate.runner.stack, "fit", fit)
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
        with training():
            raise RuntimeError
        yield

    monkeypatch.setattr(ablate.runner.stack, "fit", fit)
    one = Trial({}, 0, {"name": "d"}, {"name": "m"}, {"images": 1}, {}, {})
    machine = Machine("cpu", tmp_path, Path("cache"))
    run([one], Bench(machine, {"device": "cpu"}, lambda _: Door()))
    assert closed == [True]


# What PyTorch's allocators say.
ON_CPU = RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to...")
ON_GPU = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


class Stand:
    """Eight trials, a bench, what was tried, and a memory that holds `room` trials at a time."""

    def __init__(self, folder, device="cuda"):
        one = Trial({}, 0, {"name": "d"}, {"name": "m"}, {"images": 1}, {}, {})
        self.trials = [replace(one, seed=seed) for seed in range(8)]
        machine = Machine(device, folder, Path("cache"))
        self.bench = Bench(machine, {"device": device}, lambda _: Listener())
        self.tried, self.slots, self.room, self.error = [], [], 8, ON_GPU

    def fit(self, stack, machine, listener, slots):
        self.tried.append([trial.seed for trial in stack])
        self.slots.append(slots)
        with training():
            if slots > self.room:
                raise self.error
        yield
        return all_done(stack, listener)

    def status(self, trial):
        path = self.bench.machine.out / "trials" / trial.id / "status.json"
        return json.loads(path.read_text())


@pytest.fixture
def stand(tmp_path, monkeypatch):
    here = Stand(tmp_path)
    monkeypatch.setattr(ablate.runner.stack, "fit", here.fit)
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


def test_a_gpu_tries_a_trial_alone_once_however_large_its_lease_was(stand):
    stand.room = 0
    assert to_end(rounds_of(stand.trials[:1], stand.bench, size=8)) == ["crashed"]
    assert stand.slots == [1]


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("error", [ON_CPU, MemoryError()], ids=["torch", "python"])
def test_a_machine_without_memory_is_no_status_and_the_stack_goes_on_as_it_was(
    tmp_path, monkeypatch, device, error
):
    here = Stand(tmp_path, device)
    here.room, here.error = 0, error
    monkeypatch.setattr(ablate.runner.stack, "fit", here.fit)
    path = begin(here, here.trials)
    with pytest.raises(UserError, match="This machine has no memory left for reference"):
        run(here.trials, here.bench)
    assert path.exists()
    assert not list(tmp_path.glob("trials/*"))
    here.room = 8
    assert run(here.trials, here.bench) == ["done"] * 8
    assert here.tried == [list(range(8))] * 2


@pytest.mark.parametrize(("device", "slots"), [("cpu", [8] * 5), ("cuda", [8, 4, 2, 2, 4])])
def test_on_a_cpu_what_is_left_of_a_lease_trains_in_as_many_slots(
    tmp_path, monkeypatch, device, slots
):
    """Whoever crashed or is finished: in float32 the last digits may depend on their number."""
    here = Stand(tmp_path, device)

    def fit(stack, machine, listener, slots):
        with training():
            if any(trial.seed == 1 for trial in stack) and len(stack) > 2:
                here.tried.append([trial.seed for trial in stack])
                here.slots.append(slots)
                raise RuntimeError("seed 1")
        return (yield from here.fit(stack, machine, listener, slots))

    monkeypatch.setattr(ablate.runner.stack, "fit", fit)
    to_end(rounds_of(here.trials, here.bench, size=8))
    assert here.tried == [[*range(8)], [0, 1, 2, 3], [0, 1], [2, 3], [4, 5, 6, 7]]
    assert here.slots == slots


def test_nobody_has_the_other_slots():
    assert ablate.runner.fit.begin(3, 8, gpu=False) == [0, 1, 2, *[IDLE] * 5]
    assert ablate.runner.fit.begin(8, 3, gpu=False) == [0, 1, 2]
    assert ablate.runner.fit.begin(3, 8, gpu=True) == [0, 1, 2, IDLE]


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
