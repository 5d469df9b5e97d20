"""Evaluate a run from its saved predictions."""

from sixteen.analysis.evaluate import evaluate
from sixteen.lineage import job

if __name__ == "__main__":
    job.main(evaluate)
