"""How many trials fit: stand-ins for a GPU, one that counts bytes and some that follow a line."""

import weakref
from pathlib import Path

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from ablate.data import load
from ablate.errors import UserError
from ablate.runner import capacity
from ablate.runner.capacity import PROBES, SHARE, measured, rehearse, slots_that_fit
from ablate.runner.machine import Machine
from tests.plan.test_lease import PARTS, arm


class Counter(TorchDispatchMode):
    """Counts the bytes of all tensors that live, and the most there were."""

    name = "a CPU that counts"

    def __init__(self):
        super().__init__()
        self.now = self.most = 0
        self.seen = weakref.WeakSet()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        for x in tree_leaves(made):
            if isinstance(x, torch.Tensor) and x.untyped_storage() not in self.seen:
                storage = x.untyped_storage()
                self.seen.add(storage)
                weakref.finalize(storage, self.give_back, storage.nbytes())
                self.now += storage.nbytes()
                self.most = max(self.most, self.now)
        return made

    def give_back(self, n):
        self.now -= n

    def peak(self, work):
        before = self.most = self.now
        with self:
            work()
        return self.most - before


class Straight:
    """A GPU with so many free bytes, of which stacks take base + each K."""

    name = "a straight GPU"

    def __init__(self, base, each, free):
        self.base, self.each, self.bytes, self.played = base, each, free, []

    def free(self):
        return self.bytes

    def peak(self, work):
        work()
        taken = self.base + self.each * self.played[-1]
        if taken > self.bytes:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return taken


@pytest.fixture
def machine(monkeypatch):
    monkeypatch.setattr(capacity, "_lines", {})
    monkeypatch.setattr(capacity, "prepare", lambda *_: (load("ring8", samples=64), None))
    return Machine("cpu", Path("out"), Path("cache"))


@pytest.fixture
def gpu(machine, monkeypatch):
    """Return a function that makes a straight GPU on which nothing is really played."""

    def make(base, each, free):
        meter = Straight(base, each, free)
        monkeypatch.setattr(capacity, "rehearse", lambda t, _: meter.played.append(len(t)))
        return meter

    return make


@pytest.mark.parametrize("base", [0, 50, 300])
@pytest.mark.parametrize("each", [1, 7, 40])
@pytest.mark.parametrize("most", [1, 2, 6, 64])
def test_the_largest_power_of_two_that_leaves_the_margin(machine, gpu, base, each, most):
    found = slots_that_fit(arm(), machine, most, gpu(base, each, 1000))
    powers = [2**i for i in range(7) if 2**i <= most]
    fitting = [k for k in powers if base + each * k <= SHARE * 1000]
    assert found == max(fitting, default=1)


@pytest.mark.parametrize(("each", "slots"), [(300, 2), (600, 1), (5000, 1)])
def test_a_probe_that_finds_no_room_means_fewer(machine, gpu, each, slots):
    assert slots_that_fit(arm(), machine, 64, gpu(0, each, 1000)) == slots


def test_a_probe_that_crashes_leaves_it_to_the_training(machine, gpu, monkeypatch):
    meter = gpu(0, 1, 1000)

    def crash(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(capacity, "rehearse", crash)
    assert slots_that_fit(arm(), machine, 64, meter) == 1


def test_a_mistake_of_a_person_is_told(machine, gpu, monkeypatch):
    meter = gpu(0, 1, 1000)

    def mistake(*_):
        raise UserError("The plan is wrong.")

    monkeypatch.setattr(capacity, "rehearse", mistake)
    with pytest.raises(UserError):
        slots_that_fit(arm(), machine, 64, meter)


def test_a_structure_is_probed_once_and_room_is_asked_for_every_time(machine, gpu):
    meter = gpu(0, 10, 1000)
    assert slots_that_fit(arm(), machine, 64, meter) == 64
    meter.bytes = 200
    assert slots_that_fit(arm(seeds=(5, 6, 7)), machine, 64, meter) == 16
    assert meter.played == [PROBES[0], *PROBES]
    slots_that_fit(arm("r1"), machine, 64, meter)
    assert len(meter.played) == 6


def test_on_a_cpu_nothing_is_probed(machine, gpu):
    meter = gpu(0, 10, 1000)
    assert slots_that_fit(arm(), machine, 64) == 64
    assert not meter.played


@pytest.mark.parametrize("tricks", [(), ("r1",), ("ema_g", "label_smooth"), ("replay",)])
def test_the_line_tells_what_larger_stacks_take(machine, monkeypatch, tricks):
    monkeypatch.setattr("ablate.runner.build.keep_freed_memory", lambda: None)  # no GPU's memory
    monkeypatch.setitem(PARTS, "budget", PARTS["budget"] | {"samples": 1024})
    trials = arm(*tricks, seeds=range(16), model={"name": "mlp", "width": 64, "depth": 2})
    line = measured(trials, machine, Counter())
    for k in (8, 16):
        taken = Counter().peak(lambda k=k: rehearse(trials[:k], machine))
        assert line.at(k) == pytest.approx(taken, rel=0.01)
