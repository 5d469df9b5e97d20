"""How fast is a training step: plain Keras `fit` against this package's step, side by side.

The plain way is that of the papers (arXiv:2311.18587: `set_floatx`, `compile`, `fit`, no XLA); ours is that
of `sixteen.training`. Same network, made-up images and batch, each in a process of its own, taken in turns so
that a busy machine slows both. Prints images per second of training (compilation and first epoch left out)
as minimum, median and maximum over the repeats, and the ratio pair by pair.

    python benchmarks/steps.py --depth 8 --repeats 5 --epochs 3
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import told

from sixteen import networks
from sixteen.datasets.prepared.images import Images
from sixteen.entry import Format
from sixteen.networks.resnet import Resnet
from sixteen.precision.entry import Precision
from sixteen.training import backends
from sixteen.training.recipe import Sgd
from sixteen.training.schedules import Constant

SHAPES = {"digits": (8, 8, 1), "cifar": (32, 32, 3)}
WAYS = ("fit", "ours")

Epoch = Callable[[int], object]


def main() -> None:
    """Measure, or with `--way` be one of the processes that are measured."""
    parser = argparse.ArgumentParser(description="Compare plain Keras fit with sixteen's step.")
    parser.add_argument("--depth", type=int, default=8, help="depth of the ResNet, 6n + 2")
    parser.add_argument("--images", choices=SHAPES, default="digits", help="size of the images")
    parser.add_argument("--batch", type=int, default=128, help="images a batch")
    parser.add_argument("--batches", type=int, default=11, help="batches an epoch")
    parser.add_argument("--epochs", type=int, default=3, help="epochs that are timed")
    parser.add_argument("--repeats", type=int, default=5, help="pairs for each precision")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of each process")
    parser.add_argument("--precisions", nargs="+", default=["float32", "float16"])
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.way:
        _be_measured(arguments)
        return
    print(told.machine())
    print(
        f"ResNet-{arguments.depth}, {arguments.images}, batch {arguments.batch}, {arguments.threads} "
        f"thread(s), {arguments.repeats} pairs, fastest of {arguments.epochs} epochs"
    )
    for precision in arguments.precisions:
        speeds: dict[str, list[float]] = {way: [] for way in WAYS}
        for _ in range(arguments.repeats):
            for way in WAYS:
                speeds[way].append(_measure(way, precision))
        for way in WAYS:
            print(f"{precision:9} {way:5} {told.spread(speeds[way], ',.0f')} images/s")
        ratios = [ours / fit for fit, ours in zip(speeds["fit"], speeds["ours"], strict=True)]
        print(f"{precision:9} ours / fit, pair by pair: {told.spread(ratios, '.2f')}", flush=True)


def _measure(way: str, precision: str) -> float:
    command = [sys.executable, *sys.argv, "--way", way, "--precisions", precision]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(done.stderr)
    measured = json.loads(done.stdout.splitlines()[-1])
    print(
        f"  {precision:9} {way:5} {measured['items_per_second']:8,.0f} images/s on {measured['device']}"
    )
    return measured["items_per_second"]


def _be_measured(arguments: argparse.Namespace) -> None:
    """Train for one untimed epoch and then the timed ones; print the fastest as JSON."""
    (precision,) = arguments.precisions
    backends.start("tensorflow", arguments.threads)
    import keras

    from sixteen.training import measure

    keras.config.set_floatx(precision)
    shape, count = SHAPES[arguments.images], arguments.batch * arguments.batches
    draw = np.random.default_rng(0)
    pixels = draw.integers(0, 256, (count, *shape), dtype=np.uint8)
    labels = draw.integers(0, 10, count, dtype=np.int32)
    mean, std = (np.array([value], np.float32) for value in (127.5, 73.9))
    about = (mean, std, tuple("0123456789"))
    images = Images(pixels, labels, pixels, labels, *about)
    network = Resnet(family="resnet", depth=arguments.depth, width=16)
    way = _fit if arguments.way == "fit" else _own
    epoch = way(network, images, _entry(precision), arguments.batch)
    seconds = []
    for number in range(1, arguments.epochs + 2):
        begun = time.perf_counter()
        epoch(number)
        seconds.append(time.perf_counter() - begun)
    fastest = count / min(seconds[1:])
    print(json.dumps({"items_per_second": fastest, "device": measure.device()}))


def _fit(network: Resnet, images: Images, precision: Precision, batch: int) -> Epoch:
    """An epoch of plain Keras."""
    import keras

    shape = images.train_images.shape[1:]
    model = networks.build(network, shape, 10, precision, l2=1e-4, seed=0)
    model.compile(
        keras.optimizers.SGD(0.01, momentum=0.9),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,
    )
    inputs = ((images.train_images - images.mean) / images.std).astype(precision.compute)
    return lambda number: model.fit(inputs, images.train_labels, batch_size=batch, verbose=0)


def _own(network: Resnet, images: Images, precision: Precision, batch: int) -> Epoch:
    """An epoch of `sixteen.training`."""
    from sixteen.tasks.classify_images import ClassifyImages
    from sixteen.training import optimizers
    from sixteen.training.step_tensorflow import TensorFlowStep

    task, recipe = ClassifyImages(images), _recipe(batch)
    model = networks.build(network, task.shape, 10, precision, l2=1e-4, seed=0)
    optimizer = optimizers.build(recipe, precision)
    optimizer.build(model.trainable_variables)
    step = TensorFlowStep(model, optimizer, task, precision, recipe)

    def epoch(number: int) -> None:
        rows = task.rows(batch, "none", 0, number)
        step.train(rows, np.full(len(rows), 0.01, np.float32), np.full(len(rows), 32), lambda: None)

    return epoch


def _entry(precision: Format) -> Precision:
    return Precision(
        compute=precision,
        master_weights=False,
        batch_norm="float32",
        loss=precision,
        loss_scale=None,
    )


def _recipe(batch: int) -> Sgd:
    return Sgd(
        optimizer="sgd",
        learning_rate=0.01,
        momentum=0.9,
        schedule=Constant(kind="constant", warmup=0, restarts=False),
        clip_norm=None,
        l2=1e-4,
        averaging=None,
        batch=batch,
        label_smoothing=0,
        gradient_accumulation=1,
        augmentation="none",
    )


if __name__ == "__main__":
    main()
