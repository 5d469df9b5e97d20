"""Why Slurm stopped a job, as it is told; the queue itself is tested on a real Slurm in tests/workflow."""

import pytest

from sixteen.lineage import slurm


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            "slurmstepd: error: *** JOB 7 ON n1 CANCELLED AT 2026-11-28 DUE TO TIME LIMIT ***",
            "took longer",
        ),
        (
            "slurmstepd: error: StepId=7.0 exceeded memory limit (5 > 4), being killed",
            "more memory",
        ),
        ("slurmstepd: error: Detected 1 oom_kill event in StepId=7.batch.", "more memory"),
        ("slurmstepd: error: *** JOB 7 ON n1 CANCELLED AT 2026-11-28 DUE TO NODE FAILURE", "node"),
        ("slurmstepd: error: *** JOB 7 ON n1 CANCELLED AT 2026-11-28 ***", "cancelled it"),
        ("12:00:00 resnet8: sixteen: expected an archive", None),
    ],
)
def test_a_reason_is_read_from_what_slurm_wrote(tmp_path, words, told):
    log = tmp_path / "logs/slurm/rule_train/7.log"
    log.parent.mkdir(parents=True)
    log.write_text(f"Building DAG of jobs...\n{words}\n")
    reason = slurm.reason([str(tmp_path / "logs/x/run.log"), str(log)])
    if told is None:
        assert reason is None
    else:
        assert reason and reason.startswith("Slurm stopped job 7 since ") and told in reason


def test_a_job_of_this_machine_was_stopped_by_no_slurm(tmp_path):
    assert slurm.reason([str(tmp_path / "logs/digits/run.log")]) is None


def test_where_nothing_was_submitted_slurm_is_not_asked(tmp_path):
    slurm.settle(tmp_path, pytest.fail)
