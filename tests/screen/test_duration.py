"""Times in words: measured ones with the digits they have, guessed ones with one."""

import pytest

from ablate.screen.duration import about, lasted, one_digit


@pytest.mark.parametrize(
    ("seconds", "measured", "guessed"),
    [
        (0, "0 s", "1 s"),
        (0.84, "0.8 s", "1 s"),
        (9.96, "10 s", "10 s"),
        (42.4, "42 s", "40 s"),
        (119, "119 s", "100 s"),
        (142.2, "2 min", "2 min"),
        (7199, "120 min", "100 min"),
        (3.44 * 3600, "3.4 h", "3 h"),
        (50 * 3600, "2.1 days", "2 days"),
    ],
)
def test_a_time_in_words(seconds, measured, guessed):
    assert (lasted(seconds), about(seconds)) == (measured, guessed)


@pytest.mark.parametrize("seconds", [10**n * k for n in range(7) for k in (1.0, 1.9, 2.37, 9.4)])
def test_a_guess_has_one_digit_that_is_not_zero(seconds):
    number = about(seconds).split()[0]
    assert sum(digit not in "0,." for digit in number) == 1


def test_one_digit():
    assert [one_digit(x) for x in (0.0237, 0.96, 7.4, 3456.0)] == ["0.02", "1", "7", "3,000"]
