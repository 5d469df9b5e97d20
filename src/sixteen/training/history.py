"""What a run tells of each epoch: the columns of its history and timing."""

HISTORY = (
    "epoch",
    "loss",
    "train_accuracy",
    "test_loss",
    "test_accuracy",
    "zero_gradients",
    "nonfinite_gradients",
    "loss_scale",
    "skipped_steps",
    "learning_rate",
)
TIMING = ("epoch", "train_seconds", "items_per_second", "test_seconds")
