"""The small JSON files of a trial, read into plain values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from ablate.errors import UserError
from ablate.store.schema import SCHEMA, STATUSES
from ablate.trial import Trial, canonical

STATUS_KEYS = ("status", "reason", "images", "wall_seconds", "device_seconds", "peak_memory_bytes")


class Damaged(Exception):
    """A trial's folder cannot be read; the message says what is wrong with it."""


def trial_of(content: Mapping[str, Any]) -> Trial:
    """Return the trial of a JSON object; further keys are left out."""
    known = {field.name: content[field.name] for field in fields(Trial) if field.name != "code"}
    return Trial(**known, code=content.get("code", {}))


def read_json(path: Path) -> dict[str, Any]:
    """Return the JSON object in `path`.

    Raises:
        Damaged: The file is missing or holds no JSON object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Damaged(f"{path.name}: {type(error).__name__}") from error
    if not isinstance(content, dict):
        raise Damaged(f"{path.name}: not a JSON object")
    return content


def trial_row(folder: Path, study: str) -> dict[str, Any]:
    """Return the values of `schema.TRIAL` for the trial in `folder`, and its `code`.

    Raises:
        Damaged: A file is missing, torn, or not what the folder's name says.
        UserError: The folder was written by a newer version.
    """
    content = read_json(folder / "trial.json")
    _refuse_newer(content.get("schema"), folder)
    try:
        return {"study": study} | _frozen(content, folder.name) | _ended(folder)
    except (KeyError, TypeError, ValueError) as error:
        raise Damaged(f"trial.json or status.json: {error!r}") from error


def _refuse_newer(schema: object, folder: Path) -> None:
    if not isinstance(schema, int):
        raise Damaged("trial.json: no schema number")
    if schema > SCHEMA:
        raise UserError(
            f"{folder.parent.parent} was written by a newer ablate (results schema {schema}, this "
            f"one reads up to {SCHEMA}); type `pip install --upgrade ablate`."
        )


def _frozen(content: Mapping[str, Any], name: str) -> dict[str, Any]:
    trial = trial_of(content)
    if trial.id != name:
        raise Damaged(f"trial.json: describes trial {trial.id}")
    conditions = {key: content[key] for key in ("data", "model", "budget", "metric", "train")}
    return {
        "trial": trial.id,
        "arm": trial.arm,
        "seed": trial.seed,
        "tricks": canonical(trial.tricks),
        "data": str(trial.data["name"]),
        "model": str(trial.model["name"]),
        "budget_images": int(trial.budget["images"]),
        "conditions": canonical(conditions),
        "code": trial.code,
    }


def _ended(folder: Path) -> dict[str, Any]:
    status = read_json(folder / "status.json")
    if status["status"] not in STATUSES:
        raise Damaged(f"status.json: unknown status {status['status']!r}")
    return {
        "status": status["status"],
        "reason": status["reason"] or "",
        "images_shown": int(status["images"]),
        "wall_seconds": _number(status["wall_seconds"]),
        "device_seconds": _number(status["device_seconds"]),
        "peak_memory_bytes": _number(status["peak_memory_bytes"]),
        "device": str(read_json(folder / "provenance.json").get("device", "")),
    }


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)
