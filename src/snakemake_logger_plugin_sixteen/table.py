"""The live table: a bar for all jobs with the time left, and a line for each job that runs."""

import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table as Columns
from rich.text import Text

from sixteen.lineage.console import label
from sixteen.lineage.logs import LINE, tail


@dataclass(frozen=True)
class Job:
    """A job that runs: its rule, its log, and when it was started (seconds of the monotonic clock)."""

    rule: str
    log: Path | None
    since: float


class Table:
    """What was planned, what runs and what is finished. Shown from `begin` to `end`."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.planned: Counter[str] = Counter()
        self.finished: Counter[str] = Counter()
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.running: dict[int, Job] = {}
        self.failed = 0
        self.since = time.monotonic()
        self.live = Live(
            get_renderable=self._drawn, console=console, refresh_per_second=2, transient=True
        )

    def begin(self, stats: dict[str, int]) -> None:
        """Show the table for so many jobs of each rule."""
        self.planned = Counter({rule: n for rule, n in stats.items() if rule != "total"})
        self.since = time.monotonic()
        self.live.start()

    def start(self, job: int, rule: str, logs: list[str]) -> None:
        """A job runs."""
        self.running[job] = Job(rule, Path(logs[0]) if logs else None, time.monotonic())

    def finish(self, job: int) -> None:
        """A job is finished."""
        if done := self.running.pop(job, None):
            self.finished[done.rule] += 1
            self.seconds[done.rule] += time.monotonic() - done.since

    def fail(self, job: int, told: str) -> None:
        """A job has failed: show what it said last, or what Snakemake says of it where there is no log."""
        self.failed += 1
        failed = self.running.pop(job, None)
        if failed and (lines := tail(failed.log)):
            last = max((i for i, line in enumerate(lines) if LINE.match(line)), default=0)
            self.tell(f"{failed.rule} failed, its log is {failed.log}:", "bold red")
            told = "\n".join(lines[last:])
        self.tell(told)

    def tell(self, line: str, style: str = "") -> None:
        """Print a line above the table."""
        if line.strip():
            self.console.print(Text(line, style))

    def end(self) -> None:
        """Take the table away."""
        self.live.stop()

    def seconds_left(self) -> float | None:
        """From the mean duration of the finished jobs of each rule, shared by as many as run now; None at the beginning.

        A job is taken to last at least as long as one of its rule that runs already; a rule of which none is finished, as
        long as the mean of all others.
        """
        if not self.finished:
            return None
        passed = {job: time.monotonic() - job.since for job in self.running.values()}
        left = 0.0
        for rule, planned in self.planned.items():
            mine = [seconds for job, seconds in passed.items() if job.rule == rule]
            each = max([self._mean(rule), *mine])
            left += (planned - self.finished[rule]) * each - sum(mine)
        return left / max(len(self.running), 1)

    def _mean(self, rule: str) -> float:
        if self.finished[rule]:
            return self.seconds[rule] / self.finished[rule]
        return sum(self.seconds.values()) / self.finished.total()

    def _drawn(self) -> Group:
        done, all_jobs = self.finished.total(), self.planned.total()
        left = self.seconds_left()
        words = f" {done} of {all_jobs} jobs, {_clock(time.monotonic() - self.since)}"
        words += "" if left is None else f", about {_clock(left)} left"
        words += f", {self.failed} failed" if self.failed else ""
        whole = Columns.grid()
        whole.add_row(ProgressBar(all_jobs or 1, done, width=30), Text(words))
        rows = Columns.grid(padding=(0, 1), expand=True)
        rows.add_column(style="cyan", no_wrap=True, overflow="ellipsis", ratio=2)
        rows.add_column(no_wrap=True, overflow="ellipsis", ratio=3)
        for job in list(self.running.values()):
            name = (label(str(job.log)) if job.log else "") or job.rule
            rows.add_row(name, Text(_last(job, name)))
        return Group(whole, rows)


def _last(job: Job, name: str) -> str:
    """What a job said last, without its name, or for how long it is silent."""
    told = [found["told"] for line in tail(job.log) if (found := LINE.match(line))]
    return told[-1].removeprefix(f"{name}: ") if told else _clock(time.monotonic() - job.since)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
