"""A run is there whole or not at all, made once, and from what was recorded."""

import dataclasses
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from small_plan import cheap, planned

from sixteen.errors import UserError
from sixteen.lineage import job, machine, record
from sixteen.lineage.locks import exclusive
from sixteen.training.parameters import Training

SOURCE = Path(job.__file__).parents[2]

# A process that makes one run with a step that writes half a file, says so, and then sleeps or goes on.
RUNNER = """
import sys, time
from pathlib import Path
from sixteen.lineage import job
from sixteen.training.parameters import Training
seconds = float(sys.argv.pop())
def step(parameters: Training, inputs, into, scratch):
    "Half."
    (into / "weights.safetensors").write_text("half")
    (scratch / "checkpoint").write_text("epoch 1")
    Path("started").touch()
    time.sleep(seconds)
    for name in ("predictions.safetensors", "history.csv", "timing.csv", "outcome.json"):
        (into / name).write_text(name)
    return {}
job.main("__main__:step")
"""


@pytest.fixture
def run(project, parameters):
    """A training run that isn't made yet, its dataset is; its plan is frozen."""
    parameters["recipes"]["sgd"]["momentum"] = 0.5
    plan = planned(parameters)
    plan.freeze()
    return next(run for run in plan.runs.values() if run.step == "train")


def start(run, seconds):
    return begin(run, RUNNER, str(seconds))


def begin(run, program, *arguments):
    environment = {**os.environ, "PYTHONPATH": f"{SOURCE}:."}
    command = [sys.executable, "-c", program, "--plan", f".sixteen/plan/{run.fingerprint}.json"]
    command += ["--log", "logs/x.log", *arguments]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


def locked(run):
    """Whether a process holds the lock of a run."""
    with Path(".sixteen/locks", run.fingerprint).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def wait_for(condition):
    deadline = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < deadline, "nothing happened for 300 s"
        time.sleep(0.01)


def test_a_run_leaves_its_files_and_a_record_that_holds(run):
    job.execute(run, cheap(run))
    kept = record.read(Path(run.path))
    assert set(kept["outputs"]) == set(run.outputs)
    assert kept["fingerprint"] == record.fingerprint_in(kept) == run.fingerprint
    assert not list(Path(".sixteen/scratch").iterdir())


def test_a_step_reads_the_settings_but_the_record_leaves_them_out(run):
    read = []

    def step(parameters: Training, *_):
        read.append(parameters)
        return {}

    job.execute(run, step)
    assert read[0].checkpoint_epochs == 5 and read[0].recipe.momentum == 0.5
    assert "checkpoint_epochs" not in record.read(Path(run.path))["parameters"]


def test_a_finished_run_is_not_made_again(run):
    job.execute(run, cheap(run))
    job.execute(run, lambda *_: pytest.fail("made twice"))


def test_a_second_runner_waits_and_finds_the_run_done(run):
    first = start(run, 0.5)
    wait_for(Path("started").exists)
    job.execute(run, lambda *_: pytest.fail("made twice"))
    first.communicate()
    assert first.returncode == 0
    assert record.read(Path(run.path))


def test_a_failing_step_leaves_nothing_at_the_final_path(run):
    def step(parameters: Training, inputs, into, scratch):
        (into / "weights.safetensors").write_text("half")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        job.execute(run, step)
    assert not Path(run.path).exists()
    job.execute(run, cheap(run))
    assert set(record.read(Path(run.path))["outputs"]) == set(run.outputs)


def test_a_killed_run_leaves_no_file_at_the_final_path_and_is_taken_up(run):
    process = start(run, 600)
    wait_for(Path("started").exists)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not Path(run.path).exists()
    seen = []

    def step(parameters: Training, inputs, into, scratch):
        seen.extend(path.name for path in scratch.iterdir())
        return cheap(run)(parameters, inputs, into, scratch)

    job.execute(run, step)
    assert seen == ["checkpoint"]
    assert set(record.read(Path(run.path))["outputs"]) == set(run.outputs)


def test_a_cancelled_run_says_so_in_one_sentence(run):
    process = start(run, 600)
    wait_for(Path("started").exists)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate()
    assert process.returncode == 130
    assert "cancelled" in said and "Traceback" not in said
    assert not Path(run.path).exists()


@pytest.mark.parametrize("reads", [True, False])
def test_a_defect_where_tensorflow_is_throws_away_what_it_compiled(run, monkeypatch, reads):
    """One of these programs may be broken, on which each training of a network would stop."""
    monkeypatch.delenv("SIXTEEN_CACHE", raising=False)
    cache = Path(".sixteen/cache/tensorflow-1")
    cache.mkdir(parents=True)
    for name in ("xla_compile_cache__1.pb", "other"):
        (cache / name).write_text("half")
    imported = "sys.modules['tensorflow'] = sys; " if reads else ""
    process = begin(run, RUNNER.replace("time.sleep(seconds)", f"{imported}1 / 0"), "0")
    _, said = process.communicate()
    assert process.returncode == 1
    assert ("thrown away, in case that one was broken" in said) == reads
    assert (cache / "xla_compile_cache__1.pb").exists() != reads and (cache / "other").exists()


DEAF = """
import os, signal
from sixteen.lineage import job
job.AGAIN = 1
class Deaf:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
"""


def test_a_run_that_was_cancelled_where_python_ignores_it_is_cancelled_again(run):
    """In callbacks of the garbage collector, of which JAX has one, exceptions end nothing."""
    program = DEAF + RUNNER.replace("time.sleep(seconds)", "Deaf(); time.sleep(seconds)")
    _, said = (process := begin(run, program, "20")).communicate()
    assert process.returncode == 130 and "cancelled" in said


SLOW = "import time; from pathlib import Path; Path('started').touch(); time.sleep(600)"


def test_a_job_holds_its_run_before_it_has_imported_its_step(run):
    """The next Snakemake waits for the jobs of a killed one by their locks."""
    Path("slow.py").write_text(SLOW)
    process = begin(run, "from sixteen.lineage import start; start.step('slow:step')")
    wait_for(Path("started").exists)
    assert locked(run)
    process.kill()
    process.communicate()
    assert not locked(run)


def test_a_job_that_waits_for_a_device_holds_its_run(run, monkeypatch):
    monkeypatch.setattr(machine, "LOCKS", Path())
    program = RUNNER.replace("job.main(", "job.machine.LOCKS = Path()\njob.main(").replace(
        '"__main__:step"', '"__main__:step", "shared"'
    )
    with machine.device(1, True):
        process = begin(run, program, "--runs-per-gpu", "1", "0")
        wait_for(
            lambda: Path("logs/x.log").exists() and "waiting" in Path("logs/x.log").read_text()
        )
        assert locked(run) and not Path("started").exists()
    process.communicate()
    assert process.returncode == 0
    assert record.read(Path(run.path))


@pytest.mark.parametrize(
    "script", [path.name for path in sorted((SOURCE.parent / "workflow/scripts").glob("*.py"))]
)
def test_a_job_cancelled_while_it_starts_says_nothing(project, script):
    """What a job imports takes a second or more, on a busy machine ten."""
    Path("pydantic.py").write_text(SLOW)  # in place of the real one, which all of them import
    process = subprocess.Popen(
        [sys.executable, SOURCE.parent / "workflow/scripts" / script],
        env={**os.environ, "PYTHONPATH": f".:{SOURCE}"},
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(Path("started").exists)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert (process.returncode, said) == (130, "")


def test_a_job_cancelled_while_it_imports_its_step_says_so_in_one_sentence(run):
    Path("slow.py").write_text(SLOW)
    process = begin(run, "from sixteen.lineage import start; start.step('slow:step')")
    wait_for(Path("started").exists)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130
    assert "cancelled" in said and "Traceback" not in said


def test_folders_that_snakemake_made_beforehand_are_no_obstacle(run):
    (Path(run.path) / "figures").mkdir(parents=True)
    job.execute(run, cheap(run))
    assert record.read(Path(run.path))


@pytest.mark.parametrize("damage", ["flip", "remove", "record"])
def test_a_tampered_parent_is_refused(run, damage):
    parent = Path(run.parents["dataset"])
    file = parent / ("record.json" if damage == "record" else "dataset.safetensors")
    if damage == "remove":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes().replace(b"digits", b"digitz"))
    with pytest.raises(UserError, match=str(file)):
        job.execute(run, lambda *_: pytest.fail("read it"))
    assert not Path(run.path).exists()


def in_place(file):
    """Other bytes in the same file, as an editor or rsync --inplace leaves them."""
    whole = file.read_bytes().swapcase()
    with file.open("r+b") as opened:
        opened.write(whole)
    os.utime(file)  # however coarse the clock of the file system is


def replaced(file):
    """Other bytes under the same name, of the same length."""
    other = file.with_name("other")
    other.write_bytes(file.read_bytes().swapcase())
    other.replace(file)


@pytest.mark.parametrize("change", [in_place, replaced])
def test_inputs_that_change_while_a_step_reads_them_are_refused(run, change):
    """Digests are taken before; a step that reads bit by bit would have other bytes than its record says."""
    data = Path(run.parents["dataset"], "dataset.safetensors")
    whole = data.read_bytes()

    def step(parameters: Training, inputs, into, scratch):
        (scratch / "checkpoint").write_text("of wrong pictures")
        change(data)
        return cheap(run)(parameters, inputs, into, scratch)

    with pytest.raises(UserError, match=f"{data} was written to while"):
        job.execute(run, step)
    assert not Path(run.path).exists()
    assert not Path(".sixteen/scratch", run.fingerprint).exists()
    data.write_bytes(whole)
    job.execute(run, cheap(run))


def test_what_stops_a_step_is_told_by_its_inputs_if_they_changed(run):
    data = Path(run.parents["dataset"], "dataset.safetensors")

    def step(parameters: Training, inputs, into, scratch):
        replaced(data)
        raise UserError("expected a picture")

    with pytest.raises(UserError, match="was written to while"):
        job.execute(run, step)


@pytest.mark.parametrize("relinked", [True, False])
def test_inputs_that_are_touched_or_replaced_by_their_equals_are_unchanged(run, relinked):
    data = Path(run.parents["dataset"], "dataset.safetensors")

    def step(parameters: Training, inputs, into, scratch):
        if relinked:
            shutil.copy(data, "copy")
            Path("copy").replace(data)
        os.utime(data, (0, 0))
        return cheap(run)(parameters, inputs, into, scratch)

    job.execute(run, step)
    assert record.read(Path(run.path))


def test_a_missing_parent_is_named(run):
    shutil.rmtree(run.parents["dataset"])
    with pytest.raises(UserError, match=run.parents["dataset"]):
        job.execute(run, cheap(run))


def test_an_unset_variable_in_the_path_of_a_dataset_is_explained(run):
    lost = dataclasses.replace(run, sources={"archive": "$NO_SUCH_VARIABLE"})
    with pytest.raises(UserError, match="NO_SUCH_VARIABLE"):
        job.execute(lost, cheap(run))


def test_a_variable_may_hold_a_path_with_a_dollar_in_it(run, tmp_path, monkeypatch):
    images = tmp_path / "va$lue"
    images.mkdir()
    monkeypatch.setenv("MY_IMAGES", str(images))
    reads = dataclasses.replace(run, sources={"archive": "$MY_IMAGES"})
    seen = {}

    def step(parameters: Training, inputs, into, scratch):
        seen.update(inputs)
        return cheap(run)(parameters, inputs, into, scratch)

    job.execute(reads, step)

    assert seen["archive"] == images


def test_runs_of_different_fingerprints_do_not_wait_for_each_other(run, parameters):
    with exclusive(Path(), "another", "another"):
        thread = threading.Thread(target=job.execute, args=(run, cheap(run)))
        thread.start()
        thread.join(10)
        assert not thread.is_alive()


# In a user namespace of its own the process may mount a tiny file system over a folder.
MOUNTED = 'mount -t tmpfs -o {options} none {folder} && {then} exec "$0" "$@"'


def on_file_system(run, options, then="", folder="results"):
    Path(folder).mkdir(exist_ok=True)
    script = MOUNTED.format(options=options, then=then, folder=folder)
    possible = MOUNTED.format(options="size=64k", then="", folder=folder)
    probe = subprocess.run(["unshare", "-rm", "sh", "-c", possible, "true"])
    if probe.returncode:
        pytest.skip("a small file system can't be mounted here")
    command = ["unshare", "-rm", "sh", "-c", script, sys.executable, "-c", RUNNER]
    command += ["--plan", f".sixteen/plan/{run.fingerprint}.json", "--log", "logs/x.log", "0"]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def test_a_full_disk_is_one_sentence(run):
    fill = "dd if=/dev/zero of=results/filling bs=1k count=100 2>/dev/null;"
    said = on_file_system(run, "size=64k", fill)
    assert said.returncode == 1
    assert "no space is left" in said.stderr and "Traceback" not in said.stderr


def test_a_read_only_disk_is_one_sentence(run):
    said = on_file_system(run, "ro")
    assert said.returncode == 1
    assert "can't be written" in said.stderr and "Traceback" not in said.stderr


def test_logs_that_cannot_be_written_are_one_sentence(run):
    said = on_file_system(run, "ro", folder="logs")
    assert said.returncode == 1
    assert "logs/x.log can't be written: make it writable" in said.stderr
    assert "Traceback" not in said.stderr


def test_a_log_on_a_full_disk_is_no_traceback(run):
    fill = "dd if=/dev/zero of=logs/filling bs=1k count=100 2>/dev/null;"
    shutil.rmtree(run.parents["dataset"])
    said = on_file_system(run, "size=64k", fill, "logs")
    assert run.parents["dataset"] in said.stderr and "Traceback" not in said.stderr


def test_the_log_holds_what_the_terminal_said(run):
    Path(run.parents["dataset"], "record.json").unlink()
    process = start(run, 0)
    _, said = process.communicate()
    assert process.returncode == 1
    assert json.dumps(said.strip().split(" ", 1)[1])[1:-1] in json.dumps(
        Path("logs/x.log").read_text()
    )


def test_code_that_changed_since_the_plan_is_refused(run):
    """Else a queued run would be recorded with code that it didn't run."""
    for name in ("sixteen.errors", "sixteen.removed"):
        older = dataclasses.replace(run, code=run.code | {name: "0" * 64})
        with pytest.raises(UserError, match=f"{name} changed since .* was planned"):
            job.execute(older, lambda *_: {})
    assert not Path(run.path).exists()
