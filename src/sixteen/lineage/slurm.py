"""What Slurm tells of our jobs: which of them a killed Snakemake has left, and why one of them was stopped."""

import contextlib
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sixteen.errors import UserError
from sixteen.lineage.logs import tail

# As profiles/slurm names them: what our jobs are called, and where Slurm writes what they print.
PREFIX, LOGS = "sixteen_", Path("logs/slurm")
POLL = 2.0  # seconds between looks at the queue
RAISE = "if no attempt suffices, raise {} in profiles/slurm/config.yaml"
GOES_ON = "a training goes on from its last checkpoint"
# Why Slurm stopped a job, by its state or by what it wrote into the job's log, and what is to be said of it.
REASONS = (
    (
        r"TIMEOUT|DUE TO TIME LIMIT",
        f"it took longer than the {{limit}} that it asked for; the next attempt asks for more time, {GOES_ON}; "
        f"{RAISE.format('runtime')}",
    ),
    (
        r"OUT_OF_MEMORY|exceeded memory limit|oom.kill",
        f"it took more memory than the {{memory}} that it asked for; the next attempt asks for more, {GOES_ON}; "
        f"{RAISE.format('mem_mb')}",
    ),
    (r"NODE_FAIL|DUE TO NODE FAILURE", f"its node {{node}} failed; {GOES_ON} on another one"),
    (
        r"CANCELLED|PREEMPTED|DUE TO PREEMPTION",
        f"somebody cancelled it, or it had to make room; {GOES_ON}",
    ),
)


@dataclass(frozen=True)
class Job:
    """A job in Slurm's queue."""

    id: str
    state: str


def settle(root: Path, say: Callable[[str], None]) -> None:
    """Cancel the waiting jobs that a killed Snakemake has left in the queue, and wait for those that run.

    Both would be started a second time beside them. Raises UserError if Slurm doesn't answer.
    """
    if not (root / LOGS).is_dir():  # nothing was ever submitted from here
        return
    told: set[str] = set()
    while jobs := list(_ours(root)):
        if waiting := [job.id for job in jobs if job.state == "PENDING"]:
            _ask("scancel", *waiting)
            say(f"cancelled {len(waiting)} waiting jobs of a snakemake that was killed")
        if running := sorted({job.id for job in jobs} - set(waiting) - told):
            told |= set(running)
            say(
                "jobs of a snakemake that was killed still run: waiting for them; after "
                f"`scancel {' '.join(running)}` their trainings go on from their last checkpoints in new jobs"
            )
        time.sleep(POLL)


def _ours(root: Path) -> Iterator[Job]:
    """Jobs that a Snakemake of this user submitted from this folder and that haven't ended."""
    for line in _ask("squeue", "--me", "--noheader", "--format=%i|%T|%j|%Z").splitlines():
        number, state, name, folder = line.split("|", 3)
        if name.startswith(PREFIX) and Path(folder).resolve() == root.resolve():
            yield Job(number, state)


def reason(logs: list[str]) -> str | None:
    """Why Slurm stopped a job, as a sentence; None if the job ended by itself, or was none of Slurm's.

    ``logs`` are those of the job that failed, that of Slurm among them, which bears the number of the job.
    """
    theirs = [Path(name) for name in logs if re.search(r"/slurm/.*/\d+\.log$", name)]
    if not theirs:
        return None
    number = theirs[-1].stem
    asked = {"limit": "time", "memory": "memory", "node": "", "state": ""}
    with contextlib.suppress(UserError, ValueError):  # Slurm has forgotten the job
        told = _ask(
            "squeue", "--noheader", "--states=all", f"--jobs={number}", "--format=%l|%m|%N|%T"
        )
        asked = dict(zip(asked, told.strip().split("|"), strict=True))
    words = "\n".join([asked["state"], *tail(theirs[-1])])
    for pattern, sentence in REASONS:
        if re.search(pattern, words):
            return f"Slurm stopped job {number} since {sentence.format(**asked)}"
    return None


def _ask(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        words = getattr(error, "stderr", None) or str(error)
        raise UserError(
            f"Slurm doesn't answer {command[0]} ({words.strip()}): jobs may be left of an earlier call; call again when it "
            "does, or move logs/slurm away if there are none"
        ) from None
    return done.stdout
