"""Summarize all runs of a study and decide its claims."""

from sixteen.analysis.summarize import summarize
from sixteen.lineage import job

if __name__ == "__main__":
    job.main(summarize)
