import pytest
import torch

from ablate.metrics.class_score import class_score
from tests.metrics.world import normal


def test_sharp_and_varied_reaches_the_number_of_classes():
    assert class_score(torch.eye(7).repeat(10, 1)).value.item() == pytest.approx(7)


@pytest.mark.parametrize(
    "probabilities",
    [torch.full((20, 5), 0.2), torch.eye(5)[:1].expand(20, 5)],
    ids=["undecided", "one class"],
)
def test_unsure_or_alike_scores_one(probabilities):
    found = class_score(probabilities)
    assert found.value.item() == pytest.approx(1)
    assert found.resample_sd.item() == pytest.approx(0, abs=1e-7)


def test_the_spread_is_that_of_leaving_one_out():
    p = (2 * normal(30, 4)).softmax(1)
    gone = [class_score(torch.cat([p[:i], p[i + 1 :]])).value for i in range(30)]
    honest = torch.stack(gone).std() * 29 / 30**0.5
    assert class_score(p).resample_sd.item() == pytest.approx(honest.item())


def test_many_at_once_equal_one_by_one():
    p = (2 * normal(3, 30, 4)).softmax(-1)
    alone = torch.stack([class_score(one).value for one in p])
    assert torch.allclose(class_score(p).value, alone)
