"""The verdict on a claim at one network."""

from typing import Any

from sixteen.analysis import exact, statistics, wording
from sixteen.analysis.comparison import Measured, compare
from sixteen.analysis.contrast import equal_effects, rank_correlation, trend
from sixteen.analysis.criterion import Criterion, Statistical, criteria_of
from sixteen.analysis.evidence import Evidence
from sixteen.analysis.pairs import Sample, pair
from sixteen.analysis.several import several
from sixteen.study.claim import (
    Claim,
    EqualEffects,
    Exact,
    RankCorrelation,
    SeveralNonInferior,
    Trend,
)

# What a test says where the first arm has less of a metric, and where the second one has.
HAS_LESS = {
    "less": ("supported", "refuted"),
    "greater": ("refuted", "supported"),
    "not_less": ("refuted", "supported"),
    "not_more": ("supported", "refuted"),
    "equivalence": ("refuted", "refuted"),
    "starts_lower_ends_equal": ("refuted", "refuted"),
}
NO_NUMBERS = {"estimate": None, "low": None, "high": None, "needed_n": None, "detectable": None}


def judge_network(claim: Claim, network: str, evidence: Evidence, networks: int) -> dict[str, Any]:
    """The verdict at one network, of `networks` that could each refute the claim; see `claims.judge`."""
    if isinstance(claim, Exact):
        if claim.test == "bounded":
            return exact.bounded(claim, network, evidence.quantization)
        return exact.lemma(claim, network, evidence.tolerance, evidence.item)
    criteria = criteria_of(claim, evidence.metrics, evidence.levels)
    arms = claim.among(evidence.arms)
    samples = [evidence.sample(network, arms, criterion.metric) for criterion in criteria]
    note = _hardware_note(claim, arms, samples)
    power, family = None if note else evidence.levels.power, networks * len(criteria)
    if isinstance(claim, SeveralNonInferior):
        part = several(claim, criteria[0], network, evidence, networks, power)
        verdict, why = _cap([part], [], None, note)  # it has judged each arm by its own runs
        return {**part, "verdict": verdict, "why": _sentence(why), "hardware_note": note}
    parts = []
    for criterion, sample in zip(criteria, samples, strict=True):
        measured = _measured(claim, arms, criterion, sample, evidence)
        parts.append(compare(criterion, measured, sample.by, arms, family, power))
    if untimed := _untimed(arms, network, evidence, criteria, samples):
        return {**parts[-1], "network": network, **untimed}
    diverged = None if note else _divergence(claim, arms, network, evidence, networks)
    return {"network": network, **_decided(parts, diverged, note)}


def _decided(
    parts: list[dict[str, Any]], diverged: dict[str, Any] | None, note: str | None
) -> dict[str, Any]:
    """The record of the tests that all have to hold, with what divergence and hardware say of them."""
    left_out = list(dict.fromkeys(name for part in parts for name in part["left_out"]))
    if diverged and diverged["verdict"] != "inconclusive":
        found = {"left_out": left_out, "hardware_note": None, "basis": "tested"}
        return {**parts[-1], **NO_NUMBERS, **found, **diverged}
    verdict, why = _cap(parts, left_out, diverged, note)
    found = conclude([part["verdict"] for part in parts])
    return {
        **next(part for part in reversed(parts) if part["verdict"] == found),  # what decides
        "verdict": verdict,
        "why": _sentence(why),
        "brief": "; ".join(part["brief"] for part in parts),
        "needed_n": None if left_out or note else needed(verdict, parts),
        "left_out": left_out,
        "hardware_note": note,
    }


def _measured(
    claim: Statistical,
    arms: tuple[str, ...],
    criterion: Criterion,
    sample: Sample,
    evidence: Evidence,
) -> Measured:
    """What a test is made on: pairs of two arms, or what several say together in each seed."""
    if isinstance(claim, RankCorrelation):
        return rank_correlation(claim, sample, arms, evidence.metrics[claim.metric])
    if isinstance(claim, Trend):
        return trend(claim, sample, arms, evidence.metrics[claim.metric])
    if isinstance(claim, EqualEffects):
        return equal_effects(claim, sample, arms, evidence.metrics[claim.metric])
    return pair(sample, arms, criterion.name, criterion.metric, criterion.kind)


def _sentence(why: str) -> str:
    return f"{why[0].upper()}{why[1:]}."


def conclude(verdicts: list[str]) -> str:
    """The verdict on what has to hold in all parts."""
    if "refuted" in verdicts:
        return "refuted"
    return "supported" if set(verdicts) == {"supported"} else "inconclusive"


def needed(verdict: str, parts: list[dict[str, Any]]) -> int | None:
    """Seeds that would decide the undecided parts, each by itself; None if none or no number would."""
    counts = [part["needed_n"] for part in parts if part["verdict"] == "inconclusive"]
    return None if verdict != "inconclusive" or None in counts else max(counts)


def _cap(
    parts: list[dict[str, Any]],
    left_out: list[str],
    diverged: dict[str, Any] | None,
    note: str | None,
) -> tuple[str, str]:
    """The verdict of the parts and why, inconclusive where runs are missing or the hardware is another."""
    verdict = conclude([part["verdict"] for part in parts])
    why = "; ".join(part["why"] for part in parts) + wording.left_out(left_out)
    if verdict != "inconclusive" and left_out:
        verdict = "inconclusive"
        why += ", and the runs that are left can't decide a claim alone"
    if diverged:
        why += f". {diverged['why'].removesuffix('.')}"
    if note and verdict != "inconclusive":
        verdict = "inconclusive"
        why += ", but that isn't what the claim is about"
    return verdict, why


def _untimed(
    arms: tuple[str, ...],
    network: str,
    evidence: Evidence,
    criteria: list[Criterion],
    samples: list[Sample],
) -> dict[str, Any] | None:
    """What is to be said of a clock where the arms weren't timed; None if they were."""
    clocks = [
        criterion.metric.words
        for criterion, sample in zip(criteria, samples, strict=True)
        if criterion.metric.clock and not sample.rows
    ]
    if not clocks:
        return None
    first, second = arms
    what = f"doesn't time {first} and {second} in turns at {network}"
    return {
        **NO_NUMBERS,
        "verdict": "inconclusive",
        "why": f"This study {what if evidence.times else 'times nothing'}, and the clocks of training runs, which "
        f"share the machine, decide no claim on the {' and the '.join(clocks)}.",
        "brief": f"{' and '.join(clocks)} not timed",
        "hardware_note": None,
    }


def _divergence(
    claim: Statistical, arms: tuple[str, ...], network: str, evidence: Evidence, networks: int
) -> dict[str, Any] | None:
    """What the seeds say in which one arm diverged and the other didn't; None if there are none.

    An accuracy that was never reached is less than one that was: the sign test over these seeds, one-sided,
    says in which arm. Only claims about what is reached, by the main metric of the task, are judged so.
    """
    if claim.metric != evidence.main or claim.test not in HAS_LESS:
        return None
    lost = [evidence.diverged(network, arm) for arm in arms]
    alone = [len(lost[0] - lost[1]), len(lost[1] - lost[0])]
    if alone[0] == alone[1]:
        return None
    worse = alone.index(max(alone))
    p = statistics.sign_test(max(alone), sum(alone))
    less = worse if evidence.metrics[claim.metric].better == "more" else 1 - worse
    verdict = HAS_LESS[claim.test][less]
    alpha = evidence.levels.alpha
    level = alpha / networks if verdict == "refuted" else alpha
    seeds = len({run["seed"] for run in evidence.runs if run["network"] == network})
    first, second = arms
    told = f"in {alone[0]} of {seeds} seeds {first} diverged alone, in {alone[1]} {second}"
    return {
        "verdict": verdict if p <= level else "inconclusive",
        "why": f"{told[0].upper()}{told[1:]} (sign test, p = {p:.2g}).",
        "brief": told,
        "n": seeds,
    }


def _hardware_note(claim: Statistical, arms: tuple[str, ...], samples: list[Sample]) -> str | None:
    """Where the devices aren't those that the claim is about, or differ between the runs."""
    if claim.hardware != "gpu":
        return None
    rows = [row for sample in samples for row in sample.rows if row["arm"] in arms]
    devices = sorted({row["device"] for row in rows})
    if any(device.startswith("cpu") for device in devices):
        return f"the claim is about GPUs, this study measured on {' and '.join(devices)}"
    if len(devices) > 1:
        return f"the runs that are compared were on different devices: {' and '.join(devices)}"
    return None
