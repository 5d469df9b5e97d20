"""How fast the arms trained, and on which machine: by the clocks of the runs, with what shared the machine meanwhile."""

from datetime import datetime
from html import escape
from typing import Any

import pandas as pd

from sixteen.reporting.glance import TRAINED
from sixteen.reporting.numbers import estimates, number
from sixteen.reporting.page import Html, table
from sixteen.reporting.study import Study, interval

TITLE = "Time of training, by machine"
NOTE = (
    "Of the last phase: mean over seeds [{confidence:.0%} t interval] of each run's median epoch, by its own clock, without "
    "compilation and tests. <i>At once</i> is how many trainings of this study were at work on the same host meanwhile, itself "
    "included, on average; what else the machine did isn't known. Runs that share cores slow each other down, so that these "
    "times decide nothing."
)


def times(study: Study) -> Html:
    """Seconds an epoch and items a second of each arm, beside its backend, threads and device, a row an arm."""
    records = study.provenance["records"].values()
    works = [record for record in records if record["step"] in TRAINED]
    by_key = {record["fingerprint"]: record for record in works}
    runs = study.runs[study.runs["seconds_per_epoch"].notna()]
    rows = []
    for (network, arm), of in runs.groupby(["network", "arm"], sort=False):
        read = study.trained(network, arm)["parameters"]
        shared = [_at_once(by_key[key], works) for key in of["fingerprint"]]
        devices = ", ".join(sorted(set(of["device"].dropna().astype(str))))
        head = (network, arm, f"{read['backend']}, {read['threads']}", devices)
        rows.append((*head, number(sum(shared) / len(shared)), *_clocks(study, of)))
    head = ("Network", "Arm", "Backend, threads", "Device", "At once", "Epoch (s)")
    head = (*head, f"{study.item.capitalize()}s/s")
    told = [tuple(escape(cell) for cell in row) for row in rows]
    note = f"<p class='quiet'>{NOTE.format(confidence=study.confidence)}</p>"
    return Html(note + table(TITLE, head, told, range(4, 7)), f"{TITLE}: {len(rows)} rows")


def _clocks(study: Study, of: pd.DataFrame) -> list[str]:
    return [
        *estimates([interval(of["seconds_per_epoch"], study.confidence)], counted=False),
        *estimates([interval(of["items_per_second"], study.confidence)]),
    ]


def _at_once(one: dict[str, Any], works: list[dict[str, Any]]) -> float:
    """How many of the trainings were at work while one was, on average, on its host."""
    begun, ended = _when(one)
    beside = 0.0
    for other in works:
        if other is not one and other["execution"]["host"] == one["execution"]["host"]:
            first, last = _when(other)
            beside += max(0.0, min(ended, last) - max(begun, first))
    return 1 + beside / max(1.0, ended - begun)


def _when(record: dict[str, Any]) -> tuple[float, float]:
    """Seconds at which a run began and ended."""
    told = record["execution"]
    begun, ended = (datetime.fromisoformat(told[end]).timestamp() for end in ("started", "ended"))
    return begun, ended
