"""What neither the step nor a metric raises is no status: one sentence, and all goes on later."""

import json
from dataclasses import replace

import pytest

import ablate.runner.stack
from ablate.config import catalog
from ablate.errors import UserError
from ablate.runner.stack import run
from tests.runner.test_crash import ON_GPU, Stand, begin

# A researcher's own trick, with a mistake in one hook.
HOOK = """
from ablate.trick import Trick

class OwnHook(Trick):
    \"\"\"Divides by zero. Source: none.\"\"\"

    group = "stabilisation"

    def HOOK(self, value, *rest):
        return 1 / 0
"""
LINE = 1 + HOOK.splitlines().index("        return 1 / 0")


@pytest.fixture
def own(place, monkeypatch):
    """Write the trick with its mistake in a hook."""
    monkeypatch.setattr(catalog, "_further", [])
    monkeypatch.syspath_prepend(str(place.path))

    def write(hook):
        module = f"own_hook_{hook}"
        (place.path / f"{module}.py").write_text(HOOK.replace("HOOK", hook))
        (place.path / "conf/trick").mkdir(parents=True)
        (place.path / "conf/trick/own_hook.yaml").write_text(
            f"own_hook: {{_target_: {module}.OwnHook}}\n"
        )
        catalog.names.cache_clear()
        catalog.entry.cache_clear()

    yield write
    catalog.names.cache_clear()
    catalog.entry.cache_clear()


WORDS = ("train", "--config-dir", "conf", "trick=[own_hook]")


@pytest.mark.parametrize("hook", ["recipe", "network", "init", "build", "phases"])
def test_a_trick_that_cannot_be_built_is_named_and_charged_with_nothing(place, own, hook):
    own(hook)
    assert place.type(*WORDS) == 2
    (sentence,) = place.err.strip().splitlines()
    assert sentence.startswith("Trick own_hook raised ZeroDivisionError: division by zero (")
    assert f"own_hook_{hook}.py, line {LINE})" in sentence
    assert "mend it" in sentence
    assert place.trials() == []
    assert not (place.path / "results/train/claims").exists()


@pytest.mark.parametrize("hook", ["view", "sampler"])
def test_a_trick_that_fails_in_a_step_or_an_evaluation_has_crashed(place, own, hook):
    own(hook)
    assert place.type(*WORDS) == 1
    (trial,) = place.trials()
    status = json.loads((trial / "status.json").read_text())
    assert (status["status"], status["reason"]) == (
        "crashed", "ZeroDivisionError: division by zero",
    )  # fmt: skip
    assert f"own_hook_{hook}.py" in (trial / "traceback.txt").read_text()


def fitting(error):
    def fit(*_):
        raise error
        yield

    return fit


@pytest.mark.parametrize("error", [ValueError("shapes"), RuntimeError("of a driver"), KeyError(7)])
def test_an_error_beside_training_keeps_the_checkpoint_and_writes_nothing(
    tmp_path, monkeypatch, error
):
    stand = Stand(tmp_path, "cpu")
    path = begin(stand, stand.trials)
    monkeypatch.setattr(ablate.runner.stack, "fit", fitting(error))
    with pytest.raises(UserError) as told:
        run(stand.trials, stand.bench)
    assert type(error).__name__ in str(told.value)
    assert "that is no result of reference (seed 0)" in str(told.value)
    assert "\n" not in str(told.value)
    assert path.exists() and not (tmp_path / "trials").exists()
    monkeypatch.setattr(ablate.runner.stack, "fit", stand.fit)
    assert run(stand.trials, stand.bench) == ["done"] * 8
    assert stand.tried == [list(range(8))]


def test_a_listener_that_cannot_be_made_is_no_status(tmp_path, monkeypatch):
    stand = Stand(tmp_path)
    monkeypatch.setattr(ablate.runner.stack, "fit", stand.fit)

    def none(_):
        raise LookupError("no such entity")

    with pytest.raises(UserError, match="LookupError: no such entity"):
        run(stand.trials, replace(stand.bench, listener=none))
    assert stand.tried == [] and not (tmp_path / "trials").exists()


def test_a_gpu_without_room_to_build_gets_fewer_slots_and_alone_it_is_no_result(
    tmp_path, monkeypatch
):
    """Of a step the same is a crash: the trial does not fit. Here others may hold the memory."""
    stand, tried = Stand(tmp_path, "cuda"), []

    def fit(stack, machine, listener, slots):
        tried.append(slots)
        raise ON_GPU
        yield

    monkeypatch.setattr(ablate.runner.stack, "fit", fit)
    with pytest.raises(UserError, match="This machine has no memory left for reference"):
        run(stand.trials, stand.bench)
    assert tried == [8, 4, 2, 1]
    assert not (tmp_path / "trials").exists()
