"""Generators scored together: as if each were alone, and with one look at the device."""

import dataclasses
import math
from collections import Counter

import pytest
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from ablate.metrics import Evaluator
from ablate.metrics.evaluator import AT_ONCE
from ablate.metrics.extractor import make_extractor
from ablate.metrics.frechet import Moments
from ablate.metrics.pairs import ROWS, blocks
from ablate.metrics.reals import PAIRS_CAP, Reals
from tests.metrics.world import bytes_like, digits, ring, stacked

K, N = 5, 300
READS = ("tolist", "item", "cpu", "numpy", "__bool__", "__float__", "__int__", "__index__")
WAITS = ("_local_scalar_dense", "nonzero", "bincount", "masked_select", "equal", "_unique2")


def generators(world, n=N):
    """Good, coarse, noisy, collapsed and nearly collapsed."""
    real = world.held_out.images[:n]
    noise = 0.1 * torch.randn(real.shape, generator=torch.Generator().manual_seed(1))
    if world.is_toy:
        return torch.stack([real, 0.9 * real, real + noise, real[:1].expand_as(real), 0.1 * noise])
    coarse = real // 64 * 64
    noisy = (real + 300 * noise).clamp(0, 255).to(torch.uint8)
    alike = real[:2].repeat(n // 2, 1, 1, 1)
    return torch.stack([real, coarse, noisy, real[:1].expand_as(real), alike])


@pytest.fixture(scope="module", params=["digits", "stacked", "raw", "ring8"])
def judge(request, shared_cache) -> Evaluator:
    world = {"stacked": stacked, "ring8": ring}.get(request.param, digits)()
    extractor = "raw" if request.param == "raw" else "auto"
    return Evaluator(world, extractor, samples=N, cache=shared_cache)


@pytest.fixture(scope="module")
def images(judge):
    return generators(judge.dataset)


@pytest.fixture(params=[2, K])
def together(request, monkeypatch) -> int:
    """How many generators are measured at a time; a GPU takes several."""
    monkeypatch.setattr(Evaluator, "_together", request.param)
    return request.param


def close(found, expected) -> bool:
    """Whether two lists of scores are the same but for rounding."""
    for many, one in zip(found, expected, strict=True):
        for a, b in zip(many, one, strict=True):
            assert (a.metric, a.protocol) == (b.metric, b.protocol)
            assert a.value == pytest.approx(b.value, rel=1e-9, abs=1e-12)
            assert a.resample_sd == pytest.approx(b.resample_sd, rel=1e-9, abs=1e-12)
    return True


def test_a_stack_equals_its_generators_alone_bit_for_bit(judge, images):
    alone = [judge.score(one[None])[0] for one in images]
    assert judge.score(images) == alone
    assert judge.collapsed(images) == [judge.collapsed(one[None])[0] for one in images]
    assert len({scores[0].value for scores in alone}) == K


def test_measured_together_is_measured_alone_but_for_rounding(judge, images, together):
    alone = [judge.score(one[None])[0] for one in images]
    assert close(judge.score(images), alone)
    assert [reason is not None for reason in judge.collapsed(images)] == [
        False, False, False, True, judge.dataset.is_toy
    ]  # fmt: skip


def test_slots_permuted_are_scores_permuted(judge, images, together):
    order = [3, 0, 4, 2, 1]
    found, reasons = judge.score(images), judge.collapsed(images)
    assert close(judge.score(images[order]), [found[i] for i in order])
    assert judge.collapsed(images[order]) == [reasons[i] for i in order]


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_broken_generator_touches_no_other(bad, together, shared_cache):
    judge = Evaluator(ring(), samples=N, cache=shared_cache)
    images = generators(ring())
    whole, verdicts = judge.score(images), judge.collapsed(images)
    images[1, 7, 0] = bad
    found = judge.score(images)
    assert all(math.isnan(s.value) and s.resample_sd is None for s in found.pop(1))
    assert found == whole[:1] + whole[2:]
    reasons = judge.collapsed(images)
    assert "NaN or infinite" in reasons[1]
    assert reasons[:1] + reasons[2:] == verdicts[:1] + verdicts[2:]


class Reads(TorchFunctionMode):
    """Counts the calls that hand a tensor's numbers to the host."""

    def __init__(self):
        super().__init__()
        self.found = Counter()

    def __torch_function__(self, function, types, args=(), kwargs=None):
        name = getattr(function, "__name__", "")
        self.found.update([name] if name in READS else [])
        return function(*args, **(kwargs or {}))


class Waits(TorchDispatchMode):
    """Counts the operators for which the host waits."""

    def __init__(self):
        super().__init__()
        self.found = Counter()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function.name().removeprefix("aten::").split(".")[0]
        self.found.update([name] if name in WAITS else [])
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("size", [1, K])
def test_the_device_is_read_once_however_many_generators(judge, images, size, together):
    for ask in (judge.score, judge.collapsed):
        with Reads() as reads, Waits() as waits:
            ask(images[:size])
        assert reads.found == {"tolist": 1}
        assert not waits.found


def elsewhere(judge: Evaluator) -> Evaluator:
    """The judge on a device whose numbers cannot be read, and that is no CPU."""
    place, reals, moved = torch.device("meta"), judge.reals, dataclasses.replace(judge)
    extract = make_extractor(judge.extractor, judge.dataset, judge.cache, place, None)
    moments = Moments(
        reals.moments.count, reals.moments.mean.to(place), reals.moments.root.to(place)
    )
    known = (x.to(place) for x in (reals.features, reals.radius, reals.similarity))
    for name, held in (("extract", extract), ("reals", Reals(moments, *known)), ("device", place)):
        object.__setattr__(moved, name, held)
    return moved


def test_on_a_device_nothing_is_read_before_the_end(judge, images):
    found = elsewhere(judge)._estimates(images.to("meta"))
    assert set(found) == {score.metric for score in judge.score(images)[0]}
    assert {x.device.type for e in found.values() for x in e} == {"meta"}
    assert {x.shape for e in found.values() for x in e} == {(K,)}
    for ask in (elsewhere(judge).score, elsewhere(judge).collapsed):
        with Reads() as reads, pytest.raises(NotImplementedError, match="no data"):
            ask(images)
        assert reads.found == {"tolist": 1}


def test_a_device_measures_as_many_together_as_its_memory_holds(judge, monkeypatch):
    assert (judge._together, elsewhere(judge)._together) == (1, AT_ONCE // (N * PAIRS_CAP))
    monkeypatch.setattr("ablate.metrics.evaluator.AT_ONCE", 1)
    assert elsewhere(judge)._together == 1


@pytest.mark.parametrize("rows", [1, ROWS, ROWS + 1, 3 * ROWS - 1])
def test_blocks_cover_every_row_once(rows):
    parts = blocks(torch.zeros(rows, 2))
    assert [i for part in parts for i in range(rows)[part]] == list(range(rows))
    assert len(blocks(torch.zeros(rows, 2, device="meta"))) == 1


def test_more_rows_than_a_block_are_measured_alike(shared_cache, monkeypatch):
    judge = Evaluator(digits(), samples=400, cache=shared_cache)
    images = bytes_like(1, 400, 1, 8, 8)
    found = judge.score(images)
    for rows in (37, 4096):
        monkeypatch.setattr("ablate.metrics.pairs.ROWS", rows)
        assert close(judge.score(images), found)
