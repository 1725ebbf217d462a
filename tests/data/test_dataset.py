"""What every data set promises."""

import pytest
import torch

from ablate.data import Dataset, Mixture, Split
from ablate.errors import UserError


def images(count: int = 4, side: int = 3) -> torch.Tensor:
    return torch.arange(count * side * side, dtype=torch.uint8).reshape(count, 1, side, side)


def dataset(pixels: torch.Tensor, labels: torch.Tensor | None = None) -> Dataset:
    return Dataset("made", Split(pixels, labels), Split(images(2), None))


def test_fingerprint_depends_on_every_value_and_on_nothing_else():
    base = dataset(images())
    changed = images()
    changed[3, 0, 2, 2] += 1
    assert base.fingerprint == dataset(images()).fingerprint == base.to("cpu").fingerprint
    others = [
        dataset(changed),
        dataset(images(), torch.zeros(4, dtype=torch.int64)),
        dataset(images(), torch.arange(4)),
        Dataset("made", Split(images(2), None), Split(images(), None)),
    ]
    assert len({base.fingerprint, *(other.fingerprint for other in others)}) == 5
    assert len(base.fingerprint) == 16
    assert int(base.fingerprint, 16) >= 0


def test_fingerprint_sees_memory_in_another_order_as_the_same_values():
    turned = images().transpose(2, 3).contiguous().transpose(2, 3)
    assert not turned.is_contiguous()
    assert dataset(turned).fingerprint == dataset(images()).fingerprint


def test_shape_and_kind():
    points = Split(torch.zeros(3, 2), None)
    toy = Dataset("toy", points, points, truth=Mixture(torch.zeros(1, 2), 0.1))
    assert (toy.shape, toy.is_toy) == ((2,), True)
    assert (dataset(images()).shape, dataset(images()).is_toy) == ((1, 3, 3), False)
    moved = toy.to("meta")
    assert moved.train.images.is_meta
    assert moved.truth is not None
    assert moved.truth.centres.is_meta


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_points_that_are_no_numbers_are_refused(value):
    points = torch.zeros(5, 2)
    points[3, 1] = value
    with pytest.raises(UserError, match="NaN or infinite; remove"):
        Split(points, None)


@pytest.mark.parametrize(
    "samples",
    [torch.zeros(4, 1, 3, 3), torch.zeros(4, 3), images()[:, 0], torch.zeros(4, 2).double()],
    ids=["float images", "points in space", "no channels", "double points"],
)
def test_other_tensors_are_refused(samples):
    with pytest.raises(UserError, match="convert images with"):
        Split(samples, None)


@pytest.mark.parametrize("labels", [torch.arange(3), torch.arange(4).int(), torch.zeros(4, 1)])
def test_labels_are_one_int64_a_sample(labels):
    with pytest.raises(UserError, match="pass labels=None"):
        Split(images(), labels)


def test_splits_of_two_shapes_are_refused():
    with pytest.raises(UserError, match="same shape"):
        dataset(images(4, side=2))


def test_an_empty_split_is_refused():
    with pytest.raises(UserError, match="0 training and 2 held-out"):
        dataset(images()[:0])
