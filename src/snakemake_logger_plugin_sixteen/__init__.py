"""A table of the workflow on the terminal: how far the whole is, what runs, and what each run said last.

A logger plug-in of Snakemake (`logger: sixteen` in profiles/default). Where Snakemake's output is no terminal, and in a
dry run, its own lines are left as they are.
"""

import contextlib
import os
import sys
from datetime import datetime
from logging import LogRecord

from rich.console import Console
from snakemake.logging import DefaultFilter, DefaultFormatter
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from sixteen.lineage import slurm
from sixteen.lineage.console import TABLE, label
from snakemake_logger_plugin_sixteen.table import Table

# What Snakemake says of its own work, which the table shows.
UNTOLD = (
    "Select jobs",
    "Execute ",
    "Assuming unrestricted",
    "Building DAG",
    "Using shell",
    "host:",
)
SHOWN = {
    LogEvent.JOB_INFO,
    LogEvent.JOB_STARTED,
    LogEvent.JOB_FINISHED,
    LogEvent.PROGRESS,
    LogEvent.RESOURCES_INFO,
    LogEvent.RUN_INFO,
    LogEvent.SHELLCMD,
    LogEvent.WORKFLOW_STARTED,
}


class LogHandler(LogHandlerBase):
    """Turns Snakemake's events into the table, and prints the rest above it."""

    def __post_init__(self) -> None:
        """Decide whether there is somebody to look at a table."""
        settings = self.common_settings
        self.looked_at = sys.stderr.isatty() and not (settings.dryrun or settings.stdout)
        self.lines = DefaultFormatter(settings.quiet, settings.show_failed_logs)
        if self.looked_at:
            os.environ[TABLE] = "shown"
            self.table = Table(Console(stderr=True, highlight=False))
            # A failed job is always told of, however quiet Snakemake is asked to be.
            self.addFilter(DefaultFilter(set(), settings.debug_dag, settings.verbose, False, False))

    def emit(self, record: LogRecord) -> None:
        """Count what happened to a job; print what is neither counted nor about Snakemake's own work."""
        event = getattr(record, "event", None)
        if event in (LogEvent.JOB_ERROR, LogEvent.GROUP_ERROR):
            self._explain(record)
        if not self.looked_at:
            return
        if event == LogEvent.RUN_INFO:
            self.table.begin(record.stats)  # pyright: ignore[reportAttributeAccessIssue]
        elif event == LogEvent.JOB_INFO:
            self.table.start(record.jobid, record.rule_name, record.log)  # pyright: ignore
        elif event == LogEvent.JOB_FINISHED:
            self.table.finish(record.job_id)  # pyright: ignore[reportAttributeAccessIssue]
        elif event == LogEvent.JOB_ERROR:
            self.table.fail(record.jobid, self.lines.format(record))  # pyright: ignore
        elif event not in SHOWN and not str(record.msg).startswith(UNTOLD):
            self.table.tell(self.lines.format(record))

    def _explain(self, record: LogRecord) -> None:
        """Say why Slurm stopped a job, if it did, here and as the last words of its runs, which couldn't say it themselves."""
        told = vars(record)
        failed = told.get("job_error_info", [told])
        sentence = slurm.reason([*told.get("aux_logs", []), *failed[0]["log"]])
        if sentence is None:
            return
        for run in failed:
            with contextlib.suppress(OSError), open(run["log"][0], "a", encoding="utf-8") as log:
                about = label(run["log"][0])
                log.write(f"{datetime.now():%H:%M:%S} {about}: sixteen: {sentence}\n")
        if not self.looked_at:
            print(f"sixteen: {sentence}", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self.looked_at:
            self.table.end()
        super().close()

    @property
    def writes_to_stream(self) -> bool:
        """Whether this takes the place of Snakemake's own lines."""
        return self.looked_at

    @property
    def writes_to_file(self) -> bool:
        """No: Snakemake keeps its log itself."""
        return False

    @property
    def has_filter(self) -> bool:
        """Yes."""
        return True

    @property
    def has_formatter(self) -> bool:
        """Yes."""
        return True

    @property
    def needs_rulegraph(self) -> bool:
        """No."""
        return False
