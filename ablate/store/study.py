"""What a study decided before training, as its plan wrote it to study.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ablate.errors import UserError
from ablate.metric import known
from ablate.store.plan import REMEDY, STUDY, WRITTEN, require_whole
from ablate.store.plan import read_study as read_one

# When seeds join a study, and whose results it takes.
GROWS = ("seeds", "permutations", "plan_sha256", "images", "adopted", WRITTEN)


def read_study(*folders: Path) -> dict[str, Any]:
    """Return the study of `folders`; `{}` where there is none.

    Seeds and their permutations are those of all folders. Of studies that are not the same there
    remains what holds for all arms together: reference, analysis, metrics and tuning seeds.

    Raises:
        UserError: A study.json cannot be read, or two declare different analyses.
    """
    for folder in map(Path, folders):
        require_whole(folder)
    places = [folder for folder in map(Path, folders) if (folder / STUDY).exists()]
    found = [_read(folder) for folder in places]
    if not found:
        return {}
    if any(_fixed(one) != _fixed(found[0]) for one in found):
        return _joined({str(folder): one for folder, one in zip(places, found, strict=True)})
    seeds = [seed for one in found for seed in one.get("seeds") or []]
    orders = {seed: order for one in found for seed, order in _orders(one).items()}
    return found[0] | {"seeds": list(dict.fromkeys(seeds)), "permutations": orders}


def _joined(studies: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return what several studies have in common.

    Raises:
        UserError: They declare different analyses, or different scales of one metric.
    """
    references = {one.get("reference") for one in studies.values()}
    return {
        "arms": [],
        "reference": references.pop() if len(references) == 1 else None,
        "analysis": _one_analysis(studies),
        "metrics": _one_scale(studies),
        "tuning_seeds": sorted(
            {s for one in studies.values() for s in one.get("tuning_seeds") or []}
        ),
    }


def _one_scale(studies: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the metrics that imported tables declare; who declares none takes the catalog's."""
    declared = {folder: one.get("metrics") or {} for folder, one in studies.items()}
    found: dict[str, Any] = {}
    for name in sorted({name for own in declared.values() for name in own}):
        scales = {folder: own.get(name) or _of_catalog(name) for folder, own in declared.items()}
        told = {folder: scale for folder, scale in scales.items() if scale is not None}
        (first, usual), *others = told.items()
        for folder, scale in others:
            if usual != scale:
                raise UserError(
                    f"{name} is compared {_in_words(usual)} in {first} and {_in_words(scale)} in "
                    f"{folder}; import one of the tables again, with the --scale and --better of "
                    "the other."
                )
        found[name] = usual
    return found


def _of_catalog(name: str) -> dict[str, Any] | None:
    entry = known(name)
    if entry is None:
        return None
    return {"scale": entry.scale, "higher_is_better": entry.better == "higher"}


def _in_words(scale: Mapping[str, Any]) -> str:
    better = "higher" if scale["higher_is_better"] else "lower"
    return f"by {scale['scale']}s ({better} is better)"


def _one_analysis(studies: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the analysis that all declare who declare one; imported tables declare none."""
    declared = {folder: one["analysis"] for folder, one in studies.items() if one.get("analysis")}
    found: dict[str, Any] = {}
    for key in sorted({key for analysis in declared.values() for key in analysis}):
        told = {f: a.get(key) for f, a in declared.items() if a.get(key) or key != "metric"}
        if len({json.dumps(value) for value in told.values()}) > 1:
            each = " and ".join(f"{value} in {folder}" for folder, value in told.items())
            raise UserError(
                f"These studies declared different analyses before training (study.analysis.{key} "
                f"is {each}); report them one by one."
            )
        found[key] = next(iter(told.values()), None)
    return found


def _read(folder: Path) -> dict[str, Any]:
    study = read_one(folder)
    arms = study.get("arms")
    if not isinstance(arms, list) or not all(isinstance(a, dict) and "arm" in a for a in arms):
        raise UserError(f"{folder / STUDY} cannot be read (it is no study). {REMEDY}")
    return study


def _fixed(study: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in study.items() if key not in GROWS}


def _orders(study: Mapping[str, Any]) -> dict[str, Any]:
    return dict(study.get("permutations") or {})
