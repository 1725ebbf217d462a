"""The one value a trial contributes: its last evaluation by its arm's own generator."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ablate.analysis.metric import Metric
from ablate.errors import UserError
from ablate.store.schema import MARKS, TRIAL, names


def final_values(
    frame: pd.DataFrame, metric: Metric, generator: str | None = None, protocol: str | None = None
) -> pd.DataFrame:
    """Return one row per trial: `schema.TRIAL`, its mark, and what its last evaluation gave.

    Args:
        frame: Results as `store.read` gives them.
        metric: Which rows count.
        generator: "raw" or "ema"; by default each arm's own: `ema` if it has it, else `raw`.
        protocol: Needed only if the metric was computed under several.

    Returns:
        Columns of the trial, `mark`, `generator`, `protocol`, `value` and `resample_sd` (NaN if
        failed) and `failed`: the trial is not `done`, or its last value is not finite.

    Raises:
        UserError: The metric, the generator or the protocol is not there, the protocol is not
            unique, a seed occurs twice in an arm, or a value <= 0 stands under `ratio`.
    """
    rows = _one_protocol(_rows_of(frame, metric.name), protocol)
    primary = primary_generators(rows) if generator is None else _forced(rows, generator)
    rows = rows[rows["generator"] == rows["arm"].map(primary)]
    last = rows.sort_values("images", kind="stable").groupby("trial").tail(1)
    trials = frame[names(TRIAL + MARKS)].drop_duplicates("trial")
    _refuse_repeated_seeds(trials)
    final = trials.merge(last[["trial", "protocol", "value", "resample_sd"]], "left", "trial")
    failed = (final["status"] != "done") | ~np.isfinite(final["value"])
    final = final.assign(
        generator=final["arm"].map(primary).fillna("").astype("str"),
        failed=failed,
        value=final["value"].mask(failed),
        resample_sd=final["resample_sd"].mask(failed),
    )
    _refuse_without_logarithm(final, metric)
    return final.sort_values(["arm", "seed"], ignore_index=True)


def primary_generators(rows: pd.DataFrame) -> dict[str, str]:
    """Return arm -> `ema` if any of its rows has it, else `raw`."""
    has_ema = (rows["generator"] == "ema").groupby(rows["arm"]).any()
    return {str(arm): "ema" if has else "raw" for arm, has in has_ema.items()}


def _rows_of(frame: pd.DataFrame, metric: str) -> pd.DataFrame:
    rows = frame[frame["metric"] == metric]
    if rows.empty:
        known = sorted(frame["metric"].dropna().unique())
        raise UserError(f"No trial has metric {metric!r}; choose one of {known}.")
    return rows


def _one_protocol(rows: pd.DataFrame, protocol: str | None) -> pd.DataFrame:
    known = sorted(rows["protocol"].unique())
    if protocol is None and len(known) > 1:
        raise UserError(
            f"{rows['metric'].iloc[0]} was measured under several protocols, which do not compare "
            f"({_where(rows)}); choose one, as in --protocol '{known[0]}'."
        )
    if protocol is not None and protocol not in known:
        raise UserError(f"No value has protocol {protocol!r}; choose one of {known}.")
    return rows[rows["protocol"] == (protocol or known[0])]


def _where(rows: pd.DataFrame) -> str:
    studies = rows.groupby("protocol")["study"].unique()
    return " and ".join(f"{name!r} in {', '.join(sorted(s))}" for name, s in studies.items())


def _forced(rows: pd.DataFrame, generator: str) -> dict[str, str]:
    has = (rows["generator"] == generator).groupby(rows["arm"]).any()
    if not has.all():
        raise UserError(
            f"Arms {sorted(has.index[~has])} have no generator {generator!r}; leave generator out, "
            "which takes `ema` where an arm has it and `raw` elsewhere."
        )
    return dict.fromkeys(map(str, has.index), generator)


def _refuse_repeated_seeds(trials: pd.DataFrame) -> None:
    twice = trials[trials.duplicated(["arm", "seed"])]
    if len(twice):
        arm, seed = twice.iloc[0][["arm", "seed"]]
        both = trials[(trials["arm"] == arm) & (trials["seed"] == seed)]
        where = " and ".join(f"{one.trial} in {one.study}" for one in both.itertuples())
        raise UserError(
            f"Arm {arm!r} has seed {seed} twice (trial {where}); keep one trial of each arm and "
            "seed, or report the folders one by one."
        )


def _refuse_without_logarithm(final: pd.DataFrame, metric: Metric) -> None:
    wrong = final[final["value"] <= 0] if metric.is_ratio else final[:0]
    if len(wrong):
        first = wrong.iloc[0]
        raise UserError(
            f"{metric.name} is {first['value']} in trial {first['trial']} (arm {first['arm']!r}, "
            f"seed {first['seed']}) and a ratio needs values > 0; say scale='difference'."
        )
