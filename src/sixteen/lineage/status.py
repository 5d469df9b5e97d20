"""How far studies are: what is done, what runs and how it learns, what failed and why, what diverged, what waits."""

import math
import os
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sixteen.lineage import locks, logs
from sixteen.lineage.console import label
from sixteen.lineage.plan import Plan
from sixteen.lineage.steps import TRAINING, Run
from sixteen.lineage.sweeps import outcome_of

# A run is in one of these. One that has `stopped` was begun, and nothing is at work on it now: it was cancelled, or killed.
STATES = ("done", "running", "failed", "stopped", "diverged", "waiting")
SHOWN = 12  # runs of a state that are told one by one
BARS = "▁▂▃▄▅▆▇█"
WIDTH = 24  # of a curve
LINES = 3  # that are told of a failure
EVERY = 3  # seconds between looks
FAILED, CANCELLED = ("sixteen: ", "stopped by a defect"), "sixteen: cancelled"


@dataclass(frozen=True)
class State:
    """The state of a run: one of STATES, and where it runs."""

    run: Run
    state: str
    where: str = ""


def states(plan: Plan, studies: list[str]) -> list[State]:
    """The state of each run of some studies, in the order of the plan. Reads no records, so that many runs take no time."""
    runs = {run.path: run for study in studies for run in plan.study(study)}
    return [_state(plan.root, run) for run in runs.values()]


def told(root: Path, found: list[State]) -> str:
    """The states as text: counts of each step, then the runs that are at work, that failed, that stopped, that diverged."""
    of = {state: [one for one in found if one.state == state] for state in STATES}
    counts = Counter((one.run.step, one.state) for one in found)
    shown = [state for state in STATES if of[state]]
    rows = [("", "planned", *shown)]
    for step in dict.fromkeys(one.run.step for one in found):
        each = [counts[step, state] for state in shown]
        rows.append((step, f"{sum(each):,}", *(f"{n:,}" if n else "" for n in each)))
    rows.append(("all", f"{len(found):,}", *(f"{len(of[state]):,}" for state in shown)))
    blocks = [_columns(rows)]
    blocks += [_block(root, head.capitalize(), of[head]) for head in STATES[1:-1]]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def watch(plan: Plan, studies: list[str]) -> None:
    """Show them until nothing is left to do or Ctrl-C, anew every few seconds."""
    # Here, not above: nothing else of this needs it.
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    with Live(console=Console(highlight=False), auto_refresh=False) as live:
        while True:
            found = states(plan, studies)
            live.update(Text(told(plan.root, found)), refresh=True)
            if not any(one.state in ("running", "waiting") for one in found):
                return
            time.sleep(EVERY)


def _state(root: Path, run: Run) -> State:
    if os.path.exists(f"{root}/{run.record}"):
        diverged = run.step in TRAINING and outcome_of(root, run.path)["outcome"] == "diverged"
        return State(run, "diverged" if diverged else "done")
    if (where := locks.holder(root, run.fingerprint)) is not None:
        return State(run, "running", where)
    if not os.path.exists(root / logs.log_of(run.path)):
        return State(run, "waiting")
    words = logs.last_words(root / logs.log_of(run.path), label(run.path)) or [""]
    failed = words[0].startswith(FAILED) and not words[0].startswith(CANCELLED)
    return State(run, "failed" if failed else "stopped")


def _columns(rows: list[tuple[str, ...]]) -> list[str]:
    wide = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join([row[0].ljust(wide[0]), *map(str.rjust, row[1:], wide[1:])]).rstrip()
        for row in rows
    ]


def _block(root: Path, head: str, found: list[State]) -> list[str]:
    """The first of the runs in a state, with what there is to be told of each."""
    if not found:
        return []
    lines = [head]
    for one in found[:SHOWN]:
        lines += [
            f"  {label(one.run.path) or one.run.path}",
            *(f"    {line}" for line in _about(root, one)),
        ]
    if len(found) > SHOWN:
        lines.append(f"  and {len(found) - SHOWN:,} more")
    return lines


def _about(root: Path, one: State) -> list[str]:
    log = logs.log_of(one.run.path)
    if one.state == "diverged":
        outcome = outcome_of(root, one.run.path)
        return [f"in epoch {outcome['epoch']}, step {outcome['step']}: {outcome['hint']}"]
    if one.state != "running":
        return [*logs.last_words(root / log, label(one.run.path))[-LINES:], f"{log}"]
    if not (learned := logs.epochs(root / log)):
        return [f"on {one.where}, no epoch yet"]
    last = learned[-1]
    ends = datetime.fromtimestamp((root / log).stat().st_mtime + last.left)
    at = f"{ends:%H:%M}" if ends.date() == datetime.now().date() else f"{ends:%Y-%m-%d %H:%M}"
    reached = f"test loss {last.test_loss:.4g}"
    curve = [epoch.test_loss for epoch in learned]
    if last.accuracy is not None:
        reached, curve = (
            f"test accuracy {100 * last.accuracy:.1f} %",
            [e.accuracy or 0 for e in learned],
        )
    return [
        f"on {one.where}, epoch {last.epoch} of {last.last}, {last.rate:,.0f} items/s, ends {at}",
        f"{_drawn(curve)} {reached}",
    ]


def _drawn(values: list[float]) -> str:
    """A curve of one line, from the least of the values to the greatest."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return ""
    step = max(1, math.ceil(len(finite) / WIDTH))
    low, high = min(finite), max(finite)
    scale = (len(BARS) - 1) / (high - low or 1)
    return "".join(BARS[round((value - low) * scale)] for value in finite[step - 1 :: step])
