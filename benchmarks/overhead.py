"""What the pipeline costs beside training: the demo in a fresh clone, and where its time goes.

    python benchmarks/overhead.py

Clones the committed project into a temporary folder, runs the demo there with the environment of this Python
and adds up what the runs have recorded. Shares are of the time that all processes together spent, which is
up to `cores` times the wall-clock.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
TRAINING = ("train", "continue_training")


def main() -> None:
    """Run the demo and print its breakdown."""
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "sixteen"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
        environment = {key: v for key, v in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPATH"] = str(clone / "src")
        snakemake = str(Path(sys.executable).parent / "snakemake")
        began = time.monotonic()
        subprocess.run(
            [snakemake, "--cores", "all", "--quiet", "all", "--", "demo"],
            cwd=clone,
            env=environment,
            check=True,
        )
        wall = time.monotonic() - began
        records = [
            json.loads(path.read_text())
            for root in ("data", "results")
            for path in (clone / root).rglob("record.json")
        ]
    print_breakdown(wall, records)


def print_breakdown(wall: float, records: list[dict]) -> None:
    """Print the table: seconds of all processes by what they were spent on."""
    spent: dict[str, float] = defaultdict(float)
    for record in records:
        seconds, facts = record["execution"]["seconds"], record["facts"]
        if record["step"] in TRAINING:
            parts = {
                "train: imports": facts["import_seconds"],
                "train: compile": facts["compile_seconds"],
                "train: steps": facts["train_seconds"],
                "train: test accuracy": facts["test_seconds"],
                "train: observation of theory": facts["observe_seconds"],
            }
            for part, took in parts.items():
                spent[part] += took
            spent["train: other (data, checkpoints, records)"] += seconds - sum(parts.values())
        else:
            spent[record["step"]] += seconds
    cores = os.cpu_count() or 1
    spent["Snakemake, Python start, idle cores"] = wall * cores - sum(spent.values())
    execution = records[0]["execution"]
    packages = execution["packages"]
    steps = spent["train: steps"]
    print(
        f"{len(records)} runs, {execution['cpu']}, {cores} cores, Python {execution['python']}, "
        f"TensorFlow {packages['tensorflow']}, Keras {packages['keras']}"
    )
    print(
        f"wall-clock {wall:.1f} s, of which {steps / cores:.1f} s are training steps on {cores} cores:"
    )
    print(f"  wall-clock / pure training time = {wall * cores / steps:.2f}")
    for name, seconds in sorted(spent.items(), key=lambda one: -one[1]):
        print(f"  {name:<42} {seconds:7.1f} s  {seconds / wall / cores:6.1%}")


if __name__ == "__main__":
    main()
