import errno
import itertools
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from ablate.store import claims
from ablate.store.claims import attempts, dead, is_alive, is_running, living, progress, take
from tests.small import PATIENCE


@pytest.fixture
def dead_pid():
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return done.pid


def leave_behind(folder, trial, attempt, pid, host=None):
    path = folder / "claims" / f"{trial}.{attempt}"
    path.parent.mkdir(exist_ok=True)
    about = {**claims.whoami(), "pid": pid, "images": 7}
    path.write_text(json.dumps({**about, "host": host} if host else about))
    return path


def test_of_many_who_ask_at_once_exactly_one_gets_the_trial(tmp_path):
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: take(tmp_path, "t"), range(64)))
    (mine,) = [claim for claim in found if claim]
    mine.release()


def test_of_many_who_take_over_from_the_dead_exactly_one_does(tmp_path, dead_pid):
    leave_behind(tmp_path, "t", 1, dead_pid)
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: take(tmp_path, "t"), range(64)))
    (mine,) = [claim for claim in found if claim]
    assert mine.path.name == "t.2"
    mine.release()
    assert not attempts(tmp_path / "claims", "t")


def test_a_living_worker_keeps_its_trial_and_a_released_one_is_free(tmp_path):
    first = take(tmp_path, "t")
    assert take(tmp_path, "t") is None
    first.release()
    second = take(tmp_path, "t")
    assert second is not None
    second.release()


def test_deaths_count_since_the_study_was_started(tmp_path, dead_pid):
    path = leave_behind(tmp_path, "t", 1, dead_pid)
    os.utime(path, (1000, 1000))
    leave_behind(tmp_path, "t", 2, dead_pid)
    claim = take(tmp_path, "t", since=2000)
    assert claim.deaths == 1
    claim.release()


class Clock:
    """The clock of whoever watches, which stands still but for his own sleep.

    Attributes:
        meanwhile: What others do while he sleeps.
    """

    def __init__(self):
        self.now, self.time = 0.0, time.time
        self.meanwhile = lambda: None

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds
        self.meanwhile()


@pytest.fixture
def clock(monkeypatch):
    """Hearts are watched as long as it takes, by a clock that waits for nobody."""
    found = Clock()
    monkeypatch.setattr(claims, "time", found)
    return found


def test_a_heart_that_stopped_is_dead_even_if_its_number_lives_on(tmp_path, clock):
    path = leave_behind(tmp_path, "t", 1, os.getpid())
    assert is_alive(path)
    late = time.time() - claims.STALE_SECONDS - 1
    os.utime(path, (late, late))
    assert not is_alive(path)


@pytest.mark.parametrize("off", [-7200.0, -90.0, 90.0, 7200.0])
def test_a_worker_whose_clock_is_off_keeps_its_trial_while_its_heart_beats(tmp_path, clock, off):
    path = leave_behind(tmp_path, "t", 1, 7, host="elsewhere")
    beats = itertools.count(time.time() + off, claims.BEAT_SECONDS)

    def beat():  # on a disk that takes the times of whoever writes
        os.utime(path, (next(beats),) * 2)

    beat()
    clock.meanwhile = beat
    assert take(tmp_path, "t") is None
    assert clock.now <= claims.STILL_SECONDS
    assert set(living(tmp_path, sure=True)) == {"t"}
    clock.meanwhile, asked = (lambda: None), clock.now
    claim = take(tmp_path, "t")  # no more: whatever time it is there, it is dead
    assert claim is not None and claim.path.name == "t.2"
    assert clock.now - asked >= claims.STILL_SECONDS - claims.LOOK_SECONDS
    claim.release()


@pytest.mark.parametrize(
    "content",
    [b"", b'{"host"', b"[1]", b"7", b"null", b"\xff\xfe", b'{"host": "x"}', b'{"pid": 1}',
     b'{"host": "x", "pid": "y"}', b'{"host": "x", "pid": -1}', b'{"host": "x", "pid": 1e30}',
     b'{"host": 5, "pid": 5}', b"[" * 100_000],
)  # fmt: skip
def test_a_claim_that_no_worker_has_written_is_nobodys(tmp_path, content, clock):
    path = leave_behind(tmp_path, "t", 1, 7)
    path.write_bytes(content)
    assert living(tmp_path) == {}
    claim = take(tmp_path, "t")
    assert claim is not None and clock.now <= claims.WRITTEN_SECONDS + claims.LOOK_SECONDS
    claim.release()
    assert not path.exists()


def test_a_folder_in_the_place_of_a_claim_is_nobodys(tmp_path, clock):
    (tmp_path / "claims" / "t.1").mkdir(parents=True)
    claim = take(tmp_path, "t")
    claim.release()
    assert not (tmp_path / "claims").exists()


def test_what_a_claim_says_of_progress_is_taken_as_far_as_it_can_be(tmp_path):
    path = leave_behind(tmp_path, "t", 1, 7, host="elsewhere")
    path.write_text(json.dumps({"host": "elsewhere", "pid": 7, "images": "x", "seconds": [1]}))
    assert living(tmp_path) == {"t": {"host": "elsewhere", "pid": 7, "images": 0, "seconds": 0.0}}


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.ESTALE])
def test_a_first_write_that_fails_leaves_no_claim(tmp_path, monkeypatch, number, links):
    def link(*_):
        raise OSError(errno.EPERM, "no links here")

    def fail(*_, **__):
        raise OSError(number, os.strerror(number))

    if links:
        monkeypatch.setattr(claims.Path, "write_text", fail)
    else:
        monkeypatch.setattr(os, "link", link)
        monkeypatch.setattr(claims.Path, "read_text", fail)
    with pytest.raises(OSError, match=os.strerror(number)):
        take(tmp_path, "t")
    assert list((tmp_path / "claims").iterdir()) == []


def test_without_links_exactly_one_gets_the_trial_as_well(tmp_path, monkeypatch):
    def link(*_):
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", link)
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: take(tmp_path, "t"), range(64)))
    (mine,) = [claim for claim in found if claim]
    mine.release()


def test_the_disks_clock_is_what_ages_of_other_hosts_are_told_by(tmp_path, monkeypatch):
    path = leave_behind(tmp_path, "t", 1, 7, host="elsewhere")
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - 500)  # this machine is behind
    assert claims.ahead(path.parent) == pytest.approx(500, abs=PATIENCE)
    assert set(living(tmp_path)) == {"t"}


def test_two_plans_in_one_folder_know_of_each_other(tmp_path):
    mine = claims.take_plan(tmp_path, "a" * 16)
    assert claims.other_plans(tmp_path, "a" * 16) == []
    (other,) = claims.other_plans(tmp_path, "b" * 16)
    assert other == f"{claims.whoami()['host']}, process {os.getpid()}"
    assert living(tmp_path) == dead(tmp_path) == {}  # no trial is theirs
    mine.release()
    assert claims.other_plans(tmp_path, "b" * 16) == []


def test_on_another_host_only_the_heart_tells(tmp_path, dead_pid):
    assert is_alive(leave_behind(tmp_path, "t", 1, dead_pid, host="elsewhere"))


def test_the_heart_beats(tmp_path, monkeypatch):
    monkeypatch.setattr("ablate.store.heart.BEAT_SECONDS", 0.01)
    claim = take(tmp_path, "t")
    os.utime(claim.path, (0, 0))
    deadline = time.monotonic() + PATIENCE
    while claim.path.stat().st_mtime == 0 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert claim.path.stat().st_mtime > 0
    claim.release()


def test_a_process_that_waits_to_be_buried_does_not_run():
    child = subprocess.Popen([sys.executable, "-c", ""])
    deadline = time.monotonic() + PATIENCE
    while is_running(child.pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_running(child.pid)  # nobody has waited for it yet
    child.wait()


def test_onlookers_see_how_far_a_trial_is(tmp_path):
    claim = take(tmp_path, "t")
    claim.tell(640, 12.5)
    assert progress(tmp_path) == {"t": 640}
    assert living(tmp_path)["t"]["seconds"] == 12.5
    assert dead(tmp_path) == {}
    claim.release()


@pytest.mark.parametrize("ahead", [-3600.0, 3600.0])
def test_a_heartbeat_of_another_time_is_no_sign_of_life(tmp_path, ahead):
    claim = tmp_path / "claims" / "t.1"
    claim.parent.mkdir()
    claim.write_text(json.dumps({"host": "elsewhere", "pid": 7, "images": 320}))
    now = time.time()
    os.utime(claim, (now + ahead, now + ahead))
    assert living(tmp_path) == {}
    found = dead(tmp_path)["t"]
    assert found["images"] == 320
    assert found["silent"] == pytest.approx(-ahead, abs=PATIENCE)


def test_nothing_empty_is_left_behind(tmp_path):
    folder = tmp_path / "results"
    take(folder, "t").release()
    assert not folder.exists()


def test_a_claim_is_created_once(tmp_path):
    claims.create(tmp_path / "claims" / "t.1", "x")
    with pytest.raises(FileExistsError):
        claims.create(tmp_path / "claims" / "t.1", "y")
    assert [p.read_text() for p in (tmp_path / "claims").iterdir()] == ["x"]
