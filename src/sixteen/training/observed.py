"""The tables of an observed run and their columns, for those who read them without Keras."""

OBSERVATIONS = (
    "epoch",
    "tensor",
    "elements",
    "weight_norm",
    "quantization_error",
    "quantization_bound",
    "gradient_norm",
    "gradient_error",
    "gradient_cosine",
    "hessian_product",
    "gradient_change",
    "gradient_change_gap",
    "held_change",
    "held_change_gap",
    "underflowed_gradients",
    "updates",
    "lost_updates",
    "update_norm",
    "update_error",
)
DESCENT = (
    "epoch",
    "learning_rate",
    "loss_before",
    "loss_after",
    "predicted_decrease",
    "actual_decrease",
    "remainder",
)
EXPONENTS = ("epoch", "of", "tensor", "exponent", "count")
KINKS = ("epoch", "layer", "units", "crossed")
TABLES = {
    "observations": OBSERVATIONS,
    "descent": DESCENT,
    "exponents": EXPONENTS,
    "kinks": KINKS,
}
