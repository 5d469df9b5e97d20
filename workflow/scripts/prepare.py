"""Prepare a dataset into one deterministic file."""

from sixteen.lineage import start

if __name__ == "__main__":
    start.step("sixteen.datasets.prepared.prepare:prepare")
