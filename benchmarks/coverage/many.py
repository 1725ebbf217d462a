"""Thousands of studies of one design at once: the estimators of the analysis over whole arrays.

A study through `ablate.analysis.effects` takes 20 ms, most of it tables. Here the formulas are
written a second time, for `[S, J, N]` values, and the first studies of every set go through the
analysis itself: a number that differs by 1e-9 of itself, or a verdict that differs, ends the bench.
What is counted afterwards is therefore what `ablate compare` prints.

Legend: S studies, J arms, N seeds, T terms, P columns, M main effects.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from ablate.analysis import Decisions, effects
from ablate.analysis.dead import breaks, partners
from ablate.analysis.effects import failures_at
from ablate.analysis.failure_rows import indicators, residual
from ablate.analysis.failure_test import (
    FAMILY,
    FEWEST_SEEDS,
    UNTOLD,
    FailureTest,
    Stratum,
    permutation_test,
)
from ablate.analysis.findings import finding
from ablate.analysis.guard import FEWEST_LEFT, NOTHING
from ablate.analysis.layout import Layout, layout_of
from ablate.analysis.metric import Values
from ablate.analysis.paired import FEWEST_PAIRS
from ablate.analysis.terms import Fit, fit_of
from benchmarks.coverage.studies import FID, results

CHECKED = 8  # studies of every set that go through the analysis as well
FEW = 400  # studies at once, to fit the cache of a core
NUMBERS = ("mean", "low", "high", "p", "p_holm", "own_low", "own_high", "p_varies")
Keys = dict[tuple[Any, ...], FailureTest]


@dataclass
class Told:
    """What is said of every term; NaN where nothing is.

    Attributes:
        terms: Their labels.
        mean: `[S, T]`, in logs, as all that follow.
        low: Of the interval.
        high: Of the interval.
        p: Of each alone.
        p_holm: Of all terms together.
        own_low: Of the interval by own spread.
        own_high: Likewise.
        p_varies: Of F, of each alone.
        words: `[S, T]` verdicts, if they were asked for.
    """

    terms: list[str]
    mean: Values
    low: Values
    high: Values
    p: Values
    p_holm: Values
    own_low: Values
    own_high: Values
    p_varies: Values
    words: npt.NDArray[np.str_] | None = None

    def at(self, term: str) -> int:
        return self.terms.index(term)


def tell(
    plan: Mapping[str, Any], values: Values, words: bool = False, checked: bool = True
) -> Told:
    """Return what the analysis says of `[S, J, N]` values, NaN failed.

    Args:
        plan: Of J arms.
        values: Of every study.
        words: Whether verdicts are wanted; else failures are holes and nothing more.
        checked: Whether the first of them go through the analysis.
    """
    whole = layout_of(plan)
    terms = [term.label for term in _fit(whole, tuple(whole.levels.index)).terms]
    shape = (len(values), len(terms))
    told = Told(terms, *(np.full(shape, np.nan) for _ in NUMBERS))
    told.words = np.full(shape, "", dtype="U16") if words else None
    dead = np.isnan(values).all(2)
    patterns, place = np.unique(dead, axis=0, return_inverse=True)
    keys: Keys = {}
    for at, pattern in enumerate(patterns):
        which = np.flatnonzero(place.ravel() == at)
        for some in np.array_split(which, -(-len(which) // FEW)):
            _tell(told, plan, values, some, pattern, keys)
    _check(plan, values[: CHECKED * checked], told)
    return told


def _one_by_one(told: Told, plan: Mapping[str, Any], values: Values, some: Any) -> None:
    """Ask the analysis itself."""
    for study in some:
        table = _analysed(plan, values[study], told.terms)
        for name in ("p", "p_holm", "p_varies"):
            getattr(told, name)[study] = table[name]
        for name in ("low", "high", "own_low", "own_high"):
            getattr(told, name)[study] = np.log(table[name].to_numpy(float))
        told.mean[study] = table["effect_mean"]
        if told.words is not None:
            told.words[study] = table["verdict"].fillna("")


def _analysed(plan: Mapping[str, Any], values: Values, terms: list[str]) -> pd.DataFrame:
    arms = [arm["arm"] for arm in plan["arms"]]
    table = effects(results(arms, values), plan, FID, Decisions()).set_index("term")
    return table.reindex(terms)


@cache
def _fits() -> dict[Any, Fit]:
    return {}


def _fit(whole: Layout, arms: tuple[str, ...]) -> Fit:
    key = (tuple(whole.rows.items()), whole.has_interactions, arms)
    known = _fits()
    if key not in known:
        known[key] = fit_of(whole.only(arms))
    return known[key]


def _tell(
    told: Told, plan: Mapping[str, Any], values: Values, some: Any, dead: Any, keys: Keys
) -> None:
    whole = layout_of(plan)
    arms = tuple(whole.levels.index[~dead])
    fit, every = _fit(whole, arms), _fit(whole, tuple(whole.levels.index))
    if not {term.label for term in fit.terms} <= set(told.terms):
        _one_by_one(told, plan, values, some)  # a group of effects lost one of its names
        return
    kept = [told.at(term.label) for term in fit.terms]
    logs = np.log(values[some]).transpose(0, 2, 1)
    found = _estimates(logs[:, :, ~dead], fit, whole.only(arms).leaves_out)
    for name in NUMBERS:
        getattr(told, name)[np.ix_(some, kept)] = found[name]
    if told.words is not None:
        _words(told.words, _Group(whole, every, fit, some, dead), values[some], found, keys)


def holm(p: Values) -> Values:
    """Return `[S, T]` adjusted; NaN is no test."""
    order = np.argsort(p, axis=1)  # NaN last
    left = np.isfinite(p).sum(1, keepdims=True) - np.arange(p.shape[1])
    stepped = np.take_along_axis(p, order, 1) * left
    adjusted = np.minimum(np.maximum.accumulate(stepped, 1), 1)
    found = np.empty_like(p)
    np.put_along_axis(found, order, adjusted, 1)
    return found


class _Fitted(NamedTuple):
    """Least squares of arms and seeds in every study.

    Attributes:
        means: `[S, J]`.
        left: `[S, N, J]` residuals; 0 where there is no value.
        there: `[S, N, J]`, 1 where there is one.
        code: `[N, N - 1]`, the columns of the seeds.
        inverse: `[S, P, P]` of the cross-product of arms, then seeds.
        used: `[S]` seeds with a value.
        df: `[S]`.
        joined: `[S]`, whether arms hang together by seeds.
    """

    means: Values
    left: Values
    there: Values
    code: Values
    inverse: Values
    used: Values
    df: Values
    joined: npt.NDArray[np.bool_]


def _fitted(y: Values) -> _Fitted:
    """Return the fit of `[S, N, J]` logs, NaN a hole."""
    w = np.isfinite(y).astype(float)
    y = np.where(w > 0, y, 0.0)
    seeds, arms = y.shape[1:]
    code = np.eye(seeds)[:, 1:]
    flat = np.hstack([np.tile(np.eye(arms), (seeds, 1)), np.repeat(code, arms, 0)])  # [N J, P]
    cross = np.einsum("sc,cp,cq->spq", w.reshape(len(y), -1), flat, flat, optimize=True)
    sizes, vectors = np.linalg.eigh(cross)
    kept = sizes > 1e-9 * sizes[:, -1:]
    inverse = (vectors * np.where(kept, 1 / np.where(kept, sizes, 1), 0)[:, None]) @ np.swapaxes(
        vectors, 1, 2
    )
    b = np.einsum("spq,sq->sp", inverse, y.reshape(len(y), -1) @ flat)
    left = w * (y - (b @ flat.T).reshape(y.shape))
    used, rank = w.any(2).sum(1), kept.sum(1)
    joined = rank == arms + used - 1
    return _Fitted(b[:, :arms], left, w, code, inverse, used, w.sum((1, 2)) - rank, joined)


def _variances(one: _Fitted, c: Values) -> tuple[Values, Values, Values]:
    """Return the unit of every estimate, the pooled variance and the own one, `[S, T]`."""
    arms = c.shape[1]
    unit = np.einsum("tj,sjk,tk->st", c, one.inverse[:, :arms, :arms], c, optimize=True)
    chosen = one.there[:, :, None] * c  # [S, N, T, J]
    v = np.concatenate([chosen, chosen.sum(3, keepdims=True) * one.code[None, :, None]], 3)
    explained = np.einsum("sntp,spq,sntq->st", v, one.inverse, v, optimize=True)
    expected = (chosen**2).sum((1, 3)) - explained
    by_seed = np.einsum("snj,tj->snt", one.left, c)
    own = (by_seed**2).sum(1) / np.where(expected < NOTHING, np.nan, expected)
    pooled = (one.left**2).sum((1, 2)) / np.where(one.df > 0, one.df, np.nan)
    return unit, pooled[:, None] + 0 * unit, own


def _estimates(y: Values, fit: Fit, leaves_out: bool) -> dict[str, Values]:
    """Return the numbers of `[S, N, J]` logs."""
    c = np.array([term.contrast for term in fit.terms]).reshape(-1, y.shape[2])  # [T, J]
    one = _fitted(y)
    unit, mse, own = _variances(one, c)
    used, df = one.used[:, None], one.df[:, None] + 0.0 * unit
    error = np.sqrt(unit * np.fmax(mse, own))
    if leaves_out:
        error, df = _lack_of_fit(one.means, fit, c, error, df)
    able = one.joined[:, None] & (used >= FEWEST_PAIRS) & (df > 0)
    error = np.where(able, error, np.nan)
    own_error = np.where(able, np.sqrt(unit * own), np.nan)
    mean = np.where(one.joined[:, None], one.means @ c.T, np.nan)
    p = 2 * special.stdtr(df, -np.abs(mean / error))
    half = special.stdtrit(df, 0.975) * error
    own_half = special.stdtrit(used - 1, 0.975) * own_error
    return {
        "mean": mean, "low": mean - half, "high": mean + half, "p": p, "p_holm": holm(p),
        "own_low": mean - own_half, "own_high": mean + own_half, "df": df, "used": one.used,
        "p_varies": _p_varies(one, mse, own),
    }  # fmt: skip


def _p_varies(one: _Fitted, mse: Values, own: Values) -> Values:
    """Return p of F: the own variance against the rest of the residual."""
    own_df = one.used[:, None] - 1
    rest_df = one.df[:, None] - own_df
    rest = one.df[:, None] * mse - own_df * own
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(special.fdtrc(own_df, rest_df, own / (rest / rest_df)))


def _lack_of_fit(
    means: Values, fit: Fit, c: Values, error: Values, df: Values
) -> tuple[Values, Values]:
    left = means.shape[1] - fit.matrix.shape[1]
    if left < FEWEST_LEFT:
        return np.full_like(error, np.nan), df
    hat = fit.matrix @ np.linalg.pinv(fit.matrix)
    off = means - means @ hat.T
    by_arms = np.sqrt((off**2).sum(1)[:, None] / left * (c**2).sum(1))
    return np.fmax(error, by_arms), np.where(by_arms > error, left, df)


class _Group(NamedTuple):
    """Studies whose dead arms are the same.

    Attributes:
        whole: All arms.
        every: What they would tell.
        fit: What those that are alive tell.
        which: Index of the studies.
        dead: `[J]`.
    """

    whole: Layout
    every: Fit
    fit: Fit
    which: npt.NDArray[np.intp]
    dead: npt.NDArray[np.bool_]


def _words(words: Any, group: _Group, values: Values, found: dict[str, Values], keys: Keys) -> None:
    """Write the verdicts of `[S, J, N]` values of a group."""
    mains = [(t.factors[0], t.level) for t in group.every.terms if t.order == 1]
    failed = np.isnan(values)
    tests = _tests(group.whole, failed, keys)
    sides = _sides(group, mains, values.shape[2])
    at = np.array([_at(group.whole, *main) for main in mains])  # [M, 2, J]
    counts = np.einsum("maj,sj->sma", at, failed.sum(2))
    worst = np.where(failed, np.nanmax(values, axis=(1, 2), keepdims=True), values)
    worst_of = np.log(worst).mean(2) @ np.array([t.contrast for t in group.every.terms]).T
    place = {term.label: i for i, term in enumerate(group.fit.terms)}
    for row, study in enumerate(group.which):
        holms = tarone(tests[row])
        said = {
            main: sides[m] | {
                "failed_with": counts[row, m, 0], "failed_without": counts[row, m, 1],
                "mid_failures": tests[row][m].mid, "excess_failures": tests[row][m].excess,
                "p_failures_holm": holms[m],
            }
            for m, main in enumerate(mains)
        }  # fmt: skip
        for t, term in enumerate(group.every.terms):
            if term.label in place or term.order == 1:
                line = _line(found, row, place.get(term.label)) | {"order": term.order}
                line |= {"worst_effect": np.exp(worst_of[row, t]), "p_failures_holm": np.nan}
                words[study, t] = finding(line | failures_at(term, said), "", FID, Decisions())[0]


def _line(found: dict[str, Values], row: int, at: int | None) -> dict[str, Any]:
    """Return the metric's part of a row; NaN of a trick that no arm is left of."""
    names = ("mean", "p_holm", "df")
    mean, p, df = (np.nan if at is None else found[name][row, at] for name in names)
    told = {"effect_mean": mean, "effect": np.exp(mean), "p_holm": p, "df": df}
    return told | {"seeds": int(found["used"][row])}


def _sides(group: _Group, mains: list[tuple[str, str]], seeds: int) -> list[dict[str, Any]]:
    """Return what the dead arms say of every main effect."""
    whole, found = group.whole, []
    dead = {str(arm) for arm in whole.levels.index[group.dead]} if seeds >= FEWEST_SEEDS else set()
    for factor, level in mains:
        first = whole.factors[factor][0]
        ended = _at(whole, factor, level).sum(1) * seeds
        found.append({
            "dies_with": breaks(whole, dead, factor, level, first),
            "dies_without": breaks(whole, dead, factor, first, level),
            "partners": partners(whole, dead, factor, level),
            "partners_without": partners(whole, dead, factor, first),
            "ended_with": ended[0],
            "ended_without": ended[1],
        })  # fmt: skip
    return found


def _at(whole: Layout, factor: str, level: str) -> Values:
    """Return `[2, J]`: 1 where an arm has the level, and where it has the first one."""
    told = whole.levels[factor].to_numpy()
    return np.array([told == level, told == whole.factors[factor][0]], float)


def _tests(whole: Layout, failed: npt.NDArray[np.bool_], keys: Keys) -> list[list[FailureTest]]:
    """Return the tests of the main effects, one list a study of `[S, J, N]` failures.

    Seeds with as many failures, of which as many are charged to a trick, are alike; each kind is
    tested once.
    """
    order = np.argsort(whole.levels.index)  # as the analysis orders them
    arms = tuple(whole.levels.index[order])
    matrix = indicators(whole, arms)
    columns = [residual(matrix, place) for place in range(matrix.shape[1])]
    failed = failed[:, order]
    count, nothing = failed.sum(1), ~failed.any((1, 2))
    charged = np.einsum("sjn,mj->smn", failed, np.array(columns)).round(6)
    found = []
    for study, own in enumerate(failed):
        if nothing[study]:
            found.append([FailureTest(1.0, 1.0, 1.0, 1.0, 0.0)] * len(columns))
            continue
        if failed.shape[2] < FEWEST_SEEDS:
            found.append([UNTOLD] * len(columns))
            continue
        found.append([])
        for place, column in enumerate(columns):
            seeds = sorted(zip(count[study].tolist(), charged[study, place].tolist(), strict=True))
            key = (arms, place, tuple(seeds))
            if key not in keys:
                keys[key] = permutation_test([Stratum(column, one) for one in own.T])
            found[-1].append(keys[key])
    return found


def tarone(tests: list[FailureTest]) -> Values:
    """Return the p of a family, adjusted; NaN of those that are not in it."""
    p = np.array([test.p for test in tests])
    least = np.array([test.smallest for test in tests])
    count = next((k for k in range(1, len(p) + 1) if (least <= FAMILY / k).sum() <= k), 1)
    return holm(np.where(least <= FAMILY / count, p, np.nan)[None])[0]


def _check(plan: Mapping[str, Any], values: Values, told: Told) -> None:
    """Refuse to go on where the analysis itself says something else."""
    for study, one in enumerate(values):
        table = _analysed(plan, one, told.terms)
        for name in ("p", "p_holm"):
            np.testing.assert_allclose(
                getattr(told, name)[study], table[name], rtol=1e-7, atol=1e-12
            )
        for name in ("low", "high", "own_low", "own_high"):
            theirs = np.log(table[name].to_numpy(float))
            np.testing.assert_allclose(getattr(told, name)[study], theirs, rtol=1e-9, atol=1e-9)
        if told.words is not None:
            assert list(told.words[study]) == list(table["verdict"].fillna("")), study
