"""A whole study in Weights & Biases: one run that holds its report as an artifact."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pandas as pd

from ablate.errors import UserError
from ablate.report.headline import answers
from ablate.report.prose import question
from ablate.report.study import Study
from ablate.report.tables.arms import everything
from ablate.tracker import quiet, run_settings

MANIFEST = "manifest.json"
IMAGES = ("arms.png", "curves.png", "samples.png")
MOST_POINTS = 10_000  # what wandb shows of a table
CURVE = ["arm", "seed", "trial", "signal", "images", "value"]


def log_study(study: Study, folder: Path, settings: dict[str, Any]) -> str:
    """Send a report that was written to `folder`, and return the run's id.

    The id follows from the report's content, so the same results are the same run. The artifact
    holds the report's files, the table, all points of the curves, and the sample grid; as many of
    the points as wandb shows are a table of the run.

    Args:
        study: What the report shows.
        folder: Of the report.
        settings: As in conf/tracker/wandb.yaml.

    Raises:
        UserError: wandb cannot log; the report is written.
    """
    import wandb

    try:
        return send(study, folder, run_settings(settings))
    except (wandb.Error, OSError) as error:
        reason = str(error).partition("\n")[0].rstrip(".")
        raise UserError(
            f"Weights & Biases: {reason}; the report is in {folder}, only its mirror is missing."
        ) from error


def send(study: Study, folder: Path, settings: dict[str, Any]) -> str:
    """Send a report as one run and return its id.

    Args:
        study: What the report shows.
        folder: Of the report.
        settings: As `wandb.init` takes them.
    """
    import wandb

    name = hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()[:16]
    artifact = wandb.Artifact(f"report-{name}", type="report", description=question(study))
    for path in sorted(folder.iterdir()):
        artifact.add_file(str(path))
    with artifact.new_file("curves.parquet", mode="wb") as file:
        study.curves.to_parquet(file, index=False)
    table = _plain(everything(study))
    artifact.add(wandb.Table(dataframe=table), "table")
    run = wandb.init(
        id=f"report-{name}",
        name=folder.name,
        job_type="report",
        reinit="create_new",
        settings=wandb.Settings(**quiet()),
        config={"metric": study.metric.name, "reference": study.reference},
        **settings,
    )
    try:
        images = {path.stem: wandb.Image(str(path)) for path in map(folder.joinpath, IMAGES)
                 if path.is_file()}  # fmt: skip
        tables = {"table": wandb.Table(dataframe=table)}
        if len(study.curves):
            tables["curve_points"] = wandb.Table(dataframe=_plain(curve_points(study)))
        run.log(tables | images)
        run.log_artifact(artifact)
        run.summary["answer"] = "\n".join(answers(study))
    finally:
        run.finish()
    return f"report-{name}"


def curve_points(study: Study) -> pd.DataFrame:
    """Return about `MOST_POINTS` points of the curves at most, every n-th of each trial's signal.

    Of each signal there is one at least. All of them are in curves.parquet of the artifact.
    """
    each = study.curves.groupby(["trial", "signal"]).cumcount()
    step = -(-len(study.curves) // MOST_POINTS)
    return study.curves[each % step == 0][CURVE]


def _plain(table: pd.DataFrame) -> pd.DataFrame:
    """Return `table` with NaN and None for what is missing, which wandb knows."""
    return table.astype("object").where(table.notna(), None)
