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
# Schedules of bits, as arXiv:2403.02243 names them.
CYCLES = {
    "cr": ("cosine", "repeated"), "lr": ("linear", "repeated"), "er": ("exponential", "repeated"),
    "rr": ("rex", "repeated"), "ct": ("cosine", "triangular-v"), "lt": ("linear", "triangular-v"),
    "eth": ("exponential", "triangular-h"), "etv": ("exponential", "triangular-v"),
    "rth": ("rex", "triangular-h"), "rtv": ("rex", "triangular-v"),
}  # fmt: skip
QUANTIZED = {**PLAIN, "low": 3, "high": 8, "gradients": 8, "ranges": "moving"}
PRECISIONS |= {
    "static": {**QUANTIZED, "bits": {"kind": "static"}},
    "fewest": {**QUANTIZED, "bits": {"kind": "window", "start": 0.0, "epochs": 100.0}},
    **{
        name: {**QUANTIZED, "bits": {"kind": "cyclic", "profile": profile, "form": form, "cycles": 8, "start": 0.0}}
        for name, (profile, form) in CYCLES.items()
    },
    **{
        f"deficit{n}": {**QUANTIZED, "bits": {"kind": "window", "start": 0.0, "epochs": float(n)}}
        for n in (0, 2, 4)
    },
}  # fmt: skip
SGD = {"optimizer": "sgd", "learning_rate": 0.01, "momentum": 0.9, "l2": 0.0001, "averaging": None, "clip_norm": None,
       "batch": 32, "label_smoothing": 0, "gradient_accumulation": 1, "augmentation": "none",
       "schedule": {"kind": "constant", "warmup": 0.0, "restarts": False}}  # fmt: skip
RECIPES: dict[str, dict[str, Any]] = {
    "sgd": SGD,
    "sgd-with-learning_rate-0.1": {**SGD, "learning_rate": 0.1},
    "sgd-with-averaging-0.99": {**SGD, "averaging": 0.99},
    "sgd-with-learning_rate-0.1-and-averaging-0.99": {
        **SGD,
        "learning_rate": 0.1,
        "averaging": 0.99,
    },
}
USUAL = {"backend": "tensorflow", "threads": 1, "devices": 1}
MACHINES = {"jax-2": {"backend": "jax", "threads": 2, "devices": 1}}
CAST = "trained-in-float32-by-sgd-until-{}/quantized-to-float16/continued-in-float16-by-sgd-until-{}".format
CONTINUOUS = {
    "float32": "trained-in-float32-by-sgd-until-3/continued-in-float32-by-sgd-until-6",
    "float16": CAST(3, 6),
}
STANDALONE = {
    "float32": "trained-in-float32-by-sgd-until-3",
    "float16": "trained-in-float16-by-sgd-until-3",
    "mixed": "trained-in-mixed-by-sgd-until-3",
    "cast": CAST(3, 4),
}
MIXED = {
    "float32": "trained-in-float32-by-sgd-until-3",
    "mixed-scaled": "trained-in-mixed-by-sgd-until-3",
    "mixed-unscaled": "trained-in-unscaled-by-sgd-until-3",
    "mixed-static8": "trained-in-static8-by-sgd-until-3",
    "mixed-static1024": "trained-in-static1024-by-sgd-until-3",
    "float16-scaled": "trained-in-scaled-by-sgd-until-3",
    "float16-unscaled": "trained-in-loss32-by-sgd-until-3",
}
TWO_BY_TWO = ["mixed-scaled", "mixed-unscaled", "float16-scaled", "float16-unscaled"]
SWITCH = {
    "never": "trained-in-float32-by-sgd-until-4",
    "from-the-start": "trained-in-float16-by-sgd-until-4",
    "after-1": CAST(1, 4),
    "half-way": CAST(2, 4),
    "after-3": CAST(3, 4),
}
SCHEDULES = {
    "static": "trained-in-static-by-sgd-until-5",
    "static-low": "trained-in-fewest-by-sgd-until-5",
    "float32": "trained-in-float32-by-sgd-until-5",
    **{name: f"trained-in-{name}-by-sgd-until-5" for name in CYCLES},
}
DEFICITS = {f"deficit-{n}": f"trained-in-deficit{n}-by-sgd-until-6" for n in (0, 2, 4)}
# Two ways to train at three levels of an axis.
ALONG = {
    f"{name}-{end}": f"trained-in-float32-by-sgd-until-2/continued-in-{name}-by-sgd-until-{end}"
    for name in ("float32", "float16")
    for end in (3, 4, 6)
}
PLACES = {
    "axis": "times-as-long",
    "arms": {
        f"{name}-{end}": [name, f"{end}"] for end in (3, 4, 6) for name in ("float32", "float16")
    },
}
FACTORIAL = {
    "-".join(
        [precision, *recipe.replace(".", "_").split("-")]
    ): f"trained-in-float32-by-sgd-until-2/continued-in-{precision}-by-{recipe}-until-5"
    for precision, recipe in itertools.product(
        ("loss32", "norm16", "unscaled", "mixed_norm16"), RECIPES
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
          metric="step_seconds", test="ratio_at_most", value=0.673, tolerance=0.05, only="resnet156", hardware="gpu"),
    claim("speed", "Training in 16 bit takes less time.", metric="step_seconds",
          test="ratio_at_most", value=0.9, tolerance=0, hardware="gpu"),
    claim("varies", "Accuracy varies more from epoch to epoch in 16 bit.", metric="epoch_sd",
          test="ratio_greater"),
    claim("bounded", "The error of rounding the weights is bounded.", test="bounded"),
]  # fmt: skip
