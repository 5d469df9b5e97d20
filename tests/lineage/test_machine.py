"""Places on a device, held by real processes and ordered by files; and what a record says of the hardware."""

import importlib.metadata
import json
import os
import subprocess
import sys
import time
import types
import uuid
from pathlib import Path

import pytest

from sixteen import hardware
from sixteen.lineage import machine

# Holds a place from the line `<name> in` in the file `order` until the file `<name>-go` is there.
PROGRAM = """
import json, logging, os, sys, time, types
from pathlib import Path
from sixteen import hardware
from sixteen.lineage import machine
name, share, alone, gpus = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "alone", json.loads(sys.argv[4])
count = int(sys.argv[5])
hardware.visible = lambda: list(gpus)
if gpus:
    sys.modules["pynvml"] = types.SimpleNamespace(
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetHandleByUUID=lambda uuid: uuid,
        nvmlDeviceGetUUID=lambda handle: gpus[str(handle)],
    )
machine.POLL = 0.02
if "LOCKS" in os.environ:
    machine.LOCKS = Path(os.environ["LOCKS"])
logging.basicConfig(format="%(message)s", level=logging.INFO)
def note(what):
    with open("order", "a") as file:
        file.write(f"{name} {what}\\n")
with machine.device(share, alone, count):
    note("in" + (f" on {os.environ['CUDA_VISIBLE_DEVICES']}" if gpus else ""))
    while not Path(f"{name}-go").exists():
        time.sleep(0.02)
    note("out")
"""
ONE = {"0": "GPU-a"}


class Machine:
    """Processes that ask for places on one machine, and the order in which they got them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: dict[str, subprocess.Popen] = {}

    def ask(
        self,
        name: str,
        kind: str,
        share: int = 1,
        gpus: dict[str, str] | None = None,
        count: int = 1,
        **environment,
    ) -> None:
        with (self.folder / f"{name}-said").open("w") as said:
            self.processes[name] = subprocess.Popen(
                [
                    sys.executable,
                    "-c",
                    PROGRAM,
                    name,
                    str(share),
                    kind,
                    json.dumps(gpus or {}),
                    str(count),
                ],
                cwd=self.folder,
                env=os.environ | (environment or {"LOCKS": str(self.folder)}),
                stderr=said,
            )

    def until(self, true) -> None:
        for _ in range(3000):
            if true():
                return
            time.sleep(0.02)
        raise AssertionError(f"{self.order()}, {[p.poll() for p in self.processes.values()]}")

    def order(self) -> list[str]:
        path = self.folder / "order"
        return path.read_text().splitlines() if path.exists() else []

    def entered(self, name: str) -> bool:
        return any(line.startswith(f"{name} in") for line in self.order())

    def is_in(self, name: str) -> None:
        self.until(lambda: self.entered(name))

    def waits(self, name: str) -> str:
        """What it says while it waits; it isn't in."""
        said = self.folder / f"{name}-said"
        self.until(lambda: self.entered(name) or "waiting" in said.read_text())
        assert not self.entered(name)
        return said.read_text()

    def go(self, name: str) -> None:
        (self.folder / f"{name}-go").touch()
        assert self.processes[name].wait() == 0


@pytest.fixture
def here(tmp_path):
    machine = Machine(tmp_path)
    yield machine
    for process in machine.processes.values():
        process.kill()
        process.wait()


def test_a_timing_waits_for_all_trainings_on_the_cores(here):
    here.ask("first", "shared")
    here.ask("second", "shared")
    here.is_in("first")
    here.is_in("second")
    here.ask("timing", "alone")
    assert "waiting for the machine: a timing has to be alone" in here.waits("timing")
    here.go("first")
    assert here.order()[-1] == "first out"
    here.go("second")
    here.is_in("timing")
    assert here.order()[-3:] == ["first out", "second out", "timing in"]


def test_trainings_that_come_later_wait_behind_a_waiting_timing(here):
    here.ask("first", "shared")
    here.is_in("first")
    here.ask("timing", "alone")
    here.waits("timing")
    here.ask("late", "shared")
    assert "a timing is on or waits" in here.waits("late")
    here.go("first")
    here.is_in("timing")
    here.go("timing")
    here.is_in("late")
    assert here.order() == ["first in", "first out", "timing in", "timing out", "late in"]


def test_a_waiting_timing_keeps_one_gpu_from_others_and_takes_whichever_is_free(here):
    two = {"0": "GPU-a", "1": "GPU-b"}
    for name in ("first", "second"):
        here.ask(name, "shared", 1, two)
        here.is_in(name)
    here.ask("timing", "alone", 1, two)
    here.waits("timing")
    here.go("second")
    here.is_in("timing")
    assert here.order()[-1] == "timing in on 1"
    here.go("first")
    here.ask("late", "shared", 1, two)
    here.is_in("late")
    assert here.order()[-1] == "late in on 0"


def test_jobs_with_temporary_folders_of_their_own_share_the_locks(here, tmp_path):
    gpu = {"0": f"GPU-{uuid.uuid4()}"}  # a device that nobody else on this machine waits for
    for name, kind in (("timing", "alone"), ("training", "shared")):
        (tmp_path / f"{name}-tmp").mkdir()
        here.ask(name, kind, 1, gpu, TMPDIR=str(tmp_path / f"{name}-tmp"))
        if kind == "alone":
            here.is_in(name)
    here.waits("training")
    here.go("timing")
    here.is_in("training")
    for lock in machine.LOCKS.glob(f"sixteen-*{gpu['0']}*.lock"):
        lock.unlink()


def test_trainings_and_timings_wait_for_a_timing(here):
    here.ask("timing", "alone")
    here.is_in("timing")
    here.ask("training", "shared")
    here.ask("other", "alone")
    assert "a timing is on" in here.waits("training")
    here.waits("other")
    here.go("timing")
    here.until(lambda: len(here.order()) > 2)
    assert here.order()[:2] == ["timing in", "timing out"]


@pytest.mark.parametrize("share", [1, 2])
def test_a_gpu_takes_so_many_runs_at_once(here, share):
    for n in range(share):
        here.ask(f"run{n}", "shared", share, ONE)
        here.is_in(f"run{n}")
    here.ask("more", "shared", share, ONE)
    here.waits("more")
    here.go("run0")
    here.is_in("more")
    assert here.order()[-2:] == ["run0 out", "more in on 0"]


def test_a_timing_takes_all_places_of_a_gpu(here):
    for name in ("first", "second"):
        here.ask(name, "shared", 3, ONE)
        here.is_in(name)
    here.ask("timing", "alone", 3, ONE)
    here.waits("timing")
    here.go("first")
    assert here.order()[-1] == "first out"
    here.go("second")
    here.is_in("timing")
    here.ask("training", "shared", 3, ONE)
    here.waits("training")


def test_a_run_takes_the_gpu_that_is_free(here):
    two = {"0": "GPU-a", "1": "GPU-b"}
    here.ask("timing", "alone", 1, two)
    here.is_in("timing")
    here.ask("training", "shared", 1, two)
    here.is_in("training")
    assert here.order() == ["timing in on 0", "training in on 1"]


THREE = {"0": "GPU-a", "1": "GPU-b", "2": "GPU-c"}


def test_a_run_of_two_gpus_takes_the_two_that_are_free(here):
    for name, count in (("one", 1), ("two", 2)):
        here.ask(name, "shared", 1, THREE, count)
        here.is_in(name)
    assert here.order() == ["one in on 0", "two in on 1,2"]


def test_runs_of_two_gpus_wait_for_both_and_hold_none_meanwhile(here):
    for name, count in (("first", 2), ("second", 2)):
        here.ask(name, "shared", 1, THREE, count)
        here.is_in(name) if name == "first" else here.waits(name)
    assert "waiting for 2 GPUs (0, 1, 2)" in here.waits("second")
    here.ask("one", "shared", 1, THREE)  # of the one that is left
    here.is_in("one")
    here.go("first")
    here.is_in("second")
    assert here.order()[-1] == "second in on 0,1"


def test_a_waiting_timing_of_two_gpus_keeps_two_from_others(here):
    for name in ("a", "b", "c"):
        here.ask(name, "shared", 1, THREE)
        here.is_in(name)
    here.ask("timing", "alone", 1, THREE, 2)
    here.waits("timing")
    here.go("b")
    here.ask("late", "shared", 1, THREE)
    here.waits("late")
    here.go("a")
    here.is_in("timing")
    assert here.order()[-1] == "timing in on 0,1"
    here.go("c")
    here.is_in("late")
    assert here.order()[-1] == "late in on 2"


def test_more_gpus_than_there_are_is_one_sentence(here):
    here.ask("four", "shared", 1, THREE, 4)
    assert here.processes["four"].wait() == 1
    said = (here.folder / "four-said").read_text().splitlines()[-1]
    assert "expected 4 GPUs, as `devices` of this run says, found 3: lower it" in said


def test_a_gpu_is_known_by_its_uuid_where_every_job_sees_number_0(here):
    here.ask("first", "shared", 1, ONE)
    here.is_in("first")
    here.ask("second", "shared", 1, {"0": "GPU-b"})
    here.is_in("second")
    here.ask("third", "shared", 1, {"GPU-a": "GPU-a"})
    here.waits("third")


def test_where_no_uuid_is_told_the_jobs_of_slurm_dont_wait_for_each_other(here):
    for name, job in (("first", "7"), ("second", "8")):
        here.ask(name, "shared", 1, {"0": None}, LOCKS=str(here.folder), SLURM_JOB_ID=job)
        here.is_in(name)
    here.ask("third", "shared", 1, {"0": None}, LOCKS=str(here.folder), SLURM_JOB_ID="7")
    here.waits("third")


def test_a_process_that_was_killed_holds_nothing(here):
    here.ask("training", "shared")
    here.is_in("training")
    here.ask("timing", "alone")
    here.waits("timing")
    here.processes["training"].kill()
    here.is_in("timing")


def test_what_a_killed_timing_started_keeps_the_device(here, tmp_path):
    program = PROGRAM.replace(
        'note("out")',
        "import subprocess; subprocess.run("
        "[sys.executable, '-c', 'import time; open(\"started\", \"w\"); time.sleep(600)'], close_fds=False)",
    )
    assert program != PROGRAM
    (tmp_path / "timing-go").touch()
    outer = subprocess.Popen(
        [sys.executable, "-c", program, "timing", "1", "alone", "{}", "1"],
        cwd=tmp_path,
        env=os.environ | {"LOCKS": str(tmp_path)},
        start_new_session=True,
    )
    here.until(lambda: (tmp_path / "started").exists())
    outer.kill()
    outer.wait()
    here.ask("training", "shared")
    here.waits("training")
    os.killpg(outer.pid, 9)
    here.is_in("training")


def made_nvml(**instead) -> types.SimpleNamespace:
    """NVML with one GPU, number 3."""

    class NVMLError(Exception):
        pass

    def by_index(index: int) -> str:
        assert index == 3
        return "handle"

    def told(value):
        def answer(handle: str):
            assert handle == "handle"
            return value

        return answer

    def unsupported(handle: str):
        raise NVMLError("Not Supported")

    module = types.SimpleNamespace(
        NVMLError=NVMLError,
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByIndex=by_index,
        nvmlDeviceGetName=told("NVIDIA A100-SXM4-40GB"),
        nvmlDeviceGetUUID=told(b"GPU-8f5c"),
        nvmlSystemGetDriverVersion=lambda: "550.54.15",
        nvmlSystemGetCudaDriverVersion=lambda: 12040,
        nvmlDeviceGetCudaComputeCapability=told((8, 0)),
        nvmlDeviceGetEnforcedPowerLimit=told(400_000),
    )
    for name in instead.pop("unsupported", ()):
        setattr(module, name, unsupported)
    return module


@pytest.fixture
def gpu(monkeypatch):
    """A machine where this process was given the GPU number 3; other libraries are of made versions."""
    monkeypatch.setattr(hardware, "visible", lambda: ["3"])
    versions = {"nvidia-cuda-runtime-cu12": "12.9.79", "jaxlib": "0.10.2", "ml-dtypes": "0.5.4"}

    def version(package: str) -> str:
        if package not in versions:
            raise importlib.metadata.PackageNotFoundError(package)
        return versions[package]

    monkeypatch.setattr(importlib.metadata, "version", version)


def test_a_record_identifies_the_gpu(gpu, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pynvml", made_nvml())
    built = types.SimpleNamespace(
        get_build_info=lambda: {"cudnn_version": "9", "cuda_version": "12.5"}
    )
    monkeypatch.setitem(sys.modules, "tensorflow", types.SimpleNamespace(sysconfig=built))
    facts = machine.facts(tmp_path)
    assert facts["gpu"] == {
        "name": "NVIDIA A100-SXM4-40GB",
        "uuid": "GPU-8f5c",
        "driver": "550.54.15",
        "driver_cuda": "12.4",
        "compute_capability": "8.0",
        "power_limit_watts": 400.0,
        "cuda": "12.9.79",  # as installed
        "cudnn": "9",  # as TensorFlow was built for: no package says more
    }
    assert facts["packages"] == {"jaxlib": "0.10.2", "ml-dtypes": "0.5.4"}
    json.dumps(facts, allow_nan=False)


def test_what_a_gpu_does_not_tell_is_empty_and_the_rest_is_there(gpu, monkeypatch):
    silent = made_nvml(unsupported=["nvmlDeviceGetName", "nvmlDeviceGetEnforcedPowerLimit"])
    monkeypatch.setitem(sys.modules, "pynvml", silent)
    told = machine.facts(Path())["gpu"]
    assert (told["name"], told["power_limit_watts"], told["uuid"]) == (None, None, "GPU-8f5c")


def test_without_nvml_a_gpu_is_recorded_and_without_a_gpu_none_is(gpu, monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert machine.facts(Path())["gpu"]["uuid"] is None
    monkeypatch.setattr(hardware, "visible", list)
    assert machine.facts(Path())["gpu"] is None


def test_a_record_identifies_the_processor(monkeypatch, tmp_path):
    cpuinfo = tmp_path / "cpuinfo"
    one = (
        "processor\t: {}\ncpu family\t: 25\nmodel\t\t: {}\nmodel name\t: AMD EPYC\nstepping\t: 1\n"
        "flags\t\t: fpu avx2 avx512_bf16\n"
    )
    cpuinfo.write_text(f"{one.format(0, 17)}\n{one.format(1, 99)}")
    monkeypatch.setattr(hardware, "CPUINFO", cpuinfo)
    facts = machine.facts(tmp_path)
    assert {key: value for key, value in facts.items() if key.startswith("cpu")} == {
        "cpu": "AMD EPYC",
        "cpu_family": "25/17",
        "cpu_stepping": "1",
        "cpu_flags": "fpu avx2 avx512_bf16",
    }
    monkeypatch.setattr(hardware, "CPUINFO", tmp_path / "none")
    assert machine.facts(tmp_path)["cpu"]


@pytest.fixture
def repository(tmp_path):
    """Calls git on a repository, and a project in it."""

    def git(*words):
        command = [
            "git",
            "-C",
            str(tmp_path),
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@b.c",
            *words,
        ]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    git("init", "-q")
    project = tmp_path / "project"
    project.mkdir()
    (project / "Snakefile").touch()
    return git, project


def test_a_record_names_the_commit_of_a_repository_that_keeps_the_project_and_of_no_other(
    repository,
):
    git, project = repository
    project.with_name(".gitignore").write_text("project/\n")
    git("add", "-A")
    git("commit", "-q", "-m", "around")
    assert machine.source(project) == {"git_commit": None, "git_dirty": None}
    git("add", "--force", "project")
    git("commit", "-q", "-m", "with the project")
    assert machine.source(project) == {"git_commit": git("rev-parse", "HEAD"), "git_dirty": False}
    (project / "Snakefile").write_text("changed")
    assert machine.source(project)["git_dirty"] is True


def test_a_record_takes_no_lock_of_git_that_a_kill_would_leave(repository):
    """Where the times of files differ git would write its index anew, under a lock."""
    git, project = repository
    git("add", "-A")
    git("commit", "-q", "-m", "project")
    os.utime(project / "Snakefile", (0, 0))
    index = project.parent / ".git/index"
    before = index.read_bytes()
    assert machine.source(project)["git_dirty"] is False
    assert index.read_bytes() == before
    git("status")
    assert index.read_bytes() != before
