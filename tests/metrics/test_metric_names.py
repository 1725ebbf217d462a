"""The field's names, with the directions that their own documentation gives."""

import pytest

from ablate.metric import CATALOG, either_way, hint, is_like, known, unknown_metric

LOWER = [
    # StyleGAN3
    *("fid50k_full", "fid50k", "kid50k_full", "kid50k", "ppl2_wend", "ppl_zfull", "ppl_wend"),
    # torch-fidelity
    *(
        "frechet_inception_distance",
        "kernel_inception_distance_mean",
        "perceptual_path_length_mean",
    ),
    # torchmetrics, TF-GAN
    *("FrechetInceptionDistance", "KernelInceptionDistance", "PerceptualPathLength"),
    *("MemorizationInformedFrechetInceptionDistance", "frechet_classifier_distance"),
    *("kernel_classifier_distance", "sliced_wasserstein_distance"),
    # pytorch-fid, clean-fid, StudioGAN, ADM, dgm-eval
    *("fid_score", "FID", "clean_fid", "fid_clean", "clip_fid", "sFID", "fd_dinov2", "kd", "cmmd"),
    # as people log them
    *("fid10k", "fid_10k", "val/fid", "eval/FID", "metrics/fid50k_full", "test fid", "best_fid"),
    *("fid_mean", "KID", "kid_mean", "fid5k", "swd", "mifid", "Fréchet Inception Distance"),
    *("summary.fid", "am_score", "intra_fid", "fid.value"),
]
HIGHER = [
    *("is50k", "is50k_mean", "is_mean", "isc", "IS", "inception_score_mean", "InceptionScore"),
    *("pr50k3_full_precision", "pr50k3_full_recall", "pr50k3_precision", "Improved_Precision"),
    *("precision", "Recall", "density", "Coverage", "val/inception_score", "eqt50k_int", "eqr50k"),
    *("psnr", "ssim", "vendi_score", "classifier_score", "cas"),
]
UNKNOWN = [
    *("fid_std", "kid50k_full_std", "inception_score_std", "loss_d", "accuracy", "seed", "step"),
    *("", "_", "mean", "is_sn", "fidelity", "this", "full", "val"),
]


@pytest.mark.parametrize("name", LOWER)
def test_distances_are_better_low(name):
    assert known(name).better == "lower" and known(name).name == name


@pytest.mark.parametrize("name", HIGHER)
def test_scores_are_better_high(name):
    assert known(name).better == "higher" and known(name).name == name


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_is_no_metric_of_the_field_is_not_known(name):
    assert known(name) is None


def test_what_may_be_negative_or_is_a_share_is_compared_by_differences():
    for name in ("kid50k_full", "cmmd", "pr50k3_full_precision", "Coverage", "psnr"):
        assert known(name).scale == "difference", name
    for name in ("fid_score", "is_mean", "ppl2_wend", "swd"):
        assert known(name).scale == "ratio", name


def test_our_own_names_stay_ours():
    assert all(known(name) is metric for name, metric in CATALOG.items())


def test_only_some_fid_is_like_fid():
    assert is_like("fid", "fid50k_full") and is_like("fid", "FID")
    assert not is_like("fid", "kid50k_full") and not is_like("fid", "fd_classifier")
    assert not is_like("fid", "mine")


def test_what_goes_either_way_is_not_known():
    for name in ("lpips", "LPIPS", "ms_ssim", "val/ms-ssim"):
        assert known(name) is None and either_way(name) is not None
    assert either_way("fid") is None


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("fid_scor", "did you mean 'fid_score'"),
        ("fidd", "did you mean 'fid'"),
        ("inception_scor", "did you mean 'inception_score'"),
        ("preciision", "did you mean 'precision'"),
        ("covrage", "did you mean 'coverage'"),
        ("my_metric", ""),
        ("fid_classifier_score", "did you mean 'fd_classifier'"),
        ("fdi", ""),
    ],
)
def test_a_hint_is_a_near_name(name, told):
    assert hint(name) == told


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("fid_score", "no metric 'fid_score'; did you mean 'fid'."),
        ("is_mean", "did you mean 'inception_score'"),
        ("fd_clasifier", "did you mean 'fd_classifier'"),
        ("ppl2_wend", "type one of fd_classifier, fid"),
        ("mine", "type one of fd_classifier, fid"),
    ],
)
def test_a_study_is_told_our_name_for_what_the_field_calls_otherwise(name, told):
    assert told in str(unknown_metric(name))


def test_no_hint_goes_across_directions():
    """Whatever single letter is wrong, a name's words say its direction and the hint keeps it."""
    for name in [*LOWER, *HIGHER]:
        for place in range(len(name)):
            wrong = name[:place] + name[place + 1 :]
            near = hint(wrong)
            if known(wrong) is None and near:
                suggested = known(near.split("'")[1])
                assert suggested.better == known(name).better, (wrong, near)
