"""Small studies in the shape of the real ones: arms, precisions, recipes, published values."""

import itertools
from typing import Any

PLAIN = {"compute": "float32", "master_weights": False, "batch_norm": "float32", "loss": "float32",
         "loss_scale": None}  # fmt: skip
HALF = {**PLAIN, "compute": "float16"}
MASTER = {**HALF, "master_weights": True}
DYNAMIC = {"kind": "dynamic", "start": 32768, "growth_interval": 2000, "factor": 2}
PRECISIONS: dict[str, dict[str, Any]] = {
    "float32": PLAIN,
    "float16": {**HALF, "loss": "float16"},
    "mixed": {**MASTER, "loss_scale": DYNAMIC},
    "unscaled": MASTER,
    "static8": {**MASTER, "loss_scale": {"kind": "static", "factor": 8}},
    "static1024": {**MASTER, "loss_scale": {"kind": "static", "factor": 1024}},
    "loss32": HALF,
    "scaled": {**HALF, "loss_scale": DYNAMIC},
    "norm16": {**HALF, "batch_norm": "float16"},
    "mixed_norm16": {**MASTER, "batch_norm": "float16"},
}
SGD = {"optimizer": "sgd", "learning_rate": 0.01, "momentum": 0.9, "l2": 0.0001, "averaging": None,
       "batch": 32, "epochs": 3, "augmentation": "none", "observe": None}  # fmt: skip
OBSERVED = {**SGD, "observe": {"every": 1, "cast_to": "float16"}}
RECIPES: dict[str, dict[str, Any]] = {
    "short": SGD,
    "observed": OBSERVED,
    "fast": {**OBSERVED, "learning_rate": 0.1},
    "averaged": {**OBSERVED, "averaging": {"momentum": 0.99}},
    "fast-averaged": {**OBSERVED, "learning_rate": 0.1, "averaging": {"momentum": 0.99}},
    "epoch": {**OBSERVED, "epochs": 1},
    "half": {**OBSERVED, "epochs": 2},
    "long": {**OBSERVED, "epochs": 4},
}
CAST = "trained-in-float32-by-{}/quantized-to-float16/continued-in-float16-by-{}".format
CONTINUOUS = {
    "float32": "trained-in-float32-by-short/continued-in-float32-by-observed",
    "float16": CAST("short", "observed"),
}
STANDALONE = {
    "float32": "trained-in-float32-by-observed",
    "float16": "trained-in-float16-by-observed",
    "mixed": "trained-in-mixed-by-observed",
    "cast": CAST("observed", "epoch"),
}
MIXED = {
    "float32": "trained-in-float32-by-observed",
    "mixed-dynamic": "trained-in-mixed-by-observed",
    "mixed-unscaled": "trained-in-unscaled-by-observed",
    "mixed-static8": "trained-in-static8-by-observed",
    "mixed-static1024": "trained-in-static1024-by-observed",
    "float16-scaled": "trained-in-scaled-by-observed",
    "float16-unscaled": "trained-in-loss32-by-observed",
}
TWO_BY_TWO = ["mixed-dynamic", "mixed-unscaled", "float16-scaled", "float16-unscaled"]
SWITCH = {
    "never": "trained-in-float32-by-long",
    "from-the-start": "trained-in-float16-by-long",
    "after-1": CAST("epoch", "observed"),
    "half-way": CAST("half", "half"),
    "after-3": CAST("observed", "epoch"),
}
FACTORIAL = {
    f"{precision}-{recipe}": f"trained-in-float32-by-half/continued-in-{precision}-by-{recipe}"
    for precision, recipe in itertools.product(
        ("loss32", "norm16", "unscaled", "mixed_norm16"),
        ("observed", "fast", "averaged", "fast-averaged"),
    )
}
PUBLISHED = {
    "source": "arXiv:2305.10947, Table 5",
    "accuracy": {
        "resnet8": {"float16": [81.6, 0.4], "float32": [81.4, 0.6], "mixed": [81.5, 0.6]},
        "vgg16": {"float16": [83.7, 0.3], "float32": [83.9, None], "mixed": [83.8, 0.2]},
    },
    "seconds": {
        "resnet8": {"float16": 677, "float32": 905, "mixed": 795},
        "vgg16": {"float16": 377, "float32": 857, "mixed": 455},
    },
    "parameters": {"resnet8": None, "vgg16": 14_700_000},
    "notes": {"resnet8": "The head has 10 classes <not 4096>."},
}


def claim(name: str, says: str, **test: Any) -> dict[str, Any]:
    """A claim on the arms float16 and float32 unless it says otherwise."""
    usual = {"metric": None, "only": None, "hardware": None}
    head = {"id": name, "says": says, "source": "section 4", "arms": ["float16", "float32"]}
    return {**head, **usual, **test}


CLAIMS = [
    claim("equal", "Training on in 16 bit ends at the accuracy of training on in 32 bit.",
          metric="accuracy", test="equivalence", margin=0.01),
    claim("faster", "ResNet-156 trains in 32.7 % less time <in 16 bit>.",
          metric="train_seconds", test="ratio_at_most", value=0.673, tolerance=0.05, only="resnet156", hardware="gpu"),
    claim("speed", "Training in 16 bit takes less time.", metric="train_seconds",
          test="ratio_at_most", value=0.9, tolerance=0, hardware="gpu"),
    claim("varies", "Accuracy varies more from epoch to epoch in 16 bit.", metric="epoch_sd",
          test="ratio_greater"),
    claim("bounded", "The error of rounding the weights is bounded.", test="bounded"),
]  # fmt: skip
