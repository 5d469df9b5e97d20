"""Train a network from its initial weights."""

from sixteen.lineage import job
from sixteen.training.train import train

if __name__ == "__main__":
    job.main(train, device="shared")
