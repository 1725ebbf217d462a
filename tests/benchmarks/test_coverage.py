"""Whole arrays of studies say what the analysis says of each, or the bench ends."""

from itertools import product

import numpy as np
import pytest

from ablate.analysis import Decisions, effects
from ablate.analysis.compare import compare
from ablate.analysis.repeats import tipping_spread
from benchmarks.coverage import many, rows, tuned
from benchmarks.coverage.__main__ import BENCHES, main
from benchmarks.coverage.absent import seven, signs, some
from benchmarks.coverage.designs import four
from benchmarks.coverage.many import tell
from benchmarks.coverage.rows import t_over, tell_arms
from benchmarks.coverage.studies import FID, results
from benchmarks.coverage.tuned import by_repeat
from tests.analysis.table import FD, table

SUBSETS = some("abcd", np.array([*product((0, 1), repeat=4)])[:12], "random_subsets")
PLANS = {"2^3": four("abc"), "2^4": four(), "2^(7-3)": seven(), "subsets": SUBSETS}


def drawn(plan, seeds, rate=0.0, dead=0, studies=6, seed=0):
    """Return values in which a helps; arms with the first `dead` tricks never end."""
    rng = np.random.default_rng(seed)
    on = signs(plan) > 0
    logs = rng.normal(0, 0.1, (studies, len(on), seeds)) + np.log(0.75) * on[:, :1]
    values = 20 * np.exp(logs)
    values[rng.random(values.shape) < rate] = np.nan
    if dead:
        values[:, on[:, :dead].all(1)] = np.nan
    return values


@pytest.mark.parametrize(("rate", "dead"), [(0.0, 0), (0.15, 0), (0.4, 0), (0.1, 2)])
@pytest.mark.parametrize(("name", "seeds"), [("2^3", 5), ("2^4", 3), ("2^(7-3)", 3),
                                             ("subsets", 3)])  # fmt: skip
def test_every_number_and_word_is_that_of_the_analysis(name, seeds, rate, dead):
    words = name != "subsets"
    told = tell(PLANS[name], drawn(PLANS[name], seeds, rate, dead), words)  # compares eight
    assert np.isfinite(told.p_holm).any()
    assert not words or set(told.words[:, told.at("a")]) & {"better", "trade-off"}


def test_a_trick_that_always_fails_and_a_group_that_loses_a_name():
    told = tell(PLANS["2^3"], drawn(PLANS["2^3"], 5, 0.0, 1), words=True)
    assert set(told.words[:, told.at("a")]) == {"fails more"}
    plan, values = PLANS["2^(7-3)"], drawn(PLANS["2^(7-3)"], 3, 0.0, 1, studies=2)
    told = tell(plan, values, words=True)
    table = effects(results([arm["arm"] for arm in plan["arms"]], values[1]), plan, FID,
                    Decisions()).set_index("term")  # fmt: skip
    shared = [term for term in told.terms if term in table.index]
    assert 0 < len(shared) < len(table)
    for term in shared:
        np.testing.assert_equal(told.p[1, told.at(term)], table.loc[term, "p"])


@pytest.mark.parametrize("name", ["holm", "tarone", "_estimates", "_tests"])
def test_a_bench_ends_where_the_analysis_says_something_else(name, monkeypatch):
    wrong = {
        "holm": lambda p: p,
        "tarone": lambda tests: np.array([test.p for test in tests]),
        "_estimates": lambda y, fit, leaves_out: {
            key: 1.001 * one for key, one in right(y, fit, leaves_out).items()
        },
        "_tests": lambda whole, failed, keys: [
            [many.UNTOLD] * len(whole.factors) for _ in failed
        ],
    }  # fmt: skip
    right = getattr(many, name)
    monkeypatch.setattr(many, name, wrong[name])
    with pytest.raises(AssertionError):
        tell(PLANS["2^3"], drawn(PLANS["2^3"], 5, 0.1, 2), words=True)


@pytest.mark.parametrize("ladder", [False, True])
@pytest.mark.parametrize("n", [3, 8, 10])
def test_arms_and_steps_too(n, ladder, monkeypatch):
    rng = np.random.default_rng(n)
    values = 20 * np.exp(rng.normal(0, 0.1, (6, 6, n)))
    values[:, 2] *= 0.6
    values[rng.random(values.shape) < 0.2] = np.nan
    values[::2, 4] = np.nan
    tell_arms(values, ladder)  # compares them
    monkeypatch.setattr(rows, "holm", lambda p: p)
    with pytest.raises(AssertionError):
        tell_arms(values, ladder)


def test_worked_example_of_repeats():
    d = np.array([[-0.31, -0.25], [-0.12, -0.16], [-0.22, -0.20]])
    found = t_over(by_repeat(d[None, None]))
    close = dict(rtol=0, atol=6e-11)
    np.testing.assert_allclose(found.mean, -0.21, **close)
    np.testing.assert_allclose(found.p, 0.0350987186, **close)
    ends = [found.mean - found.half, found.mean + found.half]
    np.testing.assert_allclose(np.ravel(ends), [-0.3838896398, -0.0361103602], **close)
    seeds = t_over(d.reshape(1, 1, 6))
    np.testing.assert_allclose(seeds.p, 0.0005947034, **close)


def test_worked_example_of_one_search():
    found = t_over(np.array([[[-0.24, -0.20, -0.27, -0.18, -0.25]]]))
    np.testing.assert_allclose(found.half, 0.0459583441, rtol=0, atol=6e-11)
    spread = tipping_spread(found.mean, found.half)
    np.testing.assert_allclose(spread, 0.0805683679, rtol=0, atol=6e-11)
    assert tipping_spread(found.half / 2, found.half) == 0


def test_tables_are_printed_with_their_promises(capsys):
    main(["--studies", "12", "--only", "tuned"])
    told = capsys.readouterr().out
    assert "| spread 0.3, t over repeats |" in told and "(promised: <=5.4 %)" in told


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["missing", "forbidden", "subsets", "burman", "breaking", "broken_arms", "broken_shares",
     "broken_pairs", "promised"],
)  # fmt: skip
def test_every_bench_runs(name, capsys):
    assert name in BENCHES
    main(["--studies", "4", "--only", name])
    assert "### Beyond by less" in capsys.readouterr().out


def test_tuned_rows_are_those_of_the_analysis():
    rng = np.random.default_rng(4)
    k, n = 3, 2
    off = tuned.drawn(rng, 1, 0.1, k, n)[0]  # [A, k, n]
    reference = rng.normal(3, 0.2, k * n)
    values = {"reference": list(np.exp(reference))}
    values |= {f"arm {i}": list(np.exp(reference + one.ravel())) for i, one in enumerate(off)}
    frame = table(values)
    repeats = tuple(tuple(range(r * n, r * n + n)) for r in range(k))
    found = compare(frame, "fd", decisions=Decisions(repeats=repeats), **FD).set_index("arm")
    row = t_over(by_repeat(off[None]))
    for i in range(len(off)):
        assert found.loc[f"arm {i}", "p_holm"] == pytest.approx(row.p_holm[0, i], rel=1e-9)
    one = compare(frame, "fd", decisions=Decisions(repeats=(repeats[0] + repeats[1],)), **FD)
    assert set(one["verdict"]) == {"reference", "one search"}
