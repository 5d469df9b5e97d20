"""How the claims of a published report came out, in a line for the terminal."""

from collections import Counter
from pathlib import Path

from sixteen.files import read_json

VERDICTS = ("supported", "refuted", "inconclusive")


def outcome(report: Path) -> str:
    """``reports/mixed-demo/index.html: 4 supported, 0 refuted, 2 inconclusive``, for the folder of a published report."""
    claims = read_json(report / "tables" / "claims.json")["claims"]
    counts = Counter(claim["verdict"] for claim in claims)
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS)
    return f"{report / 'index.html'}: {told}"
