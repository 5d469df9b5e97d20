"""Run one planned step: lock, check what it starts from, compute beside the target, rename last.

The only place that knows how a run becomes a folder. A folder at its final path is complete, because the
rename is the last act; whatever is killed before leaves the final path empty.
"""

import argparse
import contextlib
import logging
import os
import pkgutil
import resource
import shutil
import signal
import sys
import time
import typing
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from sixteen.entry import Entry
from sixteen.errors import UserError, printable
from sixteen.files import settle
from sixteen.lineage import console, filesystem, fingerprint, inputs, machine, record
from sixteen.lineage.locks import exclusive
from sixteen.lineage.places import PRIVATE
from sixteen.lineage.steps import PLANS, Run, load_run
from sixteen.lineage.sweeps import expect_hope

Step = Callable[[Any, dict[str, Path], Path, Path], dict[str, Any]]

COMPILED = "tensorflow-*/xla_compile_cache__*"  # in the cache; JAX passes over what it can't read
AGAIN = 10  # seconds that a cancelled run has to end

log = logging.getLogger("sixteen")


def main(step: str, device: Literal["shared", "alone"] | None = None) -> None:
    """Command line of a rule's script: ``--plan FILE --log FILE``, and ``--runs-per-gpu N`` of one that trains.

    ``step`` is ``module:function``. ``device``: a step that trains takes a place on a GPU, or beside other trainings on
    the machine where there is none; one that measures time is alone on it.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--plan", type=Path, required=True, help="the run, frozen by the plan")
    parser.add_argument("--log", type=Path, required=True, help="where progress is written as well")
    if device:
        parser.add_argument(
            "--runs-per-gpu", type=int, required=True, help="how many runs a GPU takes at once"
        )
    arguments = parser.parse_args()
    with explained(arguments.log):
        run = load_run(arguments.plan)
        console.begin_lines_with(console.label(run.path))
        alone = device == "alone"
        on = machine.device(arguments.runs_per_gpu, alone, run.devices) if device else None
        execute(run, step, on=on)
    if device:
        # TensorFlow takes a second to tear down what the kernel frees at once.
        logging.shutdown()
        os._exit(0)


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Log to the terminal and to a file, and turn what a user can mend into one sentence and exit 1.

    A cancelled command exits with 130. Any other exception is a defect of ours: its traceback is logged, exit 1.
    """
    with contextlib.ExitStack() as stack:
        try:
            for cancelling in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
                signal.signal(cancelling, _cancel)
            stack.enter_context(console.told(path))
            yield
        except UserError as error:
            _stop(f"{error}", 1)
        except KeyboardInterrupt:
            signal.alarm(0)
            _stop("cancelled: finished runs stay, training goes on from its last checkpoint", 130)
        except Exception as error:
            if (sentence := filesystem.about(error)) is None:
                log.exception("stopped by a defect of sixteen; finished runs stay")
                _forget_compiled()
                sys.exit(1)
            _stop(sentence, 1)


def execute(
    run: Run,
    step: Step | str,
    root: Path = Path(),
    on: contextlib.AbstractContextManager[None] | None = None,
) -> None:
    """Make a run unless it is there. Raises UserError if what it starts from isn't what was recorded.

    It is locked before the step is imported, if a name is given, and before there is a place for it `on` a device: the
    next Snakemake waits for the jobs that a killed one has left, see `await_jobs` there, and knows them by their locks.
    """
    with exclusive(root, run.fingerprint, f"the run {run.path}"):
        if not (root / run.record).exists():
            _check_code(run)
            imported = pkgutil.resolve_name(step) if isinstance(step, str) else step
            with on or contextlib.nullcontext():
                _make(run, imported, root)


def _make(run: Run, step: Step, root: Path) -> None:
    folder = root / run.path
    expect_hope(run, root)
    started, clock = datetime.now(UTC), time.monotonic()
    found = inputs.read(run, root)
    partial = folder.with_name(f".{run.fingerprint}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    scratch = root / PRIVATE / "scratch" / run.fingerprint
    scratch.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("SIXTEEN_CACHE", str((root / PRIVATE / "cache").resolve()))
    with found.unchanged(root, scratch):
        facts = step(read_by(step, run), found.places, partial, scratch)
    execution = {
        "started": started.isoformat(timespec="seconds"),
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - clock, 3),
        "command": f"snakemake --cores all {run.record}",
        "peak_memory_bytes": _peak_memory(),
        **machine.facts(root),
    }
    record.write(partial, _recorded(run, found.read, partial, facts, execution))
    # Snakemake makes the folders of declared outputs beforehand.
    # With `snakemake --force` it also leaves the files that it doesn't know of from the run that is remade.
    shutil.rmtree(folder, ignore_errors=True)
    settle(partial, folder)
    shutil.rmtree(scratch, ignore_errors=True)
    _disown_stale(run, root)


def _peak_memory() -> int:
    """The most memory that this process, or one that it started and awaited, had at once, in bytes."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return max(1024 * each.ru_maxrss for each in used)


def _recorded(
    run: Run,
    read: dict[str, str],
    made: Path,
    facts: dict[str, Any],
    execution: dict[str, Any],
) -> dict[str, Any]:
    """The record of a run: what was planned, what it read by digest, what it made, and where and when."""
    return {
        "fingerprint": run.fingerprint,
        "step": run.step,
        "path": run.path,
        "parameters": run.parameters,
        "code": {"digest": fingerprint.digest(run.code), "modules": run.code},
        "parents": run.parents,
        "inputs": read,
        "outputs": record.describe(made),
        "facts": facts,
        "execution": execution,
    }


def read_by(step: Step, run: Run) -> Entry:
    """What a step reads, as its signature says: parameters and settings of a run as entries."""
    kind: type[Entry] = typing.get_type_hints(step)["parameters"]
    return kind.model_validate(_merged(run.parameters, run.settings))


def _merged(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    both = {key: _merged(first[key], second[key]) for key in first.keys() & second.keys()}
    return first | second | both


def _disown_stale(run: Run, root: Path) -> None:
    """Throw away what was observed beside a training by other code than the observation was planned with."""
    for watched in run.settings.get("watched", ()):
        try:
            _check_code(load_run(root / PLANS / f"{watched['fingerprint']}.json"))
        except UserError:
            scratch = root / PRIVATE / "scratch" / watched["fingerprint"]
            shutil.rmtree(scratch, ignore_errors=True)


def _check_code(run: Run) -> None:
    """Refuse other code than the plan has hashed: an edit made while the run was queued. Later ones don't reach a job, see `held`."""
    planned, now = run.code, fingerprint.code_of(list(run.code))
    if changed := [name for name in planned | now if now.get(name) != planned.get(name)]:
        raise UserError(
            f"{', '.join(changed)} changed since {run.path} was planned: start snakemake anew, it plans with "
            "the code as it is"
        )


def _forget_compiled() -> None:
    """Throw away what XLA compiled: one that a machine left half written when it lost power stops every run that reads it."""
    if "tensorflow" not in sys.modules:  # this job read none
        return
    cache = Path(os.environ.get("SIXTEEN_CACHE", PRIVATE / "cache"))
    found = list(cache.glob(COMPILED))
    for file in found:
        with contextlib.suppress(OSError):
            file.unlink()
    if found:
        log.error(
            "programs compiled by XLA were thrown away, in case that one was broken: call again"
        )


def _cancel(*_: Any) -> None:
    """Have the run end; once more later, since Python ignores what is raised while garbage is collected."""
    signal.alarm(AGAIN)
    raise KeyboardInterrupt


def _stop(sentence: str, status: int) -> None:
    log.error("sixteen: %s", printable(sentence))
    sys.exit(status)
