"""A whole study in Weights & Biases: one run that holds its report as an artifact."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pandas as pd

from ablate.report.page import answer, question
from ablate.report.study import Study
from ablate.report.tables import everything

MANIFEST = "manifest.json"
IMAGES = ("curves.png", "samples.png")


def log_study(study: Study, folder: Path, settings: dict[str, Any]) -> str:
    """Send a report that was written to `folder`, and return the run's id.

    The id follows from the report's content, so the same results are the same run. The artifact
    holds the report's files, the table, all points of the curves, and the sample grid.

    Args:
        study: What the report shows.
        folder: Of the report.
        settings: `project`, `mode` and `dir`, as in conf/tracker/wandb.yaml.
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
        settings=wandb.Settings(silent=True, console="off"),
        config={"metric": study.metric.name, "reference": study.reference},
        **settings,
    )
    try:
        shown = {path.stem: wandb.Image(str(path)) for path in map(folder.joinpath, IMAGES)
                 if path.is_file()}  # fmt: skip
        run.log({"table": wandb.Table(dataframe=table), **shown})
        run.log_artifact(artifact)
        run.summary["answer"] = answer(study)
    finally:
        run.finish()
    return f"report-{name}"


def _plain(table: pd.DataFrame) -> pd.DataFrame:
    """Return `table` with NaN and None for what is missing, which wandb knows."""
    return table.astype("object").where(table.notna(), None)
