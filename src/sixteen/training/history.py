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
    # Where layers are quantized: forward bits of the last step, and what a test with those finds.
    "forward_bits",
    "test_loss_at_bits",
    "test_accuracy_at_bits",
)
TIMING = ("epoch", "train_seconds", "items_per_second", "test_seconds")
