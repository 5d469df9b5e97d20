"""`sixteen clean`: what is still wanted stays, whatever else goes."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from small_plan import make, planned

from sixteen.lineage import clean, record
from sixteen.lineage.locks import exclusive

SCRATCH = Path(".sixteen/scratch")


def leave(fingerprint):
    (SCRATCH / fingerprint).mkdir(parents=True)
    (SCRATCH / fingerprint / "checkpoint").write_bytes(b"1234")


@pytest.fixture
def changed(project, parameters):
    """The plan after a change that made the trainings stale, and the runs that it no longer names."""
    parameters["recipes"]["sgd"]["momentum"] = 0.8
    plan = planned(parameters)
    stale = {folder.as_posix() for folder in record.find(Path())} - set(plan.runs)
    return plan, stale


def test_what_is_planned_stays(project, parameters):
    plan = planned(parameters)
    assert clean.find(plan) == []
    assert clean.told([]).startswith("nothing to clean")


def test_what_a_published_page_stands_on_stays(changed):
    plan, stale = changed
    assert len(stale) == 14
    assert clean.find(plan) == []


def test_what_no_study_plans_and_no_page_shows_is_listed(changed):
    plan, stale = changed
    shutil.rmtree("reports/small")
    found = clean.find(plan)
    assert {one.path for one in found} == stale
    assert not any(one.kept for one in found)
    text = clean.told(found)
    assert "(not in DVC)" in text and "14 that aren't in DVC stay unless `--force`" in text
    assert {folder.as_posix() for folder in record.find(Path())} > stale


def test_without_force_nothing_goes_that_dvc_lacks(changed):
    plan, stale = changed
    shutil.rmtree("reports/small")
    told = clean.delete(plan, clean.find(plan), force=False)
    assert told.startswith("0 folders deleted") and "14 that aren't in DVC stay" in told
    assert all(Path(path, record.NAME).exists() for path in stale)

    clean.delete(plan, clean.find(plan), force=True)

    assert not any(Path(path).exists() for path in stale)
    assert {folder.as_posix() for folder in record.find(Path())} <= set(plan.runs)


def test_scratch_goes_unless_something_goes_on_from_it(project, parameters):
    plan = planned(parameters)
    run = next(run for run in plan.runs.values() if run.step == "train")
    shutil.rmtree(run.path)
    done = next(run for run in plan.runs.values() if run.step == "evaluate")
    for fingerprint in (run.fingerprint, done.fingerprint, "0" * 12):
        leave(fingerprint)

    found = clean.find(plan)

    assert {one.path for one in found} == {f"{SCRATCH}/{done.fingerprint}", f"{SCRATCH}/{'0' * 12}"}
    clean.delete(plan, found, force=False)
    assert [path.name for path in SCRATCH.iterdir()] == [run.fingerprint]


def test_what_dvc_holds_damaged_stays(changed):
    """DVC itself believes the name of what is in its cache."""
    plan, _ = changed
    shutil.rmtree("reports/small")
    for call in ("init -q --no-scm", "add -q results data/prepared"):
        subprocess.run([Path(sys.executable).parent / "dvc", *call.split()], check=True)
    found = clean.find(plan)
    assert all(one.kept for one in found)
    bad = next(Path(found[0].path).glob("*.json"))
    digest = hashlib.md5(bad.read_bytes()).hexdigest()
    held = Path(".dvc/cache/files/md5", digest[:2], digest[2:])
    held.chmod(0o600)
    held.write_bytes(held.read_bytes()[:-1])
    assert [one.path for one in clean.find(plan) if not one.kept] == [found[0].path]


def test_what_killed_jobs_left_beside_runs_goes_unless_its_run_is_yet_to_be_made(
    project, parameters
):
    plan = planned(parameters)
    run = next(run for run in plan.runs.values() if run.step == "train")
    shutil.rmtree(run.path)
    kept, gone = (Path(run.path).with_name(f".{of}.partial") for of in (run.fingerprint, "0" * 12))
    for folder in (kept, gone):
        folder.mkdir()
        (folder / record.NAME).write_text("{}")

    found = clean.find(plan)

    assert [(one.path, one.kept) for one in found] == [(f"{gone}", True)]
    assert "in 1 folder\n" in clean.told(found)
    clean.delete(plan, found, force=False)
    assert kept.exists() and not gone.exists()


def test_what_a_job_is_at_work_on_stays(project, parameters):
    leave("0" * 12)
    with exclusive(Path(), "0" * 12, "it"):
        assert clean.find(planned(parameters)) == []


def test_what_a_job_began_to_work_on_after_the_list_was_made_stays(project, parameters):
    plan = planned(parameters)
    leave("0" * 12)
    leave("1" * 12)
    found = clean.find(plan)
    with exclusive(Path(), "0" * 12, "it"):
        assert clean.delete(plan, found, force=True).startswith("1 folder deleted")
    assert [path.name for path in SCRATCH.iterdir()] == ["0" * 12]


def test_after_it_everything_planned_can_be_made_and_verified(changed, parameters):
    from sixteen.reporting.verify import verify

    plan, _ = changed
    shutil.rmtree("reports/small")
    clean.delete(plan, clean.find(plan), force=True)
    parameters["recipes"]["sgd"]["momentum"] = 0.8
    make(parameters)
    assert verify(Path()).findings == []
