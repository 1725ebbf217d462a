"""The one value a trial contributes: its last evaluation by its arm's own generator.

Where trials that are done were evaluated to different ends, it is the last evaluation that all of
them share: more training is no trick.
"""

from __future__ import annotations

import json

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
        failed), `compared_images`, at which that value was measured, `last_images` of the trial,
        and `failed`: the trial is not `done`, or its last value is not finite.

    Raises:
        UserError: The metric, the generator or the protocol is not there, the protocol is not
            unique, a seed occurs twice in an arm, trials share no evaluation at equal images, or a
            value <= 0 stands under `ratio`.
    """
    rows = _one_protocol(_rows_of(frame, metric.name), protocol)
    primary = primary_generators(rows) if generator is None else _forced(rows, generator)
    rows = rows[rows["generator"] == rows["arm"].map(primary)]
    trials = frame[names(TRIAL + MARKS)].drop_duplicates("trial")
    _refuse_repeated_seeds(trials)
    done = set(trials.loc[trials["status"] == "done", "trial"])
    final = trials.merge(_at_equal_images(rows, done, metric), "left", "trial")
    failed = (final["status"] != "done") | ~np.isfinite(final["value"])
    ended = final["images_shown"]
    final = final.assign(
        generator=final["arm"].map(primary).fillna("").astype("str"),
        failed=failed,
        value=final["value"].mask(failed),
        resample_sd=final["resample_sd"].mask(failed),
        compared_images=final["compared_images"].fillna(ended).astype("int64"),
        last_images=final["last_images"].fillna(ended).astype("int64"),
    )
    _refuse_without_logarithm(final, metric)
    return final.sort_values(["arm", "seed"], ignore_index=True)


def _at_equal_images(rows: pd.DataFrame, done: set[str], metric: Metric) -> pd.DataFrame:
    """Return a row a trial: its last one, or the last that all trials of `done` share.

    A trial whose last value is not finite has failed; an earlier one does not stand in for it.

    Raises:
        UserError: They end apart and share none.
    """
    rows = rows.sort_values("images", kind="stable").drop_duplicates(
        ["trial", "images"], keep="last"
    )
    rows = rows.assign(compared_images=rows["images"])
    last = rows.groupby("trial").tail(1).assign(last_images=lambda own: own["images"])
    sound = last["trial"].isin(done) & np.isfinite(last["value"])
    told = last["images"] > 0  # an imported table may not tell; then it ends where others do
    if last.loc[sound & told, "images"].nunique() > 1:
        ended = last[sound].set_index("trial")["images"]
        points = rows[rows["trial"].isin(ended.index) & np.isfinite(rows["value"])]
        shared = points.groupby("images")["trial"].size() == len(ended)
        if not shared.any():
            _refuse_apart(last[sound], metric)
        equal = points[points["images"] == shared.index[shared].max()]
        equal = equal.assign(last_images=equal["trial"].map(ended))
        last = pd.concat([equal, last[~sound]])
    columns = ["trial", "protocol", "value", "resample_sd", "compared_images", "last_images"]
    return last[columns]


def _refuse_apart(last: pd.DataFrame, metric: Metric) -> None:
    ends = last.groupby("arm")["images"].agg(["min", "max"])
    told = [
        f"{arm} {(high or 'not told') if low == high else f'{low} to {high}'}"
        for arm, low, high in zip(ends.index, ends["min"], ends["max"], strict=True)
    ]
    few = ", ".join(told[:8]) + (f" and {len(told) - 8} more arms" if told[8:] else "")
    sentence = (
        f"{metric.name} was last measured at different images ({few}) and at no number of images "
        "in all trials; "
    )
    raise UserError(
        sentence + "give a frame of arms that share one.",
        sentence + "import a table of arms that share one, or with --ignore images if all were "
        "trained alike.",
    )


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
        told = (
            f"{rows['metric'].iloc[0]} was measured under several protocols, which do not compare "
            f"({_where(rows)}); "
        )
        raise UserError(
            f"{told}give one, as in protocol={known[0]!r}.",
            f"{told}type one, as in --protocol '{known[0]}'.",
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
    if wrong.empty:
        return
    first = wrong.iloc[0]
    told = (
        f"{metric.name} is {first['value']} in trial {first['trial']} (arm {first['arm']!r}, "
        f"seed {first['seed']}) and a ratio needs values > 0; "
    )
    failed = f"type `ablate mark FOLDER {first['trial']} --collapsed` if it failed"
    again = f"import the table again with --scale {metric.name}=difference"
    imported = "imported" in json.loads(first["tricks"])
    raise UserError(
        f"{told}give scale='difference', or leave the trial out.",
        told + (f"{failed}, or {again}." if imported else f"{failed}."),
    )
