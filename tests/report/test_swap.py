"""The report's folder under two writers, and after a kill."""

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ablate.errors import UserError
from ablate.report.swap import MANIFEST, swapped_in


def write(out, word):
    with swapped_in(out) as folder:
        (folder / "word").write_text(word)
        (folder / MANIFEST).write_text('{"files": {"word": ""}}')


def write_often(out, word):
    for _ in range(40):
        write(out, word)


def test_two_at_once_never_fail_or_vanish(tmp_path):
    out = tmp_path / "report"
    context = multiprocessing.get_context("spawn")
    both = [context.Process(target=write_often, args=(out, word)) for word in ("one", "two")]
    for process in both:
        process.start()
    while any(process.is_alive() for process in both):
        pass
    for process in both:
        process.join()
    assert [process.exitcode for process in both] == [0, 0]
    assert (out / "word").read_text() in ("one", "two")
    assert os.listdir(tmp_path) == ["report"]


def test_what_a_killed_one_left_is_swept(tmp_path):
    killed = (
        "import os, sys; from pathlib import Path; from ablate.report.swap import swapped_in\n"
        "with swapped_in(Path(sys.argv[1])) as folder: os.kill(os.getpid(), 9)"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", killed, str(tmp_path / "report")]
    subprocess.run(command, env=environment, check=False)
    assert len(os.listdir(tmp_path)) == 1
    write(tmp_path / "report", "new")
    assert os.listdir(tmp_path) == ["report"]


@pytest.mark.parametrize("out", ["/", "/proc/x/y", "FILE/x"])
def test_a_place_where_no_report_can_be_is_told(out, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("FILE").write_text("kept")
    with pytest.raises(UserError, match="cannot be"):
        write(Path(out), "new")
    assert Path("FILE").read_text() == "kept"
