"""The studies under attack: three seconds of ring8, plain and tuned, and what they leave behind."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from PIL import Image

from benchmarks.durability.ask import ask

TINY = (
    "data=ring8", "model=mlp", "metric=raw", "model.width=16", "train.batch_size=16",
    "train.latent_dim=4", "budget.images=320", "budget.evaluations=2", "budget.samples=64",
    "budget.curve_points=4", "trick=[adam,ema_g]", "study.always=[adam]", "trick.adam.lr=0.01",
    "hydra/launcher=basic", "study.workers=1", "cache=cache", "out=study",
)  # fmt: skip
STUDIES = {
    "plain": ("sweep", "one_at_a_time", *TINY, "study.seeds=[0,1,2]"),
    "tuned": ("sweep", "one_at_a_time", *TINY, "study.seeds=[0,1]", "search=optuna",
              "search.trials=2", "search.seeds=[1000]"),
    "short": ("sweep", "one_at_a_time", *TINY, "study.seeds=[0]"),
    "short tuned": ("sweep", "one_at_a_time", *TINY, "study.seeds=[0]", "search=optuna",
                    "search.trials=2", "search.seeds=[1000]"),
}  # fmt: skip
STUDIES["pictures"] = (
    "sweep", "one_at_a_time", *(w for w in TINY if not w.startswith(("data=", "model"))),
    "data=image_folder", "data.root=pictures", "data.size=8", "model=dcgan", "model.width=4",
    "study.seeds=[0]",
)  # fmt: skip
STUDIES["workers"] = (
    "sweep", "one_at_a_time", *(w for w in TINY if not w.startswith(("hydra/", "study.work"))),
    "study.seeds=[0,1]", "study.workers=2", "study.stack=1", "budget.images=3200",
    "budget.evaluations=10",
)  # fmt: skip
PARTS = ("plan.jsonl", "study.json", "search.json", "search", "tuned", "trials")
TIMES = ("wall_seconds", "device_seconds", "peak_memory_bytes")


def make(kind: str, folder: Path) -> Path:
    """Return a folder in which a study was typed, undisturbed, with its cache."""
    folder.mkdir(parents=True)
    if kind == "pictures":
        for name, seed in (("pictures", 0), ("other", 1)):
            draw_pictures(folder / name, seed)
        # What is cached of other pictures lies beside, and can be taken for it.
        other = ask(folder, *STUDIES[kind], "data.root=other", "out=other-study")
        assert other.code == 0, other.text
        shutil.rmtree(folder / "other-study")
    done = ask(folder, *STUDIES[kind])
    assert done.code == 0, done.text
    return folder


def draw_pictures(folder: Path, seed: int) -> None:
    """Draw sixty pictures."""
    folder.mkdir()
    for n, pixels in enumerate(np.random.default_rng(seed).integers(0, 256, (60, 8, 8), np.uint8)):
        Image.fromarray(pixels).save(folder / f"{n:02}.png")


def results(study: Path) -> dict[str, str]:
    """Return file -> its content without times, hashed; of all that a study has come to."""
    found = {}
    for path in sorted(study.rglob("*")):
        name = str(path.relative_to(study))
        if path.is_dir() or name.startswith("tuned/trials/"):
            continue
        part = name.partition("/")[0]
        if part == "damaged":  # where a sweep sets aside what it cannot read
            continue
        if part not in PARTS:
            found[name] = "beside"
        elif path.name == "provenance.json" or path.suffix == ".db":
            found[name] = "there"  # the machine's, and a copy for others to look at
        else:
            found[name] = hashlib.sha256(content(path)).hexdigest()[:12]
    return found


def content(path: Path) -> bytes:
    """Return what a file says, without times."""
    if path.suffix == ".parquet":
        return repr(pq.ParquetFile(path).read().to_pydict()).encode()
    if path.suffix == ".npz":
        with np.load(path) as file:
            return b"".join(name.encode() + file[name].tobytes() for name in sorted(file.files))
    if path.name == "status.json":
        told = json.loads(path.read_text())
        return repr(
            sorted((k, v) for k, v in told.items() if k not in (*TIMES, "files", "seal"))
        ).encode()
    return path.read_bytes()


def difference(study: Path, whole: dict[str, str]) -> str:
    """Return in what a study differs from the undisturbed one; "" where in nothing."""
    try:
        found = results(study)
    except (OSError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    wrong = [name for name in {*found, *whole} if found.get(name) != whole.get(name)]
    wrong.sort(key=lambda name: (name not in whole, name))
    return ", ".join(f"{'lacks' if n not in found else 'left' if n not in whole else 'changed'} {n}"
                     for n in wrong[:3])  # fmt: skip


def trials(study: Path) -> list[str]:
    """Return the ids of trials that have results."""
    return sorted(name for name in os.listdir(study / "trials") if name[0] != ".")
