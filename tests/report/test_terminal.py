import io
import re

import pytest

from ablate.cli.main import main
from ablate.report.printers.terminal import render, render_answer
from ablate.report.study import gather
from tests.report.designs import write_design
from tests.report.test_designs import PLANS
from tests.store.synthetic import write_study

VALUES = {
    "reference": [20.0, 22.0, 19.0],
    "label_smooth+noisy_labels+batch_norm": [10.0, 11.5, 9.0],
    "top_k": [30.0, 33.5, 29.0],
}


class Tty(io.StringIO):
    def isatty(self):
        return True


def plain(text):
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


@pytest.fixture
def study(tmp_path):
    return write_study(tmp_path / "demo", VALUES)


@pytest.fixture
def wide(monkeypatch):
    """Return what is shown where there is room for so many columns."""

    def shown(columns, function, *arguments):
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setenv("NO_COLOR", "1")
        sink = Tty()
        function(*arguments, sink)
        return sink.getvalue()

    return shown


@pytest.mark.parametrize("columns", [60, 80, 100, 120])
def test_no_line_is_wider_than_the_terminal_and_no_arm_is_lost(study, wide, columns):
    told = plain(wide(columns, render, gather([study]).table))
    assert max(map(len, told.splitlines())) <= columns
    for word in ("arm", "reference", "top_k", "batch_norm", "better", "worse", "3 seed pairs"):
        assert word in told
    assert "cost" in told


@pytest.mark.parametrize("name", ["full", "shapley", "ladder"])
def test_answers_fit_as_well(tmp_path, wide, name):
    plan, seeds, _ = PLANS[name]
    found = gather([write_design(tmp_path / name, plan, seeds)])
    told = plain(wide(80, render_answer, found.answer, found.metric))
    assert max(map(len, told.splitlines())) <= 80 and "r1" in told


def test_a_terminal_has_colours_and_a_pipe_has_none(study):
    for stream in (Tty(), io.StringIO()):
        render(gather([study]).table, stream)
        assert ("\x1b[" in stream.getvalue()) == stream.isatty()


def test_compare_shows_the_arms_that_are_asked_for_and_adjusts_for_all(study, capsys):
    assert main(["compare", str(study)]) == 0
    whole = capsys.readouterr().out
    assert main(["compare", str(study), "--arms", "top_k"]) == 0
    part = capsys.readouterr().out
    line = next(line for line in whole.splitlines() if line.startswith("top_k"))
    assert line.split() == next(x for x in part.splitlines() if x.startswith("top_k")).split()
    assert "noisy_labels" in whole and "noisy_labels" not in part
    assert "Not shown: 1 of these arms." in part


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (["--arms", "top-k"], "There is no arm 'top-k'; type one of ['top_k']."),
        (["--metric", "fid"], "No trial has metric 'fid'; choose one of ['fd_classifier']."),
        (["--reference", "none"], "There is no arm 'none' to be the reference"),
    ],
)
def test_what_is_not_there_is_told(study, capsys, asked, told):
    assert main(["compare", str(study), *asked]) == 2
    captured = capsys.readouterr()
    assert told in captured.err and captured.out == ""


def test_compare_shows_what_the_design_asks(tmp_path, capsys):
    plan, seeds, _ = PLANS["shapley"]
    folder = write_design(tmp_path / "r", plan, seeds)
    assert main(["compare", str(folder)]) == 0
    assert "all together" in capsys.readouterr().out


def test_report_says_where_the_page_is(study, tmp_path, capsys):
    assert main(["report", str(study), "-o", str(tmp_path / "out")]) == 0
    assert f"Report: {tmp_path / 'out' / 'report.html'}" in capsys.readouterr().out
    assert (tmp_path / "out" / "report.html").is_file()
