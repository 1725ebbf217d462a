"""The loop: budgets, statuses, and an exact continuation after any stop."""

from collections import namedtuple

import pytest
import torch

from ablate.errors import UserError
from ablate.train import checkpoint
from ablate.train.crash import Crash, training
from ablate.train.listener import Listener
from ablate.train.loop import Run
from ablate.train.schedule import images_after, rounds_for
from ablate.trick import TEXTBOOK, Turn
from tests.world import gan, settings

Score = namedtuple("Score", "metric value resample_sd protocol")
BUDGET = {"evaluations": 3, "samples": 32, "curve_points": 10}
TRICKS = {name: settings(name) for name in ("label_smooth", "ema_g", "n_critic")}


class MeanPixel:
    """A judge that is quick: the mean of all samples of each generator."""

    def __init__(self, reason=None):
        self.reason = reason

    def score(self, images):
        return [[Score("mean", float(x.double().mean()), None, f"n={len(x)}")] for x in images]

    def collapsed(self, images):
        return [self.reason for _ in images]


class StopAfter(Listener):
    """Asks to stop once so many images were evaluated."""

    def __init__(self, images):
        self.limit = images

    def evaluated(self, images, trial, generator, scores):
        self.stop = images >= self.limit


def run(tricks=TRICKS, seeds=(0, 1), **options):
    options = {"judge": MeanPixel(), "budget": BUDGET} | options
    return Run(gan(tricks, seeds=seeds, rounds=30), **options)


def books(outcomes):
    timeless = ("status", "reason", "images", "metrics", "curves")
    return [{key: getattr(o, key) for key in timeless} for o in outcomes]


def test_a_stopped_run_continues_bit_for_bit(tmp_path):
    whole = run()
    expected = whole.train()
    path = tmp_path / "trial.pt"
    first = run(path=path, identity="a", listener=StopAfter(100))
    assert [o.status for o in first.train()] == [None, None]
    second = run(path=path, identity="a")
    assert books(second.train()) == books(expected)
    assert torch.equal(second.gan.G.theta, whole.gan.G.theta)


def test_a_killed_run_continues_from_its_last_checkpoint(tmp_path):
    class Killed(Listener):
        def evaluated(self, images, trial, generator, scores):
            if images > 200:
                raise KeyboardInterrupt  # nothing after this line runs, as after a kill

    path, expected = tmp_path / "trial.pt", run().train()
    with pytest.raises(KeyboardInterrupt):
        run(path=path, identity="a", listener=Killed()).train()
    assert books(run(path=path, identity="a").train()) == books(expected)


def test_curves_and_metrics_cover_the_budget():
    outcome = run().train()[0]
    assert outcome.status == "done"
    points = {row["images"] for row in outcome.metrics}
    assert len(points) == BUDGET["evaluations"]
    assert max(points) == outcome.images
    assert {row["generator"] for row in outcome.metrics} == {"raw", "ema"}
    signals = {row["signal"] for row in outcome.curves}
    assert signals == {
        "loss_d", "loss_g", "grad_norm_d", "grad_norm_g", "score_real", "score_fake"
    }  # fmt: skip
    assert outcome.samples["ema"].shape == (32, 1, 8, 8)


def test_a_diverged_trial_is_a_row_and_its_neighbour_goes_on():
    sick = run()
    sick.gan.G.theta[0] = float("nan")
    dead, alive = sick.train()
    healthy = run().train()[1]
    assert dead.status == "diverged"
    assert "not finite" in dead.reason
    assert books([alive]) == books([healthy])


def test_a_collapsed_trial_keeps_its_metrics():
    outcome = run(judge=MeanPixel("All samples are alike.")).train()[0]
    assert (outcome.status, outcome.reason) == ("collapsed", "All samples are alike.")
    assert outcome.metrics


@pytest.mark.parametrize(
    ("damage", "message"),
    [("other", "belongs to a, not to b"), ("truncated", "cannot be gone on with"),
     ("flipped", "not what was written"), ("empty", "cannot be gone on with"),
     ("older", "cannot be gone on with"), ("no state", "cannot be gone on with"),
     ("folder", "is no file")],
)  # fmt: skip
def test_a_checkpoint_that_does_not_fit_is_named(tmp_path, damage, message):
    path = tmp_path / "trial.pt"
    run(path=path, identity="a", listener=StopAfter(100)).train()
    whole = path.read_bytes()
    content = checkpoint.load(path, "a")
    if damage in ("truncated", "empty"):
        path.write_bytes(whole[: 1000 if damage == "truncated" else 0])
    elif damage == "flipped":
        middle = len(whole) // 2
        path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 4]) + whole[middle + 1 :])
    elif damage == "older":  # its books lack what is kept today
        del content["outcomes"][0]["began"]
        checkpoint.save(path, "a", content)
    elif damage == "no state":
        checkpoint.save(path, "a", content | {"gan": {}})
    elif damage == "folder":
        path.unlink()
        path.mkdir()
    with pytest.raises(checkpoint.Unfit, match=message):
        run(path=path, identity="b" if damage == "other" else "a").train()


def test_a_checkpoint_from_before_digests_is_not_gone_on_with(tmp_path):
    """Nobody can tell whether it is what was written: with NaN in it, it would end `diverged`."""
    path = tmp_path / "trial.pt"
    run(path=path, identity="a", listener=StopAfter(100)).train()
    content = checkpoint.load(path, "a")
    torch.save(content, path)
    assert checkpoint.owners(path) == {"a"}
    with pytest.raises(checkpoint.Unfit, match="of a version that wrote no digest"):
        run(path=path, identity="a").train()


class Mistaken(Listener, MeanPixel):
    """Raises in one of its methods: of a listener, or of a judge."""

    def __init__(self, method):
        self.method = method
        setattr(self, method, self.fail)

    def fail(self, *_):
        raise ZeroDivisionError(self.method)


@pytest.mark.parametrize("method", ["score", "collapsed"])
def test_what_a_metric_raises_is_a_crash(method):
    with pytest.raises(Crash) as told:
        run(judge=Mistaken(method)).train()
    assert str(told.value.__cause__) == method


def test_what_the_step_raises_is_a_crash():
    one = run()
    one.ready = lambda gan: (Mistaken("play").play, "")
    with pytest.raises(Crash) as told:
        one.train()
    assert str(told.value.__cause__) == "play"


@pytest.mark.parametrize("method", ["started", "evaluated", "finished", "pruned"])
def test_what_a_listener_raises_is_no_crash(method):
    with pytest.raises(ZeroDivisionError, match=method):
        run(listener=Mistaken(method)).train()


@pytest.mark.parametrize("error", [OSError(5, "disk"), UserError("typed")])
def test_what_a_disk_or_a_person_does_in_a_step_is_no_crash(error):
    with pytest.raises(type(error)) as told, training():
        raise error
    assert told.value is error


@pytest.mark.parametrize(("images", "rounds"), [(64, 4), (65, 5), (1, 1), (160, 10)])
def test_a_budget_is_rounded_up_to_whole_batches(images, rounds):
    assert rounds_for(images, 16, list(TEXTBOOK)) == rounds
    assert images_after(rounds, 16, list(TEXTBOOK)) == 16 * rounds


def test_turns_of_g_alone_cost_no_budget():
    rounds = [*TEXTBOOK, ((Turn("G"),),)]
    assert rounds_for(32, 16, rounds) == 3
    assert images_after(3, 16, rounds) == 32
