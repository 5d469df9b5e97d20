"""Evaluate a run from its saved predictions."""

from sixteen.lineage import start

if __name__ == "__main__":
    start.step("sixteen.analysis.evaluate:evaluate")
