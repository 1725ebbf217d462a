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


@pytest.mark.parametrize(
    ("failed", "trials", "text"),
    [
        (0, 5, "0 of 5"),
        (0, 9, "0 of 9"),
        (0, 10, "0 of 10, under 26 %"),
        (0, 48, "0 of 48, under 6.1 %"),
        (10, 10, "10 of 10, over 74 %"),
        (5, 5, "5 of 5"),
        (1, 5, "1 of 5, 4 to 62 %"),
    ],
)
def test_a_rate_has_an_exact_bound_where_it_helps_and_wilsons_interval_between(
    failed, trials, text
):
    row = {"failed": failed, "trials": trials, "failed_low": 0.0362, "failed_high": 0.6245}
    assert words.rate(row) == text


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


@pytest.mark.parametrize(
    ("arm", "width", "text"),
    [
        ("m" * 30, 8, "m" * 26 + "\n" + "m" * 4),
        ("someone_elses_method_in_one_word", 8, "someone_\nelses_\nmethod_\nin_one_\nword"),
        ("without instance_noise", 20, "without\ninstance_noise"),
        ("minibatch_stddev", 12, "minibatch_stddev"),
        ("a b c", 3, "a b\nc"),
    ],
)
def test_a_part_that_is_too_long_is_broken_as_well(arm, width, text):
    assert words.wrapped(arm, width) == text


@pytest.mark.parametrize("width", [14, 26, 60])
@pytest.mark.parametrize("arm", ["x" * 70, "no_" + "y_" * 40, "a+b (r1.gamma=0.1, r1.every=4)" * 3])
def test_no_line_of_a_name_is_too_long_and_no_letter_is_lost(arm, width):
    for told, most in (
        (words.wrapped(arm, width), words.LONG_WORD),
        (words.label(arm, width, 99), 0),
    ):
        assert max(map(len, told.split("\n"))) <= max(width, most)
        assert told.replace("\n", "").replace(" ", "") == arm.replace(" ", "")


def test_a_name_that_is_too_long_for_a_figure_loses_its_middle():
    name = "first_part+second_part+third_part+fourth_part+last_part"
    assert (
        words.label(name, 12, 4)
        == f"first_part+\nsecond_part{words.ELLIPSIS}\nfourth_part+\nlast_part"
    )
    assert words.label(name, 12, 5) == words.wrapped(name, 12)
    assert words.shortened("a" * 30 + "b" * 30, 11) == "a" * 5 + words.ELLIPSIS + "b" * 5
    assert words.shortened("short", 11) == "short"


COST = {"arm": "r1", "reference": "reference"}


@pytest.mark.parametrize(
    ("cost", "sd", "text"),
    [
        (1.4239, 0.0512, "1.424 ± 0.051"),
        (1.4239, np.nan, "~1"),
        (0.7344, np.nan, "~0.7"),
        (0.0444, np.nan, "~0.04"),
        (12.3, np.nan, "~10"),
        (np.nan, np.nan, words.NONE),
    ],
)
def test_a_cost_has_its_spread_or_one_digit(cost, sd, text):
    assert words.cost(COST | {"relative_cost": cost, "relative_cost_sd": sd}) == text


def test_the_reference_costs_one_by_what_cost_means():
    own = {"arm": "reference", "reference": "reference"}
    assert words.cost(own | {"relative_cost": 1.0, "relative_cost_sd": np.nan}) == "1"


def test_what_is_identical_has_no_number_beside_it():
    row = {"effect": 1.0, "low": np.nan, "high": np.nan, "scale": "ratio", "verdict": "identical"}
    assert words.effect(row) == words.NONE
