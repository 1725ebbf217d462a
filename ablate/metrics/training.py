"""Train the classifier once for a data set: the same weights every time, on one CPU core.

An unlabelled set gets the proxy of Gidaris et al. 2018, arXiv:1803.07728: tell by which of four
right angles an image was turned.
Legend: N samples, C H W image, M classes.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ablate.data.dataset import Dataset, Split
from ablate.errors import UserError
from ablate.metrics.network import Classifier
from ablate.screen.letters import say
from ablate.screen.meter import Meter

TOLD = "The classifier that judges"
ONCE = "once for this data set"
PRESENTED = 50_000  # images shown in training, whatever the size of the set
BATCH = 128
PEAK_RATE = 5e-3
SEED = 0
CHECKED = 10_000  # images that features are scaled by, and that the accuracy is measured on
ROTATIONS = 4
STACK_DIGITS = (100, 10, 1)  # label of a stacked image = 100 red + 10 green + blue


@dataclass(frozen=True)
class Examples:
    """Images uint8 [N, C, H, W], labels int64 [N] or None: then the label is the rotation."""

    images: Tensor
    labels: Tensor | None

    def show(self, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """Images and labels at indices [n]; without labels, each quarter is turned once more."""
        images = self.images[chosen]
        if self.labels is not None:
            return images, self.labels[chosen]
        parts = images.chunk(ROTATIONS)
        turned = [part.rot90(turns, (-2, -1)) for turns, part in enumerate(parts)]
        labels = [torch.full((len(part),), turns) for turns, part in enumerate(parts)]
        return torch.cat(turned), torch.cat(labels)


@dataclass(frozen=True)
class Task:
    """What the classifier learns.

    Attributes:
        name: "classifier" or "classifier-rotation"; stands in the protocol.
        classes: M.
        train: what is learnt from.
        held_out: what the accuracy is measured on.
    """

    name: str
    classes: int
    train: Examples
    held_out: Examples

    @property
    def shape(self) -> tuple[int, ...]:
        """(C, H, W) of one example."""
        return tuple(self.train.images.shape[1:])


def is_stacked(dataset: Dataset) -> bool:
    """Whether the colours are three separate grey images, each with a label of its own."""
    return dataset.name.startswith("stacked_") and dataset.classes == 1000


def task_of(dataset: Dataset) -> Task:
    """What there is to learn in this set.

    Raises:
        UserError: no labels, and images that are not square, so that turning changes their shape.
    """
    rotating = dataset.train.labels is None
    if rotating and dataset.shape[1] != dataset.shape[2]:
        raise UserError(
            f"Data set {dataset.name!r} has no labels and its images are not square, so that no "
            "classifier can be trained on it; write metric.extractor=raw or =inception."
        )
    grey = is_stacked(dataset)
    classes = ROTATIONS if rotating else 10 if grey else dataset.classes
    assert classes is not None  # a labelled set says how many
    name = "classifier-rotation" if rotating else "classifier"
    return Task(name, classes, _examples(dataset.train, grey), _examples(dataset.held_out, grey))


def _examples(split: Split, grey: bool) -> Examples:
    if split.labels is None or not grey:
        return Examples(split.images, split.labels)
    digits = torch.stack([split.labels // place % 10 for place in STACK_DIGITS], 1)  # [N, 3]
    return Examples(split.images.flatten(0, 1).unsqueeze(1), digits.flatten())


def train(task: Task) -> dict[str, Tensor]:
    """Weights of a `Classifier` for this task, and `accuracy` on held-out images.

    50,000 images with Adam on a one-cycle rate. One thread, so that the sums come out the same for
    any number of cores. It is told on standard error: with a bar on a terminal, else in a line.
    """
    meter = Meter(TOLD, "images")
    if not meter.is_drawn:
        say(f"{TOLD} samples is trained on {PRESENTED:,} images, {ONCE}.", sys.stderr)
    with _reproducible(), meter:
        network = Classifier(task.shape, task.classes)
        _fit(network, _on_cpu(task.train), meter)
        _standardise(network.eval(), _on_cpu(task.train))
        accuracy = _accuracy(network, _on_cpu(task.held_out))
    return {**network.state_dict(), "accuracy": torch.tensor(accuracy)}


def _on_cpu(examples: Examples) -> Examples:
    labels = examples.labels
    return Examples(examples.images.cpu(), None if labels is None else labels.cpu())


def _fit(network: nn.Module, examples: Examples, meter: Meter) -> None:
    size = min(BATCH, len(examples.images))
    steps = PRESENTED // size
    optimizer = torch.optim.Adam(network.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, total_steps=steps)
    order = _batches(len(examples.images), size)
    for step in range(steps):
        meter.move(step * size, steps * size, [ONCE])
        images, labels = examples.show(next(order))
        loss = nn.functional.cross_entropy(network(images)[1], labels)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        schedule.step()
    meter.move(steps * size, steps * size)


def _batches(count: int, size: int) -> Iterator[Tensor]:
    """Indices without end, a fresh order each time round; an incomplete batch is dropped."""
    while True:
        yield from torch.split(torch.randperm(count)[: count // size * size], size)


@torch.no_grad()
def _standardise(network: Classifier, examples: Examples) -> None:
    chosen = torch.randperm(len(examples.images))[:CHECKED]
    shown = [examples.show(part)[0] for part in torch.split(chosen, 512)]
    features = torch.cat([network(images)[0] for images in shown])
    network.centre.copy_(features.mean(0))
    network.scale.copy_(features.var(0).mean().sqrt())


@torch.no_grad()
def _accuracy(network: nn.Module, examples: Examples) -> float:
    chosen = torch.randperm(len(examples.images))[:CHECKED]
    right = 0
    for part in torch.split(chosen, 512):
        images, labels = examples.show(part)
        right += int((network(images)[1].argmax(1) == labels).sum())
    return right / len(chosen)


@contextmanager
def _reproducible() -> Iterator[None]:
    """A seed, one thread and gradients of our own; everybody else's stay as they are."""
    threads = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(SEED)
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)
