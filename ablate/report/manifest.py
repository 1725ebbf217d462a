"""From what a report was made: every trial, every version, no time of day."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from ablate import __version__
from ablate.report.study import Study
from ablate.report.tables.annotations import marked

PACKAGES = (
    "jinja2", "markdown-it-py", "matplotlib", "numpy", "pandas", "pillow", "plotly", "pyarrow",
    "scipy", "statsmodels",
)  # fmt: skip


def manifest(study: Study, question: str, files: Mapping[str, bytes]) -> bytes:
    """Return the manifest; the same results give the same bytes."""
    content = {
        "question": question,
        "metric": study.metric.name,
        "reference": study.reference,
        "studies": sorted(study.frame["study"].unique()),
        "trials": sorted(study.final["trial"]),
        "marked": {
            one["trial"]: {key: one[key] for key in ("mark", "note")} for one in marked(study)
        },
        "tuned_trials": [] if study.tuned is None else sorted(study.tuned.final["trial"]),
        "set_aside": sorted(one["trial"] for one in study.frame.attrs["damaged"]),
        "pending": sorted(one["trial"] for one in study.frame.attrs["pending"]),
        "trained_with": trained_with(study),
        "reported_with": {"ablate": __version__} | {name: version(name) for name in PACKAGES},
        "files": {name: hashlib.sha256(files[name]).hexdigest() for name in sorted(files)},
    }
    return json.dumps(content, indent=1, sort_keys=True).encode() + b"\n"


def trained_with(study: Study) -> list[dict[str, Any]]:
    """Return every distinct git state, versions and device, with its number of trials."""
    keys = ("git", "versions", "device")
    states = Counter(
        json.dumps({key: one.get(key) for key in keys}, sort_keys=True)
        for one in study.provenance.values()
    )
    return [json.loads(state) | {"trials": count} for state, count in sorted(states.items())]
