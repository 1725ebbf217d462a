"""Ctrl-C: the first asks, everywhere; the second stops at once."""

import signal

import pytest

from ablate.disk import mark
from ablate.runner.interrupt import Interrupt, StopFile, asked_here


def test_the_first_signal_asks_all_workers_and_the_second_stops(tmp_path):
    stop = StopFile(tmp_path, mark())
    with Interrupt(stop.ask) as interrupt:
        assert not asked_here()
        signal.raise_signal(signal.SIGINT)
        assert asked_here()
        assert StopFile(tmp_path, mark())(), "a worker in another process was not told"
        assert interrupt.code == 130
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        assert interrupt.twice
    assert not asked_here()


def test_a_request_to_terminate_is_a_request_to_stop(tmp_path):
    with Interrupt() as interrupt:
        signal.raise_signal(signal.SIGTERM)
    assert interrupt.code == 143


def test_signals_are_given_back():
    before = signal.getsignal(signal.SIGINT)
    with Interrupt():
        assert signal.getsignal(signal.SIGINT) != before
    assert signal.getsignal(signal.SIGINT) == before
