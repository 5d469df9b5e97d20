"""Measure the theory beside a training, as it was made or by making it again."""

from sixteen.lineage import job
from sixteen.training.observe import observe

if __name__ == "__main__":
    job.main(observe, device="shared")
