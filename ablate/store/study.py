"""What a study decided before training, as its plan wrote it to study.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ablate.errors import UserError

GROWS = ("seeds", "permutations", "plan_sha256", "images")  # when seeds join a study


def read_study(*folders: Path) -> dict[str, Any]:
    """Return the study of `folders`; `{}` where there is none, or several that are not the same.

    Seeds and their permutations are those of all folders.

    Raises:
        UserError: A study.json cannot be read.
    """
    found = [_read(file) for folder in folders if (file := Path(folder) / "study.json").is_file()]
    if not found or any(_fixed(one) != _fixed(found[0]) for one in found):
        return {}
    seeds = [seed for one in found for seed in one.get("seeds") or []]
    orders = {seed: order for one in found for seed, order in _orders(one).items()}
    return found[0] | {"seeds": list(dict.fromkeys(seeds)), "permutations": orders}


def _read(file: Path) -> dict[str, Any]:
    try:
        study: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        list(study["arms"])
    except (OSError, TypeError, KeyError, ValueError) as error:
        raise UserError(
            f"{file} cannot be read ({error!r}); start the sweep again, which writes it anew and "
            "keeps all results."
        ) from error
    return study


def _fixed(study: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in study.items() if key not in GROWS}


def _orders(study: Mapping[str, Any]) -> dict[str, Any]:
    return dict(study.get("permutations") or {})
