"""Make the runs of a bundle on a machine that has Python, Keras and a backend alone, and pack what was made."""

import argparse
import contextlib
import fcntl
import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sixteen import hardware
from sixteen.bundles import contents
from sixteen.bundles.packages import expect_packages
from sixteen.errors import UserError
from sixteen.files import read_json
from sixteen.lineage import record
from sixteen.lineage.logs import log_of
from sixteen.lineage.places import BUNDLE, PRIVATE
from sixteen.lineage.steps import PLANS, Run, load_run

# What is made there, each by the script of its rule; other steps take seconds, and packages that aren't there.
SCRIPTS = {
    "train": "workflow/scripts/train.py",
    "continue_training": "workflow/scripts/continue_training.py",
    "quantize": "workflow/scripts/quantize.py",
    "observe": "workflow/scripts/observe.py",
    "time": "workflow/scripts/measure_time.py",
}
POLL = 0.2  # seconds between looks at what is at work
GRACE = 5  # seconds that runs have to end by themselves in when they are stopped
# What stopping and packing take: at least so many seconds, and one for so many bytes.
RESERVE, PACKED = 10, 50e6


def run(bundle: Path, arguments: argparse.Namespace) -> bool:
    """Make what time allows, in the order of the plan; False if a run failed.

    It works in the folder beside the bundle that has its name, and goes on there when called again. What was made lies
    in a bundle beside it then, checkpoints of what was begun included.
    """
    ends = time.monotonic() + 60 * arguments.minutes
    # So says a batch system that time is up.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = bundle.with_name(f"{bundle.stem}-work")
    with contents.opened([bundle]), _owned(folder):  # no folder beside what is no bundle
        about = _unpack(bundle, folder)
        runs = [load_run(folder / PLANS / f"{key}.json") for key in about["to_run"]]
        work = Work(folder, runs, arguments.at_once)
        with contextlib.suppress(KeyboardInterrupt):  # what was made is packed all the same
            work.until(ends)
        made = _pack(folder, runs, about, arguments.part_megabytes)
    print(f"{len(work.done())} of {len(runs)} runs made, {len(work.failed)} failed; packed in:")
    print("\n".join(f"  {part}" for part in made))
    for failed in work.failed:
        print(f"failed: {failed.path}, see {folder / log_of(failed.path)}", file=sys.stderr)
    return not work.failed


def _unpack(bundle: Path, folder: Path) -> dict[str, Any]:
    """Unpack it unless that was done before; what the bundle says of itself."""
    with contents.opened([bundle]) as opened:
        if "to_run" not in opened.about:
            raise UserError(
                f"expected what `sixteen pack` wrote, came {bundle} with what was made: `sixteen take` it"
            )
        expect_packages(*opened.about["backends"])
        if not (folder / BUNDLE).exists():
            opened.extract(opened.listed.files, folder)
            partial = folder / f"{BUNDLE}.partial"
            partial.write_text(json.dumps(opened.about), encoding="utf-8")
            partial.replace(folder / BUNDLE)
        elif read_json(folder / BUNDLE) != opened.about:
            raise UserError(
                f"{folder} holds the work of another bundle that had the name {bundle}: move the folder away, or give this "
                "bundle another name"
            )
        return opened.about


class Work:
    """The runs of a bundle: which are done, at work, failed."""

    def __init__(self, folder: Path, runs: list[Run], at_once: int) -> None:
        self.folder, self.runs, self.at_once = folder, runs, at_once
        self.working: dict[str, subprocess.Popen[bytes]] = {}
        self.failed: list[Run] = []

    def done(self) -> list[Run]:
        """The finished ones."""
        return [run for run in self.runs if (self.folder / run.record).exists()]

    def until(self, ends: float) -> None:
        """Work until nothing is left that can be made, or it is time to pack; `ends` is of `time.monotonic`."""
        try:
            while time.monotonic() < ends - self._reserve():
                self._gather()
                for run in self._ready()[: self.at_once - len(self.working)]:
                    self._start(run)
                if not self.working:
                    return
                time.sleep(POLL)
        finally:
            self._stop()

    def _ready(self) -> list[Run]:
        """Runs to begin, in the order of the plan."""
        begun = {*self.working, *(run.path for run in self.failed)}
        return [
            run
            for run in self.runs
            if run.path not in begun
            and not (self.folder / run.record).exists()
            and all((self.folder / at / record.NAME).exists() for at in run.parents.values())
        ]

    def _start(self, run: Run) -> None:
        plan = PLANS / f"{run.fingerprint}.json"
        command = [sys.executable, SCRIPTS[run.step], "--plan", f"{plan}"]
        command += ["--log", f"{log_of(run.path)}"]
        if run.step != "quantize":
            share = math.ceil(self.at_once / max(1, len(hardware.visible())))
            command += ["--runs-per-gpu", f"{share}"]
        modules = [str(self.folder.resolve()), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(modules)}
        # In a session of its own: on Ctrl-C it is we who stop it, and wait.
        self.working[run.path] = subprocess.Popen(
            command, cwd=self.folder, env=environment, start_new_session=True
        )

    def _gather(self) -> None:
        for path, process in list(self.working.items()):
            if process.poll() is not None:
                del self.working[path]
                if process.returncode:
                    self.failed += [run for run in self.runs if run.path == path]

    def _stop(self) -> None:
        """Stop what is at work, with what it has started; each training has its last checkpoint.

        What is compiling hears of nothing: it is killed, and so is all where somebody asks a second time.
        """
        ends = time.monotonic() + GRACE
        for process in self.working.values():
            process.send_signal(signal.SIGTERM)
        try:
            for process in self.working.values():
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(max(0, ends - time.monotonic()))
        finally:
            for process in self.working.values():
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            self.working.clear()

    def _reserve(self) -> float:
        """Seconds that packing will take."""
        made = (self.folder / run.path for run in self.done())
        return RESERVE + sum(f.stat().st_size for at in made for f in record.files_in(at)) / PACKED


def _pack(
    folder: Path, runs: list[Run], about: dict[str, Any], part_megabytes: float | None
) -> list[Path]:
    """Pack the finished runs, what is left of unfinished ones, and the logs."""
    finished = [run for run in runs if (folder / run.record).exists()]
    places = [folder / run.path for run in finished]
    places += [
        folder / PRIVATE / "scratch" / run.fingerprint for run in runs if run not in finished
    ]
    files = [file for place in places for file in record.files_in(place)]
    files += [folder / log_of(run.path) for run in runs if (folder / log_of(run.path)).exists()]
    told = {key: value for key, value in about.items() if key not in ("files", "to_run")}
    told["made"] = [run.path for run in finished]
    named = {file.relative_to(folder).as_posix(): file for file in files}
    to = folder.with_name(f"{folder.name.removesuffix('-work')}-made.zip")
    return contents.write(to, named, told, int(part_megabytes * 1e6) if part_megabytes else None)


@contextlib.contextmanager
def _owned(folder: Path) -> Iterator[None]:
    """Hold the folder for this process alone."""
    folder.mkdir(exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise UserError(f"another call is at work in {folder}: wait for it or stop it") from None
    finally:
        os.close(descriptor)
