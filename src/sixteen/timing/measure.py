"""The step `time`: two arms in turns A B A B, each turn in a process of its own, with nothing else of ours beside it.

In turns, so that a machine that slows down within the minutes of a timing slows both arms; claims pair them by turn.
"""

import logging
import os
import signal
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from sixteen.errors import UserError
from sixteen.files import read_json, write_csv
from sixteen.lineage import held
from sixteen.timing import turn
from sixteen.timing.largest import largest, resolution
from sixteen.timing.memory import exhausted
from sixteen.timing.parameters import ARMS, Arm, Job, Timing

TIMES = (
    *("arm", "turn", "compile_seconds", "step_seconds", "items_per_second", "peak_bytes"),
    *("peak_bytes_of", "energy_joules", "largest_batch", "device"),
)
TRIED_STEPS = (
    2  # of a batch that is tried: the second one runs with the memory that the first one left
)
CODE = "code"  # the folder of what turns import, which an edit meanwhile doesn't reach

log = logging.getLogger("sixteen")


def measure_time(
    parameters: Timing, inputs: dict[str, Path], into: Path, scratch: Path
) -> dict[str, Any]:
    """Measure both arms on the prepared `dataset`, alone; returns the facts.

    Writes times.csv into `into`, a row a turn of an arm (`first` or `second`): seconds of compiling (never from a cache); median seconds of
    one step after warm-up, until its results are fetched; items a second at that; peak memory in bytes, of the device
    or the process; joules of a step (of the GPU, or of whole processor packages), empty where nothing counts them;
    on a GPU the largest batch that fits, to one part in 32 or one item, as far as the backend hands out memory, empty where the
    whole training set fits and on a CPU. UserError if not even the batch of the recipe fits.
    """
    rows: list[dict[str, Any]] = []
    held.copy(scratch / CODE)
    for number in range(1, parameters.turns + 1):
        for name, arm in zip(ARMS, parameters.arms, strict=True):
            measured = _turn(parameters, arm, inputs["dataset"], scratch)
            log.info("turn %d, %s: %.6f s a step", number, name, measured["step_seconds"])
            items = measured.pop("train_items")
            if not measured["device"].startswith("cpu"):
                known = next((row for row in rows if row["arm"] == name), {})
                search = _Search(parameters, arm, inputs["dataset"], scratch)
                measured["largest_batch"] = search.run(known.get("largest_batch"), items)
            rows.append({"arm": name, "turn": number, **measured})
    write_csv(into / "times.csv", TIMES, rows)
    return _facts(parameters, rows)


def _turn(parameters: Timing, arm: Arm, dataset: Path, scratch: Path) -> dict[str, Any]:
    batch = arm.recipe.batch
    answer = _process(
        Job(training=parameters.training(arm, batch), steps=parameters.steps), dataset, scratch
    )
    if answer is None:
        raise UserError(
            f"expected a batch that fits into memory, came {batch} in {arm.precision.compute}, which "
            "doesn't; lower `batch` of its recipe, or measure on a device with more memory"
        )
    return answer


class _Search:
    """The search for the largest batch of an arm."""

    def __init__(self, parameters: Timing, arm: Arm, dataset: Path, scratch: Path) -> None:
        self.parameters, self.arm, self.places = parameters, arm, (dataset, scratch)

    def run(self, known: int | None, items: int) -> int | None:
        """What fits of at most `items`; begins at what is `known` from an earlier turn."""
        own = self.arm.recipe.batch
        start, stride = (known, resolution(known)) if known else (own, own)
        found = largest(self.fits, start, stride, items)
        log.info("largest batch %s", found or f"at least {items}, all items")
        return found

    def fits(self, batch: int) -> bool:
        """Try in a process of its own, which may run out of memory and die of it."""
        training = self.parameters.training(self.arm, batch)
        return _process(Job(training=training, steps=TRIED_STEPS), *self.places) is not None


def _process(job: Job, dataset: Path, scratch: Path) -> dict[str, Any] | None:
    """What a process of its own measured, None where memory didn't suffice."""
    told, result, said = scratch / "job.json", scratch / "result.json", scratch / "said.log"
    told.write_text(job.model_dump_json())
    result.unlink(missing_ok=True)
    # -P: not from the folder in which we are, which holds the code of a bundle.
    command = [sys.executable, "-P", "-m", turn.__name__, *map(str, (told, dataset, result))]
    # Without the cache of compiled programs, so that each turn compiles.
    environment = {key: value for key, value in os.environ.items() if key != "SIXTEEN_CACHE"}
    search = (f"{(scratch / CODE).resolve()}", os.environ.get("PYTHONPATH"))
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, search))
    with said.open("w") as file:
        # With our files open: the lock on the device is held as long as this process lives, whatever becomes of ours.
        ended = subprocess.run(
            command, env=environment, stdout=file, stderr=file, close_fds=False
        ).returncode
    text = said.read_text(errors="replace")
    # Out of memory, the kernel kills a process, or XLA, CUDA and C++ abort it, as they do for much else.
    if ended == -signal.SIGKILL or (ended == -signal.SIGABRT and exhausted(text)):
        return None
    if ended != 0:
        raise RuntimeError(f"a turn ended with status {ended}: {text[-2000:]}")
    answer = read_json(result)
    if "refused" in answer:
        raise UserError(answer["refused"])
    return None if "too_large" in answer else answer


def _facts(parameters: Timing, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Device, and of each arm the median over its turns of the step's seconds; the ratio is first to second arm."""
    medians = {
        arm: statistics.median(row["step_seconds"] for row in rows if row["arm"] == arm)
        for arm in ARMS
    }
    return {
        "device": rows[0]["device"],
        "turns": parameters.turns,
        "steps": parameters.steps,
        "step_seconds": medians,
        "ratio": medians["first"] / medians["second"],
    }
