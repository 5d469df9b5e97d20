"""What deciding the rest would cost: trainings, items, multiply-adds, and hours where finished trainings tell them.

Hours are told for each device that trainings behind published reports ran on. They are those of the same kind of training,
see `sixteen.lineage.speeds.kind_of_training`; else those of the same family of networks and format, scaled by multiply-adds
as the probes of `sixteen plan` are.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Any

from sixteen.lineage.layout import span
from sixteen.lineage.speeds import Speed, format_of, of_finished
from sixteen.lineage.steps import TRAINING
from sixteen.reporting.listed import Report
from sixteen.reporting.numbers import DASH
from sixteen.reporting.page import table

CAPTION = "What deciding the rest would take"
HEAD = ("Study", "Trainings", "Items", "Multiply-adds", "Time, one after the other")
NOTE = """<h2>What deciding the rest would cost</h2>
<p>Of a study that hasn't run, all trainings that no published report stands on; of one with inconclusive claims, those of the
seeds that would decide them, were its effects and spreads the true ones. Items are those of all epochs, with those of a last
batch that isn't full, which training drops; multiply-adds those of their forward passes, of which a step of training takes
about three.</p>
<p>Time is that of finished trainings behind the reports published here, on the device that they ran on: of the same kind
where there are any, else of the same family of networks in the same format, with the same backend, threads and devices, scaled by multiply-adds. {gpu}What is finished
already and what is left on a machine, <code>sixteen plan STUDY</code> says there.</p>
"""
NO_GPU = """None of them ran on a GPU, so no hours on one are told: <code>sixteen plan STUDY</code>, called where there is
one, measures them. """
ABSENT = "not run yet"
# Its state, trainings by fingerprint, and how many times these.
Left = tuple[str, list[str], float]


@dataclass(frozen=True)
class Clocks:
    """Finished trainings on a device, by which the time of others is told; `datasets` are the facts of prepared ones."""

    device: str
    records: list[dict[str, Any]]
    datasets: dict[str, dict[str, Any]]

    def speed(self, name: str, kind: dict[str, Any]) -> Speed | None:
        """The speed of a kind of training on the device; None if nothing tells it."""
        return of_finished(name, self.records) or self._scaled(kind)

    def _scaled(self, kind: dict[str, Any]) -> Speed | None:
        rows = []
        for r in self.records:
            read, facts = r["parameters"], r["facts"]
            told = {"family": read["network"]["family"], "format": format_of(read["precision"])}
            # What a record of an earlier version doesn't tell is none of today's.
            told |= {key: read.get(key) for key in ("backend", "threads", "devices")}
            if any(kind.get(key) != value for key, value in told.items()):
                continue
            data = self.datasets[r["parents"]["dataset"]]
            tests = kind["tests"] * data["train_items"] / data["test_items"]
            busy = facts["train_seconds"] + tests * facts["test_seconds"]
            scale = kind["multiply_adds"] / facts["multiply_adds"]
            spent = facts["train_seconds"] + facts["test_seconds"]
            fixed = max(0.0, r["execution"]["seconds"] - spent)
            rows.append((fixed, scale * busy / facts["items"]))
        if not rows:
            return None
        fixed, item = zip(*rows, strict=True)
        return Speed((min(fixed), max(fixed)), (min(item), max(item)), "scaled")


def studies_of(asked: dict[str, Any]) -> list[str]:
    """The studies of all questions, in the order of these."""
    named = (study for question in asked["questions"] for study in question["studies"])
    return list(dict.fromkeys(named))


def section(asked: dict[str, Any], reports: dict[str, Report]) -> str:
    """The heading, what the numbers are, and the table: a row a study that leaves something open, and their sums by scale."""
    clocks = clocks_of(reports)
    rows, whole = [], dict[str, dict[str, None]]()  # trainings that studies share are made once
    for study in studies_of(asked):
        found = left(asked, study, reports)
        if found is None:
            continue
        rows.append(_row(escape(study), asked, found, clocks))
        if found[0] == ABSENT:
            scale = asked["studies"][study]["scale"]
            whole.setdefault(scale, {}).update(dict.fromkeys(found[1]))
    for scale, trainings in whole.items():
        sums = (f"{ABSENT}, each training once", list(trainings), 1.0)
        rows.append(_row(f"All at {scale} scale", asked, sums, clocks))
    gpu = any(not clock.device.startswith("cpu") for clock in clocks)
    note = NOTE.format(gpu="" if gpu else NO_GPU)
    return note + (table(CAPTION, HEAD, rows, (1, 2, 3)) if rows else "<p>All is decided.</p>")


def left(asked: dict[str, Any], study: str, reports: dict[str, Report]) -> Left | None:
    """What a study leaves to do; None if all its claims are decided."""
    told = asked["studies"][study]
    judged = reports[study].judged(told["claims"]) if study in reports else [None]
    if None in judged:
        done = {r["fingerprint"] for report in reports.values() for r in report.records.values()}
        return ABSENT, [name for name in told["trainings"] if name not in done], 1.0
    needed = [claim["needed_n"] for claim in judged if claim and claim["verdict"] == "inconclusive"]
    if not needed:
        return None
    if None in needed:
        return "inconclusive; no number of seeds is known to decide all", [], 0.0
    most, seeds = max(needed), told["seeds"]
    more = max(0, most - seeds) / seeds
    return f"inconclusive; {most:,} seeds in place of {seeds}", told["trainings"], more


def clocks_of(reports: dict[str, Report]) -> list[Clocks]:
    """The finished trainings behind all reports, by device."""
    records = {path: r for report in reports.values() for path, r in report.records.items()}
    datasets = {path: r["facts"] for path, r in records.items() if r["step"] == "prepare"}
    by_device: dict[str, list[dict[str, Any]]] = {}
    for _, r in sorted(records.items()):
        if r["step"] in TRAINING and r["facts"]["items"]:
            by_device.setdefault(r["facts"]["device"], []).append(r)
    return [Clocks(device, by_device[device], datasets) for device in sorted(by_device)]


def _row(
    name: str, asked: dict[str, Any], found: Left, clocks: Iterable[Clocks]
) -> tuple[str, ...]:
    state, trainings, times = found
    head = f'{name}<br><span class="quiet">{escape(state)}</span>'
    if not trainings or not times:
        return (head, *[DASH] * 4)
    each = [asked["trainings"][name] for name in trainings]
    items = sum(one["items"] for one in each)
    adds = sum(one["items"] * asked["kinds"][one["kind"]]["multiply_adds"] for one in each)
    hours = [line for clock in clocks if (line := _time(asked, each, times, clock))]
    return (
        head,
        f"{times * len(each):,.0f}",
        f"{times * items:,.0f}",
        _power(times * adds),
        f'<span class="time">{"<br>".join(hours) or "no finished training tells"}</span>',
    )


def _time(
    asked: dict[str, Any], each: list[dict[str, Any]], times: float, clock: Clocks
) -> str | None:
    """Low and high on a device, and what is missing in it; None if nothing of it is known there."""
    names = dict.fromkeys(one["kind"] for one in each)
    known = {name: clock.speed(name, asked["kinds"][name]) for name in names}
    ends = [speed.seconds(one["items"]) for one in each if (speed := known[one["kind"]])]
    if not ends:
        return None
    low, high = (times * sum(side) for side in zip(*ends, strict=True))
    missing: dict[str, list[str]] = {}
    for kind in (asked["kinds"][name] for name, speed in known.items() if speed is None):
        missing.setdefault(kind["network"], []).append(kind["format"])
    named = (f"{network} ({', '.join(dict.fromkeys(of))})" for network, of in missing.items())
    without = f"without {times * (len(each) - len(ends)):,.0f} trainings: {', '.join(named)}"
    scaled = any(speed and speed.source == "scaled" for speed in known.values())
    notes = ["scaled"] * scaled + [without] * bool(missing)
    told = f'<br><span class="quiet">{escape("; ".join(notes))}</span>' if notes else ""
    return f"{span(low, high)} on {escape(clock.device)}{told}"


def _power(value: float) -> str:
    """Two digits and a power of ten, as HTML."""
    digits, _, power = f"{value:.1e}".partition("e")
    return f"{digits}\N{NO-BREAK SPACE}\N{MULTIPLICATION SIGN}\N{NO-BREAK SPACE}10<sup>{int(power)}</sup>"
