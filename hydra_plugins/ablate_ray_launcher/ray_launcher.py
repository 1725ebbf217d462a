"""Hydra's jobs as tasks of a Ray cluster. It is imported at every start of Hydra: Ray comes later.

`hydra-ray-launcher` 1.2.2 does the same and cannot be installed here: it wants cloudpickle below 3,
joblib 1.6 wants 3.0 or newer.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from hydra.core.object_type import ObjectType
from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, run_job, setup_globals
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict

NODE = {
    "_target_": "hydra_plugins.ablate_ray_launcher.ray_launcher.RayLauncher",
    "address": None,  # of a cluster; null: RAY_ADDRESS, or a cluster of this machine alone
    "cpus": 1,  # of every job
    "gpus": 0,
}
# A job has the store of the process that launched it, and imports this file all the same.
if ConfigStore.instance().get_type("hydra/launcher/ray.yaml") is ObjectType.NOT_FOUND:
    ConfigStore.instance().store(group="hydra/launcher", name="ray", node=NODE, provider="ablate")


class RayLauncher(Launcher):
    """Runs every job as a task; the folder that it is started in must be there on every machine."""

    def __init__(self, address: str | None, cpus: float, gpus: float) -> None:
        self.address, self.cpus, self.gpus = address, cpus, gpus

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Take what Hydra hands over."""
        self.context, self.task, self.config = hydra_context, task_function, config

    def slots(self) -> int:
        """Return how many jobs the cluster has room for at once."""
        self.connect()
        import ray

        there = ray.cluster_resources()
        share = there.get("GPU", 0) / self.gpus if self.gpus else there["CPU"] / self.cpus
        return max(1, int(share))

    def connect(self) -> None:
        """Join the cluster, once; what is started for it ends with this process.

        Raises:
            UserError: Ray is not installed, or there is no cluster at the address.
        """
        from ablate.errors import UserError

        try:
            import ray
        except ModuleNotFoundError as error:
            raise UserError(
                "hydra/launcher=ray needs Ray; type pip install 'ablate[ray]'."
            ) from error
        if ray.is_initialized():
            return
        try:
            knock(self.address)
            ray.init(address=self.address, log_to_driver=False, logging_level="ERROR")
        except (OSError, ValueError) as error:
            raise UserError(
                f"No Ray cluster answers at {self.address}; type hydra.launcher.address=HOST:6379, "
                "or leave it out for this machine alone."
            ) from error

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Run the jobs; when one's process dies, the others still run to their end.

        Raises:
            RayError: A job's process died.
        """
        self.connect()
        import ray

        task = ray.remote(num_cpus=self.cpus, num_gpus=self.gpus, max_retries=0)(run)
        common = (self.context, self.task, Singleton.get_state(), os.getcwd())
        configs = (self.composed(list(o), i) for i, o in enumerate(job_overrides, initial_job_idx))
        jobs = [task.remote(config, *common) for config in configs]
        ray.wait(jobs, num_returns=len(jobs))
        return ray.get(jobs)

    def composed(self, overrides: list[str], number: int) -> DictConfig:
        """Return the config of a job."""
        config = self.context.config_loader.load_sweep_config(self.config, overrides)
        with open_dict(config):
            config.hydra.job.id = f"ray_{number}"
            config.hydra.job.num = number
        return config


def knock(address: str | None) -> None:
    """Find out whether somebody listens at HOST:PORT; Ray itself would try for minutes.

    Raises:
        OSError: Nobody does.
        ValueError: The port is no number.
    """
    host, colon, port = (address or "").removeprefix("ray://").rpartition(":")
    if colon:
        socket.create_connection((host, int(port)), timeout=5).close()


def run(
    config: DictConfig,
    context: HydraContext,
    task: TaskFunction,
    state: Mapping[Any, Any],
    folder: str,
) -> JobReturn:
    """Run a job in a process of Ray's, in the folder that its command was typed in."""
    os.chdir(folder)
    setup_globals()
    Singleton.set_state(state)
    HydraConfig.instance().set_config(config)
    return run_job(
        hydra_context=context,
        task_function=task,
        config=config,
        job_dir_key="hydra.sweep.dir",
        job_subdir_key="hydra.sweep.subdir",
    )
