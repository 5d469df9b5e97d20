"""Measure the theory beside a training, as it was made or by making it again."""

from sixteen.lineage import start

if __name__ == "__main__":
    start.step("sixteen.training.observe:observe", device="shared")
