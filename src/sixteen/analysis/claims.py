"""What a study says about a paper's claims: supported, refuted or inconclusive, and why.

Each claim compares two arms over paired seeds of runs that finished; the test and its numbers come from
params.yaml. Where one arm diverged in more seeds than the other, a sign test over seeds may decide which is
less accurate; otherwise a run that had to be left out caps the verdict at inconclusive, since the runs that are
left are a selection. A claim about several networks is supported if it is at each of them. It is refuted if it
is at any, tested at the level divided by the number of tests (Bonferroni), or at all of them at the level of
one (Simes 1986, Biometrika 73:751, takes both together). Too few seeds are inconclusive, and so is what a claim
about GPUs finds on other hardware.
"""

from dataclasses import dataclass
from typing import Any

from scipy import stats

from sixteen.analysis import exact
from sixteen.analysis.comparison import compare, criteria_of
from sixteen.analysis.metrics import Run
from sixteen.errors import UserError

# What a test says of accuracies where the first arm is the less accurate one, and where the second is.
LESS_ACCURATE = {
    "less": ("supported", "refuted"),
    "greater": ("refuted", "supported"),
    "equivalence": ("refuted", "refuted"),
    "starts_lower_ends_equal": ("refuted", "refuted"),
}


@dataclass(frozen=True)
class Evidence:
    """What a study measured: the rows of runs.csv, quantization.csv (as text) and tolerance.csv.

    ``layers`` counts those of each network, ``levels`` holds the ``alpha`` of tests and the ``power`` wanted.
    """

    runs: list[Run]
    quantization: list[dict[str, str]]
    tolerance: list[dict[str, Any]]
    layers: dict[str, int]
    levels: dict[str, float]


def judge(claim: dict[str, Any], evidence: Evidence) -> dict[str, Any]:
    """The verdict on one claim, with one on each network under ``per_network``.

    ``estimate``, ``low``, ``high`` and ``margin`` are in ``unit``; ``confidence`` is that of the interval;
    ``brief`` is a short form of ``why``; ``basis`` says whether it was ``tested`` over seeds, ``counted`` or
    ``checked`` one by one; ``needed_n`` counts the seeds that would decide what is
    inconclusive; ``left_out`` names the runs that couldn't be compared. An absent value is None.

    Raises UserError if the claim names an arm, a metric or a test that doesn't exist.
    """
    networks = list(dict.fromkeys(run["network"] for run in evidence.runs))
    arms = list(dict.fromkeys(run["arm"] for run in evidence.runs))
    absent = [arm for arm in claim["arms"] if arm not in arms]
    if absent:
        raise UserError(
            f"expected arms of the study in claim {claim['id']!r}, came {absent[0]!r}; choose from "
            f"{', '.join(arms)}"
        )
    head = {name: claim[name] for name in ("id", "says", "source")}
    only = claim.get("only")
    if only is not None and only not in networks:
        deepest = max(networks, key=lambda network: evidence.layers[network])
        shown = _judge_network(claim, deepest, evidence, networks=1)
        why = (
            f"This study holds no {only} (it holds {', '.join(networks)}), so it can't decide; the same "
            f"comparison at its deepest network, {deepest}, is given for information."
        )
        nothing = {"n": 0, "estimate": None, "low": None, "high": None, "needed_n": None}
        nothing |= {"brief": f"no {only} in this study", "left_out": []}
        verdict = {**shown, **nothing, "network": only, "verdict": "inconclusive", "why": why}
        return {**head, **verdict, "per_network": [shown]}
    considered = networks if only is None else [only]
    per_network = [_judge_network(claim, network, evidence, networks=1) for network in considered]
    if len(considered) == 1:
        overall = {**per_network[0], "network": only or "all"}
    else:
        family = [_judge_network(claim, name, evidence, len(considered)) for name in considered]
        everywhere = all(record["verdict"] == "refuted" for record in per_network)
        overall = _unite(per_network if everywhere else family)
    return {**head, **overall, "per_network": per_network}


def _judge_network(
    claim: dict[str, Any], network: str, evidence: Evidence, networks: int
) -> dict[str, Any]:
    """The verdict at one network, of ``networks`` that could each refute the claim."""
    if claim["test"] == "bounded":
        return exact.bounded(claim, network, evidence.quantization)
    if claim["test"] == "lemma":
        return exact.lemma(claim, network, evidence.tolerance)
    criteria = criteria_of(claim, evidence.levels)
    note = _hardware_note(claim, network, evidence)
    power, family = None if note else evidence.levels["power"], networks * len(criteria)
    parts = [
        compare(criterion, evidence.runs, network, claim["arms"], family, power)
        for criterion in criteria
    ]
    left_out = list(dict.fromkeys(name for part in parts for name in part["left_out"]))
    diverged = None if note else _divergence(claim, network, evidence, networks)
    if diverged and diverged["verdict"] != "inconclusive":
        nothing = {"estimate": None, "low": None, "high": None, "needed_n": None}
        found = {"left_out": left_out, "hardware_note": None, "basis": "tested"}
        return {**parts[-1], **nothing, **found, "network": network, **diverged}
    verdict = _conclude([part["verdict"] for part in parts])
    why = "; ".join(part["why"] for part in parts) + _say_left_out(left_out)
    if verdict != "inconclusive" and left_out:
        verdict = "inconclusive"
        why += ", and the runs that are left can't decide a claim alone"
    if diverged:
        why += f". {diverged['why'].removesuffix('.')}"
    if note and verdict != "inconclusive":
        verdict = "inconclusive"
        why += ", but that isn't what the claim is about"
    return {
        **parts[-1],
        "network": network,
        "verdict": verdict,
        "why": f"{why[0].upper()}{why[1:]}.",
        "brief": "; ".join(part["brief"] for part in parts),
        "needed_n": None if left_out or note else _needed(verdict, parts),
        "left_out": left_out,
        "hardware_note": note,
    }


def _divergence(
    claim: dict[str, Any], network: str, evidence: Evidence, networks: int
) -> dict[str, Any] | None:
    """What the seeds say in which one arm diverged and the other didn't; None if there are none.

    An accuracy that was never reached is less than one that was: the sign test over these seeds, one-sided,
    says in which arm. Only claims about the accuracy that is reached are judged so.
    """
    if claim["metric"] != "accuracy" or claim["test"] not in LESS_ACCURATE:
        return None
    lost = [
        {run["seed"] for run in evidence.runs
         if (run["network"], run["arm"], run["outcome"]) == (network, arm, "diverged")}
        for arm in claim["arms"]
    ]  # fmt: skip
    alone = [len(lost[0] - lost[1]), len(lost[1] - lost[0])]
    if alone[0] == alone[1]:
        return None
    worse = alone.index(max(alone))
    p = float(stats.binom.sf(max(alone) - 1, sum(alone), 0.5))
    verdict = LESS_ACCURATE[claim["test"]][worse]
    alpha = evidence.levels["alpha"]
    level = alpha / networks if verdict == "refuted" else alpha
    seeds = len({run["seed"] for run in evidence.runs if run["network"] == network})
    first, second = claim["arms"]
    told = f"in {alone[0]} of {seeds} seeds {first} diverged alone, in {alone[1]} {second}"
    return {
        "verdict": verdict if p <= level else "inconclusive",
        "why": f"{told[0].upper()}{told[1:]} (sign test, p = {p:.2g}).",
        "brief": told,
        "n": seeds,
    }


def _unite(family: list[dict[str, Any]]) -> dict[str, Any]:
    """The verdict over several networks, from verdicts at the level that several tests ask for."""
    verdict = _conclude([record["verdict"] for record in family])
    same = [record for record in family if record["verdict"] == verdict]
    parts = [f"{record['network']} {record['verdict']} ({record['brief']})" for record in family]
    why = f"{verdict.capitalize()} at {len(same)} of {len(family)} networks: {', '.join(parts)}"
    left_out = [f"{r['network']} {name}" for r in family for name in r["left_out"]]
    notes = list(dict.fromkeys(r["hardware_note"] for r in family if r["hardware_note"]))
    return {
        **family[0],
        "network": "all",
        "verdict": verdict,
        "why": f"{why}{_say_left_out(left_out)}.",
        "brief": f"{len(same)} of {len(family)} networks",
        "n": min(record["n"] for record in family),
        "estimate": None,
        "low": None,
        "high": None,
        "needed_n": _needed(verdict, family),
        "left_out": left_out,
        "hardware_note": "; ".join(notes) or None,
    }


def _conclude(verdicts: list[str]) -> str:
    if "refuted" in verdicts:
        return "refuted"
    return "supported" if set(verdicts) == {"supported"} else "inconclusive"


def _needed(verdict: str, parts: list[dict[str, Any]]) -> int | None:
    """Seeds that would decide the undecided parts, each by itself; None if none or no number would."""
    needed = [part["needed_n"] for part in parts if part["verdict"] == "inconclusive"]
    return None if verdict != "inconclusive" or None in needed else max(needed)


def _hardware_note(claim: dict[str, Any], network: str, evidence: Evidence) -> str | None:
    """Where the devices aren't those that the claim is about, or differ between the runs."""
    if claim.get("hardware") != "gpu":
        return None
    devices = sorted(
        {
            run["device"]
            for run in evidence.runs
            if run["network"] == network and run["arm"] in claim["arms"]
        }
    )
    if any(device.startswith("cpu") for device in devices):
        return f"the paper measured on a GPU, this study on {' and '.join(devices)}"
    if len(devices) > 1:
        return f"the runs that are compared were on different devices: {' and '.join(devices)}"
    return None


def _say_left_out(left_out: list[str]) -> str:
    return f"; not counted: {', '.join(left_out)}" if left_out else ""
