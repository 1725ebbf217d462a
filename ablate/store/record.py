"""The files of a trial, read into plain values; each is what was written, or the trial is damaged.

`status.json` is the trial's record: it is sealed, and holds a digest of every other file. Trials of
before there were digests are read as far as they can be.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ablate.disk import FILES, digest, unsealed
from ablate.errors import UserError
from ablate.store.schema import SCHEMA, STATUSES
from ablate.trial import Trial, canonical

STATUS, TRACE = "status.json", "traceback.txt"
STATUS_KEYS = ("status", "reason", "images", "wall_seconds", "device_seconds", "peak_memory_bytes")
NUMBERS = STATUS_KEYS[2:]
WRITTEN = ("trial.json", "metrics.parquet", "curves.parquet", "samples.npz", "provenance.json")
NOT_THERE = (FileNotFoundError, IsADirectoryError, NotADirectoryError)
MOST_NAMED = 5
AGAIN = "type the command of its sweep again, which sets it aside and trains it anew"


class Damaged(UserError):
    """A trial's folder holds something else than was written.

    Attributes:
        problem: What is wrong with it, in a few words.
    """

    def __init__(self, folder: Path, problem: str) -> None:
        super().__init__(f"Trial {folder.name} is damaged ({problem} in {folder}); {AGAIN}.")
        self.folder, self.problem = folder, problem

    def __reduce__(self) -> tuple[type[Damaged], tuple[Path, str]]:
        """Let a worker's process hand it to the one that launched it."""
        return Damaged, (self.folder, self.problem)


@dataclass(frozen=True)
class Record:
    """A trial's folder whose files are what was written.

    Attributes:
        path: The folder.
        status: What `status.json` holds.
        contents: The bytes of all other files.
    """

    path: Path
    status: Mapping[str, Any]
    contents: Mapping[str, bytes]

    def json(self, name: str) -> dict[str, Any]:
        """Return the JSON object of a file.

        Raises:
            Damaged: It holds none.
        """
        return _object(self.path, name, self.contents[name])


def trial_of(content: Mapping[str, Any]) -> Trial:
    """Return the trial of a JSON object; further keys are left out."""
    known = {field.name: content[field.name] for field in fields(Trial) if field.name != "code"}
    return Trial(**known, code=content.get("code", {}))


def read_record(folder: Path) -> Record:
    """Return all files of a trial.

    Raises:
        Damaged: One is missing, or is not what was written.
        OSError: The disk fails.
    """
    status = read_status(folder)
    names = status.get(FILES) or WRITTEN
    return Record(folder, status, {name: read_file(folder, name, status) for name in names})


def problem_of(folder: Path) -> str | None:
    """Return what is wrong with a trial's folder, None where nothing is.

    Raises:
        OSError: The disk fails.
    """
    try:
        trial_row(read_record(folder), "")
    except Damaged as error:
        return error.problem
    return None


def read_status(folder: Path) -> dict[str, Any]:
    """Return what the record of a trial says.

    Raises:
        Damaged: It is missing, or is not what was written.
        OSError: The disk fails.
    """
    try:
        status = unsealed(_bytes(folder, STATUS))
        if FILES in status and not set(WRITTEN) <= set(status[FILES]):
            raise ValueError("it does not name every file")
        if status["status"] not in STATUSES:
            raise ValueError(f"unknown status {status['status']!r}")
        for key in NUMBERS:
            _number(status[key])
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, Damaged):
            raise
        raise Damaged(folder, f"{STATUS}: {_told(error)}") from error
    return status


def read_file(folder: Path, name: str, status: Mapping[str, Any] | None = None) -> bytes:
    """Return the content of one file of a trial.

    Args:
        folder: Of the trial.
        name: Of the file.
        status: Its record, read where it is not given.

    Raises:
        Damaged: It is missing, or is not what was written.
        OSError: The disk fails.
    """
    files = (read_status(folder) if status is None else status).get(FILES)
    content = _bytes(folder, name)
    if files is not None and files.get(name) != digest(content):
        raise Damaged(folder, f"{name}: not what was written")
    return content


def read_json(folder: Path, name: str) -> dict[str, Any]:
    """Return the JSON object in a file of a trial.

    Raises:
        Damaged: The file is missing, is not what was written, or holds no JSON object.
        OSError: The disk fails.
    """
    return _object(folder, name, read_file(folder, name))


def trial_row(record: Record, study: str) -> dict[str, Any]:
    """Return the values of `schema.TRIAL` for a trial, and its `code`.

    Raises:
        Damaged: Its files are not what the folder's name says.
        UserError: The folder was written by a newer version.
    """
    content = record.json("trial.json")
    _refuse_newer(content.get("schema"), record.path)
    try:
        return {"study": study} | _frozen(content, record.path) | _ended(record)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, Damaged):
            raise
        raise Damaged(record.path, f"trial.json or {STATUS}: {error!r}") from error


def told(damaged: Mapping[str, str]) -> str:
    """Return what a person is told of damaged trials, trial -> what is wrong; "" where none is."""
    if not damaged:
        return ""
    named = [f"{trial} ({problem})" for trial, problem in damaged.items()]
    more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
    count, them = ("1 trial is", "it") if len(named) == 1 else (f"{len(named)} trials are", "them")
    return (
        f"{count} damaged and left out: {', '.join(named[:MOST_NAMED])}{more}; type the command of "
        f"the sweep again, which sets {them} aside and trains {them} anew."
    )


def _refuse_newer(schema: object, folder: Path) -> None:
    if not isinstance(schema, int):
        raise Damaged(folder, "trial.json: no schema number")
    if schema > SCHEMA:
        raise UserError(
            f"{folder.parent.parent} was written by a newer ablate (results schema {schema}, this "
            f"one reads up to {SCHEMA}); type `pip install --upgrade ablate`."
        )


def _frozen(content: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    trial = trial_of(content)
    if trial.id != folder.name:
        raise Damaged(folder, f"trial.json: describes trial {trial.id}")
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


def _ended(record: Record) -> dict[str, Any]:
    status = record.status
    return {
        "status": status["status"],
        "reason": status["reason"] or "",
        "images_shown": int(status["images"]),
        "wall_seconds": _number(status["wall_seconds"]),
        "device_seconds": _number(status["device_seconds"]),
        "peak_memory_bytes": _number(status["peak_memory_bytes"]),
        "device": str(record.json("provenance.json").get("device", "")),
    }


def _bytes(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except NOT_THERE as error:
        problem = "missing" if isinstance(error, FileNotFoundError) else "no file"
        raise Damaged(folder, f"{name}: {problem}") from error


def _object(folder: Path, name: str, content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Damaged(folder, f"{name}: {_told(error)}") from error
    if not isinstance(found, dict):
        raise Damaged(folder, f"{name}: not a JSON object")
    return found


def _told(error: BaseException) -> str:
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError | RecursionError):
        return "no JSON"
    return f"no {error}" if isinstance(error, KeyError) else str(error)


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)
