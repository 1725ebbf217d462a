"""Tables on terminals of every width: no word, no number and no arm is cut."""

import io
import re

import pytest
from rich.console import Console

from ablate.screen.grid import draw

HEADING = ["arm", "fd_classifier ↓", "ratio [95 % CI]", "verdict", "failed"]
ROWS = [
    ["reference", "31.8 ± 9.7", "\N{EN DASH}", "reference", "0 of 3"],
    ["without label_smooth+noisy_labels", "31.7 ± 9.6", "0.9 [0.9929, 1.0029]", "better", "0 of 3"],
    ["without label_smooth+batch_norm", "1,234.5 ± 9.6", "1.9 [1, 3.7]", "inconclusive", "3 of 3"],
    ["学習率 of G", "61.1 ± 4.4", "1.9 [1.0, 3.7]", "worse", "0 of 3"],
]


def drawn(width, rows=ROWS, **choices):
    sink = io.StringIO()
    draw([HEADING, *rows], Console(file=sink, width=width), **choices)
    return sink.getvalue()


@pytest.mark.parametrize("width", [30, 45, 60, 80, 100, 120])
def test_every_word_and_number_is_whole_at_every_width(width):
    told = set(re.findall(r"[\w.,]+", drawn(width)))
    assert {word for row in ROWS for cell in row for word in re.findall(r"[\w.,]+", cell)} <= told


@pytest.mark.parametrize("width", [30, 45, 60, 80, 100, 120])
def test_no_line_is_wider_than_the_terminal(width):
    wide = sum(2 if ord(letter) > 0x2E80 else 1 for letter in "学習率 of G")
    assert wide == 11  # counted by hand
    for line in drawn(width).splitlines():
        assert sum(2 if ord(letter) > 0x2E80 else 1 for letter in line) <= width


def test_a_name_that_cannot_be_broken_is_not_cut():
    names = [f"{'a' * 70}_{n}" for n in (1, 2)]
    told = drawn(60, [[name, *ROWS[0][1:]] for name in names])
    assert all(name in told for name in names)


def test_columns_stand_under_their_headings():
    lines = drawn(120).splitlines()
    for name, column in (("verdict", 3), ("failed", 4)):
        for line, row in zip(lines[1:4], ROWS, strict=False):
            assert line[lines[0].index(name) :].startswith(row[column])


def test_numbers_are_set_to_the_right():
    lines = drawn(120, right=(4,)).splitlines()
    assert {len(line) for line in lines[:4]} == {len(lines[0])}


def test_a_narrow_terminal_gets_cards():
    assert drawn(60).splitlines()[:5] == [
        "reference",
        "  fd_classifier ↓ 31.8 ± 9.7; verdict reference",
        "  failed 0 of 3",
        "without label_smooth+noisy_labels",
        "  fd_classifier ↓ 31.7 ± 9.6",
    ]


def test_letters_that_are_spelled_have_their_room():
    raw = io.BytesIO()
    sink = io.TextIOWrapper(raw, encoding="ascii", errors="strict")
    draw([HEADING, *ROWS[:3]], Console(file=sink, width=120))
    sink.flush()
    lines = raw.getvalue().decode("ascii").splitlines()
    assert "31.8 +/- 9.7" in lines[1]
    assert all(line[lines[0].index("failed") :][:1].isdigit() for line in lines[1:])
