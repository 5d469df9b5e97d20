"""Work on a bundle ends in time: what is at work then is stopped, or killed, and nothing of it goes on alone."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sixteen.bundles import run

# A job that hears of no signal, as one that compiles, and has started another process.
DEAF = """
import signal, subprocess, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(subprocess.Popen(["sleep", "600"]).pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def at_work(tmp_path, monkeypatch):
    """Work, a job of it that is deaf, and the number of the process that this has started."""
    monkeypatch.setattr(run, "GRACE", 0.1)
    command = [sys.executable, "-c", DEAF]
    job = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    with job:
        assert job.stdout
        started = int(job.stdout.readline())
        work = run.Work(tmp_path, [], 1)
        work.working["deaf"] = job
        yield work, job, started


def gone(process: int) -> bool:
    """Whether a process that was killed ends, perhaps without anybody who takes note."""
    for _ in range(1000):
        try:
            if "\nState:\tZ" in Path(f"/proc/{process}/status").read_text():
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.01)
    return False


def test_a_job_that_hears_of_nothing_is_killed_with_what_it_started(at_work):
    work, job, started = at_work
    work.until(time.monotonic())
    assert job.poll() == -signal.SIGKILL
    assert gone(started)
    assert not work.working


def test_asked_a_second_time_nothing_goes_on_alone(at_work, monkeypatch):
    work, job, started = at_work
    wait, asked = job.wait, iter([True])

    def interrupted(timeout=None):
        if next(asked, False):
            raise KeyboardInterrupt
        return wait(timeout)

    monkeypatch.setattr(job, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        work.until(time.monotonic())
    assert job.poll() == -signal.SIGKILL
    assert gone(started)
