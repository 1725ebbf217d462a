"""One thread renews all the claims of a process."""

import os
import threading
import time

import pytest

from ablate.store import heart

PATIENCE = 30.0


@pytest.fixture
def fast(monkeypatch):
    monkeypatch.setattr(heart, "BEAT_SECONDS", 0.01)


def hearts():
    return [one for one in threading.enumerate() if one.name == "heart"]


def until(true):
    deadline = time.monotonic() + PATIENCE
    while not true() and time.monotonic() < deadline:
        time.sleep(0.01)
    return true()


def old(path):
    path.touch()
    os.utime(path, (0, 0))
    return path


def test_one_thread_renews_them_all_and_ends_with_the_last(tmp_path, fast):
    paths = [old(tmp_path / str(n)) for n in range(5)]
    for path in paths:
        heart.keep(path)
    assert len(hearts()) == 1
    assert until(lambda: all(path.stat().st_mtime > 0 for path in paths))
    for path in paths:
        heart.drop(path)
    assert until(lambda: not hearts())
    os.utime(paths[0], (0, 0))
    heart.keep(paths[1])
    os.utime(paths[1], (0, 0))
    assert until(lambda: paths[1].stat().st_mtime > 0)  # it beats again
    assert paths[0].stat().st_mtime == 0  # and leaves alone what was dropped
    heart.drop(paths[1])


def test_what_cannot_be_renewed_is_let_go(tmp_path, fast):
    heart.keep(tmp_path / "gone")
    assert until(lambda: not hearts())


def test_a_fork_renews_nothing_of_its_parent_and_has_a_heart_of_its_own(tmp_path, fast):
    parents, own = old(tmp_path / "parents"), old(tmp_path / "own")
    heart.keep(parents)
    child = os.fork()
    if not child:
        heart.keep(own)
        beats = until(lambda: own.stat().st_mtime > 0)
        os._exit(0 if beats and heart._kept == {own} and len(hearts()) == 1 else 1)
    _, code = os.waitpid(child, 0)
    heart.drop(parents)
    assert code == 0
