"""By how much the Fréchet distance moves when features are computed in bfloat16.

    python -m benchmarks.features [data] [device]

Real images (digits without an argument) and the same under noise stand for generators from perfect
to useless, seen by the classifier in float32 and under bfloat16 autocast: once the generated side
alone, once both sides. Features in bfloat16 are worth having only if no row moves by more than
1e-3.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch
from torch import Tensor

from ablate.data import load
from ablate.metrics import Evaluator
from ablate.metrics.frechet import frechet_estimate, moments

SAMPLES = 2048
NOISE = (0, 2, 5, 10, 20, 50, 100, 200)  # standard deviations, in the 255 steps of a pixel
ROUNDS = 7
BOUND = 1e-3


def noisy(images: Tensor, sd: float) -> Tensor:
    draws = torch.randn(images.shape, generator=torch.Generator().manual_seed(1))
    return (images + sd * draws).round().clamp(0, 255).to(torch.uint8)


def features(judge: Evaluator, images: Tensor, half: bool) -> Tensor:
    with torch.autocast(torch.device(judge.device).type, torch.bfloat16, enabled=half):
        return judge.extract(images.to(judge.device)).features


def seconds(judge: Evaluator, images: Tensor, half: bool) -> float:
    start = time.perf_counter()
    features(judge, images, half).sum().item()
    return time.perf_counter() - start


def main(data: str = "digits", device: str = "cpu") -> None:
    with tempfile.TemporaryDirectory() as folder:
        dataset = load(data, cache=folder)
        judge = Evaluator(dataset, "classifier", SAMPLES, cache=Path(folder), device=device)
    real = dataset.train.images.cpu()
    images = real[torch.randint(len(real), (SAMPLES,), generator=torch.Generator().manual_seed(0))]
    known = {half: moments(features(judge, real, half)) for half in (False, True)}
    print(f"fd_classifier of {SAMPLES} {data} on {device}; relative change in bfloat16", flush=True)
    worst = 0.0
    for sd in NOISE:
        full, half = (features(judge, noisy(images, sd), on) for on in (False, True))
        exact = frechet_estimate(known[False], full)
        one, both = (frechet_estimate(known[on], half).value for on in (False, True))
        value, spread = exact.value.item(), exact.resample_sd.item()
        moved = [abs(found.item() / value - 1) for found in (one, both)]
        worst = max(worst, *moved)
        print(
            f"  noise {sd:3}   {value:10.5g}   generated side {moved[0]:.1e}   both {moved[1]:.1e}"
            f"   (drawing again {spread / value:.1e})"
        )
    ratios = [seconds(judge, images, False) / seconds(judge, images, True) for _ in range(ROUNDS)]
    print(
        f"  speed of bfloat16 {statistics.median(ratios):.2f} [{min(ratios):.2f}, "
        f"{max(ratios):.2f}] of float32's; worst change {worst:.1e}, "
        f"{'within' if worst <= BOUND else 'above'} {BOUND:g}"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
