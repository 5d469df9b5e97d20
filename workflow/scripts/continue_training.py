"""Go on training from the weights of another run."""

from sixteen.lineage import job
from sixteen.training.train import continue_training

if __name__ == "__main__":
    job.main(continue_training, device="shared")
