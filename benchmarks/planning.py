"""What more and more jobs take before they run: a dry run, `sixteen status`, and the submission to Slurm.

    python benchmarks/planning.py [JOBS ...]
    python benchmarks/planning.py --submit [JOBS ...] [-- OPTIONS OF SNAKEMAKE ...]

Copies the project into a temporary folder, gives the P1 demo one network and as many seeds as make about so many jobs
(six a seed, without observation), and times the dry run and `sixteen status` of a quiet machine, the best of three. With `--submit` so many
trainings are submitted by profiles/slurm, held, so that none starts, and cancelled by Ctrl-C.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
PARTS = ("Snakefile", "workflow", "profiles", "notebooks", "papers", "src", "params.yaml")
JOBS_A_SEED = 6
STUDY = "continuous16-demo"
SAID = "said"  # what a command prints


def main() -> None:
    """Print seconds for each number of jobs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--submit", action="store_true", help="submit to the Slurm that is here")
    parser.add_argument("jobs", type=int, nargs="*")
    given = [*sys.argv[1:], "--"]
    arguments = parser.parse_args(given[: given.index("--")])
    passed = given[given.index("--") + 1 : -1]
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "sixteen"
        project.mkdir()
        for name in PARTS:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
            copy(ROOT / name, project / name)
        for jobs in arguments.jobs or [100, 1000, 10_000]:
            if arguments.submit:
                _shrink(project / "params.yaml", jobs)
                began, queued, cancelled = _submit(project, jobs, passed)
                print(
                    f"{jobs:>7,} trainings: the first in the queue after {began:.1f} s, all after {queued:.1f} s, "
                    f"cancelled {cancelled:.1f} s after Ctrl-C",
                    flush=True,
                )
            else:
                _shrink(project / "params.yaml", jobs // JOBS_A_SEED)
                seconds, counted = zip(*(_dry_run(project) for _ in range(3)), strict=True)
                told = min(_status(project) for _ in range(3))
                print(f"{counted[0]:>7,} jobs: {min(seconds):.1f} s; sixteen status {told:.1f} s")


def _shrink(path: Path, seeds: int) -> None:
    """Leave one study, of one network and so many seeds."""
    parameters = yaml.safe_load((ROOT / "params.yaml").read_text())
    study = parameters["studies"][STUDY]
    study |= {"networks": ["resnet8"], "seeds": list(range(seeds))}
    study.pop("observe", None)
    parameters["studies"] = {STUDY: study}
    parameters["targets"] = {key: [STUDY] for key in ("demo", "demos", "all")}
    path.write_text(yaml.safe_dump(parameters, sort_keys=False))


def _started(project: Path, program: str, *options: str) -> subprocess.Popen[bytes]:
    environment = {key: v for key, v in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPATH"] = str(project / "src")
    with (project / SAID).open("w") as said:
        return subprocess.Popen(
            [str(Path(sys.executable).parent / program), *options, "--", STUDY],
            cwd=project,
            env=environment,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )


def _ended(project: Path, program: str, *options: str) -> str:
    """What a command says that succeeds."""
    status = _started(project, program, *options).wait()
    told = (project / SAID).read_text()
    return sys.exit(told) if status else told


def _submit(project: Path, jobs: int, options: list[str]) -> tuple[float, float, float]:
    """Seconds until the first and the last training are in the queue, and from Ctrl-C until none is."""
    _ended(project, "snakemake", "--cores", "1", "--until", "prepare")
    held = ["--jobs", f"{jobs}", "--set-resources", "train:slurm_extra='--hold'"]
    began = time.monotonic()
    process = _started(
        project,
        "snakemake",
        "--profile",
        "profiles/slurm",
        *options,
        *held,
        "--until",
        "train",
        "--quiet",
        "all",
    )
    first = None
    while (queued := _queued(project)) < jobs:
        if process.poll() is not None:
            sys.exit((project / SAID).read_text())
        first = first or (time.monotonic() if queued else None)
        time.sleep(0.2)
    last = time.monotonic()
    time.sleep(2)  # snakemake cancels no job of which it hasn't read yet that it is queued
    stopped = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    process.wait()
    while _queued(project):
        time.sleep(0.2)
    return (first or last) - began, last - began, time.monotonic() - stopped


def _queued(project: Path) -> int:
    told = subprocess.run(
        ["squeue", "--me", "--noheader", "--format=%Z"], check=True, capture_output=True, text=True
    )
    return told.stdout.split().count(f"{project}")


def _status(project: Path) -> float:
    began = time.monotonic()
    _ended(project, "sixteen", "status")
    return time.monotonic() - began


def _dry_run(project: Path) -> tuple[float, int]:
    began = time.monotonic()
    told = _ended(project, "snakemake", "-n", "--cores", "1", "--quiet", "rules")
    counts = re.findall(r"^total\s+(\d+)", told, re.MULTILINE)
    return time.monotonic() - began, int(counts[0])


if __name__ == "__main__":
    main()
