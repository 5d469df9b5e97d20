"""Prepare a dataset into one deterministic file."""

from sixteen.datasets.prepared.prepare import prepare
from sixteen.lineage import job

if __name__ == "__main__":
    job.main(prepare)
