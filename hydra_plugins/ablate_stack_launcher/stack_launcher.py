"""Hydra's multirun of `ablate train` as stacks; imported at every start, so it imports little."""

from __future__ import annotations

from collections.abc import Sequence

from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from hydra.core.object_type import ObjectType
from hydra.core.utils import JobReturn, JobStatus, run_job, setup_globals
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict

NODE = {
    "_target_": "hydra_plugins.ablate_stack_launcher.stack_launcher.StackLauncher",
    "size": 16,  # trials of one program at a time, at most
}
if ConfigStore.instance().get_type("hydra/launcher/stack.yaml") is ObjectType.NOT_FOUND:
    ConfigStore.instance().store(group="hydra/launcher", name="stack", node=NODE, provider="ablate")


class StackLauncher(Launcher):
    """Trains jobs that differ in seed or in numbers together, and the others one after another."""

    def __init__(self, size: int) -> None:
        self.size = size

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Take what Hydra hands over; jobs are trials, whatever its task."""
        from ablate.runner.by_value import ByValue
        from ablate.secrets import hide_arguments

        hide_arguments()
        self.loader = ByValue(hydra_context.config_loader)
        hydra_context.config_loader = self.loader  # the sweeper looks at every job first
        self.context, self.config = hydra_context, config

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Check every job, then train stacks of what can be trained.

        Raises:
            UserError: The size is no size.
        """
        from ablate.cli.train import programs_of, train
        from ablate.errors import UserError

        if not isinstance(self.size, int) or self.size < 1:
            raise UserError(
                f"hydra.launcher.size={self.size} is no size of a stack; type a whole number "
                "from 1."
            )
        setup_globals()
        HydraConfig.instance().set_config(self.config)
        jobs = [self.checked(list(o), i) for i, o in enumerate(job_overrides, initial_job_idx)]
        returns = {job.return_value: job for job in jobs if job.status is JobStatus.COMPLETED}
        for jobs_of_one in programs_of(list(returns)):
            try:
                told: list[object] = [*train(jobs_of_one, self.size)]
            except Exception as error:
                told = [error] * len(jobs_of_one)
            for asked, value in zip(jobs_of_one, told, strict=True):
                returns[asked].return_value = value
                if isinstance(value, Exception):
                    returns[asked].status = JobStatus.FAILED
        return jobs

    def checked(self, overrides: list[str], number: int) -> JobReturn:
        """Return a job with what it asks for, or with what is wrong with it."""
        from ablate.cli.train import job_of

        task = self.loader.task(self.config, overrides) if self.is_quiet() else None
        if task is not None:
            try:
                found, status = job_of(task), JobStatus.COMPLETED
            except Exception as error:
                found, status = error, JobStatus.FAILED
            return JobReturn(overrides=overrides, status=status, _return_value=found)
        config = self.loader.hydra.load_sweep_config(self.config, overrides)
        with open_dict(config):
            config.hydra.job.id = config.hydra.job.num = number
        return run_job(
            hydra_context=self.context,
            task_function=job_of,
            config=config,
            job_dir_key="hydra.sweep.dir",
            job_subdir_key="hydra.sweep.subdir",
        )

    def is_quiet(self) -> bool:
        """Return whether Hydra has nothing to do for a job but to compose it."""
        hydra = self.config.hydra
        asked = (hydra.output_subdir, hydra.job.chdir, hydra.job.env_set, hydra.callbacks)
        alone = OmegaConf.is_interpolation(hydra.sweep, "subdir") or hydra.sweep.subdir != "."
        return not any(asked) and not alone
