"""With what a trial was trained: code, packages, device, command, config; no secrets."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Mapping
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from ablate.secrets import hidden

PACKAGES = ("ablate", "torch", "numpy", "scipy", "scikit-learn", "hydra-core", "optuna", "pandas")


def provenance(device: str, config: dict[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `provenance.json` holds.

    Args:
        device: "cpu" or "cuda", resolved.
        config: The whole composed tree.
        data: What was read, as `Dataset.summary` tells it.
    """
    return {
        "git": git_state(),
        "versions": versions(),
        "device": device_name(device),
        "command": hidden(sys.argv),
        "config": hidden(config),
        "data": hidden(data),
    }


@lru_cache
def git_state() -> dict[str, Any]:
    """Return commit and dirtiness of the checkout that this package runs from, or nothing."""
    folder = Path(__file__).parents[2]
    if not (folder / ".git").exists():
        return {}
    commit = git(folder, "rev-parse", "HEAD")
    changes = git(folder, "status", "--porcelain")
    if commit is None or changes is None:
        return {}
    return {"commit": commit, "dirty": bool(changes)}


def git(folder: Path, *words: str) -> str | None:
    """Return what git says, or None where it cannot."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words],
            capture_output=True, text=True, timeout=10, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


@lru_cache
def versions() -> dict[str, str]:
    """Return the versions of python and of the packages that numbers depend on."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue  # a checkout that was not installed
    return found


@lru_cache
def device_name(device: str) -> str:
    """Return the model of the device."""
    if device.startswith("cuda"):
        return torch.cuda.get_device_name(device)
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{models[0] if models else platform.processor() or platform.machine()}"
