"""How the claims of a published report came out, in a line for the terminal."""

from pathlib import Path

from sixteen.files import read_json


def outcome(report: Path) -> str:
    """``reports/mixed-demo/index.html: 4 supported, 0 refuted, 2 inconclusive``, for the folder of a published report."""
    counts = read_json(report / "metrics.json")["verdicts"]
    told = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    return f"{report / 'index.html'}: {told}"
