import numpy as np
import pytest

from ablate.report import words


@pytest.mark.parametrize(
    ("mean", "sd", "text"),
    [
        (17.123, 2.57, "17.1 ± 2.6"),
        (0.00123, 0.00034, "0.00123 ± 0.00034"),
        (-0.5, 0.012, "\N{MINUS SIGN}0.500 ± 0.012"),
        (1234.5, 321.0, "1234 ± 321"),
        (17.123, np.nan, "17.12"),
        (17.123, 0.0, "17.12 ± 0.00"),
        (0.0, 0.0, "0.000 ± 0.000"),
        (np.nan, np.nan, words.NONE),
        (3.0, 1e-12, "3.0000 ± 0.0000"),
    ],
)
def test_spread(mean, sd, text):
    assert words.spread(mean, sd) == text


@pytest.mark.parametrize(
    ("effect", "low", "high", "scale", "text"),
    [
        (0.8001, 0.7524, 0.8508, "ratio", "0.800 [0.752, 0.851]"),
        (0.8, np.nan, np.nan, "ratio", "0.8000"),
        (0.02, 0.001, 0.039, "difference", "+0.020 [0.001, 0.039]"),
        (
            -0.02,
            -0.039,
            -0.001,
            "difference",
            "\N{MINUS SIGN}0.020 [\N{MINUS SIGN}0.039, \N{MINUS SIGN}0.001]",
        ),
        (np.nan, np.nan, np.nan, "ratio", words.NONE),
    ],
)
def test_effect(effect, low, high, scale, text):
    assert words.effect({"effect": effect, "low": low, "high": high, "scale": scale}) == text


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.0004, "< 0.001"), (0.0123, "0.012"), (0.051, "0.051"), (0.5, "0.50"), (np.nan, words.NONE)],
)
def test_p_value(p, text):
    assert words.p_value(p) == text


def test_rate_at_no_failure_tells_the_upper_end():
    row = {"failed": 0, "trials": 5, "failed_low": 0.0, "failed_high": 0.4345}
    assert words.rate(row) == "0 of 5, up to 43 %"


@pytest.mark.parametrize(
    ("items", "text"),
    [(["a"], "a"), (["a", "b"], "a and b"), (list("abcd"), "a, b and 2 more")],
)
def test_listing(items, text):
    assert words.listing(items, most=2) == text


@pytest.mark.parametrize(
    ("arm", "text"),
    [
        ("r1", "r1"),
        ("spectral_norm+ema_g+r1", "spectral_norm+\nema_g+r1"),
        ("r1 (r1.gamma=10, r1.every=4)", "r1 (r1.gamma=10,\nr1.every=4)"),
    ],
)
def test_wrapped(arm, text):
    assert words.wrapped(arm, 18) == text
