"""A stack that crashes is trained again one by one, so that only the guilty go down."""

from dataclasses import replace
from pathlib import Path

import ablate.run
from ablate.compose import Machine
from ablate.run import Bench, run
from ablate.train.loop import Listener, Outcome
from ablate.trial import Trial


def test_only_the_guilty_trial_of_a_stack_crashes(tmp_path, monkeypatch):
    one = Trial({}, 0, {"name": "d"}, {"name": "m"}, {"images": 1}, {}, {})
    trials = [one, replace(one, seed=1), replace(one, seed=2)]
    seen = []

    def fit(stack, machine, listener):
        seen.append([trial.seed for trial in stack])
        if any(trial.seed == 1 for trial in stack):
            raise RuntimeError("seed 1")
        return [Outcome(status="done", images=1) for _ in stack]

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
