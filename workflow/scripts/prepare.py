"""Prepare a dataset into one deterministic file."""

from sixteen.lineage import job
from sixteen.datasets.prepare import prepare

if __name__ == "__main__":
    job.main(prepare)
