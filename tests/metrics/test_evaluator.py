import dataclasses
import math
import time
from pathlib import Path

import pytest
import torch
import yaml

from ablate.errors import UserError
from ablate.metric import CATALOG
from ablate.metrics import Evaluator, Score
from ablate.metrics.measured import measured
from ablate.metrics.reals import PAIRS_CAP, describe
from tests.metrics.world import Samples, World, around, bytes_like, digits, normal, ring, stacked

PAIRED = {"kid", "precision", "recall", "density", "coverage"}
CLASSES = {"classifier_score", "class_entropy", "modes", "reverse_kl"}


@pytest.fixture(scope="module")
def judge(shared_cache) -> Evaluator:
    return Evaluator(digits(), samples=400, cache=shared_cache)


def scores(judge, images) -> dict[str, Score]:
    return {score.metric: score for score in judge.score(images[None])[0]}


def value(judge, images, metric) -> float:
    return scores(judge, images)[metric].value


def reason(judge, images) -> str | None:
    return judge.collapsed(images[None])[0]


@pytest.mark.parametrize(
    ("world", "extractor", "expected"),
    [
        (digits(), "auto", {"fd_classifier", *PAIRED, *CLASSES}),
        (digits(labelled=False), "auto", {"fd_classifier", *PAIRED}),
        (stacked(), "classifier", {"fd_classifier", *PAIRED, *CLASSES}),
        (digits(), "raw", {"fd_raw", *PAIRED}),
        (ring(), "auto", {"fd_raw", *PAIRED, "modes", "high_quality", "reverse_kl"}),
        (ring(1, sigma=0.0), "auto", {"fd_raw", *PAIRED}),  # a Dirac point has no 3 sigma
    ],
    ids=["digits", "unlabelled", "stacked", "raw", "ring8", "point"],
)
def test_metrics_of_each_kind_of_set(world, extractor, expected, shared_cache):
    judge = Evaluator(world, extractor, samples=300, cache=shared_cache)
    found = scores(judge, world.held_out.images)
    assert set(found) == expected
    assert sorted(measured(world, extractor)) == sorted(expected)
    assert set(found) <= set(CATALOG)
    assert all(math.isfinite(s.value) and s.resample_sd >= 0 for s in found.values())


def test_protocols_name_weights_samples_split_and_reals(judge):
    found = {name: s.protocol for name, s in scores(judge, digits().held_out.images).items()}
    base = f"{judge.extract.identity}/n=400/train"
    assert found["fd_classifier"] == found["kid"] == f"{base}/reals=1397"
    assert found["recall"] == f"{base}/reals=1397/k=5"
    assert found["class_entropy"] == base


def test_pairs_are_capped_and_say_so(shared_cache):
    judge = Evaluator(ring(), samples=3000, cache=shared_cache)
    found = scores(judge, ring().held_out.images)
    assert found["recall"].protocol == f"raw/n={PAIRS_CAP}/train/reals={PAIRS_CAP}/k=5"
    assert found["fd_raw"].protocol == "raw/n=3000/train/reals=4096"
    fewer = scores(Evaluator(ring(), samples=PAIRS_CAP, cache=shared_cache), ring().held_out.images)
    assert all(found[name] == fewer[name] for name in PAIRED)


def test_real_digits_are_good_and_noise_is_not(judge):
    real, noise = digits().held_out.images, bytes_like(400, 1, 8, 8)
    good, bad = scores(judge, real), scores(judge, noise)
    for name, metric in CATALOG.items():
        if name in good and name != "modes":
            better = good[name].value > bad[name].value
            assert better == (metric.better == "higher"), name
    assert good["modes"].value == 10


def test_the_training_split_is_at_no_distance_from_itself(shared_cache):
    images = digits().train.images
    judge = Evaluator(digits(), samples=len(images), cache=shared_cache)
    found = scores(judge, images)
    assert found["fd_classifier"].value == pytest.approx(0, abs=1e-9)
    assert found["precision"].value == found["coverage"].value == 1


def test_the_held_out_split_can_be_the_reference(shared_cache):
    judge = Evaluator(digits(), samples=400, split="held_out", cache=shared_cache)
    found = scores(judge, digits().held_out.images)["fd_classifier"]
    assert found.value == pytest.approx(0, abs=1e-9)
    assert found.protocol.endswith("/held_out/reals=400")


def test_classes_are_compared_with_those_of_the_same_split(shared_cache):
    whole = digits()
    kept = whole.held_out.labels < 5
    half = Samples(whole.held_out.images[kept], whole.held_out.labels[kept])
    world = dataclasses.replace(whole, held_out=half)
    for split, low, high in (("held_out", 0, 0.1), ("train", 0.5, 1)):
        judge = Evaluator(world, samples=int(kept.sum()), split=split, cache=shared_cache)
        assert low <= value(judge, half.images, "reverse_kl") < high


def test_a_perfect_ring(shared_cache):
    judge = Evaluator(ring(), samples=4096, cache=shared_cache)
    found = scores(judge, ring().held_out.images)
    assert found["modes"].value == 8
    assert found["high_quality"].value == pytest.approx(0.989, abs=0.006)


def test_stacked_modes_are_counted_among_a_thousand(shared_cache):
    judge = Evaluator(stacked(), samples=2000, cache=shared_cache)
    split = stacked().held_out
    found = scores(judge, split.images)
    truth = len(split.labels[:2000].unique())
    assert found["modes"].value == pytest.approx(truth, rel=0.03)
    one = split.images[:1].expand(2000, -1, -1, -1)
    assert value(judge, one, "modes") == 1
    assert value(judge, one, "reverse_kl") > 5


def test_missing_classes_show(judge):
    kept = digits().train.images[digits().train.labels < 3][:400]
    found = scores(judge, kept)
    assert found["class_entropy"].value < math.log(3) + 0.15
    assert found["reverse_kl"].value > 1
    assert found["recall"].value < 0.5


def test_scores_repeat_and_more_samples_than_asked_are_left_out(judge):
    images = digits().train.images
    assert judge.score(images[None]) == judge.score(images[None, :400])


def test_what_is_known_of_the_reals_is_remembered(shared_cache, judge, monkeypatch):
    monkeypatch.setattr("ablate.metrics.reals._extract", lambda *_: pytest.fail("extracted again"))
    again = Evaluator(digits(), samples=400, cache=shared_cache)
    images = digits().held_out.images
    assert again.score(images[None]) == judge.score(images[None])


def test_moments_of_many_chunks_are_those_of_all(tmp_path, monkeypatch, judge):
    monkeypatch.setattr("ablate.metrics.reals.CHUNK", 200)
    reals = describe(digits(), "train", judge.extract, 5, tmp_path, torch.device("cpu"))
    assert reals.moments.count == judge.reals.moments.count
    assert torch.allclose(reals.moments.mean, judge.reals.moments.mean, atol=1e-6)
    roots = [m.root.mT @ m.root for m in (reals.moments, judge.reals.moments)]
    assert torch.allclose(*roots, rtol=1e-4, atol=1e-3)


def test_files_sorted_by_class_lose_no_class_to_the_cap(tmp_path, monkeypatch):
    """Reals behind the pairs are a fixed mixture, not the head of the file."""
    monkeypatch.setattr("ablate.metrics.reals.PAIRS_CAP", 100)
    half = torch.cat([torch.zeros(500, 2), torch.ones(500, 2)]) + 0.01 * normal(1000, 2).float()
    world = World("sorted", Samples(half), Samples(half))
    features = Evaluator(world, samples=100, cache=tmp_path).reals.features
    assert 0.3 < features.mean() < 0.7
    assert len(features) == 100


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_samples_that_are_not_finite_are_nan_and_stop_nobody(bad, shared_cache):
    judge = Evaluator(ring(), samples=300, cache=shared_cache)
    points = ring().held_out.images.clone()
    points[7, 0] = bad
    (found,) = judge.score(points[None])
    assert {s.metric for s in found} == set(scores(judge, ring().held_out.images))
    assert all(math.isnan(s.value) and s.resample_sd is None for s in found)
    assert "NaN or infinite" in reason(judge, points)


def test_huge_samples_are_measured(shared_cache):
    judge = Evaluator(ring(), samples=300, cache=shared_cache)
    assert value(judge, 1e30 * ring().held_out.images, "fd_raw") > 1e50


def test_collapse_is_said_with_its_number(judge):
    images = digits().held_out.images
    assert reason(judge, images) is None
    assert reason(judge, images[:2].repeat(200, 1, 1, 1)) is None  # two modes are not a point
    found = reason(judge, images[:1].expand(400, -1, -1, -1))
    assert "0 of the reals' total variance" in found
    assert "below 0.01" in found


@pytest.mark.parametrize(("ratio", "verdict"), [(0.001, False), (0.01, True)])
def test_the_threshold_of_collapse(ratio, verdict, shared_cache):
    judge = Evaluator(ring(), samples=600, cache=shared_cache, collapse_ratio=ratio)
    close = around(torch.tensor([[1.0, 0.0]]), 0.05, 600, seed=1)  # 0.5 % of the ring's variance
    assert (reason(judge, close) is not None) == verdict


def test_a_dirac_set_is_never_a_collapse(tmp_path):
    judge = Evaluator(ring(1, sigma=0.0), samples=300, cache=tmp_path)
    assert reason(judge, torch.zeros(300, 2)) is None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"extractor": "inceptoin"}, r"did you mean metric\.extractor=inception"),
        ({"extractor": "vgg"}, r"Known are auto, classifier, inception, raw"),
        ({"split": "test"}, r"metric\.split=train or =held_out"),
        ({"samples": 1}, r"budget\.samples=7 or more"),
        ({"neighbours": 0}, r"at least 1"),
        ({"neighbours": 5000, "samples": 6000}, r"smaller metric\.neighbours"),
        ({"extractor": "inception", "path": "/nowhere/x.pt"}, r"no Inception file"),
    ],
)
def test_settings_that_cannot_work(settings, message, tmp_path):
    with pytest.raises(UserError, match=message):
        Evaluator(digits(), cache=tmp_path, **settings)


@pytest.mark.parametrize("extractor", ["classifier", "inception"])
def test_a_network_does_not_look_at_toys(extractor, tmp_path):
    with pytest.raises(UserError, match=r"is a toy; write metric\.extractor=raw"):
        Evaluator(ring(), extractor, cache=tmp_path)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.zeros(400, 1, 8, 8), "uint8"),
        (bytes_like(400, 3, 8, 8), r"\['K', 'N', 1, 8, 8\]"),
        (bytes_like(399, 1, 8, 8), r"399 generated samples.*budget\.samples=399"),
    ],
    ids=["type", "shape", "number"],
)
def test_samples_that_do_not_fit(images, message, judge):
    with pytest.raises(UserError, match=message):
        judge.score(images[None])


def test_scoring_is_quick(shared_cache):
    """About 0.25 s on one core; the limit leaves room for a busy machine."""
    judge = Evaluator(digits(), samples=2048, cache=shared_cache)
    images = bytes_like(2048, 1, 8, 8)
    judge.score(images[None])
    start = time.process_time()
    judge.score(images[None])
    assert time.process_time() - start < 2


@pytest.mark.parametrize("name", ["default", "classifier", "inception", "raw"])
def test_every_key_of_the_config_is_a_setting(name):
    folder = Path(__file__).parents[2] / "conf" / "metric"
    keys = yaml.safe_load((folder / f"{name}.yaml").read_text())
    fields = {field.name: field.default for field in dataclasses.fields(Evaluator)}
    assert set(keys) == {"extractor", "split", "neighbours", "path"}
    assert keys["extractor"] == ("auto" if name == "default" else name)
    same = [key for key in keys if key != "extractor"]
    assert all(keys[key] == fields[key] for key in same)
