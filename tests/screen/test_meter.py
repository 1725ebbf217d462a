"""Bars: a rate that is never negative, and no bar in a file."""

import io

import pytest
from rich.console import Console

from ablate.screen import meter
from ablate.screen.meter import Meter, Pace


@pytest.fixture
def clock(monkeypatch):
    """The seconds that `Pace` sees, to be set."""
    now = [0.0]
    monkeypatch.setattr(meter, "monotonic", lambda: now[0])
    return now


def test_a_rate_is_of_what_was_done_since_the_first_look(clock):
    pace = Pace()
    pace.add(5000)  # what was there when we came took an unknown time
    assert pace.rate is None
    clock[0] = 10
    pace.add(300)
    assert pace.rate == pytest.approx(30)


def test_work_that_is_lost_does_not_make_a_rate_negative(clock):
    bar = Meter("", "images", Console(file=io.StringIO()))
    for seconds, done in ((0, 1000), (10, 2000), (20, 1500), (30, 2500)):
        clock[0] = seconds
        bar.move(done, 10_000)
        assert bar.pace.rate is None or bar.pace.rate > 0
    assert bar.pace.rate == pytest.approx((1000 + 1000) / 30)


def shown(width, words=()):
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    bar = Meter("label_smooth+noisy_labels seed 3 and 7 more", "images", console)
    bar.move(0, 1000)
    bar.pace.amount, bar.pace.began = 500.0, meter.monotonic() - 10
    bar.move(500, 1000, words, fresh=0)
    console.print(bar.drawn())
    return console.file.getvalue()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_bar_fits_its_terminal_and_cuts_nothing(width):
    told = shown(width, ["loss_d 1.25  loss_g 0.5", "fd_classifier (ema) 12.35"])
    assert max(map(len, told.splitlines())) <= width
    for words in ("seed 3 and 7 more", " 50 %", "about 10 s left", "50 images/s",
                  "loss_d 1.25  loss_g 0.5", "fd_classifier (ema) 12.35"):  # fmt: skip
        assert words in told
    assert "…" not in told


@pytest.mark.parametrize("kind", ["file", "dumb"])
def test_a_file_and_a_terminal_that_cannot_move_get_no_bar(kind, monkeypatch):
    monkeypatch.setenv("TERM", "dumb" if kind == "dumb" else "xterm")
    console = Console(file=io.StringIO(), force_terminal=True if kind == "dumb" else None)
    with Meter("anything", "images", console) as bar:
        bar.move(1, 2)
    assert not bar.is_drawn
    assert console.file.getvalue() == ""
