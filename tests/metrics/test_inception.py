"""The public network is 95 MB; a small scripted module with its interface stands in."""

import hashlib
import sys
import types
import warnings
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from ablate.errors import UserError
from ablate.metrics import Evaluator, inception
from tests.metrics.world import Samples, World, bytes_like


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.output = nn.Linear(12, 7)

    def forward(
        self, img: Tensor, return_features: bool = False, no_output_bias: bool = False
    ) -> Tensor:
        pooled = nn.functional.adaptive_avg_pool2d(img.float() / 255, [2, 2]).flatten(1)
        if return_features:
            return pooled
        bias = None if no_output_bias else self.output.bias
        return torch.softmax(nn.functional.linear(pooled, self.output.weight, bias), 1)


@pytest.fixture
def file(tmp_path, monkeypatch) -> Path:
    path = tmp_path / "inception.pt"
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.manual_seed(0)
        torch.jit.save(torch.jit.script(Small()), path)
    monkeypatch.setattr(inception, "SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    return path


def test_features_and_probabilities_are_those_of_the_network(file, tmp_path):
    network, name = inception.load(file, tmp_path)
    images = bytes_like(5, 3, 8, 8)
    features, probabilities = inception.features(network, images)
    assert torch.equal(features, network(images, return_features=True))
    assert torch.allclose(probabilities, network(images, no_output_bias=True))
    assert not torch.allclose(probabilities, network(images))
    assert inception.SHA256.startswith(name)


def test_grey_becomes_colour(file, tmp_path):
    network, _ = inception.load(file, tmp_path)
    grey = bytes_like(5, 1, 8, 8)
    found = inception.features(network, grey)[0]
    assert torch.equal(found, inception.features(network, grey.repeat(1, 3, 1, 1))[0])


def test_scores_are_called_fid_and_name_the_file(file, tmp_path):
    images = bytes_like(60, 3, 8, 8)
    world = World("noise", Samples(images), Samples(images))
    judge = Evaluator(world, "inception", 50, path=file, cache=tmp_path)
    found = {score.metric: score for score in judge.score(images[None])[0]}
    names = {"fid", "kid", "precision", "recall", "density", "coverage", "inception_score"}
    assert set(found) == names
    assert found["fid"].protocol == f"inception:{inception.SHA256[:8]}/n=50/train/reals=60"


def test_a_missing_file(tmp_path):
    with pytest.raises(UserError, match=r"no Inception file.*download https://"):
        inception.load(tmp_path / "none.pt", tmp_path)


def test_another_file(tmp_path):
    other = tmp_path / "other.pt"
    other.write_bytes(b"something else")
    with pytest.raises(UserError, match=r"is not the Inception network.*leave out metric\.path"):
        inception.load(other, tmp_path)


@pytest.mark.parametrize("archive", [True, False])
def test_a_file_that_is_not_torchscript(tmp_path, monkeypatch, archive):
    other = tmp_path / "other.pt"
    torch.save({}, other) if archive else other.write_bytes(b"something else")
    monkeypatch.setattr(inception, "SHA256", hashlib.sha256(other.read_bytes()).hexdigest())
    with pytest.raises(UserError, match="cannot be read as TorchScript"):
        inception.load(other, tmp_path)


@pytest.mark.parametrize("error", [OSError("no route"), ValueError("hash of downloaded file")])
def test_no_connection_says_what_to_type(tmp_path, monkeypatch, error):
    def retrieve(url, known_hash, fname, path):
        assert (url, known_hash) == (inception.URL, f"sha256:{inception.SHA256}")
        raise error

    monkeypatch.setitem(sys.modules, "pooch", types.SimpleNamespace(retrieve=retrieve))
    with pytest.raises(UserError, match=r"could not be fetched.*metric\.path=FILE"):
        inception.load(None, tmp_path)


def test_a_fetched_file_is_used(file, tmp_path, monkeypatch):
    fetched = types.SimpleNamespace(retrieve=lambda *_: str(file))
    monkeypatch.setitem(sys.modules, "pooch", fetched)
    assert inception.SHA256.startswith(inception.load(None, tmp_path)[1])
