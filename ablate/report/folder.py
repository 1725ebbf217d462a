"""From results folders to a report folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from ablate.disk import write_durable
from ablate.report.figures.curves import curves_figure
from ablate.report.figures.forest import answer_figure, arms_figure
from ablate.report.figures.half_normal import half_normal_figure
from ablate.report.figures.samples import samples_figure
from ablate.report.manifest import manifest
from ablate.report.page import html_page
from ablate.report.printers.latex import answer_latex, arms_latex
from ablate.report.prose import page, question, sections
from ablate.report.study import Study, gather
from ablate.report.swap import MANIFEST, swapped_in
from ablate.report.tables.arms import csv, everything, parquet
from ablate.report.tables.failures import policy_rows, reliability_rows
from ablate.report.tables.search import search_table


def report(
    folders: Sequence[Path | str],
    out: Path | str,
    metric: str | None = None,
    reference: str | None = None,
    *,
    where: Mapping[str, Any] | None = None,
    screen: bool = False,
    **options: Any,
) -> Path:
    """Write report.html, report.md, tables, figures and manifest.json to folder `out`.

    Tables are CSV, with `table.parquet` beside `table.csv`, and LaTeX; figures are PNG.

    The same results give the same bytes. An older report in `out` is replaced, at once and whole.

    Args:
        folders: Results folders, read as one study.
        out: Folder of the report.
        metric: The primary metric; by default what the plan names, or the usual one.
        reference: Arm to compare with; by default the plan's, or the one without tricks.
        where: Conditions to choose if there are several, as in `{"data.name": "digits"}`.
        screen: Adjust p by Benjamini-Hochberg: for picking what to study next.
        **options: Of `analysis.compare`: scale, higher_is_better, generator, protocol, detect.

    Returns:
        `out`.

    Raises:
        UserError: What is asked for is not there or does not compare, or `out` cannot be written.
    """
    study = gather(
        [Path(folder) for folder in folders], metric, reference, where, screen=screen, **options
    )
    return write(study, out)


def write(study: Study, out: Path | str) -> Path:
    """Write the report of `study` to folder `out`, and return it.

    Raises:
        UserError: `out` cannot be written.
    """
    with swapped_in(Path(out)) as folder:
        for name, content in contents(study).items():
            write_durable(folder / name, content)
    return Path(out)


def all_tables(study: Study) -> dict[str, pd.DataFrame]:
    """Return file name -> table, all digits; what a study does not have is not there."""
    found = {
        "table.csv": everything(study),
        "policies.csv": policy_rows(study),
        "reliability.csv": reliability_rows(study),
        "search.csv": search_table(study.plan),
        "half_normal.csv": study.answer.half_normal,
        f"{study.answer.kind}.csv": study.answer.table,
    }
    if study.tuned is not None:
        found |= {
            "tuned.csv": everything(study.tuned),
            "tuning.csv": study.changed,
            "search.csv": search_table(study.tuned.plan),
            f"tuned_{study.tuned.answer.kind}.csv": study.tuned.answer.table,
        }
    return {name: table for name, table in found.items() if len(table)}


def contents(study: Study) -> dict[str, bytes]:
    """Return the files of a report, name -> bytes."""
    drawn = {"curves.png": curves_figure(study), "samples.png": samples_figure(study)}
    drawn["arms.png"] = arms_figure(study.table, study.metric)
    if study.answer.kind != "arms":
        drawn[f"{study.answer.kind}.png"] = answer_figure(study.answer, study.metric)
    if study.tuned is not None:
        drawn["tuned.png"] = arms_figure(study.tuned.table, study.metric)
    if len(study.answer.half_normal):
        drawn["half_normal.png"] = half_normal_figure(study.answer.half_normal, study.metric)
    files = {name: content for name, content in drawn.items() if content is not None}
    told = sections(study, list(files))
    files["report.md"] = page(study, told).encode()
    files["report.html"] = html_page(study, told).encode()
    found = all_tables(study)
    files |= {name: csv(table).encode() for name, table in found.items()}
    files["table.parquet"] = parquet(found["table.csv"])
    files["table.tex"] = arms_latex(study).encode()
    if len(study.answer.table):
        files[f"{study.answer.kind}.tex"] = answer_latex(study).encode()
    if study.tuned is not None:
        files["tuned.tex"] = arms_latex(study.tuned).encode()
        if len(study.tuned.answer.table):
            files[f"tuned_{study.tuned.answer.kind}.tex"] = answer_latex(study.tuned).encode()
    files[MANIFEST] = manifest(study, question(study), files)
    return files
