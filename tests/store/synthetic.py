"""Results of no training at all, written the way training writes them."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ablate.disk import digest, sealed
from ablate.store import write_trial
from ablate.trial import Trial

IMAGES = 4000
PROTOCOL = "classifier:1a2b3c4d/n=2048/train"
PROVENANCE = {
    "git": {"commit": "0123456789abcdef", "dirty": False},
    "versions": {"ablate": "0.1.0", "torch": "2.13.0"},
    "device": "NVIDIA H200",
    "command": ["ablate", "sweep", "demo"],
    "config": {"seed": 0},
}


def trial(arm: str = "reference", seed: int = 0, tricks: dict[str, Any] | None = None) -> Trial:
    """Return a small trial; an arm `a+b` has tricks `a` and `b` unless they are given."""
    on = [] if arm == "reference" else arm.split("+")
    return Trial(
        tricks={key: {"strength": 1.0} for key in on} if tricks is None else tricks,
        seed=seed,
        data={"name": "digits", "fraction": 1.0},
        model={"name": "dcgan", "width": 16},
        budget={"images": IMAGES, "evaluations": 4, "samples": 2048},
        metric={"extractor": "classifier"},
        train={"batch_size": 64, "latent_dim": 100, "precision": "float32"},
        arm=arm,
    )


def status(
    status: str = "done", images: int = IMAGES, wall_seconds: float = 20.0
) -> dict[str, Any]:
    return {
        "status": status,
        "reason": None if status == "done" else f"loss_d is nan at {images} images",
        "images": images,
        "wall_seconds": wall_seconds,
        "device_seconds": wall_seconds / 2,
        "peak_memory_bytes": 2**28,
        "started": "2026-01-01T00:00:00+00:00",
        "finished": "2026-01-01T00:01:00+00:00",
    }


def metrics(
    final: float, metric: str = "fd_classifier", generators: tuple[str, ...] = ("raw",)
) -> pd.DataFrame:
    """Return four evaluations that fall to `final`; `ema` is exactly `final`, `raw` if alone."""
    images = np.linspace(0, IMAGES, 5).astype(int)[1:]
    parts = [
        pd.DataFrame(
            {
                "images": images,
                "generator": generator,
                "metric": metric,
                "value": final * np.array([4.0, 2.0, 1.3, 1.0]) * (1.0 + 0.2 * place),
                "resample_sd": 0.02 * final,
                "protocol": PROTOCOL,
            }
        )
        for place, generator in enumerate(reversed(generators))
    ]
    return pd.concat(parts, ignore_index=True)


def curves(level: float = 0.7, until: int = IMAGES, seed: int = 0) -> pd.DataFrame:
    """Return 60 points of two losses."""
    images = np.linspace(0, until, 61).astype(int)[1:]
    noise = np.random.default_rng(seed).normal(0, 0.05, size=(2, 60))
    loss_d = level * (1 + np.exp(-images / 800)) + noise[0]
    loss_g = 2 * level * (1 - 0.5 * np.exp(-images / 800)) + noise[1]
    parts = [
        pd.DataFrame({"images": images, "signal": name, "value": value})
        for name, value in (("loss_d", loss_d), ("loss_g", loss_g))
    ]
    return pd.concat(parts, ignore_index=True)


def blobs(quality: float, seed: int, count: int = 64) -> np.ndarray:
    """Return uint8 `[N, 1, 16, 16]`: soft discs at places that only the seed decides."""
    rng = np.random.default_rng(seed)
    centre = rng.uniform(4, 12, size=(count, 2, 1, 1))
    y, x = np.mgrid[:16, :16]
    distance = np.hypot(y - centre[:, 0], x - centre[:, 1])
    disc = 1 / (1 + np.exp(2 * (distance - 4)))
    noise = np.random.default_rng(1000 + seed).normal(0, 1, size=disc.shape)
    return np.clip(255 * disc + 40 * quality * noise, 0, 255).astype(np.uint8)[:, None]


def write(
    folder: Path,
    arm: str,
    seed: int,
    value: float | None,
    generators: tuple[str, ...] = ("raw",),
    wall_seconds: float = 20.0,
) -> Trial:
    """Write a trial that ended at `value`, or diverged where it is None."""
    one = trial(arm, seed)
    noise = zlib.crc32(f"{arm}/{seed}".encode())
    if value is None:
        ended, table = status("diverged", IMAGES // 2), metrics(1.0).iloc[:0]
    else:
        ended, table = status(wall_seconds=wall_seconds), metrics(value, generators=generators)
    samples = {} if value is None else dict.fromkeys(generators, blobs(value / 30, seed))
    path = curves(until=int(ended["images"]), seed=noise)
    assert write_trial(folder, vars(one), ended, table, path, samples, PROVENANCE)
    return one


def rewrite(folder: Path, name: str, **changes: Any) -> None:
    """Change a JSON file of a trial as if it had been written so."""
    record = json.loads((folder / "status.json").read_text())
    content = record if name == "status.json" else json.loads((folder / name).read_text())
    content |= changes
    if name != "status.json":
        (folder / name).write_text(json.dumps(content))
        record["files"][name] = digest((folder / name).read_bytes())
    (folder / "status.json").write_bytes(sealed({k: v for k, v in record.items() if k != "seal"}))


def write_study(folder: Path, values: dict[str, list[float | None]], **options: Any) -> Path:
    """Write arm -> a value a seed."""
    for arm, row in values.items():
        for seed, value in enumerate(row):
            write(folder, arm, seed, value, **options)
    return folder
