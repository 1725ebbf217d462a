import io

import pytest
import torch
from rich.console import Console

from ablate.errors import UserError
from ablate.metrics import training
from ablate.metrics.cache import digest
from ablate.metrics.extractor import make_extractor
from ablate.metrics.network import FEATURES, Classifier
from ablate.metrics.training import Examples, task_of, train
from tests.metrics.world import Samples, World, bytes_like, digits, stacked

CPU = torch.device("cpu")


def extractor(dataset, cache):
    return make_extractor("classifier", dataset, cache, CPU, None)


def test_learns_digits(shared_cache):
    found = extractor(digits(), shared_cache)
    assert found.accuracy > 0.96
    assert found.identity.startswith("classifier:")
    features, probabilities = found(digits().held_out.images)
    right = probabilities.argmax(1) == digits().held_out.labels
    assert right.double().mean().item() == pytest.approx(found.accuracy)
    assert (features.shape, features.dtype) == ((400, FEATURES), torch.float64)
    assert torch.allclose(probabilities.sum(1), torch.ones(400, dtype=torch.float64))


def test_features_of_the_reals_have_mean_zero_and_mean_variance_one(shared_cache):
    features = extractor(digits(), shared_cache)(digits().train.images).features
    assert features.mean(0).abs().max() < 1e-4
    assert features.var(0).mean().item() == pytest.approx(1, rel=1e-3)


def test_an_unlabelled_set_learns_rotations(shared_cache):
    found = extractor(digits(labelled=False), shared_cache)
    assert found.identity.startswith("classifier-rotation:")
    assert found.accuracy > 0.8
    assert not found.labelled


def test_stacked_colours_are_classified_one_by_one(shared_cache):
    found = extractor(stacked(), shared_cache)
    assert found.accuracy > 0.96  # of single digits
    split = stacked().held_out
    features, probabilities = found(split.images[:200])
    assert features.shape == (200, 3 * FEATURES)
    assert (probabilities.argmax(1) == split.labels[:200]).double().mean() > 0.88


def quick(monkeypatch, images=400):
    monkeypatch.setattr(training, "PRESENTED", images)


def test_training_is_repeatable_and_draws_from_nobody(monkeypatch):
    quick(monkeypatch)
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    first = train(task_of(digits()))
    assert torch.rand(1) == expected
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with torch.no_grad():
            assert digest(train(task_of(digits()))) == digest(first)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)


def test_a_log_is_told_in_one_line_and_a_terminal_with_a_bar(monkeypatch, capsys):
    quick(monkeypatch)
    train(task_of(digits()))
    told = capsys.readouterr()
    assert told.out == ""
    line = "The classifier that judges samples is trained on 400 images, once for this data set.\n"
    assert told.err == line
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    monkeypatch.setattr("ablate.screen.meter.console", lambda stream: console)
    train(task_of(digits()))
    assert "The classifier that judges" in console.file.getvalue()
    assert "100 %" in console.file.getvalue()
    assert capsys.readouterr().err == ""


def test_is_trained_once(monkeypatch, tmp_path):
    quick(monkeypatch)
    first = extractor(digits(), tmp_path)
    monkeypatch.setattr("ablate.metrics.extractor.train", lambda task: pytest.fail("trained again"))
    assert extractor(digits(), tmp_path).identity == first.identity


def test_a_score_does_not_depend_on_the_company(shared_cache):
    found, images = extractor(digits(), shared_cache), digits().held_out.images
    alone = found(images[7:8]).features
    assert torch.allclose(found(images).features[7:8], alone, atol=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [8, 16, 28, 32, 64])
def test_takes_every_size(channels, size):
    network = Classifier((channels, size, size), 5).eval()
    features, logits = network(bytes_like(2, channels, size, size))
    assert (features.shape, logits.shape) == ((2, FEATURES), (2, 5))


def test_a_quarter_each_is_turned_once_more():
    images = bytes_like(8, 1, 4, 4)
    turned, labels = Examples(images, None).show(torch.arange(8))
    assert labels.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    for image, plain, turns in zip(turned, images, labels.tolist(), strict=True):
        assert torch.equal(image.rot90(-turns, (-2, -1)), plain)


def test_images_that_are_not_square_cannot_be_turned():
    wide = Samples(bytes_like(20, 1, 8, 12))
    with pytest.raises(UserError, match=r"not square.*metric\.extractor=raw"):
        task_of(World("wide", wide, wide))
