"""What the summary of a study is told: its arms and claims, and which runs tell of which arm.

A summary names runs by their roles, which are their paths without the fingerprint, so that what it is told stays the
same whatever the values of the runs. A row says what the runs tell of (network, arm, seed; or the two arms of a
timing) and names them.
"""

from typing import Any

from sixteen.study.parameters import Parameters

# The cells of a row that name runs.
ROLES = ("evaluated", "training", "quantized", "observed", "timed")


def told(
    study: str,
    task: str,
    every: Parameters,
    rows: list[dict[str, Any]],
    timed: list[dict[str, Any]],
) -> dict[str, Any]:
    """What the step ``summarize`` of a study reads, from rows that name runs by their paths."""
    entry = every.studies[study]
    phrases = [
        phrase
        for network in entry.every_network
        for arm in entry.sentences
        for phrase in every.phrases(entry, network, arm)
    ]
    table = every.table(entry)
    return {
        "study": study,
        "title": entry.title,
        "papers": [every.papers[paper].cited for paper in entry.papers],
        "scale": entry.scale,
        "task": task,
        "dataset": entry.dataset,
        **every.usual.plain(),
        "arms": {
            arm: "/".join(phrase.text for phrase in every.phrases(entry, None, arm))
            for arm in entry.sentences
        },
        "claims": [claim.plain() for claim in every.claims(entry)],
        "published": table and table.plain(),
        "along": entry.places and {"axis": entry.along, "arms": entry.places},
        "factorial": entry.designed,
        "reach": entry.reach,
        "statistics": every.statistics.plain(),
        "networks": {name: every.network(name).plain() for name in entry.every_network},
        "precisions": {p.precision: every.precision(p.precision).plain() for p in phrases},
        "recipes": {p.recipe: every.recipe(p.recipe).plain() for p in phrases if p.recipe},
        "machines": {p.machine: every.machine(p).plain() for p in phrases if p.machine},
        "runs": [_with_roles(row) for row in rows],
        "timed": [_with_roles(row) for row in timed],
    }


def parents(rows: list[dict[str, Any]]) -> dict[str, str]:
    """The paths of all runs that the rows name, by role."""
    return {_role(path): path for row in rows for path in _paths(row)}


def _role(path: str) -> str:
    return path.rpartition("/")[0]


def _paths(row: dict[str, Any]) -> list[str]:
    named = [row[key] for key in ROLES if row.get(key)]
    return [path for part in named for path in ([part] if isinstance(part, str) else part) if path]


def _with_roles(row: dict[str, Any]) -> dict[str, Any]:
    """The row with roles in place of paths."""

    def role(value: Any) -> Any:
        if isinstance(value, list):
            return [role(part) for part in value]
        return value and _role(value)

    return {key: role(value) if key in ROLES else value for key, value in row.items()}
