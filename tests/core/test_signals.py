"""Curves show the mean over all turns since the point before, and the last turn beside it."""

import math

import pytest
import torch

from ablate.core.signals import NAMES, Signals
from ablate.core.step import Gan
from ablate.train import checkpoint
from ablate.train.loop import Run
from tests.train.test_loop import BUDGET, MeanPixel, StopAfter, books
from tests.world import gan, play, settings

ROUNDS, POINTS = 30, 7  # points that do not divide the rounds


@pytest.fixture
def turns(monkeypatch):
    """Every turn that was played: (round, signal -> values of all trials)."""
    found, move = [], Gan.move

    def watched(self, step):
        move(self, step)
        found.append((self.feed.played + 1, {n: x.clone() for n, x in step.signals().items()}))

    monkeypatch.setattr(Gan, "move", watched)
    return found


@pytest.mark.parametrize("names", [[], ["n_critic"], ["batch_split"], ["loss_wasserstein"]])
def test_a_point_is_the_mean_of_all_turns_since_the_one_before(turns, names):
    tricks = {name: settings(name) for name in names}
    budget = {**BUDGET, "curve_points": POINTS}
    outcomes = Run(gan(tricks, seeds=(0, 1), rounds=ROUNDS), budget, MeanPixel()).train()
    ends = sorted({math.ceil(ROUNDS * i / POINTS) for i in range(1, POINTS + 1)})
    expected = [[], []]
    for start, end in zip([0, *ends], ends, strict=False):
        since = [shown for n, shown in turns if start < n <= end]
        for trial, rows in enumerate(expected):
            for name in NAMES:
                values = [float(shown[name][trial]) for shown in since if name in shown]
                if values:
                    rows.append((end, name, math.fsum(values) / len(values), values[-1]))
    for outcome, rows in zip(outcomes, expected, strict=True):
        images = {n: i for n, i in zip(ends, sorted({r["images"] for r in outcome.curves}),
                                       strict=True)}  # fmt: skip
        found = [(r["images"], r["signal"], r["value"], r["last"]) for r in outcome.curves]
        wanted = [(images[n], name, pytest.approx(mean, rel=1e-12), last)
                  for n, name, mean, last in rows]  # fmt: skip
        assert found == wanted


def test_the_last_point_is_at_the_end_of_the_budget():
    (outcome,) = Run(gan({}, rounds=ROUNDS), {**BUDGET, "curve_points": 4}, MeanPixel()).train()
    assert max(row["images"] for row in outcome.curves) == outcome.images
    assert len({row["images"] for row in outcome.curves}) == 4


def test_a_sum_is_part_of_the_checkpoint(tmp_path):
    """Points are far apart: the run stops in the middle of one."""
    budget, path = {**BUDGET, "curve_points": 1}, tmp_path / "trial.pt"

    def run(**more):
        return Run(gan({}, seeds=(0, 1), rounds=ROUNDS), budget, MeanPixel(), **more)

    expected = run().train()
    stopped = run(path=path, identity="a", listener=StopAfter(100))
    stopped.train()
    assert stopped.gan.signals.turns.gt(0).any()
    assert books(run(path=path, identity="a").train()) == books(expected)


def test_a_checkpoint_of_before_there_were_sums_goes_on_without_the_first_mean(tmp_path):
    path, budget = tmp_path / "trial.pt", {**BUDGET, "curve_points": 3, "evaluations": 6}

    def run(**more):
        return Run(gan({}, rounds=ROUNDS), budget, MeanPixel(), path, "a", **more)

    expected = Run(gan({}, rounds=ROUNDS), budget, MeanPixel()).train()[0]
    run(listener=StopAfter(1)).train()  # at half of the first point's way
    content = torch.load(path, weights_only=True)
    for name in ("sums", "last", "turns"):
        del content["gan"][f"signals.{name}"]
    checkpoint.save(path, content.pop("identity"), content)
    (outcome,) = run().train()
    assert outcome.metrics == expected.metrics
    first = {row["images"] for row in outcome.curves if math.isnan(row["value"])}
    assert first == {min(row["images"] for row in expected.curves)}
    assert [r["last"] for r in outcome.curves] == [r["last"] for r in expected.curves]


def test_what_curves_show_moves_no_training():
    plain, shown = gan({}, seeds=(0, 1)), gan({}, seeds=(0, 1))
    plain.signals.add = lambda _: None
    play(plain, 6), play(shown, 6)
    assert torch.equal(plain.G.theta, shown.G.theta)
    assert torch.equal(plain.D.theta, shown.D.theta)


def test_a_trial_that_begins_later_begins_its_sums():
    signals = Signals(3)
    signals.add([{"loss_d": torch.tensor([1.0, 2, 3]), "grad_norm_d": torch.ones(3)}])
    assert signals.point([1]).read()[2]["loss_d"] == (3, 3)
    signals.add([{"loss_d": torch.tensor([3.0, 8, 5]), "grad_norm_d": torch.ones(3)}])
    read = signals.point([0, 1, 2]).read()
    assert [row["loss_d"] for row in read] == [(2, 3), (8, 8), (4, 5)]
    assert signals.point([0, 1, 2]).read() == [{}, {}, {}]


def test_turns_of_a_round_are_summed_together_and_a_name_twice_counts_twice():
    signals, one = Signals(1), torch.ones(1)
    signals.add([{"loss_d": one, "score_fake": 2 * one}, {"loss_g": 5 * one}])
    signals.add([{"loss_g": one}, {"loss_d": 3 * one}, {"loss_d": 8 * one, "score_real": one}])
    assert signals.point([0]).read() == [
        {"score_real": (1, 1), "loss_d": (4, 8), "score_fake": (2, 2), "loss_g": (3, 1)}
    ]
