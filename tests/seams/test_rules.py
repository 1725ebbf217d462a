"""What a set of tricks is refused for, and what it is told."""

import pytest

from ablate.config.catalog import trick_class
from ablate.trick import Recipe, TrickSet
from tests.world import settings

DIGITS = Recipe(classes=10)


def problems(*names, recipe=DIGITS, **changes):
    """Return (refused sentences, doubts) of a set; changes are {trick: {setting: value}}."""
    members = [trick_class(n).stack([settings(n, **changes.get(n, {}))]) for n in names]
    found = TrickSet(members).problems(recipe)
    return [p.sentence for p in found if p.refuse], [p.sentence for p in found if not p.refuse]


REFUSED = [
    (("label_smooth", "loss_wasserstein"), "needs a loss with targets"),
    (("smooth_g_target", "loss_rpgan"), "needs a loss with targets"),
    (("noisy_labels", "loss_wasserstein"), "noisy_labels"),
    (("loss_hinge", "loss_lsgan"), "each define the adversarial loss"),
    (("gp_interp", "batch_norm"), "allow_batch_coupling=true"),
    (("r1", "batch_norm"), "exclude each other"),
]
DOUBTED = [
    (("label_smooth",), "above 1"),
    (("loss_wasserstein",), "unbounded"),
    (("weight_clip", "gp_interp"), "weight_clip"),
    (("weight_penalty", "spectral_norm"), "weight_penalty"),
    (("topk_g", "loss_rpgan"), "topk_g"),
]


@pytest.mark.parametrize(("names", "words"), REFUSED)
def test_a_set_that_makes_no_sense_is_refused(names, words):
    refused, _ = problems(*names)
    assert any(words in sentence for sentence in refused), refused
    for name in names:  # each alone is fine, so the sentence is about the pair
        assert not problems(name)[0]


@pytest.mark.parametrize(("names", "words"), DOUBTED)
def test_a_doubtful_set_runs_and_is_flagged(names, words):
    refused, doubts = problems(*names)
    assert not refused
    assert any(words in sentence for sentence in doubts), doubts


def test_all_problems_are_told_at_once():
    refused, _ = problems(
        "loss_hinge", "loss_wasserstein", "gp_interp", "batch_norm", "label_smooth"
    )
    assert len(refused) >= 3


def test_flips_still_work_where_a_sample_is_swapped():
    swapped = {"noisy_labels": {"mode": "swap"}}
    assert not problems("noisy_labels", "loss_wasserstein", **swapped)[0]


def test_what_is_refused_by_default_can_be_allowed():
    allowed = {"gp_interp": {"allow_batch_coupling": True}}
    assert not problems("gp_interp", "batch_norm", **allowed)[0]
