"""What `snakemake -n` takes with more and more jobs: reading parameters, planning, Snakemake itself.

    python benchmarks/planning.py [JOBS ...]

Copies the project into a temporary folder, gives the P1 demo one network and as many seeds as make about so many jobs
(six a seed, without observation), and times the dry run of a quiet machine, the best of three.
"""

import os
import re
import shutil
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


def main() -> None:
    """Print seconds for each number of jobs."""
    wanted = [int(text) for text in sys.argv[1:]] or [100, 1000, 10_000]
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "sixteen"
        project.mkdir()
        for name in PARTS:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
            copy(ROOT / name, project / name)
        for jobs in wanted:
            _shrink(project / "params.yaml", jobs)
            seconds, counted = zip(*(_dry_run(project) for _ in range(3)), strict=True)
            print(f"{counted[0]:>7,} jobs: {min(seconds):.1f} s")


def _shrink(path: Path, jobs: int) -> None:
    """Leave one study, of one network and so many seeds."""
    parameters = yaml.safe_load((ROOT / "params.yaml").read_text())
    study = parameters["studies"][STUDY]
    study |= {"networks": ["resnet8"], "seeds": list(range(jobs // JOBS_A_SEED))}
    study.pop("observe", None)
    parameters["studies"] = {STUDY: study}
    parameters["targets"] = {key: [STUDY] for key in ("demo", "demos", "all")}
    path.write_text(yaml.safe_dump(parameters, sort_keys=False))


def _dry_run(project: Path) -> tuple[float, int]:
    environment = {key: v for key, v in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPATH"] = str(project / "src")
    snakemake = str(Path(sys.executable).parent / "snakemake")
    began = time.monotonic()
    told = subprocess.run(
        [snakemake, "-n", "--cores", "1", "--quiet", "rules", "--", STUDY],
        cwd=project,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    counts = re.findall(r"^total\s+(\d+)", told.stdout + told.stderr, re.MULTILINE)
    return time.monotonic() - began, int(counts[0])


if __name__ == "__main__":
    main()
