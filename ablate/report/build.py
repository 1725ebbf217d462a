"""From results folders to a report folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ablate.report.curves_figure import curves_figure
from ablate.report.manifest import manifest
from ablate.report.page import page, question
from ablate.report.samples_figure import samples_figure
from ablate.report.study import Study, gather
from ablate.report.swap import MANIFEST, swapped_in
from ablate.report.tables import csv, everything
from ablate.store.disk import write_durable


def report(
    folders: Sequence[Path | str],
    out: Path | str,
    metric: str | None = None,
    reference: str | None = None,
    *,
    where: Mapping[str, Any] | None = None,
    **options: Any,
) -> Path:
    """Write report.md, table.csv, curves.png, samples.png and manifest.json to folder `out`.

    The same results give the same bytes. An older report in `out` is replaced, at once and whole.

    Args:
        folders: Results folders, read as one study.
        out: Folder of the report.
        metric: The primary metric; by default what the plan names, or the usual one.
        reference: Arm to compare with; the one without tricks by default.
        where: Conditions to choose if there are several, as in `{"data.name": "digits"}`.
        **options: Of `analysis.compare`: scale, higher_is_better, generator, protocol, detect.

    Returns:
        `out`.

    Raises:
        UserError: What is asked for is not there or does not compare, or `out` cannot be written.
    """
    study = gather([Path(folder) for folder in folders], metric, reference, where, **options)
    with swapped_in(Path(out)) as folder:
        for name, content in contents(study).items():
            write_durable(folder / name, content)
    return Path(out)


def contents(study: Study) -> dict[str, bytes]:
    """Return the files of a report, name -> bytes."""
    drawn = {"curves.png": curves_figure(study), "samples.png": samples_figure(study)}
    files = {name: content for name, content in drawn.items() if content is not None}
    files["report.md"] = page(study, list(files)).encode()
    files["table.csv"] = csv(everything(study)).encode()
    files[MANIFEST] = manifest(study, question(study), files)
    return files
