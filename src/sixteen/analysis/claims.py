"""What a study says about a paper's claims: supported, refuted or inconclusive, and why.

Most claims compare two arms over paired seeds of runs that finished, or over turns of a timing; some look at several
arms together, see `several` and `contrast`. The test and its numbers come from the claim. Where one arm diverged in more seeds than the other, a sign test over seeds may decide
which is less accurate; otherwise a run that had to be left out caps the verdict at inconclusive, since the runs that
are left are a selection. A claim about several networks is supported if it is at each of them. It is refuted if it
is at any, tested at the level divided by the number of tests (Bonferroni), or at all of them at the level of
one (Simes 1986, Biometrika 73:751, takes both together). Too few seeds are inconclusive, and so is what a claim
about GPUs finds on other hardware.
"""

from collections.abc import Sequence
from typing import Any

from sixteen.analysis import wording
from sixteen.analysis.at_network import conclude, judge_network, needed
from sixteen.analysis.evidence import Evidence
from sixteen.study.claim import Claim


def judge_all(claims: Sequence[Claim], evidence: Evidence) -> list[dict[str, Any]]:
    """The verdicts on claims as `judge` gives them, capped where a claim that another needs isn't supported."""
    judged = {claim.id: judge(claim, evidence) for claim in claims}
    return [
        judged[claim.id] if claim.needs is None else _checked(judged[claim.id], judged[claim.needs])
        for claim in claims
    ]


def _checked(record: dict[str, Any], check: dict[str, Any]) -> dict[str, Any]:
    """A verdict, inconclusive where it would be support that its check doesn't bear, in all and at each network."""
    at = {part["network"]: part for part in check["per_network"]}
    parts = [
        _unless(part, at.get(part["network"], check), check["id"]) for part in record["per_network"]
    ]
    return {**_unless(record, check, check["id"]), "per_network": parts}


def _unless(record: dict[str, Any], check: dict[str, Any], name: str) -> dict[str, Any]:
    """The record as it is, or what is left of it where what it needs isn't supported."""
    if record["verdict"] == "refuted" or check["verdict"] == "supported":
        return record
    told = f"{name} {check['verdict']}"
    if record["verdict"] == "supported":
        why = f"{record['why']} That would support it, but {told}: where that isn't seen, this says nothing."
        capped = {"verdict": "inconclusive", "why": why, "brief": f"{record['brief']}, but {told}"}
        return {**record, **capped, "needed_n": check["needed_n"]}
    counts = [part["needed_n"] for part in (record, check)]
    why = f"{record['why']} Nor could it be supported here: {told}."
    return {**record, "why": why, "needed_n": None if None in counts else max(counts)}


def judge(claim: Claim, evidence: Evidence) -> dict[str, Any]:
    """The verdict on one claim, with one on each network under `per_network`.

    `estimate`, `low`, `high` and `margin` are in `unit`; `confidence` is that of the interval;
    `arms` are those of the study that the claim compares; `brief` is a short form of `why`; `basis` says whether it was `tested` over seeds or turns, `counted` or
    `checked` one by one; `detectable` is the least true effect that would be told with the power of
    the study, see `comparison.compare`; `needed_n` counts the seeds (turns) that would decide what is
    inconclusive; `left_out` names the runs that couldn't be compared. An absent value is None.

    Raises UserError if the claim names an arm or a metric that doesn't exist, or a clock that isn't measured alone.
    """
    networks = list(dict.fromkeys(run["network"] for run in evidence.runs))
    compared = claim.among(evidence.arms)
    head = {"id": claim.id, "says": claim.says, "source": claim.source}
    head |= {"arms": list(compared)}
    if claim.only is not None and claim.only not in networks:
        return head | _judge_absent(claim, networks, evidence)
    considered = networks if claim.only is None else [claim.only]
    per_network = [judge_network(claim, network, evidence, networks=1) for network in considered]
    if len(considered) == 1:
        overall = {**per_network[0], "network": claim.only or "all"}
    else:
        family = [judge_network(claim, name, evidence, len(considered)) for name in considered]
        everywhere = all(record["verdict"] == "refuted" for record in per_network)
        overall = _unite(per_network if everywhere else family)
    return {**head, **overall, "per_network": per_network}


def _judge_absent(claim: Claim, networks: list[str], evidence: Evidence) -> dict[str, Any]:
    """The verdict on a claim about a network that the study doesn't hold."""
    deepest = max(networks, key=lambda network: evidence.layers[network])
    shown = judge_network(claim, deepest, evidence, networks=1)
    why = (
        f"This study holds no {claim.only} (it holds {', '.join(networks)}), so it can't decide; the same "
        f"comparison at its deepest network, {deepest}, is given for information."
    )
    nothing = {"n": 0, "estimate": None, "low": None, "high": None, "needed_n": None}
    nothing |= {"detectable": None}
    nothing |= {"brief": f"no {claim.only} in this study", "left_out": []}
    verdict = {**shown, **nothing, "network": claim.only, "verdict": "inconclusive", "why": why}
    return {**verdict, "per_network": [shown]}


def _unite(family: list[dict[str, Any]]) -> dict[str, Any]:
    """The verdict over several networks, from verdicts at the level that several tests ask for.

    What is checked one by one is checked for all networks together; tests have as many seeds as the poorest.
    """
    verdict = conclude([record["verdict"] for record in family])
    same = [record for record in family if record["verdict"] == verdict]
    parts = [f"{record['network']} {record['verdict']} ({record['brief']})" for record in family]
    why = f"{verdict.capitalize()} at {len(same)} of {len(family)} networks: {', '.join(parts)}"
    left_out = [f"{r['network']} {name}" for r in family for name in r["left_out"]]
    notes = list(dict.fromkeys(r["hardware_note"] for r in family if r["hardware_note"]))
    counts = [record["n"] for record in family]
    tested = any(r["basis"] == "tested" and r["low"] is not None for r in family)
    level = (
        f" One alone refutes at the level of {len(family)} tests at once, all together do at that of one."
        if tested
        else ""
    )
    return {
        **family[0],
        "network": "all",
        "verdict": verdict,
        "why": f"{why}{wording.left_out(left_out)}.{level}",
        "brief": f"{len(same)} of {len(family)} networks",
        "n": sum(counts) if family[0]["basis"] == "checked" else min(counts),
        "estimate": None,
        "low": None,
        "high": None,
        "needed_n": needed(verdict, family),
        "detectable": None,
        "left_out": left_out,
        "hardware_note": "; ".join(notes) or None,
    }
