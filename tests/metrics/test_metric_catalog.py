import subprocess
import sys

from ablate.metric import CATALOG, HIGHER_IS_BETTER, SCALE

NAMES = [
    *("fd_classifier", "fid", "fd_raw", "kid", "precision", "recall", "density", "coverage"),
    *("classifier_score", "inception_score", "class_entropy", "modes", "high_quality"),
    "reverse_kl",
]


def test_every_name_stands_once():
    assert list(CATALOG) == list(SCALE) == list(HIGHER_IS_BETTER) == NAMES
    assert all(metric.name == name for name, metric in CATALOG.items())


def test_distances_are_ratios_and_lower_is_better():
    for name in ("fd_classifier", "fid", "fd_raw"):
        assert (SCALE[name], HIGHER_IS_BETTER[name]) == ("ratio", False)


def test_what_may_be_zero_or_negative_is_a_difference():
    maybe_zero = {"kid", "precision", "recall", "density", "coverage", "class_entropy"}
    maybe_zero |= {"modes", "high_quality", "reverse_kl"}
    assert {name for name, scale in SCALE.items() if scale == "difference"} == maybe_zero


def test_lower_is_better_for_distances_only():
    lower = {name for name, higher in HIGHER_IS_BETTER.items() if not higher}
    assert lower == {"fd_classifier", "fid", "fd_raw", "kid", "reverse_kl"}


def test_needs_no_torch():
    code = "import sys, ablate.metric; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
