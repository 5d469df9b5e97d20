"""Summarize all runs of a study and decide its claims."""

from sixteen.lineage import job
from sixteen.analysis.summarize import summarize

if __name__ == "__main__":
    job.main(summarize)
