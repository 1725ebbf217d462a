"""The loops that speed is held against do the core's work, as users write it."""

import itertools

import pytest
import torch

from ablate.trick import Turn
from benchmarks import textbook
from benchmarks.count import Operators
from benchmarks.workload import NETS, Workload


@pytest.mark.parametrize("name", [f"{net}-w{w}" for net in NETS for w in (4, 6)])
def test_both_sides_train_networks_of_one_size(name):
    workload = Workload.of(name)
    gan, loop = workload.stack([0]), workload.loop()
    for net, module in ((gan.G, loop.g), (gan.D, loop.d)):
        shapes = [tuple(shape) for _, _, shape in net.cuts]
        assert sorted(shapes) == sorted(tuple(p.shape) for p in module.parameters())


@pytest.mark.parametrize("name", ["mlp-w8", "dc8-w4", "dc8-w4-gp", "dc8-w4-r1", "resnet-w8"])
def test_t_reads_five_numbers_a_step_and_the_careful_one_none(name):
    reads = []
    for careful in (False, True):
        loop = Workload.of(name).loop(careful=careful)
        for _ in range(2 * loop.d_turns - 1):  # the loader's first batch draws a seed as well
            loop.round()
        before = [p.clone() for p in loop.g.parameters()]
        with Operators() as seen:
            loop.round()
        assert not all(map(torch.equal, before, loop.g.parameters()))
        reads.append(seen.syncs)
    assert reads[0] - reads[1] == 5  # Adam reads its own counters, which lie on the host, in both


@pytest.mark.parametrize("batches", [textbook.loaded, textbook.resident])
def test_an_epoch_shows_no_row_twice_and_the_next_shows_all_again(batches):
    data = torch.arange(3 * textbook.BATCH + 5.0).view(-1, 1)
    epoch = torch.cat([*itertools.islice(batches(data, "cpu"), 3)])
    assert len(epoch.unique()) == len(epoch) == 3 * textbook.BATCH
    two = torch.cat([*itertools.islice(batches(data, "cpu"), 6)])
    assert len(two) == 2 * len(epoch) and not torch.equal(two[: len(epoch)], two[len(epoch) :])


def test_pixels_are_scaled_to_what_d_sees():
    data = torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1)
    assert textbook.scaled(data).flatten().tolist() == [-1, 1]


def test_r1_of_the_textbook_is_r1_of_the_core():
    found = []
    for name in ("dc8-w4-r1", "dc8-w4"):
        gan = Workload.of(name).stack([0])
        gan.feed.refill()
        batch = gan.draw(True)
        found.append(gan.differentiate(Turn("D"), batch).gradient[0])
    loop = Workload.of("dc8-w4-r1").loop()
    parameters = list(loop.d.parameters())
    flats = gan.D.theta[0].split([p.numel() for p in parameters] + [gan.D.sizes[-1]])
    with torch.no_grad():
        for p, flat in zip(parameters, flats, strict=False):
            p.copy_(flat.view_as(p))
    real = batch.real[0].detach().requires_grad_()
    penalty = loop.gradient_penalty(real, loop.see(real), None)
    grads = torch.autograd.grad(penalty, parameters, allow_unused=True)
    theirs = torch.cat([(torch.zeros_like(p) if g is None else g).flatten()
                        for p, g in zip(parameters, grads, strict=True)])  # fmt: skip
    ours = (found[0] - found[1])[: len(theirs)]
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-6)
