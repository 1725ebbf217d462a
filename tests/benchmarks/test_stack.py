"""A number stands behind gates, and arms take turns."""

import argparse
from dataclasses import replace

import pytest
import torch

from ablate.runner import selftest
from ablate.runner.selftest import Law, apart
from benchmarks import interleave as clock
from benchmarks import stack, workload
from benchmarks.gates import gates
from benchmarks.interleave import interleave, paced, ratios
from benchmarks.stack import Row
from benchmarks.workload import Workload

SMALL = ["mlp-w8", "dc8-w4", "dc8-w4-gp", "dc8-w4-bf16"]


@pytest.mark.parametrize("name", SMALL)
def test_stacks_pass_their_gates(name):
    assert [str(gate) for gate in gates(Workload.of(name), "cpu") if not gate.holds] == []


def test_a_trial_that_trains_otherwise_alone_is_caught(monkeypatch):
    whole = Workload.stack

    def shifted(self, seeds, device):
        return whole(self, [seeds[0] + 1] if len(seeds) == 1 else seeds, device)

    monkeypatch.setattr(Workload, "stack", shifted)
    assert failed(gates(Workload.of("mlp-w8"), "cpu")) == ["stack = its trials alone"]


def test_slots_that_depend_on_their_place_are_caught(monkeypatch):
    whole = selftest.moved

    def by_place(gan, play=None):
        found = whole(gan, play)
        return found * torch.linspace(1, 2, len(found))[:, None]

    monkeypatch.setattr(selftest, "moved", by_place)
    found = failed(gates(Workload.of("mlp-w8"), "cpu"))
    assert "slots permuted = results permuted" in found


def test_a_penalty_that_vanishes_is_caught(monkeypatch):
    monkeypatch.setitem(workload.PENALTIES, "r1", {"r1": {"gamma": 0.0}})
    found = failed(gates(Workload.of("mlp-w8"), "cpu"))
    assert found == ["the penalty turns D's gradient"]


def failed(found):
    return [gate.name for gate in found if not gate.holds]


def test_what_is_not_a_number_is_infinitely_far():
    assert apart(torch.tensor([float("nan")]), torch.ones(1)) == float("inf")


def test_a_form_that_skips_work_has_no_number(monkeypatch, capsys):
    monkeypatch.setitem(workload.FORMS, "lazy", lambda gan: lambda stages: None)
    row = Row(Workload.of("mlp-w8"), 2, "cpu").measure(["eager", "lazy"], 2, 0.001)
    assert list(row.rates) == ["T", "T'", "eager", "T again"]
    row.show(2, 0.001)
    assert "VOID, no number: lazy = eager" in capsys.readouterr().out


def test_a_form_that_breaks_leaves_the_others_their_numbers(monkeypatch, capsys):
    def broken(gan):
        raise RuntimeError("no compiler")

    monkeypatch.setitem(workload.FORMS, "graph", broken)
    row = Row(Workload.of("mlp-w8"), 2, "cpu").measure(["eager", "graph"], 2, 0.001)
    assert list(row.rates) == ["T", "T'", "eager", "T again"]
    row.show(2, 0.001)
    assert "VOID, no number: graph: RuntimeError: no compiler" in capsys.readouterr().out


def test_a_graph_is_a_form_of_a_gpu_alone():
    assert workload.forms_on("cpu") == ["eager", "compiled"]
    assert workload.forms_on("cuda:1") == ["eager", "compiled", "graph"]


def test_a_law_that_fails_voids_every_form(monkeypatch):
    monkeypatch.setattr(stack, "gates", lambda *_: [Law("a law", 1.0, 0.5)])
    row = Row(Workload.of("mlp-w8"), 2, "cpu").measure(["eager"], 1, 0.001)
    assert list(row.rates) == ["T", "T'", "T again"] and row.failed


def test_layouts_and_precisions_are_arms():
    row = Row(Workload.of("dc8-w4-bf16"), 2, "cpu").measure(["eager"], 1, 0.001)
    assert list(row.rates) == ["T", "T'", "T' bf16", "eager", "eager last", "T again"]
    assert not row.failed


def test_workers_train_trials_alone_at_the_same_time():
    row = Row(Workload.of("mlp-w8"), 2, "cpu").measure(["eager"], 1, 0.001, workers=2)
    assert list(row.rates) == ["T", "T'", "eager", "2 workers eager", "T again"]
    assert not row.failed


def test_arms_take_turns_and_warm_up_first():
    played = []

    def arm(name):
        return lambda seconds: played.append((name, seconds)) or 1.0

    rates = interleave({"a": arm("a"), "b": arm("b")}, 3, 0.5)
    assert [name for name, _ in played] == ["a", "b"] * 6
    assert rates == {"a": [1.0] * 3, "b": [1.0] * 3}


def test_a_block_plays_for_the_seconds_it_is_given(monkeypatch):
    time, calls = [0.0], []
    monkeypatch.setattr(clock, "now", lambda: time[0])

    def play():
        calls.append(1)
        time[0] += 0.125

    block = paced(play, steps=16)
    assert block(0) == 16 * 8 and len(calls) == 1
    assert block(2.0) == 16 * 8 and len(calls) == 1 + 16


def test_a_ratio_is_taken_block_by_block():
    assert ratios([2.0, 4.0, 9.0], [1.0, 2.0, 3.0]) == (2.0, 2.0, 3.0)


@pytest.mark.parametrize(("name", "told"), [("mpl", "no network 'mpl'"), ("mlp-fast", "'fast' in")])
def test_a_name_that_means_nothing_is_refused(name, told):
    with pytest.raises(argparse.ArgumentTypeError, match=told):
        Workload.of(name)


def test_a_name_is_read_in_any_order():
    found = Workload.of("dc32-r1-bf16-w64")
    assert replace(found, name="") == Workload("", "dc32", 64, "r1", mixed=True)
