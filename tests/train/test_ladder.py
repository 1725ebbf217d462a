"""Every rung plays the round that eager plays, and one that does not is left."""

import json
import subprocess
import sys
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
import torch

from ablate.models.mlp import mlp
from ablate.train import ladder
from ablate.train.ladder import Snapshot, climb, compiled, rehearse
from tests.recorder import Recorded
from tests.world import gan, play, settings

ROOT = Path(__file__).parents[2]
SETS = {
    "empty": [],
    "second-gradients": ["gp_interp", "label_smooth", "ema_g"],
    "masks": ["dropout_d", "noisy_labels", "instance_noise", "n_critic"],
}


def stack(names=(), **changes):
    return gan({name: settings(name) for name in names}, seeds=(1, 2), **changes)


def walked(one, higher, n):
    """Play n rounds as the loop does."""
    for _ in range(n):
        one.feed.refill()
        higher(one.rounds[one.feed.played % len(one.rounds)])
        one.feed.count()


def same(one, other):
    theirs = dict(other.named_buffers())
    return [name for name, b in one.named_buffers() if not torch.equal(b, theirs[name])] == []


@pytest.fixture
def recorded(monkeypatch):
    """A recorder in place of the device."""
    monkeypatch.setattr(ladder, "Cuda", Recorded)


@pytest.fixture
def uncompiled(monkeypatch):
    """The compiled round without a compiler."""
    monkeypatch.setattr(ladder, "compiled", lambda gan: gan.play)


# -- compiled --------------------------------------------------------------------------------------


def test_a_process_compiles_more_networks_than_dynamo_likes():
    torch._dynamo.reset()
    for width in range(8, 20):
        one = gan({}, build=partial(mlp, width=width), shape=(2,))
        one.feed.refill()
        compiled(one, backend="eager")(one.rounds[0])


@pytest.mark.parametrize("names", SETS.values(), ids=SETS)
def test_dynamo_traces_a_round_whole_and_changes_no_bit(names):
    plain, traced = stack(names), stack(names)
    walked(traced, compiled(traced, backend="eager"), len(plain.rounds) + 1)
    play(plain, len(plain.rounds) + 1)
    assert same(plain, traced)


# In a process of its own: what goes wrong here ends the process (tests/train/test_inductor.py).
PRODUCTS = """
import torch
from ablate.runner.conv_choice import set_forms
from ablate.train.ladder import climb
from tests.train.test_ladder import stack, walked
torch.set_num_threads(2)
one = stack({names})
set_forms(one, "matmul", None)
assert set(one.G.forms.values()) | set(one.D.forms.values()) == {{"matmul"}}
higher, note = climb(one, "compiled")
assert not note, note
walked(one, higher, 20)
assert one.G.theta.isfinite().all()
"""


@pytest.mark.slow
@pytest.mark.parametrize("names", [["ema_g"], ["gp_interp"]], ids=["memory", "penalty"])
def test_inductor_plays_products_of_patches_on_two_threads(names):
    done = subprocess.run(
        [sys.executable, "-c", PRODUCTS.format(names=names)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]


# -- graph -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", SETS.values(), ids=SETS)
@pytest.mark.usefixtures("recorded", "uncompiled")
def test_a_replayed_round_is_the_round_bit_for_bit(names):
    plain, replayed = stack(names), stack(names)
    higher, note = climb(replayed, "graph")
    assert note == ""
    walked(replayed, higher, 9), walked(plain, plain.play, 9)
    assert same(plain, replayed)  # what curves show is among the buffers
    mine, theirs = (one.signals.point([0, 1]).read() for one in (replayed, plain))
    assert mine == theirs
    assert mine[0].keys() >= {"loss_d", "loss_g", "grad_norm_d", "grad_norm_g"}


@pytest.mark.usefixtures("recorded", "uncompiled")
def test_a_point_of_a_replay_outlives_the_next():
    one = stack()
    higher, _ = climb(one, "graph")
    walked(one, higher, 1)
    point = one.signals.point([0, 1])
    before = point.read()
    walked(one, higher, 2)
    assert point.read() == before
    assert one.signals.point([0, 1]).read()[0]["loss_d"] != before[0]["loss_d"]


@pytest.mark.usefixtures("uncompiled")
def test_every_distinct_round_is_captured_once(monkeypatch):
    made = []
    monkeypatch.setattr(ladder, "Cuda", lambda device: made.append(Recorded(device)) or made[-1])
    one = stack(["n_critic"])
    climb(one, "graph")
    assert [capture.count for capture in made] == [len(set(one.rounds))]


@pytest.mark.usefixtures("recorded", "uncompiled")
def test_a_graph_goes_on_from_a_checkpoint():
    plain, resumed = play(stack(["ema_g"]), 5), stack(["ema_g"])
    higher, _ = climb(resumed, "graph")
    resumed.load_state_dict(plain.state_dict())
    resumed.feed.resume()
    walked(resumed, higher, 7)
    assert same(play(plain, 7), resumed)


class Driver:
    """What `Cuda` asks of torch.cuda, written down in order."""

    def __init__(self):
        self.told, self.device = [], torch.device("cuda:1")

    def Stream(self, device):
        self.told.append(f"a stream of {device}")
        return self

    def current_stream(self, device):
        assert device == self.device
        return self

    def wait_stream(self, other):
        self.told.append("wait")

    def CUDAGraph(self):
        return self

    def graph_pool_handle(self):
        return "pool"

    def replay(self):
        self.told.append("replay")

    @contextmanager
    def stream(self, stream):
        self.told.append("on the stream")
        yield
        self.told.append("off")

    @contextmanager
    def graph(self, graph, *, pool, stream, capture_error_mode):
        assert (pool, stream, capture_error_mode) == ("pool", self, "thread_local")
        self.told.append("capture")
        yield
        self.told.append("captured")


def test_a_capture_warms_up_on_the_stream_it_captures_on(monkeypatch):
    driver = Driver()
    monkeypatch.setattr(torch, "cuda", driver)
    replay = ladder.Cuda(driver.device)(lambda: driver.told.append("play"))
    warm = ["play"] * ladder.WARM
    assert driver.told == [
        "a stream of cuda:1", "wait", "on the stream", *warm, "off", "wait",
        "capture", "play", "captured",
    ]  # fmt: skip
    replay()
    assert driver.told[-1] == "replay"


# -- the rehearsal ---------------------------------------------------------------------------------


@pytest.mark.parametrize("rung", ["compiled", "graph"])
@pytest.mark.usefixtures("recorded")
def test_climbing_leaves_the_run_where_it_was(rung, monkeypatch):
    stands_in = partial(compiled, backend="eager") if rung == "compiled" else lambda gan: gan.play
    monkeypatch.setattr(ladder, "compiled", stands_in)
    names = ["ema_g", "replay", "n_critic"]
    plain, climbed = play(stack(names), 3), play(stack(names), 3)
    places = {name: b.data_ptr() for name, b in climbed.named_buffers()}
    higher, note = climb(climbed, rung)
    assert note == ""
    assert same(plain, climbed)
    assert {name: b.data_ptr() for name, b in climbed.named_buffers()} == places
    walked(climbed, higher, 8)
    assert same(play(plain, 8), climbed)


def lazy(one):
    """A rung that forgets D."""

    def higher(stages):
        one.play(tuple(s for s in stages if s[0].player == "G"))

    return higher


def late(one):
    """A rung whose numbers were baked in: the round before."""
    before = []

    def higher(stages):
        kept, one.feed.cursor[:] = one.feed.cursor.clone(), before[-1] if before else 0
        before.append(kept)
        one.play(stages)
        one.feed.cursor[:] = kept + 1

    return higher


@pytest.mark.parametrize("fault", [lazy, late])
def test_a_rung_that_plays_another_round_is_left_and_told(fault, monkeypatch):
    monkeypatch.setattr(ladder, "compiled", fault)
    plain, one = stack(), stack()
    assert rehearse(one, fault(one)) > ladder.NEAR[False]
    higher, note = climb(one, "compiled")
    assert note.startswith("Rounds were played eager: compiled ended ")
    assert note.endswith(" of the way off eager.")
    assert higher == one.play
    assert same(plain, one)


@pytest.mark.usefixtures("recorded")
def test_what_raises_is_left_and_told_in_one_sentence(monkeypatch):
    def none(gan):
        gan.feed.clock.add_(7)
        raise RuntimeError("no compiler here.\nset CXX")

    plain, one = stack(), stack()
    monkeypatch.setattr(ladder, "compiled", none)
    higher, note = climb(one, "graph")
    assert note == "Rounds were played graph: compiled raised RuntimeError: no compiler here."
    assert same(plain, one)
    walked(one, higher, 3)
    assert same(play(plain, 3), one)


def test_memory_that_is_put_in_anothers_place_is_no_graph(recorded, uncompiled, monkeypatch):
    one = stack(["ema_g"])
    settle = one.tricks.settle

    def careless(step):
        settle(step)
        for member in one.tricks.modules():
            for name, buffer in list(member._buffers.items()):
                member._buffers[name] = buffer.clone()

    monkeypatch.setattr(one.tricks, "settle", careless)
    plain = Snapshot(one)
    assert "graph ended" in climb(one, "graph")[1]
    assert all(torch.equal(b, plain.before[n]) for n, b in one.named_buffers() if n in plain.before)


def test_numbers_that_are_none_in_both_are_equal():
    nan, start = torch.tensor([float("nan"), 1.0]), torch.zeros(2)
    assert ladder.off(nan, nan.clone(), start) == 0
    assert ladder.off(torch.ones(2), nan, start) == float("inf")
    assert ladder.off(torch.tensor([1]), torch.tensor([2]), torch.tensor([0])) == float("inf")


# -- the word --------------------------------------------------------------------------------------


def test_auto_is_eager_on_a_cpu():
    one = stack()
    assert climb(one, "auto") == (one.play, "")
    assert climb(one, "eager") == (one.play, "")


def test_auto_compiles_on_a_gpu_what_is_long_enough(monkeypatch):
    short, long = stack(), stack(rounds=ladder.PAYS)
    monkeypatch.setattr(torch.Tensor, "is_cuda", True)
    assert ladder.wanted(short, "auto") == ["graph"]
    assert ladder.wanted(long, "auto") == ["compiled", "graph"]
    assert ladder.wanted(short, "graph") == ["compiled", "graph"]


def test_the_rung_changes_no_identity_and_a_fall_is_written(place, monkeypatch):
    assert place.type("train") == 0, place.err
    monkeypatch.setattr(ladder, "compiled", lazy)
    assert place.type("train", "rung=compiled", "out=results/fallen") == 0, place.err
    (one,), (other,) = place.trials(), place.trials("results/fallen")
    assert one.name == other.name
    told = [json.loads((folder / "status.json").read_text()) for folder in (one, other)]
    assert told[0]["note"] == ""
    assert told[1]["note"].startswith("Rounds were played eager: ")
