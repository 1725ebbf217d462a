"""One small study, carried by every launcher: the same table, bit for bit."""

import importlib
import os
import re
import stat
import sys
from types import SimpleNamespace

import pytest
from pandas.testing import assert_frame_equal

from ablate.errors import UserError
from ablate.plan import launch, worker
from ablate.plan.resources import cores, device_of, threads_of, workers_of
from ablate.store import read
from hydra_plugins.ablate_sweeper.study_sweeper import StudySweeper
from tests.plan.test_sweep import TWO

STUDY = (*TWO[:2], "study.seeds=[0,1]")
HERE = ("trial", "arm", "seed", "status", "images", "generator", "metric", "value", "resample_sd")


@pytest.fixture
def cluster(monkeypatch):
    """A Ray cluster of two workers on this machine, for one test."""
    ray = pytest.importorskip("ray")
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
    ray.init(num_cpus=2, log_to_driver=False, include_dashboard=False, logging_level="ERROR")
    yield
    ray.shutdown()


def table(place, launcher, *words):
    """Run the study under a launcher; return what does not depend on the clock."""
    out = f"results/{launcher}"
    assert place.type("sweep", *STUDY, f"hydra/launcher={launcher}", f"out={out}", *words) == 0, (
        place.out + place.err
    )
    assert "6 of 6 trials: 6" in place.out
    return read(place.path / out)[list(HERE)]


@pytest.fixture
def alone(place):
    return table(place, "basic")


def test_joblib(place, alone):
    assert_frame_equal(alone, table(place, "joblib", "study.workers=2"), check_exact=True)


def test_ray(place, alone, cluster):
    assert_frame_equal(alone, table(place, "ray"), check_exact=True)
    assert "2 workers on cpu" in " ".join(place.out.split())  # as many as the cluster has room for


def test_submitit(place, alone, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
    assert_frame_equal(alone, table(place, "submitit_local", "study.workers=2"), check_exact=True)
    (jobs,) = place.path.rglob(".submitit")
    assert stat.S_IMODE(jobs.stat().st_mode) == 0o700  # they hold all that was typed
    assert not list(jobs.rglob("*.pkl"))


def test_trials_that_submitit_starts_leave_nothing_that_was_typed(place, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
    assert place.type("train", "-m", "hydra/launcher=submitit_local", "seed=0,1") == 0, place.err
    assert len(place.trials()) == 2
    (jobs,) = place.path.rglob(".submitit")
    assert stat.S_IMODE(jobs.stat().st_mode) == 0o700
    assert list(jobs.iterdir()) and not list(jobs.rglob("*.pkl"))


def fake(folder, name, text):
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_the_slurm_script_asks_for_what_was_typed(place, monkeypatch):
    slurm = place.path / "slurm"
    slurm.mkdir()
    fake(slurm, "srun", "exit 1")
    fake(slurm, "sbatch", f'cp "$1" {slurm}/script; exit 1')
    monkeypatch.setenv("PATH", f"{slurm}:{os.environ['PATH']}")
    code = place.type(
        "sweep", *STUDY, "hydra/launcher=submitit_slurm", "study.workers=3",
        "hydra.launcher.partition=gpus", "hydra.launcher.cpus_per_task=4",
        "hydra.launcher.gpus_per_node=1", "hydra.launcher.timeout_min=90",
    )  # fmt: skip
    assert code == 1
    assert "6 of 6 trials are left; the same command goes on" in place.out
    script = (slurm / "script").read_text()
    asked = dict(re.findall(r"#SBATCH --([\w-]+)=(\S+)", script))
    wanted = {"partition": "gpus", "cpus-per-task": "4", "gpus-per-node": "1", "time": "90"}
    assert asked.items() >= wanted.items()
    assert asked["array"].startswith("0-2")
    assert "srun" in script
    assert "-m submitit.core._submit" in script


@pytest.mark.parametrize("kind", ["local", "slurm"])
def test_a_queue_has_to_be_told_how_many_workers(place, kind):
    assert place.type("sweep", *STUDY, f"hydra/launcher=submitit_{kind}") == 2
    assert f"submitit_{kind} starts each worker as a job of its own" in place.err
    assert "study.workers=4" in place.err
    assert not (place.path / "results").exists()


def test_a_cluster_that_does_not_answer_is_told(place, monkeypatch):
    words = ("hydra/launcher=ray", "hydra.launcher.address=127.0.0.1:1")
    assert place.type("sweep", *STUDY, *words) == 2
    assert "No Ray cluster answers at 127.0.0.1:1" in place.err
    assert not (place.path / "results").exists()


def launcher(name, **options):
    return {"_target_": f"hydra_plugins.x.{name}", **options}


def test_workers_and_threads_of_each_launcher():
    study = {"workers": None}
    assert workers_of(study, launcher("BasicLauncher"), "cpu") == 1
    assert workers_of(study, launcher("JoblibLauncher", n_jobs=-1), "cpu") == cores()
    assert workers_of(study, launcher("JoblibLauncher", n_jobs=3), "cpu") == 3
    assert workers_of(study, launcher("RayLauncher", gpus=1), "cuda", slots=7) == 7
    assert workers_of({"workers": 5}, launcher("RayLauncher"), "cpu", slots=7) == 5


@pytest.fixture
def gpus(monkeypatch):
    """Make this machine look as if it had so many GPUs; return which were made the current one."""
    current = []
    monkeypatch.setattr("torch.cuda.set_device", current.append)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)

    def have(count):
        monkeypatch.setattr("torch.cuda.device_count", lambda: count)
        return current

    return have


@pytest.mark.parametrize("count", [1, 4])
def test_every_gpu_gets_one_worker_and_further_workers_go_round(gpus, monkeypatch, count):
    gpus(count)
    monkeypatch.setattr("torch.get_num_threads", lambda: 64)
    joblib = launcher("JoblibLauncher", n_jobs=-1)
    assert workers_of({"workers": None}, joblib, "cuda") == count
    assert [device_of("cuda", i) for i in range(count)] == [f"cuda:{i}" for i in range(count)]
    assert device_of("cuda", count) == "cuda:0"
    assert threads_of({"workers": None}, joblib, "cuda") == max(1, cores() // count)
    assert workers_of({"workers": None}, joblib, "cuda:3") == 1
    assert {device_of("cuda:3", i) for i in range(9)} == {"cuda:3"}
    assert workers_of({"workers": None}, launcher("BasicLauncher"), "cuda") == 1


def test_workers_of_ray_without_gpus_are_refused():
    with pytest.raises(UserError, match=r"type hydra.launcher.gpus=1"):
        workers_of({"workers": 2}, launcher("RayLauncher", gpus=0), "cuda")
    assert workers_of({"workers": 2}, launcher("RayLauncher", gpus=0), "cpu") == 2


def test_a_worker_stands_on_the_gpu_of_its_number(place, gpus, monkeypatch):
    current, seen = gpus(3), []

    def prepare(_, machine):  # the first that a worker does on its device
        seen.append(machine.device)
        raise UserError("There is no such GPU.")

    monkeypatch.setattr(launch, "prepare", lambda *_: None)
    monkeypatch.setattr(worker, "prepare", prepare)
    words = ("hydra/launcher=basic", "study.workers=4", "device=cuda")
    assert place.type("sweep", *STUDY, *words) == 2
    assert current == seen == ["cuda:0", "cuda:1", "cuda:2", "cuda:0"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("device=auto",), "3 workers on cuda:0, cuda:1, cuda:2;"),
        (("device=cuda", "study.workers=4"), "4 workers on cuda:0, cuda:1, cuda:2;"),
        (("device=cuda:1",), "1 worker on cuda:1;"),
        (("device=cpu", "study.workers=5"), "5 workers on cpu;"),
    ],
)
def test_who_works_where_is_told(place, gpus, monkeypatch, words, told):
    gpus(3)
    monkeypatch.setattr(launch, "prepare", lambda *_: None)
    monkeypatch.setattr(launch, "launch_all", lambda *_: None)
    assert place.type("sweep", *STUDY, "hydra/launcher=joblib", *words) == 1
    assert told in " ".join(place.out.split())


@pytest.mark.parametrize(("n_jobs", "workers", "at_once"), [(-1, 5, 5), (-1, 1, 2), (3, 5, 3)])
def test_joblib_starts_all_workers_at_once_unless_told_otherwise(n_jobs, workers, at_once):
    joblib = SimpleNamespace(joblib={"n_jobs": n_jobs}, launch=lambda jobs, **_: jobs)
    sweeper = StudySweeper()
    sweeper.launcher = joblib
    assert len(sweeper.launch([], workers)) == workers
    assert joblib.joblib["n_jobs"] == at_once


def test_a_job_with_cores_of_its_own_uses_them_all(monkeypatch):
    monkeypatch.setattr("torch.get_num_threads", lambda: 64)
    many = {"workers": 32}
    assert threads_of(many, launcher("SlurmLauncher", cpus_per_task=8), "cpu") == 8
    assert threads_of(many, launcher("RayLauncher", cpus=2), "cpu") == 2
    assert threads_of(many, launcher("JoblibLauncher"), "cpu") == 1


def test_plugins_that_are_imported_once_more_register_nothing(monkeypatch):
    """A worker has the store of its launcher and then scans for plugins; Hydra 1.4 objects."""
    from hydra.core.config_store import ConfigStore

    from hydra_plugins.ablate_ray_launcher import ray_launcher
    from hydra_plugins.ablate_sweeper import study_sweeper

    stored = []
    monkeypatch.setattr(ConfigStore, "store", lambda _, **kwargs: stored.append(kwargs["name"]))
    importlib.reload(study_sweeper)
    importlib.reload(ray_launcher)
    assert not stored
