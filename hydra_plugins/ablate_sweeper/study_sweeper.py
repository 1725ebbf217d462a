"""Hydra's sweeper for studies. It is imported at every start of Hydra, so it imports little."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.object_type import ObjectType
from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

TARGET = "hydra_plugins.ablate_sweeper.study_sweeper.StudySweeper"
# A worker has the store of the process that launched it, and imports this file all the same.
if ConfigStore.instance().get_type("hydra/sweeper/study.yaml") is ObjectType.NOT_FOUND:
    ConfigStore.instance().store(
        group="hydra/sweeper", name="study", node={"_target_": TARGET}, provider="ablate"
    )


class StudySweeper(Sweeper):
    """Launches workers rather than trials: whichever launcher runs them, they share one plan."""

    def setup(
        self,
        *,
        hydra_context: HydraContext,
        task_function: TaskFunction,
        config: DictConfig,
    ) -> None:
        """Take what Hydra hands over."""
        from ablate.secrets import hide_arguments

        hide_arguments()  # workers are started with those of this process
        self.hydra_context, self.config = hydra_context, config
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> None:
        """Run the study that the config and these overrides describe."""
        from ablate.plan.launch import sweep

        loader = self.hydra_context.config_loader
        study = loader.load_sweep_config(self.config, list(arguments))
        slots = getattr(self.launcher, "slots", lambda: None)
        sweep(study, lambda workers: self.launch(arguments, workers), slots)

    def launch(self, arguments: list[str], workers: int) -> Sequence[Any]:
        """Start so many workers on one plan and wait until all have ended."""
        from ablate.disk import mark
        from ablate.plan.job_files import jobs_of, private
        from ablate.plan.worker import SWEEP
        from ablate.runner.orphan import watch_parent

        launcher = self.launcher
        assert launcher is not None
        options = getattr(launcher, "joblib", {})
        if options.get("n_jobs", 1) < 1:
            # All at once, and to each its share of the cores; with 1, joblib starts no process.
            options["n_jobs"] = max(2, workers)
        options["initializer"] = watch_parent  # also of a worker that never gets its job
        job = [*arguments, f"+hydra.job.env_set.{SWEEP}='{mark()}'"]
        with private(jobs_of(launcher)):
            return launcher.launch([job] * workers, initial_job_idx=0)
