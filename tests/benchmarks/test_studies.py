"""Studies, parity, growth and the CUDA table run on any machine."""

import math

import numpy as np
import pandas as pd
import pytest
import torch

from benchmarks import cuda, growth, parity
from benchmarks.cuda import Line, Table

LINES = (Line("B2", "dc8", 128, 200), Line("B4", "dc8-gp", 128, 12, against="dc8"))


def table(**options):
    return Table(
        "cpu", ["eager"], 1, 0.001, **{"until": math.inf, "nets": (), "tiny": True} | options
    )


def test_the_cuda_table_runs_on_a_cpu():
    rows = list(table(lines=LINES).rows())
    told = "\n".join(rows)
    assert all(row.startswith(("B2 ", "B4 ", "B10 ")) for row in rows)
    assert "dc8-gp x 2: price" in told and "VOID" not in told
    assert sum("goal 200" in row for row in rows) == 1


def test_what_there_is_no_time_for_is_said_to_be_left_out():
    rows = list(table(until=-math.inf, nets=("mlp",)).rows())
    assert len(rows) == len(cuda.LINES) + 5 + 1
    assert all(row.endswith("left out, the time is over") for row in rows)


@pytest.mark.slow
def test_the_whole_cuda_table_runs_on_a_cpu():
    rows = list(table(nets=("mlp",)).rows())
    assert not [row for row in rows if "VOID" in row]
    assert sum("ratio" in row and row.startswith("B6") for row in rows) == 2


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_without_cuda_one_sentence_says_so(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["cuda"])
    assert cuda.main() == 2
    told = capsys.readouterr()
    assert told.out == "" and "no CUDA device here; type --device cpu --tiny" in told.err


def values(numbers, arm="reference"):
    return pd.DataFrame(
        {"arm": arm, "metric": "kid", "seed": range(len(numbers)), "value": numbers}
    )


def test_parity_sees_a_shift_and_not_a_shuffle():
    rng = np.random.default_rng(0)
    numbers = rng.normal(10, 1, 32)
    (same,) = parity.tests(values(numbers), values(rng.permutation(numbers)))
    assert same.passed and same.ranks > 0.9 and same.close < 0.5
    (moved,) = parity.tests(values(numbers), values(numbers + 2))
    assert not moved.passed
    (wider,) = parity.tests(values(numbers), values(10 + 9 * (numbers - 10)))
    assert wider.ranks > 0.01 and not wider.passed


def test_trials_that_only_the_stack_loses_are_a_difference():
    numbers = np.random.default_rng(0).normal(10, 1, 32)
    (lost,) = parity.tests(values(numbers), values(numbers)[:16])
    assert not lost.passed


@pytest.mark.slow
def test_parity_of_a_small_study():
    found = parity.compared("ring8", 4, 5, ["train.channels_last=true"])
    assert {t.arm for t in found} == {"reference", "with label_smooth"} and all(
        t.passed and t.close == 1 for t in found
    )


def test_growth_is_measured_at_every_point_and_drawn():
    panel = growth.Panel("perceptron", "trials in a stack", {1: ("mlp-w8", 1), 2: ("mlp-w8", 2)})
    rates = growth.measure(panel, ["eager"], 2, 0.001, "cpu")
    assert {*rates} == {"T 1", "eager 1", "T 2", "eager 2"} and all(
        len(r) == 2 for r in rates.values()
    )
    drawn = growth.figure([panel], [rates], ["eager"])
    assert drawn.startswith(b"\x89PNG") and drawn == growth.figure([panel], [rates], ["eager"])
