"""A few numbers of everything that has a revision, and the file that remembers them."""

from __future__ import annotations

import json
import tempfile
from functools import partial
from pathlib import Path

import torch

from ablate.config import revision
from ablate.config.catalog import names, trick_class
from ablate.errors import UserError
from ablate.metrics import Evaluator
from ablate.models.dcgan import dcgan
from ablate.models.mlp import mlp
from ablate.models.resnet import resnet
from ablate.train.sample import chunk, measured
from tests.contract.laws import homes, problems
from tests.metrics.world import digits, ring
from tests.world import gan, play, settings

FILE = Path(__file__).with_name("numbers.json")
ROUNDS = 6
WRITE = "python -m tests.golden"
BUILDS = {
    "mlp": (partial(mlp, width=24, depth=1), (2,)),
    "dcgan": (partial(dcgan, width=4, depth=1), (1, 8, 8)),
    "resnet": (partial(resnet, width=4, depth=1), (3, 32, 32)),
}
JUDGES = {"raw": (digits, "raw", 1e-4), "toy": (ring, "auto", 1e-4),
          "classifier": (digits, "auto", 2e-2)}  # fmt: skip
EXACT = 1e-7  # float64; the same on every kind of processor
TOLERANCE = {f"metric {name}": judge[2] for name, judge in JUDGES.items()}


def variants(name):
    """Return every way to choose among a trick's choices and switches, one changed at a time."""
    found = {"": settings(name)}
    for key, setting in trick_class(name).settings.items():
        values = setting.choices if setting.kind == "choice" else ()
        values = (True, False) if setting.kind == "flag" else values
        for value in values:
            if value != settings(name)[key]:
                found[f"{key}={value}"] = settings(name, **{key: value})
    return found


def cases():
    """Return case -> (what has the revision, its number, how to compute the numbers)."""
    found = {}
    for name, (build, shape) in BUILDS.items():
        number = (revision.CORE, revision.MODELS[name])
        found[f"model {name}"] = number, partial(trained, {}, build, shape)
    for name in names():
        net = homes(name)[-1]
        for variant, chosen in variants(name).items():
            if trains({name: chosen}, net):
                number = (revision.CORE, trick_class(name).revision)
                found[" ".join(filter(None, ("trick", name, variant)))] = (
                    number, partial(trained, {name: chosen}, *BUILDS[net]),
                )  # fmt: skip
    for name, (world, extractor, _) in JUDGES.items():
        found[f"metric {name}"] = (revision.METRIC,), partial(scored, world, extractor)
    return found


def trains(tricks, net):
    """Return whether a choice goes with the settings beside it and with the net."""
    try:
        return not problems(tricks, net)
    except UserError:
        return False


def trained(tricks, build, shape):
    """Return numbers of both players and of what each generator draws, after a few rounds."""
    torch.set_default_dtype(torch.float64)
    try:
        g = play(gan(tricks, build=build, shape=shape), ROUNDS)
        thetas = g.tricks.sampler({"raw": g.G.theta}, g)
        with torch.no_grad():  # before they are rounded to bytes
            drawn = {n: chunk(g, measured(g, t), "golden", 16) for n, t in thetas.items()}
        parts = {"G": g.G.theta, "D": g.D.theta, **drawn}
        return {name: told(value) for name, value in parts.items()}
    finally:
        torch.set_default_dtype(torch.float32)


def told(values):
    """Return the size of a tensor, and two shadows that see order and sign."""
    flat = values.double().flatten()
    angle = torch.arange(len(flat), dtype=torch.float64)
    shadows = (flat.square().mean().sqrt(), flat @ angle.cos(), flat @ (0.37 * angle).sin())
    return [float(f"{float(x):.12g}") for x in shadows]


def scored(world, extractor):
    """Return every metric of the held-out reals."""
    made = world()
    with tempfile.TemporaryDirectory() as cache:
        judge = Evaluator(made, extractor, samples=300, cache=Path(cache))
        scores = judge.score(made.held_out.images[None])[0]
    return {score.metric: [score.value] for score in scores}


def moved(one, other, tolerance):
    """Return whether two sets of numbers are not the same."""
    if one.keys() != other.keys():
        return True
    return any(
        abs(a - b) > tolerance * max(map(abs, one[key]))
        for key in one for a, b in zip(one[key], other[key], strict=True)
    )  # fmt: skip


def remembered():
    """Return case -> revision and numbers."""
    return json.loads(FILE.read_text()) if FILE.is_file() else {}
