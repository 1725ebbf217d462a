import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from ablate.plan import claim as claims
from ablate.plan.claim import attempts, dead, is_alive, is_running, living, progress, take
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


def test_a_heart_that_stopped_is_dead_even_if_its_number_lives_on(tmp_path):
    path = leave_behind(tmp_path, "t", 1, os.getpid())
    assert is_alive(path)
    late = time.time() - claims.STALE_SECONDS - 1
    os.utime(path, (late, late))
    assert not is_alive(path)


def test_on_another_host_only_the_heart_tells(tmp_path, dead_pid):
    assert is_alive(leave_behind(tmp_path, "t", 1, dead_pid, host="elsewhere"))


def test_the_heart_beats(tmp_path, monkeypatch):
    monkeypatch.setattr(claims, "BEAT_SECONDS", 0.01)
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
    claims.create(tmp_path / "claims" / "t.1").close()
    with pytest.raises(FileExistsError):
        claims.create(tmp_path / "claims" / "t.1")
