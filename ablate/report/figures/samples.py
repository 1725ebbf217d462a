"""What the generators draw: rows are arms, a column is one latent in all of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ablate.report import words
from ablate.report.figures import style
from ablate.report.study import Study
from ablate.store import read_all_samples

MOST_ARMS = 24
COLUMNS = 12
LABEL_INCHES = 1.55
VALUE_INCHES = 0.6
LABEL_LETTERS, LABEL_LINES = 22, 4
LINE_INCHES = 0.125
TOY_COLUMNS = 5


def samples_figure(study: Study) -> bytes | None:
    """Return a PNG of one seed, the one with the fewest failures; None if nobody kept samples."""
    seed = shown_seed(study)
    arms = list(study.table["arm"])[:MOST_ARMS]
    grids = sample_grids(study, arms, seed)
    present = [grid for grid in grids.values() if grid is not None]
    if not present:
        return None
    with style.look():
        draw = _scatter if present[0].ndim == 2 else _rows
        return style.png(draw(study, grids, seed))


def shown_seed(study: Study) -> int:
    """Return the seed in which most arms are done, the smallest of several."""
    done = study.final.groupby("seed")["failed"].agg(lambda failed: (~failed).sum())
    return int(done.index[done == done.max()].min())


def sample_grids(study: Study, arms: list[str], seed: int) -> dict[str, np.ndarray | None]:
    """Return arm -> the samples of its trial under `seed` by the generator that is scored."""
    rows = study.final[study.final["seed"] == seed].set_index("arm")
    found = read_all_samples(*study.folders, trials=list(rows["trial"]))
    grids: dict[str, np.ndarray | None] = dict.fromkeys(arms)
    for arm in rows.index.intersection(arms):
        of_trial = found.get(rows.loc[arm, "trial"], {})
        generator = rows.loc[arm, "generator"] or "raw"
        grids[arm] = of_trial.get(generator, next(iter(of_trial.values()), None))
    return grids


def sample_note(study: Study, arm: str, seed: int) -> str:
    """Return the value of the trial shown, or how it ended."""
    one = study.final[(study.final["arm"] == arm) & (study.final["seed"] == seed)]
    if one.empty:
        return "no trial"
    if one["failed"].item():
        return str(one["status"].item())
    return words.number(one["value"].item(), words.decimals_for(0.0, one["value"].item()) - 1)


def _rows(study: Study, grids: dict[str, np.ndarray | None], seed: int) -> Figure:
    """Draw `[N, C, H, W]` grids, the first samples of each in one row."""
    first = next(grid for grid in grids.values() if grid is not None)
    count = min(COLUMNS, len(first))
    across = style.WIDTH_INCHES - LABEL_INCHES - VALUE_INCHES - 0.1
    lines = max(1 + style.label(arm, LABEL_LETTERS, LABEL_LINES).count("\n") for arm in grids)
    row = max(across / count * first.shape[2] / first.shape[3], 0.3, LINE_INCHES * lines) + 0.05
    height = row * len(grids) + 0.42
    figure = Figure(figsize=(style.WIDTH_INCHES, height), facecolor="white")
    axes = figure.subplots(len(grids), 1, squeeze=False)[:, 0]
    for axis, (arm, grid) in zip(axes, grids.items(), strict=True):
        _row(axis, study, arm, grid if grid is None else grid[:count], seed)
    _caption(figure, study, seed, height)
    figure.subplots_adjust(
        left=LABEL_INCHES / style.WIDTH_INCHES,
        right=1 - VALUE_INCHES / style.WIDTH_INCHES,
        top=1 - 0.4 / height,
        bottom=0.02 / height,
        hspace=0.05 / row,
    )
    return figure


def _row(axis: Axes, study: Study, arm: str, grid: np.ndarray | None, seed: int) -> None:
    axis.axis("off")
    weight = "bold" if arm == study.reference else "normal"
    place: dict[str, Any] = {"transform": axis.transAxes, "va": "center"}
    name = style.label(arm, LABEL_LETTERS, LABEL_LINES)
    axis.text(-0.02, 0.5, name, ha="right", fontsize=7.5, weight=weight, **place)
    note = sample_note(study, arm, seed)
    axis.text(1.02, 0.5, note, ha="left", fontsize=7, color="#555555", **place)
    if grid is None:
        axis.text(0.5, 0.5, "no samples", ha="center", color=style.GREY, **place)
    else:
        axis.imshow(strip(grid), interpolation="nearest", aspect="equal", vmin=0, vmax=255)


def strip(grid: np.ndarray, gap: int = 1) -> np.ndarray:
    """Return `[N, C, H, W]` side by side as uint8 `[H, N (W + gap) - gap, 3]`, white between."""
    grid = grid if grid.shape[1] == 3 else grid.mean(1, keepdims=True).repeat(3, 1)
    padded = np.pad(grid, [(0, 0), (0, 0), (0, 0), (0, gap)], constant_values=255)
    n, c, h, w = padded.shape
    whole = padded.transpose(2, 0, 3, 1).reshape(h, n * w, c)  # [H, N, W, C] -> [H, N W, C]
    return whole[:, : n * w - gap].astype(np.uint8)


def _caption(figure: Figure, study: Study, seed: int, height: float) -> None:
    text = f"seed {seed} · a column is one latent in all arms · right: {study.metric.name}"
    text += f" {words.arrow(study.metric)} of this seed"
    figure.text(0.5, 1 - 0.2 / height, text, ha="center", va="center", fontsize=7.5)


def _scatter(study: Study, grids: dict[str, np.ndarray | None], seed: int) -> Figure:
    """Draw `[N, 2]` point sets, a panel per arm, all with the same axes."""
    columns = min(TOY_COLUMNS, len(grids))
    rows = math.ceil(len(grids) / columns)
    side = style.WIDTH_INCHES / TOY_COLUMNS
    height = rows * (side + 0.25) + 0.4
    figure = Figure(figsize=(side * columns, height), facecolor="white")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    limit = _limit([grid for grid in grids.values() if grid is not None])
    for axis, (arm, grid) in zip(axes, grids.items(), strict=False):
        title = f"{style.label(arm, LABEL_LETTERS, 3)}\n{sample_note(study, arm, seed)}"
        axis.set_title(title, fontsize=6.5, pad=3)
        axis.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xticks=[], yticks=[])
        axis.spines[:].set_visible(True)
        if grid is not None:
            axis.scatter(grid[:, 0], grid[:, 1], s=1.5, color=style.BLUE, alpha=0.5, lw=0)
    for axis in axes[len(grids) :]:
        axis.axis("off")
    figure.suptitle(
        f"seed {seed}, same latents · number: {study.metric.name}", fontsize=7.5, y=0.99
    )
    figure.subplots_adjust(0.02, 0.02, 0.98, 1 - 0.62 / height, wspace=0.08, hspace=0.3)
    return figure


def _limit(grids: list[np.ndarray]) -> float:
    """Return the half-width that shows 99 % of each set, so that one stray point hides nothing."""
    finite = [np.abs(grid[np.isfinite(grid).all(1)]) for grid in grids]
    return 1.1 * max((float(np.quantile(one, 0.99)) for one in finite if len(one)), default=1.0)
