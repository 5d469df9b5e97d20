"""Train a network from its initial weights."""

from sixteen.lineage import start

if __name__ == "__main__":
    start.step("sixteen.training.train:train", device="shared")
