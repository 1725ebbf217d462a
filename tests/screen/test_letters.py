"""Words on terminals and in files: whole words, whole numbers, and letters that a stream takes."""

import io
import os
import subprocess
import sys

import pytest

from ablate.screen.letters import (
    NAMES,
    broken,
    cells,
    columns,
    counted,
    fitted,
    say,
    spelled,
    take_any_letter,
    tied,
)

LONG = (
    "Note: label_smooth with targets above 1: cross-entropy has no finite optimum for them; type "
    "trick.label_smooth.clamp=true to cut them at 1,234.5."
)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120])
def test_lines_are_broken_between_words_and_nothing_is_lost(width):
    lines = fitted(LONG, width).split("\n")
    assert " ".join(lines) == LONG  # by Python's own join: no word was cut, none is missing
    longest = max(map(len, LONG.split()))
    assert all(len(line) <= max(width, longest) for line in lines)


def test_a_file_gets_a_sentence_in_one_line():
    sink = io.StringIO()
    say(LONG, sink)
    assert sink.getvalue() == LONG + "\n"


def test_a_command_can_be_copied():
    command = "ablate report results/a_study_of_a_long_name -o reports/a_study_of_a_long_name"
    assert command in fitted(f"Next: {tied(command)}", 40).split("\n")


def test_what_is_quoted_to_be_typed_stays_on_a_line():
    text = "the following arguments are required: DIR; `ablate status --help` shows what to type."
    assert any("`ablate status --help`" in line for line in fitted(text, 60).split("\n"))


def test_a_terminal_gets_as_many_columns_as_it_has(monkeypatch):
    monkeypatch.setenv("COLUMNS", "50")
    sink = Terminal()
    say(LONG, sink)
    assert max(map(len, sink.getvalue().splitlines())) <= 50
    assert columns(io.StringIO()) is None


def test_a_second_column_stands_under_itself():
    text = "  demo    Five classic tricks, each left out in turn"
    assert fitted(text, 30).split("\n") == [
        "  demo    Five classic tricks,",
        "          each left out in",
        "          turn",
    ]


def test_a_first_column_that_is_too_wide_stands_above_the_second():
    text = "  trick.label_smooth.real_low=0.9  a setting of a trick"
    assert fitted(text, 40).split("\n") == [
        "  trick.label_smooth.real_low=0.9",
        "      a setting of a trick",
    ]


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("label_smooth+noisy_labels", ["label_smooth+", "noisy_labels"]),
        ("without label_smooth", ["without", "label_smooth"]),
        ("[0.9929, 1.0029]", ["[0.9929,", "1.0029]"]),
        ("1e+05", ["1e+05"]),
        ("1,234,567", ["1,234,567"]),
    ],
)
def test_names_are_broken_where_they_are_joined_and_numbers_nowhere(name, lines):
    assert broken(name, 5, where=NAMES) == lines


TOLD = "Fréchet ↓ 1.2 ± 0.3 \N{MULTIPLICATION SIGN} 2 \N{EN DASH} … λ"


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("ascii", "Frechet (lower) 1.2 +/- 0.3 x 2 - ... lambda"),
        ("cp1252", "Fréchet (lower) 1.2 ± 0.3 \N{MULTIPLICATION SIGN} 2 \N{EN DASH} … lambda"),
        ("utf-8", TOLD),
    ],
)
def test_what_an_encoding_lacks_is_spelled(encoding, shown):
    assert spelled(TOLD, encoding) == shown


def test_a_name_that_is_no_text_is_shown_all_the_same():
    assert spelled(os.fsdecode(b"on\xe9"), "utf-8") == r"on\udce9"


def test_whoever_prints_is_spelled(monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    take_any_letter()
    print("1.2 ± 0.3 ↓", flush=True)
    assert raw.getvalue() == b"1.2 +/- 0.3 (lower)\n"


def test_names_that_differ_differ_in_every_encoding():
    names = ["lr Δ", "lr β", "学", "習"]
    assert len({spelled(name, "ascii") for name in names}) == 4
    assert spelled("lr Δ", "ascii") == "lr delta"


def test_letters_of_two_columns_count_two():
    assert (cells("abc"), cells("学習"), cells("e\N{COMBINING ACUTE ACCENT}")) == (3, 4, 1)


def test_one_is_one():
    assert [counted(n, "seed") for n in (0, 1, 1234)] == ["0 seeds", "1 seed", "1,234 seeds"]


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
@pytest.mark.parametrize("words", [["tricks", "r1"], ["compare", "na\u00efve\u2193"]])
def test_no_command_dies_of_its_letters(encoding, words):
    code = (
        "import sys; from ablate.cli.main import main; "
        "sys.argv[1:] = [w.encode().decode('unicode-escape') for w in sys.argv[1:]]; "
        "raise SystemExit(main())"
    )
    typed = [word.encode("unicode-escape").decode() for word in words]
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "LC_ALL": "C", "PYTHONUTF8": "0"}
    done = subprocess.run(
        [sys.executable, "-c", code, *typed], env=environment, capture_output=True, check=False
    )
    assert done.returncode == (2 if words[0] == "compare" else 0), done.stderr
    assert b"Traceback" not in done.stderr
