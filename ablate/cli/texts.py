"""What `ablate --help` and the help of Hydra's commands say."""

from __future__ import annotations

EPILOG = """\
examples:
  ablate tricks                                    what there is
  ablate train trick=[label_smooth,ema_g] seed=3   one trial
  ablate plan demo                                 what a study would train, and how long
  ablate sweep demo                                a ready study
  ablate status results/demo                       how far it is
  ablate compare results/demo                      its arms, in the terminal
  ablate report results/demo -o reports/demo       its tables and figures
  ablate mark results/demo TRIAL --sound --note "looked at"   what a person says of a suspect
  ablate import theirs.csv                         results of another trainer, for a report
  ablate selftest                                  does this machine compute what it is asked to
"""

TRAIN = """\
usage: ablate train [key=value ...] [-m] [--config-dir DIR]

Trains one trial and writes it to out/trials/. The same command again finds it finished, or goes \
on where it was stopped.

  trick=[label_smooth,ema_g]       tricks, several at once (`ablate tricks` lists them)
  trick.label_smooth.real_low=0.9  a setting of a selected trick
  budget.images=500000 seed=3      any other value; `ablate train --cfg job` prints all
  device=cuda                      cpu, cuda, cuda:1 or auto
  out=results/mine                 where results go
  tracker=wandb                    mirror to Weights & Biases

  -m seed=0,1,2                    train each of several values; 'trick=[],[a],[a,b]' works as well
  -m hydra/launcher=joblib ...     at the same time, one per core
  -m hydra/launcher=stack ...      those that differ in seed or numbers as one program
  --config-dir DIR                 a folder of yours with trick/NAME.yaml, data/NAME.yaml, ...
"""

SWEEP = """\
usage: ablate sweep STUDY [key=value ...] [--config-dir DIR]

Plans a study, prints and writes the plan, and trains it. The same command again goes on where it \
was stopped. STUDY is a ready one or the path of a yaml.

  trick=[label_smooth,ema_g]       other tricks than the yaml selects
  study.seeds=[0,1,2,3,4]          seeds; every arm gets the same
  study.always=[batch_norm]        tricks that are on in every arm
  out=results/mine                 where results go
  hydra/launcher=basic             all trials in this process; the default is one worker per core
  hydra/launcher=ray               on a Ray cluster: hydra.launcher.address=HOST:6379
  hydra/launcher=submitit_slurm    as Slurm jobs: study.workers=8 hydra.launcher.partition=gpus
"""

PLAN = """\
usage: ablate plan STUDY [key=value ...] [--config-dir DIR]

Prints what a study would train, and how long it would take here, measured on a few rounds. Its \
results folder is not touched. STUDY and the overrides are those of `ablate sweep`.

  study.design=fractional_factorial study.resolution=4
  'study.factors={loss:[loss_ns,loss_hinge],r1.gamma:[none,0.1,1]}'
"""

HELP = {"train": TRAIN, "sweep": SWEEP, "plan": PLAN}

GROUPS = ("data", "model", "budget", "metric", "tracker", "preset")


def listing() -> str:
    """Return what can be typed for every group."""
    from ablate.config.catalog import conf_root

    lines = []
    for group in GROUPS:
        names = sorted(file.stem for file in (conf_root() / "conf" / group).glob("*.yaml"))
        lines.append(f"  {group + '=':10}{', '.join(names)}")
    return "\n".join(lines)


def studies() -> str:
    """Return the ready studies with the first line of each."""
    from ablate.config.catalog import conf_root

    files = sorted((conf_root() / "sweeps").glob("*.yaml"))
    lines = [(f.stem, f.read_text("utf-8").splitlines()[0].lstrip("# ")) for f in files]
    return "\n".join(f"  {name:20}{comment}" for name, comment in lines)
