"""Go on training from the weights of another run."""

from sixteen.lineage import start

if __name__ == "__main__":
    start.step("sixteen.training.train:continue_training", device="shared")
