"""Noise models of the simulated studies are what they say, and the command prints its tables."""

import numpy as np
import pytest
from scipy import stats

from benchmarks.coverage.__main__ import BENCHES, main
from benchmarks.coverage.cells import Cell, cell
from benchmarks.coverage.noise import LEVELS, NOISE, SIGMA, UNEQUAL, normals

STUDIES, ARMS, SEEDS = 400, 8, 20


def drawn(name, rho=0.3, seed=0, studies=STUDIES):
    """Return `[S, A, N]` values over their truths, and the normals behind."""
    rng = np.random.default_rng(seed)
    z = normals(rng, studies, ARMS, SEEDS, rho)
    return (NOISE | UNEQUAL)[name](rng, z), z


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.7])
def test_arms_of_one_seed_are_correlated_by_rho(rho):
    z = normals(np.random.default_rng(1), 4000, 2, 5, rho)
    assert abs(np.corrcoef(z[:, 0].ravel(), z[:, 1].ravel())[0, 1] - rho) < 0.03
    assert abs(np.corrcoef(z[:, 0, 0], z[:, 0, 1])[0, 1]) < 0.06
    assert abs(z.mean()) < 0.03 and abs(z.std() - 1) < 0.03


@pytest.mark.parametrize("name", NOISE | UNEQUAL)
def test_one_is_the_truth_of_every_arm(name):
    values, _ = drawn(name)
    logs = np.log(values) - (0.1 * np.log(5) if name == "mix" else 0)
    error = logs.std(axis=(0, 2)) / np.sqrt(STUDIES * SEEDS)
    assert (abs(logs.mean(axis=(0, 2))) < 5 * error).all()


@pytest.mark.parametrize("sd", [0.1, 0.3, 0.6])
def test_added_noise_is_a_normal_kept_above_zero(sd):
    values, _ = drawn(f"normal {sd}")
    assert values.min() > 0
    for arm, level in enumerate((*LEVELS, 1.0)):
        theirs = stats.truncnorm(-level / sd, np.inf, level, sd)
        truth = np.exp(theirs.expect(np.log))
        found = truth * values[:, arm]
        np.testing.assert_allclose(
            [found.mean(), found.std()], [theirs.mean(), theirs.std()], rtol=0.05
        )


@pytest.mark.parametrize("sd", [0.1, 0.3, 0.6])
def test_multiplied_noise_has_its_relative_sd(sd):
    values, _ = drawn(f"lognormal {sd}")
    np.testing.assert_allclose(values.std() / values.mean(), sd, rtol=0.03)


def test_heavy_tails_are_those_of_t3():
    logs = np.log(drawn("t3")[0]).ravel()
    quantiles = np.linspace(0.05, 0.95, 10)
    np.testing.assert_allclose(
        np.quantile(logs, quantiles), 0.1 * stats.t.ppf(quantiles, 3), atol=0.006
    )


def test_a_tenth_of_a_mix_is_five_times_too_large():
    values, z = drawn("mix")
    factor = values / NOISE["lognormal 0.1"](np.random.default_rng(0), z)
    assert set(factor.round(9).ravel()) == {1.0, 5.0}
    assert abs((factor > 2).mean() - 0.1) < 0.01


@pytest.mark.parametrize("spread", [0.5, 0.8])
def test_arms_differ_in_their_sd(spread):
    values, z = drawn(f"hetero {spread}")
    ratio = np.log(values) / z
    assert np.ptp(ratio, axis=2).max() < 1e-9  # one SD an arm
    logs = np.log(ratio[:, :, 0] / SIGMA)
    assert abs(logs.mean()) < 0.05 and abs(logs.std() - spread) < 0.05


@pytest.mark.parametrize(("who", "arm"), [("reference", 0), ("one arm", 1)])
@pytest.mark.parametrize("factor", [2, 4])
def test_one_arm_is_noisier(who, arm, factor):
    logs = np.log(drawn(f"{who} x{factor}")[0])
    expected = np.full(ARMS, SIGMA)
    expected[arm] *= factor
    np.testing.assert_allclose(logs.std(axis=(0, 2)), expected, rtol=0.05)


def test_a_number_is_held_against_its_promise():
    def told(rate, promise, error=0.5):
        return Cell("t", "r", "c", rate, error, promise).told()

    assert told(95, "94.5-98.7") == "95.0 ± 0.5"
    assert told(94, "94.5-98.7") == "94.0 ± 0.5~" and told(92.9, "94.5-98.7") == "92.9 ± 0.5!"
    assert told(99, "94.5-98.7") == "99.0 ± 0.5~"
    assert told(5.4, "<=5.4") == "5.4 ± 0.5" and told(7, "<=5.4") == "7.0 ± 0.5!"
    assert told(45.4, "45") == "45.4 ± 0.5 (45)" and told(43.1, "45") == "43.1 ± 0.5 (45)"
    assert told(42.9, "45") == "42.9 ± 0.5 (45)!" and told(40, "") == "40.0 ± 0.5"


def test_a_rate_has_the_standard_error_of_its_studies():
    hits = np.array([1, 0, 1, 1, 0.5])
    one = cell("t", "r", "c", hits)
    np.testing.assert_allclose([one.rate, one.error], [70, 100 * stats.sem(hits)])
    never = cell("t", "r", "c", [0, 0, np.nan, 0, 0])
    assert (never.rate, never.error) == (0, 25)  # none in four, so not surely none


def test_the_command_prints_its_tables(capsys):
    main(["--studies", "4", "--only", "rates", "shares", "curse"])
    told = capsys.readouterr().out
    assert "| 5 fresh seeds |" in told and "6 tricks, 8 fresh orders a seed" in told
    assert "### More than three standard errors beyond" in told
    with pytest.raises(SystemExit, match="2"):
        main(["--studies", "1"])


@pytest.mark.slow
@pytest.mark.parametrize("name", BENCHES)
def test_every_bench_fills_its_cells(name):
    cells = list(BENCHES[name](np.random.default_rng(0), 4))
    assert all(0 <= one.rate <= 100 for one in cells)
    assert len({(one.table, one.row, one.column) for one in cells}) == len(cells)
