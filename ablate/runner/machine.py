"""What a run needs to know of its machine, and a result must not depend on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import torch
from omegaconf import DictConfig

from ablate.config.tree import resolved
from ablate.data.option import reading_of
from ablate.disk import make_folder
from ablate.errors import UserError, unknown
from ablate.runner.conv_choice import CHOICES
from ablate.train.ladder import CHOICES as RUNGS


@dataclass(frozen=True)
class Machine:
    """What a run needs to know and a result must not depend on.

    Attributes:
        device: "cpu" or "cuda", resolved.
        out: The results folder.
        cache: Where decoded images, classifiers and statistics of real images are kept.
        root: Where the data set's files lie.
        inception: Where the Inception network lies.
        operator: The form of a stack's convolutions.
        rung: How rounds are played.
        reading: JSON of how the data set's files are read; what came out is in its fingerprint.
    """

    device: str
    out: Path
    cache: Path
    root: str | None = None
    inception: str | None = None
    operator: str = "auto"
    rung: str = "auto"
    reading: str = "{}"


def machine(config: DictConfig | dict[str, Any]) -> Machine:
    """Return where a run takes place.

    Raises:
        UserError: A GPU is asked for and there is none, or there is no such form of convolutions
            or of play.
    """
    tree = resolved(config)
    if tree["operator"] not in CHOICES:
        raise unknown("operator", str(tree["operator"]), CHOICES)
    device = resolve_device(str(tree["device"]))
    return Machine(
        device,
        folder_of(tree, "out"),
        folder_of(tree, "cache"),
        path_of(tree["data"].get("root")),
        path_of(tree["metric"].get("path")),
        tree["operator"],
        resolve_rung(str(tree["rung"]), device),
        reading_of(tree["data"]),
    )


def folder_of(tree: Mapping[str, Any], key: str) -> Path:
    """Return a folder that a config names.

    Raises:
        UserError: It has no name.
    """
    if not str(tree[key]).strip():
        raise UserError(f"{key}= is empty; type {key}=FOLDER.")
    return Path(str(tree[key])).expanduser()


def path_of(value: Any) -> str | None:
    """Return a path as text, also where its name is a number."""
    return None if value is None else str(value)


def resolve_device(wanted: str) -> str:
    """Return the device that `device=` means here.

    Raises:
        UserError: It is not a device, or there is no GPU.
    """
    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    kind, _, index = wanted.partition(":")
    if kind not in ("cpu", "cuda") or (index and not index.isdigit()):
        raise UserError(f"device={wanted} is no device; type device=auto, cpu, cuda or cuda:1.")
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if kind == "cuda" and int(index or 0) >= count:
        raise UserError(
            f"device={wanted}, and PyTorch {torch.__version__} sees {count} CUDA devices here; "
            "type device=auto or device=cpu."
        )
    return wanted


def resolve_rung(wanted: str, device: str) -> str:
    """Return the rung that `rung=` means on a device; auto is settled where its stack is known.

    Raises:
        UserError: There is no such rung, or not there.
    """
    if wanted not in RUNGS:
        raise unknown("rung", wanted, RUNGS)
    if wanted == "graph" and device == "cpu":
        raise UserError(
            "rung=graph needs a CUDA device, and this runs on a CPU; type rung=auto or "
            "rung=compiled."
        )
    return wanted


def check_writable(folder: Path) -> None:
    """Refuse a results folder that cannot be written, before anything is trained.

    Raises:
        UserError: The sentence says why.
    """
    try:
        make_folder(folder)
        with TemporaryFile(dir=folder) as file:
            file.write(b"room for a byte?")
            file.flush()
    except OSError as error:
        raise UserError(
            f"Cannot write to {folder} ({error.strerror}); type another folder: out=results/NAME."
        ) from error


def on_gpu(machine: Machine) -> bool:
    """Return whether trials are trained on a GPU."""
    return machine.device.startswith("cuda")
