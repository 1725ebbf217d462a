"""`ablate train -m hydra/launcher=stack`: several trials as one program."""

import json
import signal

import pandas as pd
import pytest
from hydra._internal.config_loader_impl import ConfigLoaderImpl

import ablate.runner.stack
from ablate.runner.interrupt import Interrupt
from ablate.train.loop import Run
from tests.small import metrics

STACK = ("-m", "hydra/launcher=stack")


def scored(place, folder="results/train"):
    """Return all metrics of a folder of results, a row a value."""
    return pd.concat(
        {trial.name: metrics(trial) for trial in place.trials(folder)}, names=["trial"]
    ).reset_index("trial")


@pytest.fixture
def sizes(monkeypatch):
    """How many trials were trained as one program, and how many of them at a time."""
    found, fit = [], ablate.runner.fit.fit

    def watched(trials, machine, listener, slots):
        found.append((len(trials), slots))
        return fit(trials, machine, listener, slots)

    monkeypatch.setattr(ablate.runner.stack, "fit", watched)
    return found


def test_what_differs_in_seed_or_numbers_is_one_program(place, sizes):
    words = ("seed=0,1", "trick=[],[label_smooth]")
    assert place.type("train", *STACK, *words, "out=together") == 0, place.err
    assert sizes == [(2, 2), (2, 2)]
    assert place.type("train", "-m", *words, "out=alone") == 0, place.err
    together, alone = scored(place, "together"), scored(place, "alone")
    assert len(place.trials("together")) == 4
    pd.testing.assert_frame_equal(together, alone, rtol=1e-3)


def test_numbers_of_a_trick_share_a_program_and_sizes_bound_it(place, sizes):
    words = ("trick=[label_smooth]", "trick.label_smooth.real_low=0.7,0.8,0.9")
    assert place.type("train", *STACK, *words, "hydra.launcher.size=2") == 0, place.err
    assert sizes == [(3, 2)]
    lows = {
        json.loads((t / "trial.json").read_text())["tricks"]["label_smooth"]["real_low"]
        for t in place.trials()
    }
    assert lows == {0.7, 0.8, 0.9}


def test_the_finished_and_the_doubled_are_trained_once(place, sizes):
    assert place.type("train", "seed=1") == 0
    assert place.type("train", *STACK, "seed=0,1,2,0") == 0, place.err
    assert sizes == [(1, 1), (2, 2)]
    assert place.out.count("was finished before") == 2
    assert len(place.trials()) == 3


def test_one_mistake_is_told_and_the_others_are_trained(place):
    assert place.type("train", *STACK, "seed=0,-1,1") == 2
    assert "seed=-1 is no seed" in place.err
    assert len(place.trials()) == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("train", *STACK, "hydra.launcher.size=0"), "hydra.launcher.size=0 is no size of a stack"),
        (("sweep", "demo", "hydra/launcher=stack"), "type study.stack=16"),
    ],
)
def test_what_cannot_be_is_refused(place, words, told):
    assert place.type(*words) == 2
    assert told in place.err
    assert not place.trials()


def test_a_stopped_stack_goes_on_with_the_same_command(place, monkeypatch):
    words = ("train", *STACK, "seed=0,1", "budget.images=64")
    assert place.type(*words, "out=whole") == 0, place.err
    evaluate = Run.evaluate

    def interrupted(self, slots):
        evaluate(self, slots)
        Interrupt.current.handle(signal.SIGINT, None)

    with monkeypatch.context() as patch:
        patch.setattr(Run, "evaluate", interrupted)
        assert place.type(*words, "out=broken") == 130
    assert "Saved at the last interval" in place.out
    assert not place.trials("broken")
    assert place.type(*words, "out=broken") == 0, place.err
    pd.testing.assert_frame_equal(scored(place, "whole"), scored(place, "broken"))


def test_where_hydra_has_more_to_do_than_to_compose_it_does_it(place):
    words = ("hydra.sweep.subdir=job${hydra.job.num}", "seed=0,1,2")
    assert place.type("train", *STACK, *words) == 0, place.err
    assert len(place.trials()) == 3
    assert sorted(path.name for path in (place.path / "results/train").glob("job*")) == [
        "job0", "job1", "job2",
    ]  # fmt: skip


def test_seeds_and_numbers_are_set_in_what_was_composed_once(place, monkeypatch):
    composed, whole = [], ConfigLoaderImpl.load_sweep_config

    def counted(self, master_config, sweep_overrides):
        composed.append(sweep_overrides)
        return whole(self, master_config, sweep_overrides)

    monkeypatch.setattr(ConfigLoaderImpl, "load_sweep_config", counted)
    words = ("trick=[],[label_smooth]", "seed=0,1,2,3")
    assert place.type("train", *STACK, *words) == 0, place.err
    assert len(place.trials()) == 8
    assert len(composed) == 2
