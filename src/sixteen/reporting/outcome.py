"""How the claims of a published report came out, in a line for the terminal."""

from pathlib import Path

from sixteen.files import read_json


def outcome(report: Path) -> str:
    """``reports/mixed-demo/index.html: 4 supported, 0 refuted, 2 inconclusive; 1 run diverged``, of a published report."""
    metrics = read_json(report / "metrics.json")
    told = ", ".join(f"{count} {verdict}" for verdict, count in metrics["verdicts"].items())
    lost = metrics["diverged"]
    diverged = f"; {lost} run{'' if lost == 1 else 's'} diverged" if lost else ""
    return f"{report / 'index.html'}: {told}{diverged}"
