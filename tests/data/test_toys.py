"""The toys follow the density that they state."""

import pytest
import torch

from ablate.data import load


@pytest.mark.parametrize(("name", "modes"), [("ring8", 8), ("grid25", 25), ("point", 1)])
def test_samples_follow_the_mixture(name, modes):
    dataset = load(name)
    assert dataset.truth is not None
    assert dataset.truth.centres.shape == (modes, 2)
    for split in (dataset.train, dataset.held_out):
        assert split.images.shape == (100_000, 2)
        assert split.labels is not None
        offsets = split.images - dataset.truth.centres[split.labels]
        counts = split.labels.bincount(minlength=modes)
        # Five standard errors on each side: the seeds are fixed, so this never flickers.
        assert offsets.mean(0).abs().max() <= 5 * dataset.truth.sigma / 100_000**0.5
        assert offsets.std(0).sub(dataset.truth.sigma).abs().max() <= 0.02 * dataset.truth.sigma
        assert (counts - 100_000 / modes).abs().max() <= 5 * (100_000 / modes) ** 0.5


def test_geometry_is_that_of_pacgan():
    ring, grid = load("ring8").truth, load("grid25").truth
    assert ring is not None
    assert grid is not None
    torch.testing.assert_close(ring.centres.norm(dim=1), torch.ones(8))
    torch.testing.assert_close(torch.pdist(ring.centres).min(), torch.tensor(2 - 2**0.5).sqrt())
    assert {tuple(centre) for centre in grid.centres.tolist()} == {
        (x, y) for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)
    }
    assert (ring.sigma, grid.sigma) == (0.01, 0.05)


def test_splits_share_no_point():
    dataset = load("ring8", samples=1000)
    train = {tuple(point) for point in dataset.train.images.tolist()}
    assert not train & {tuple(point) for point in dataset.held_out.images.tolist()}
