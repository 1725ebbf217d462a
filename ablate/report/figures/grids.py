"""Sample grids as small images: a row an arm, the same latents in every row."""

from __future__ import annotations

import base64
import io
from typing import NamedTuple

import numpy as np
from PIL import Image

from ablate.report.figures.samples import (
    COLUMNS,
    sample_grids,
    sample_note,
    samples_figure,
    shown_seed,
    strip,
)
from ablate.report.study import Study

LOSSLESS_PIXELS = 1_000_000  # numbers, all arms together; above it images lose what no eye sees
QUALITY = 80


class Grid(NamedTuple):
    """The samples of one arm.

    Attributes:
        arm: Its name; "" where one image shows all arms.
        place: Of the arm in the table.
        image: A data URI; "" for an arm without samples.
        width: Of the image in pixels.
        height: Likewise.
        note: The value of the trial shown, or how it ended.
        seed: The training seed of all of them.
    """

    arm: str
    place: int
    image: str
    width: int
    height: int
    note: str
    seed: int


def grids(study: Study) -> list[Grid]:
    """Return one row an arm, or one image of all for points in a plane; none without samples."""
    seed = shown_seed(study)
    arms = list(study.table["arm"])
    found = sample_grids(study, arms, seed)
    present = [grid for grid in found.values() if grid is not None]
    if not present:
        return []
    if present[0].ndim == 2:
        return _points(study, seed)
    strips = {arm: None if grid is None else strip(grid[:COLUMNS]) for arm, grid in found.items()}
    images = _encoded(strips)
    return [
        Grid(arm, place, *_framed(images[arm], strips[arm]), sample_note(study, arm, seed), seed)
        for place, arm in enumerate(arms)
    ]


def _framed(image: bytes | None, pixels: np.ndarray | None) -> tuple[str, int, int]:
    if image is None or pixels is None:
        return "", 0, 0
    return _uri(image, "webp"), pixels.shape[1], pixels.shape[0]


def _encoded(strips: dict[str, np.ndarray | None]) -> dict[str, bytes | None]:
    lossless = sum(one.size for one in strips.values() if one is not None) <= LOSSLESS_PIXELS
    return {arm: None if one is None else _webp(one, lossless) for arm, one in strips.items()}


def _webp(pixels: np.ndarray, lossless: bool) -> bytes:
    sink = io.BytesIO()
    Image.fromarray(pixels).save(sink, "WEBP", lossless=lossless, quality=QUALITY, method=2)
    return sink.getvalue()


def _points(study: Study, seed: int) -> list[Grid]:
    drawn = samples_figure(study)
    assert drawn is not None, "there are samples"
    with Image.open(io.BytesIO(drawn)) as image:
        width, height = image.size
    return [Grid("", 0, _uri(drawn, "png"), width, height, "", seed)]


def _uri(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
