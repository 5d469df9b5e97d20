"""What people see: a table on a terminal, lines elsewhere, and verdicts at the end of both."""

import os
import pty
import re
import shutil
import subprocess

STUDY = "continuous16-demo"
SUMMED_UP = re.compile(rf"reports/{STUDY}/index.html: \d+ supported, \d+ refuted, \d+ inconclusive")


def on_a_terminal(project, command):
    """Exit status, and all that was written to a pseudo-terminal, without control sequences."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command.split(), cwd=project.folder, env=project.environment | {"COLUMNS": "200"},
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    written = b""
    while True:
        try:
            written += os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
    os.close(ours)
    return process.wait(), re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written.decode())


def forget_the_report(project):
    shutil.rmtree(project.folder / "reports" / STUDY)
    shutil.rmtree(project.folder / "results" / STUDY / "summarized/reported")


def test_a_terminal_shows_how_far_the_whole_is_what_runs_and_the_verdicts(project):
    forget_the_report(project)

    status, seen = on_a_terminal(project, "snakemake --cores 2 --quiet rules host -- demo")

    assert status == 0, seen
    assert re.search(r"0 of \d jobs, 0:0\d", seen) and re.search(r"about \d+:\d\d left", seen)
    assert f"{STUDY} summarized reported" in seen
    assert SUMMED_UP.search(seen[-1500:]), seen
    assert "Finished jobid" not in seen


def test_a_terminal_shows_why_a_job_failed(project):
    forget_the_report(project)
    claims = next((project.folder / "results" / STUDY).glob("summarized/*/claims.json"))
    claims.write_bytes(claims.read_bytes() + b" ")

    status, seen = on_a_terminal(project, "snakemake --cores 2 --quiet rules host -- demo")

    assert status == 1
    assert re.search(rf"report failed, its log is logs/{STUDY}/\S+\.log", seen)
    assert "claims.json differs from its record: restore it with `dvc checkout`" in seen
    assert "Traceback" not in seen


def test_elsewhere_snakemakes_lines_stay_and_the_verdicts_come_last(project):
    forget_the_report(project)
    said = project.call("snakemake --cores 2 demo")
    assert "rule report:" in said and re.search(r"\d of \d steps", said)
    assert SUMMED_UP.search(said)


def test_a_dry_run_on_a_terminal_lists_the_jobs(project):
    forget_the_report(project)
    status, seen = on_a_terminal(project, "snakemake -n demo")
    assert status == 0 and "rule report:" in seen and "This was a dry-run" in seen
