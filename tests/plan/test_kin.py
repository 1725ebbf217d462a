"""Results of other sources are never taken for those of these, and can be counted by asking."""

import importlib
import json
import sys
from types import SimpleNamespace

import pytest

from ablate.config import sources
from tests.small import SMALL

NETS = """
from torch import nn
from parts import WIDTH

class G(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Linear(4, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 2))

class D(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))
"""
STUDY = """
defaults: [study, override data: ring8, override model: module, override trick: [r1], _self_]
model: {generator: nets.G, discriminator: nets.D}
study: {seeds: [0, 1]}
data: {samples: 500}
"""


class Desk:
    """A folder with networks and a study; every command is as if in a process of its own."""

    def __init__(self, place):
        self.place, self.path = place, place.path
        (self.path / "nets.py").write_text(NETS)
        (self.path / "s.yaml").write_text(STUDY)
        self.width(16)

    def width(self, n, comment=""):
        (self.path / "parts.py").write_text(f"WIDTH = {n}{comment}\n")

    def type(self, *words):
        for name in ("nets", "parts"):
            sys.modules.pop(name, None)
        importlib.invalidate_caches()
        sources._hashed.clear()
        small = [word for word in SMALL if "model." not in word]
        code = self.place.type(*words, small=small)
        return SimpleNamespace(returncode=code, stdout=self.place.out, stderr=self.place.err)

    def sweep(self, *words):
        return " ".join(self.type("sweep", "s.yaml", "hydra/launcher=basic", *words).stdout.split())

    def trials(self):
        """Return trial -> the parameters of G that its networks have, by the width of its code."""
        return {p.name for p in self.path.glob("results/s/trials/*")}

    def plan(self):
        lines = (self.path / "results/s/plan.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]


@pytest.fixture
def desk(place, monkeypatch):
    monkeypatch.syspath_prepend(str(place.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # a second is too coarse for its clock
    yield Desk(place)
    for name in ("nets", "parts"):
        sys.modules.pop(name, None)


def test_a_study_whose_networks_changed_is_trained_again_and_says_so(desk):
    assert "4 of 4 trials: 4 done" in desk.sweep()
    first = desk.trials()
    desk.width(16, "  # units")
    assert "4 finished before" in desk.sweep()  # a comment is no other source
    desk.width(24)
    planned = " ".join(desk.type("plan", "s.yaml").stdout.split())
    told = desk.sweep()
    for text in (planned, told):
        assert (
            "4 trials in results/s had the same config and another source of the networks" in text
        )
        assert "(module parts)" in text
        assert "Type code=recorded" in text
    assert "0 finished before" in told
    second = desk.trials() - first
    assert (len(first), len(second)) == (4, 4)
    assert "results/s: reference" not in desk.type("compare", "results/s").stderr
    desk.width(16)
    assert "4 finished before" in desk.sweep()  # the old ones are themselves again


def test_earlier_results_count_where_it_is_asked_for(desk):
    desk.sweep()
    first = desk.trials()
    desk.width(24)
    told = desk.sweep("code=recorded")
    assert "4 trials in results/s count as they are, by code=recorded" in told
    assert "4 finished before" in told
    assert desk.trials() == first
    assert desk.type("compare", "results/s").returncode == 0
    study = json.loads((desk.path / "results/s/study.json").read_text())
    assert set(study["adopted"]) == first
    more = desk.sweep("code=recorded", "study.seeds=[0,1,2]")
    assert "6 of 6 trials: 6 done" in more
    assert desk.type("compare", "results/s").returncode == 0
    codes = {json.dumps(trial["code"]) for trial in desk.plan()}
    assert len(codes) == 2  # two were trained by the new source, and all of it stands in the plan


def without_digests(folder):
    """Leave a trial's folder as it was written when there were none."""
    status = json.loads((folder / "status.json").read_text())
    old = {key: status[key] for key in status if key not in ("files", "seal")}
    (folder / "status.json").write_text(json.dumps(old))


def test_results_from_before_sources_were_kept_are_not_taken_in_silence(desk):
    desk.sweep()
    for folder in list(desk.path.glob("results/s/trials/*")):
        trial = json.loads((folder / "trial.json").read_text())
        del trial["code"]
        (folder / "trial.json").write_text(json.dumps(trial))
        without_digests(folder)
        from ablate.store.record import trial_of

        folder.rename(folder.parent / trial_of(trial).id)
    plan = [{k: v for k, v in trial.items() if k != "code"} for trial in desk.plan()]
    content = "".join(json.dumps(t, sort_keys=True, separators=(",", ":")) + "\n" for t in plan)
    (desk.path / "results/s/plan.jsonl").write_text(content)
    (desk.path / "results/s/study.json").unlink()
    assert "nobody can tell whether it has changed" in desk.sweep()
    assert len(desk.trials()) == 8


def test_one_trial_of_other_sources_is_not_taken_and_both_are_never_mixed(desk):
    words = ("data=ring8", "data.samples=500", "model=module", "model.generator=nets.G",
             "model.discriminator=nets.D", "out=results/s")  # fmt: skip
    desk.type("train", *words)
    desk.width(24)
    told = desk.type("train", *words).stdout
    assert "another source of the networks" in told
    assert len(desk.trials()) == 2
    assert "was finished before" in desk.type("train", *words).stdout
    mixed = desk.type("compare", "results/s")
    assert mixed.returncode == 2
    assert "not trained by the same code of model" in mixed.stderr
    assert len(mixed.stderr.splitlines()) == 1
    desk.width(32)
    assert "count as they are" in desk.type("train", *words, "code=recorded").stdout
    assert len(desk.trials()) == 2
    assert desk.type("train", *words, "code=old").returncode == 2


def test_a_worker_with_other_sources_than_the_plan_refuses(desk):
    from dataclasses import replace

    from ablate.errors import UserError
    from ablate.plan.worker import refuse_other_code
    from ablate.trial import Trial

    trial = Trial({}, 0, {}, {"name": "mlp"}, {}, {}, {})
    refuse_other_code([trial])
    with pytest.raises(UserError, match="source of ablate's training core is not the one"):
        refuse_other_code([trial, replace(trial, code={"core": 2})])
