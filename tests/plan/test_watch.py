"""What a person sees of a study under way: never a negative rate, and what a search tries."""

import io
import json
import math

import pytest
from rich.console import Console

from ablate.plan import watch
from ablate.plan.tries import Tries, named
from ablate.plan.watch import Watch
from ablate.screen import meter
from ablate.screen.meter import Meter
from ablate.search.journal import Book, Candidate
from ablate.store.claims import whoami
from ablate.trial import Trial

IMAGES = 1000
NOBODY = 2**22  # above the largest process that Linux knows


def trial(seed):
    return Trial({}, seed, {}, {}, {"images": IMAGES}, {}, {})


@pytest.fixture
def seen(tmp_path, monkeypatch):
    """A watch over two trials, as a terminal shows it, with a clock to be set."""
    now = [0.0]
    monkeypatch.setattr(meter, "monotonic", lambda: now[0])
    monkeypatch.setattr(
        watch, "Meter", lambda *words: Meter(*words, Console(force_terminal=True, width=80))
    )
    found = Watch(tmp_path, [trial(0), trial(1)], IMAGES)

    def look(seconds, pids=(), **images):
        now[0] = seconds
        (tmp_path / "claims").mkdir(exist_ok=True)
        for place, (seed, shown) in enumerate(sorted(images.items())):
            about = {**whoami(), "images": shown}
            if pids:
                about["pid"] = pids[place]
            path = tmp_path / "claims" / f"{trial(int(seed[1:])).id}.1"
            path.write_text(json.dumps(about))
        found.look()
        console = Console(file=io.StringIO(), width=80)
        console.print(found.meter.drawn())
        return console.file.getvalue()

    return look


def test_a_rate_is_of_images_and_seconds(seen):
    assert "workers are starting" in seen(0)
    seen(10, s0=100, s1=100)
    told = seen(20, s0=300, s1=200)
    assert "30 images/s" in told  # 300 images more in 10 s
    assert "2 trials under way" in told
    assert "about 50 s left" in told  # 1,500 of 2,000 images, at 30 a second


def test_the_death_of_workers_leaves_no_rate_below_zero(seen):
    seen(0, s0=100, s1=100)
    seen(10, s0=600, s1=600)
    dead = seen(20, pids=(NOBODY, NOBODY), s0=600, s1=600)
    assert "workers are starting" in dead
    assert "images/s" not in dead and "left" not in dead
    assert " 60 %" in dead  # what they trained is not lost from the bar
    seen(30, s0=200, s1=200)  # from their checkpoints
    told = seen(40, s0=300, s1=300)
    assert "20 images/s" in told
    assert "-" not in told


def test_one_worker_that_begins_again_does_not_hide_what_the_other_does(seen):
    seen(0, s0=100, s1=100)
    seen(10, s0=600, s1=600)
    told = seen(20, s0=200, s1=700)  # one goes on from its checkpoint at 200
    assert f"{(500 + 500 + 0 + 100) / 20:.0f} images/s" in told


def candidate(number, lr, state="", value=math.nan, trials=()):
    values = (math.log(value),) if state else ()
    return Candidate(
        number, 0, {"adam.lr": lr, "r1.gamma": 10}, {}, "", state, values, (), 0, 300, trials
    )


@pytest.fixture
def tries():
    book = Book(
        [
            candidate(0, 0.0002, "COMPLETE", 20.0),
            candidate(1, 0.001234, "COMPLETE", 12.5),
            candidate(2, 0.5, "COMPLETE", 16.0),
            candidate(3, 0.00007, trials=("a", "b")),
        ],
        {},
    )
    search = {"metric": "fd_classifier", "is_ratio": True, "budget_images": 3000, "seeds": [0]}
    return Tries("with r1", search, book)


def test_a_setting_is_named_with_its_values(tries):
    assert named(tries.book.candidates[1]) == "setting 1 (adam.lr 0.00123, r1.gamma 10)"


def test_a_setting_that_ended_is_told_with_its_score(tries):
    first, second, third, _ = tries.book.candidates
    assert "fd_classifier 20, the best so far; 10 % of its budget" in tries.outcome(first)
    assert "fd_classifier 12.5, the best so far; 20 % of its budget" in tries.outcome(second)
    assert tries.outcome(third).endswith("r1.gamma 10): fd_classifier 16; 30 % of its budget")


def test_what_is_tried_is_told_beside_the_best(tries):
    assert tries.under_way({"b": 1}) == [
        "with r1, setting 3 (adam.lr 7e-05, r1.gamma 10)",
        "its best so far 12.5, setting 1",
    ]
    assert tries.under_way({}) == []


def test_higher_may_be_better(tries):
    tries.search["metric"], tries.search["is_ratio"] = "precision", False
    assert tries.best().number == 0


def test_images_under_way_count(tries):
    # three settings of 300, one trial of 200 that has ended, and 50 of another
    assert tries.images({"b": 50}, {"a"}, 200) == 3 * 300 + 300 + 200 + 50
