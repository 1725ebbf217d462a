"""WANDB_* variables are obeyed, a missing key is one sentence, a broken mirror costs nothing."""

import netrc
import os
from pathlib import Path

import pytest

from ablate.tracker import check_tracker, exported, quiet, run_settings
from ablate.tracker.login import has_key
from ablate.tracker.wandb import Wandb
from tests.tracker.test_wandb import records

wandb = pytest.importorskip("wandb")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.fixture(autouse=True)
def _nothing_exported(monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    for folder in ("CACHE", "CONFIG", "DATA"):
        monkeypatch.setenv(f"WANDB_{folder}_DIR", str(tmp_path / "wandb-home"))
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setattr(Wandb, "is_unreachable", False)


def run_in(folder: Path):
    (file,) = folder.glob("wandb/offline-run-*/*.wandb")
    return next(r.run for r in records(file) if r.HasField("run"))


def test_what_is_exported_is_obeyed(place, monkeypatch):
    exported = {"PROJECT": "mine", "ENTITY": "us", "MODE": "dryrun", "DIR": str(place.path / "w"),
                "RUN_GROUP": "night", "TAGS": "a,b"}  # fmt: skip
    for name, value in exported.items():
        monkeypatch.setenv(f"WANDB_{name}", value)
    assert place.type("train", "trick=[ema_g]", "tracker=wandb") == 0, place.err
    run = run_in(place.path / "w")
    (trial,) = place.trials()
    assert (run.project, run.entity, run.run_group) == ("mine", "us", "night")
    assert (run.run_id, list(run.tags)) == (trial.name, ["ema_g", "a", "b"])
    assert not (place.path / "results/train/wandb").exists()


def test_what_is_typed_wins(place, monkeypatch):
    for name, value in {"PROJECT": "mine", "ENTITY": "us", "MODE": "online", "DIR": "w"}.items():
        monkeypatch.setenv(f"WANDB_{name}", value)
    words = ("tracker.project=typed", "tracker.entity=me", "tracker.mode=offline", "tracker.dir=d")
    assert place.type("train", "tracker=wandb", *words) == 0, place.err
    run = run_in(place.path / "d")
    assert (run.project, run.entity) == ("typed", "me")


def test_nothing_exported_is_offline_in_the_results(place):
    assert place.type("train", "tracker=wandb") == 0, place.err
    run = run_in(place.path / "results/train")
    assert (run.project, run.entity, run.run_group) == ("ablate", "", "reference")


def test_an_empty_variable_is_none(monkeypatch, tmp_path):
    settings = {"name": "wandb", "project": "", "entity": "", "mode": "", "dir": tmp_path / "new"}
    check_tracker(settings)
    kept = run_settings(settings)
    assert (kept["project"], kept["mode"]) == ("ablate", "offline")
    assert (tmp_path / "new").is_dir()
    monkeypatch.setenv("WANDB_CONSOLE", "wrap")
    assert quiet() == {"silent": True, "finish_timeout": 60.0}


def test_a_mode_that_is_none_is_refused_wherever_it_was_said(place, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offlien")
    assert place.type("train", "tracker=wandb") == 2
    assert "did you mean 'offline'" in place.err
    assert not (place.path / "results").exists()


KEY = "0123456789" * 4


@pytest.mark.parametrize("command", [("train",), ("sweep", "s.yaml")])
def test_a_missing_key_is_one_sentence_before_training(place, command):
    (place.path / "s.yaml").write_text(
        "defaults: [study, {override trick: [ema_g]}, _self_]\nstudy: {design: leave_one_out}\n"
    )
    assert place.type(*command, "tracker=wandb", "tracker.mode=online") == 2
    told = [line for line in place.err.splitlines() if line and not line.startswith("Error exec")]
    assert len(told) == 1 and "type `wandb login`, or export WANDB_API_KEY" in told[0]
    assert not (place.path / "results").exists()


def test_a_key_is_found_where_wandb_keeps_it(monkeypatch, tmp_path):
    monkeypatch.setenv("WANDB_BASE_URL", "https://wandb.example.org")
    assert not has_key()
    (tmp_path / "netrc").write_text(f"machine other.org login user password {KEY}\n")
    assert not has_key()
    (tmp_path / "netrc").write_text(f"machine wandb.example.org login user password {KEY}\n")
    assert netrc.netrc(tmp_path / "netrc").hosts.keys() == {"wandb.example.org"}
    assert has_key()
    (tmp_path / "netrc").unlink()
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    assert has_key()


class Run:
    """A run whose n-th call of any kind fails, and every one after it."""

    def __init__(self, calls: list[str], most: int) -> None:
        self.calls, self.most, self.summary = calls, most, {}

    def called(self, name: str) -> None:
        self.calls.append(name)
        if len(self.calls) > self.most:
            raise wandb.errors.CommError("the network is gone.\nA second line")

    def __getattr__(self, name: str):
        return lambda *args, **options: self.called(name)


@pytest.mark.parametrize("most", range(0, 10, 2))
def test_a_mirror_that_breaks_at_any_call_loses_no_trial(place, monkeypatch, most):
    calls: list[str] = []

    def init(**options):
        run = Run(calls, most)
        run.called("init")
        return run

    monkeypatch.setattr(wandb, "init", init)
    assert place.type("train", "tracker=wandb", "seed=0") == 0, place.err
    assert len(place.trials()) == 1 and "after 32 images" in place.out
    said = [line for line in place.err.splitlines() if "Weights & Biases" in line]
    assert said == ["Weights & Biases: the network is gone; the results are whole, their mirror is not."]  # noqa: E501 # fmt: skip
    if most == 0:  # no server answers: the next trial does not wait for it again
        assert place.type("train", "tracker=wandb", "seed=1") == 0
        assert calls == ["init"] and len(place.trials()) == 2


def test_a_report_that_cannot_be_sent_is_written(place, monkeypatch):
    from tests.store.synthetic import write_study

    write_study(place.path / "results", {"reference": [20.0, 22, 19], "r1": [16.0, 18, 14]})

    def init(**options):
        raise wandb.errors.CommError("no answer")

    monkeypatch.setattr(wandb, "init", init)
    assert place.type("report", "results", "-o", "out", "--wandb") == 2
    assert "no answer; the report is in out" in place.err
    assert (place.path / "out" / "report.html").is_file()


def test_the_settings_of_a_report(monkeypatch, tmp_path):
    assert exported(None, tmp_path) == {
        "name": "wandb", "project": None, "entity": None, "mode": None, "dir": str(tmp_path),
    }  # fmt: skip
    for name, value in {"PROJECT": "mine", "ENTITY": "us", "MODE": "online", "DIR": "w"}.items():
        monkeypatch.setenv(f"WANDB_{name}", value)
    assert exported("offline", tmp_path)["mode"] == "offline"
    assert exported("", tmp_path) == {
        "name": "wandb", "project": "mine", "entity": "us", "mode": "online", "dir": "w",
    }  # fmt: skip
