"""What happens when a run is edited, killed, cancelled, doubled, or out of disk: nothing is lost."""

import contextlib
import fcntl
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from small_project import STUDY, Project, change_second_rate

from sixteen.lineage.steps import load_run


def test_queued_jobs_run_what_was_planned(fresh):
    process = fresh.start("snakemake --cores 1 demo", CHEAP_PAUSE="0.2")
    wait_for(lambda: any("/trained-in" in path for path in fresh.runs()))
    planned = set((fresh.folder / ".sixteen/plan").glob("*.json"))
    before = (fresh.folder / "params.yaml").read_text()
    fresh.edit(change_second_rate)

    output, _ = process.communicate(timeout=300)

    assert process.returncode == 0, output
    assert {path.rpartition("/")[2] for path in fresh.runs()} == {path.stem for path in planned}
    rates = {
        re.search(r'"learning_rate": ([\d.]+)', path.read_text()).group(1)
        for path in fresh.folder.glob("results/**/continued-*/seed-*/*/record.json")
    }
    assert rates == {"0.02"}
    (fresh.folder / "params.yaml").write_text(before)
    assert fresh.nothing_to_do()


def test_after_kill_9_of_everything_the_next_call_goes_on(fresh):
    process = fresh.start("dvc repro demos", CHEAP_PAUSE="0.3")
    wait_for(lambda: any("/trained-in" in path for path in fresh.runs()))
    time.sleep(0.5)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    kept = fresh.runs()
    half = [p for p in fresh.folder.glob("results/**/seed-*/*/*") if not whole(p)]
    assert half == []
    times = {path: (fresh.folder / path / "record.json").stat().st_mtime_ns for path in kept}

    fresh.call("dvc repro demos")

    assert fresh.nothing_to_do()
    after = {path: (fresh.folder / path / "record.json").stat().st_mtime_ns for path in kept}
    assert after == times
    assert list(fresh.folder.glob("results/**/.*.partial")) == []


def test_what_jobs_of_a_killed_snakemake_still_finish_is_kept(finished, tmp_path):
    """Jobs outlive it; Snakemake deletes what is there by the time that it starts a job."""
    shutil.copytree(finished.folder, tmp_path / "project", symlinks=True)
    project = Project(tmp_path / "project")
    orphans = [path for path in project.runs() if re.search("/trained-in-[^/]+/seed-", path)]
    for path in orphans:
        (project.folder / path).rename(tmp_path / path.rpartition("/")[2])
    with contextlib.ExitStack() as held:
        for path in orphans:
            lock = project.folder / ".sixteen/locks" / path.rpartition("/")[2]
            fcntl.flock(held.enter_context(lock.open("a")), fcntl.LOCK_EX)
        process = project.start(
            f"snakemake --cores 1 -- {' '.join(f'{path}/record.json' for path in orphans)}"
        )
        assert process.stdout is not None
        said = next(line for line in process.stdout if "waiting for it" in line)
        for path in orphans:
            # It is made, and empty, once a job has been started.
            shutil.rmtree(project.folder / path, ignore_errors=True)
            (tmp_path / path.rpartition("/")[2]).rename(project.folder / path)
    output, _ = process.communicate(timeout=300)

    assert process.returncode == 0, output
    assert any(path in said for path in orphans)
    for path in orphans:
        made, kept = (place.folder / path / "record.json" for place in (project, finished))
        assert made.read_bytes() == kept.read_bytes()


def test_snakemakes_report_shows_what_was_finished_after_it_was_killed(finished, tmp_path):
    """A job ends after Snakemake, which had marked its files as incomplete and now refuses to report on them."""
    shutil.copytree(finished.folder, tmp_path / "project", symlinks=True)
    project = Project(tmp_path / "project")
    path = next(path for path in project.runs() if re.search("/trained-in-[^/]+/seed-", path))
    run = project.folder / path
    run.rename(tmp_path / "kept")
    process = project.start(f"snakemake --cores 1 -- {path}/record.json", CHEAP_PAUSE="600")
    wait_for(lambda: list(run.parent.glob(".*.partial")))
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    shutil.rmtree(run, ignore_errors=True)
    (tmp_path / "kept").rename(run)

    project.call("snakemake --cores 1 --report report.html demo")

    assert (project.folder / "report.html").exists()


def test_a_second_snakemake_is_refused_in_a_sentence_and_loses_nothing(fresh):
    first = fresh.start("snakemake --cores 1 demo", CHEAP_PAUSE="0.2")
    wait_for(lambda: fresh.runs())

    try:
        refused = [
            fresh.call(command, status=1)
            for command in (
                "snakemake --cores 1 demo",
                "sixteen clean --delete",
                "sixteen take a.zip",
            )
        ]
        dry = fresh.call("snakemake -n --cores 1 demo")
    finally:
        output, _ = first.communicate(timeout=300)

    for told in refused:
        assert f"snakemake (process {first.pid} on {os.uname().nodename}) is at work" in told
        assert "Traceback" not in told
    assert "train" in dry
    assert first.returncode == 0, output
    assert fresh.nothing_to_do()


def test_a_cancelled_run_says_so_and_the_next_call_goes_on(fresh):
    fresh.call("snakemake --cores 1 --until prepare all")  # which names both as where to stop
    fresh.call("snakemake --cores 1 --until train -- demo")
    process = fresh.start("snakemake --cores 1 demo", CHEAP_PAUSE="600")
    # Inside a training, which doesn't end: a Python that is only just starting tells of the signal in its own words.
    wait_for(lambda: list(fresh.folder.glob("results/**/continued-*/**/.*.partial")))
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=120)
    kept = fresh.runs()

    assert process.returncode != 0
    assert "cancelled" in output
    assert "Traceback" not in output
    fresh.call("snakemake --cores 2 demo")
    assert kept < fresh.runs()


@pytest.fixture
def small_disk(tmp_path):
    """A mounted file system of one megabyte: a real one that gets full and can be made read-only."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("this test mounts a small file system, and only root may")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_told_in_a_sentence_and_loses_nothing(fresh, small_disk):
    results = fresh.folder / "results"
    shutil.rmtree(results)
    results.symlink_to(small_disk)
    filler = small_disk / "filler"
    filler.write_bytes(b"0" * 900_000)

    output = fresh.call("snakemake --cores 2 demo", status=1)

    assert "no space is left" in output
    assert "Traceback" not in output
    filler.unlink()
    subprocess.run(["mount", "-o", "remount,size=50m", str(small_disk)], check=True)
    kept = fresh.runs()
    fresh.call("snakemake --cores 2 demo")
    assert kept < fresh.runs()


def test_a_read_only_results_folder_is_told_in_a_sentence(fresh, small_disk):
    results = fresh.folder / "results"
    shutil.rmtree(results)
    results.symlink_to(small_disk)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)

    output = fresh.call("snakemake --cores 2 demo", status=1)

    assert "can't be written" in output
    assert "Traceback" not in output


@pytest.mark.parametrize("place", ["reports", ".sixteen/scratch", "logs/digits"])
def test_a_file_where_a_folder_belongs_is_told_in_a_sentence(fresh, place):
    path = fresh.folder / place
    shutil.rmtree(path, ignore_errors=True)
    path.parent.mkdir(exist_ok=True)
    path.symlink_to("/nowhere/at/all")

    for command in ("snakemake -n --cores 2 demo", "snakemake --cores 2 demo"):
        output = fresh.call(command, status=1)

        assert f"expected a folder at {place}, came a link to nowhere: move it away" in output
        assert "Traceback" not in output
    assert path.is_symlink()


def whole(path: Path) -> bool:
    """Whether a file below a seed stands in a run that is finished or is deeper in the sentence."""
    return (path.parent / "record.json").exists() or not re.fullmatch(
        r"[0-9a-f]{12}", path.parent.name
    )


def wait_for(condition, seconds=400):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "what the test waits for never came"
        time.sleep(0.05)


def test_after_a_forced_report_was_killed_the_next_call_goes_on(finished, tmp_path):
    """Snakemake deletes what a rule declares before it runs, and leaves the rest of the old report."""
    shutil.copytree(finished.folder, tmp_path / "project", symlinks=True)
    project = Project(tmp_path / "project")
    reported = next(project.folder.glob(f"results/{STUDY}/summarized/reported/*"))
    plan = load_run(project.folder / f".sixteen/plan/{reported.name}.json")
    for name in [*plan.outputs, "record.json"]:
        (reported / name).unlink(missing_ok=True)
    assert any(path.is_file() for path in reported.rglob("*"))
    shutil.rmtree(project.folder / "reports" / STUDY)

    project.call("snakemake --cores 2 demo")

    assert project.nothing_to_do()
    assert "all as recorded" in project.call("sixteen verify")
