"""Summarize all runs of a study and decide its claims."""

from sixteen.lineage import start

if __name__ == "__main__":
    start.step("sixteen.analysis.summarize:summarize")
