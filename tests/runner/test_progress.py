"""What a person sees while training."""

import io
from types import SimpleNamespace

from rich.console import Console

from ablate.runner.progress import Lines, Live, shower
from ablate.train.outcome import Outcome

SCORES = [SimpleNamespace(metric="fd_raw", value=12.345)]


def tell(listener):
    listener.started(1000)
    listener.interval([200], 1.0, {"loss_d": 1.25, "loss_g": 0.5})
    listener.interval([500], 2.0, {"loss_d": 1.25, "loss_g": 0.5})
    listener.evaluated(500, 0, "ema", SCORES)
    listener.finished(0, Outcome(status="done", images=1000))


def test_a_terminal_gets_a_bar_with_rate_losses_metric_and_time_left(monkeypatch):
    monkeypatch.setattr("ablate.screen.meter.SURE_SECONDS", -1.0)
    console = Console(force_terminal=True, width=140, file=io.StringIO())
    listener = shower(["r1 seed 3"], console)
    assert isinstance(listener, Live)
    tell(listener)
    listener.close()
    shown = console.file.getvalue()
    for words in ("r1 seed 3", "images/s", "loss_d 1.25", "loss_g 0.5", "fd_raw (ema) 12.3", "%"):
        assert words in shown


def test_a_log_gets_plain_lines_beside_the_results(capsys):
    listener = shower(["r1 seed 3"], Console(file=io.StringIO()))
    assert isinstance(listener, Lines)
    tell(listener)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "r1 seed 3: 1,000 images",
        "r1 seed 3: 500 of 1,000 images; fd_raw (ema) 12.35",
    ]


def test_a_log_hears_of_a_long_interval(capsys, monkeypatch):
    monkeypatch.setattr("ablate.runner.progress.LINE_SECONDS", -1.0)
    now = [0.0]
    monkeypatch.setattr("ablate.screen.meter.monotonic", lambda: now[0])
    listener = Lines(["r1 seed 3"])
    listener.started(1000)
    listener.interval([300], 2.0, {"loss_d": 1.25})
    now[0] = 10.0
    listener.interval([500], 12.0, {"loss_d": 1.25})
    told = capsys.readouterr().err.splitlines()
    assert told[1] == "r1 seed 3: 300 of 1,000 images; loss_d 1.25"
    # 200 images in 10 s, and 500 are left
    assert told[2] == "r1 seed 3: 500 of 1,000 images; 20 images/s; about 20 s left; loss_d 1.25"


def test_a_stack_says_whose_metric_it_is(capsys):
    listener = Lines(["r1 seed 3", "r1 seed 4"])
    listener.started(1000)
    listener.evaluated(500, 1, "raw", [SimpleNamespace(metric="fd_raw", value=2.0)])
    assert capsys.readouterr().err.splitlines() == [
        "r1 seed 3 and 1 more: 1,000 images",
        "r1 seed 4: 500 of 1,000 images; fd_raw 2",
    ]
