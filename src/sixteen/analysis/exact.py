"""Claims that a study decides without statistics: a bound that every tensor keeps, a lemma."""

from typing import Any

from sixteen.analysis.criterion import number
from sixteen.study.claim import Exact

NAMED = 5  # so many tensors are named, the others counted
KINDS = {"cast": "after the cast", "trained": "at the end of training"}
NO_STATISTICS = {
    "basis": "checked",
    "low": None,
    "high": None,
    "confidence": None,
    "needed_n": None,
    "detectable": None,
    "left_out": [],
    "hardware_note": None,
}


def bounded(claim: Exact, network: str, quantization: list[dict[str, str]]) -> dict[str, Any]:
    """Whether the cast of every tensor kept within its bound."""
    casts = [
        row for row in quantization if row["network"] == network and row["arm"] == claim.arms[0]
    ]
    broken = [row for row in casts if row["within_bound"] != "True"]
    # Where a weight became infinite the error has no norm.
    known = [row for row in casts if row["error_norm"]]
    shares = [float(row["error_norm"]) / float(row["bound_norm"]) for row in known]
    share = max(shares) if casts and len(known) == len(casts) else None
    brief = f"{len(broken)} of {len(casts)} cast tensors out of bounds"
    if not casts:
        verdict, why = "inconclusive", f"No weights were cast to 16 bit in {claim.arms[0]}."
    elif broken:
        names = ", ".join(f"{row['tensor']} (seed {row['seed']})" for row in broken[:NAMED])
        names += f" and {len(broken) - NAMED} more" if len(broken) > NAMED else ""
        verdict = "refuted"
        why = f"Of {len(casts)} cast tensors {len(broken)} leave their bounds: {names}."
    else:
        verdict = "supported"
        why = (
            f"All {len(casts)} cast tensors keep every element within its bound; the largest norm of "
            f"an error is {number(max(shares))} of its bound."
        )
    head = {"network": network, "verdict": verdict, "why": why, "brief": brief, "n": len(casts)}
    return {**head, "estimate": share, "margin": 1, "unit": "of the bound", **NO_STATISTICS}


def lemma(claim: Exact, network: str, tolerance: list[dict[str, Any]], item: str) -> dict[str, Any]:
    """Whether every certified item (Gamma > 2 delta) kept its class: a theorem of arXiv:2305.10947.

    `estimate` is the certified share of `n` predictions after the cast; where the arms have no cast, of
    those at the end of training. One violation, of whichever kind, refutes.
    """
    rows = [row for row in tolerance if row["network"] == network and row["arm"] in claim.arms]
    by_kind = {kind: [row for row in rows if row["kind"] == kind] for kind in KINDS}
    shares = {kind: _shares(group) for kind, group in by_kind.items() if group}
    violations = sum(row["violations"] for row in rows)
    if shares:
        n, certified, agree = next(iter(shares.values()))
        verdict = "refuted" if violations else "supported"
        brief = f"{certified:.4g} % certified, {agree:.4g} % agree, {violations:,} violations"
        kept = (
            f"{violations:,} certified {item}s change their class, which the lemma excludes"
            if violations
            else f"Every certified {item} keeps its class"
        )
        told = "; ".join(
            f"{KINDS[kind]} {share:.4g} % are certified and {same:.4g} % agree, of {count:,}"
            for kind, (count, share, same) in shares.items()
        )
        why = f"{kept}: {told}."
    else:
        n, certified, verdict = 0, None, "inconclusive"
        brief = "no predictions to compare"
        why = f"No predictions of {' and '.join(claim.arms)} could be compared."
    head = {"network": network, "verdict": verdict, "why": why, "brief": brief, "n": n}
    return {**head, "estimate": certified, "margin": None, "unit": f"% of {item}s", **NO_STATISTICS}


def _shares(rows: list[dict[str, Any]]) -> tuple[int, float, float]:
    """Predictions, and how many % of them are certified and agree."""
    n, certified, agree = (sum(row[name] for row in rows) for name in ("n", "certified", "agree"))
    return n, 100 * certified / n, 100 * agree / n
