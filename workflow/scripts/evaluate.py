"""Evaluate a run from its saved logits."""

from sixteen.lineage import job
from sixteen.analysis.evaluate import evaluate

if __name__ == "__main__":
    job.main(evaluate)
