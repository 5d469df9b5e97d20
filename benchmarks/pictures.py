"""Images a second of the pictures that are read while a network trains, beside those of a training step.

    python benchmarks/pictures.py [--threads 1 2] [--networks resnet18] [--batch 32]

Pictures are made up: JPEGs with sides of 300 to 520 pixels (photographs of ImageNet have 400 to 500 on average). Told are
the mean size of a file; images a second that are decoded, cut and resized to 224x224 by so many threads and nothing else,
best of three passes; and those of a step of each network in float32, alone, the better of two after the first.
"""

import argparse
import tempfile
import time
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from sixteen.datasets.prepared.image_files import Part, Pictures
from sixteen.study.load import load
from sixteen.study.parameters import Parameters

ROOT = Path(__file__).parents[1]
PICTURES, CLASSES, SIDE = 512, 1000, 224
PASSES = 3


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description="Measure the reading of pictures beside a step.")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--networks", nargs="*", default=["resnet18"])
    parser.add_argument("--batch", type=int, default=32)
    arguments = parser.parse_args()
    parameters = load(ROOT)
    from sixteen.training import backends

    backends.start(parameters.backend, max(arguments.threads))
    with tempfile.TemporaryDirectory() as folder:
        coded = [_picture(number) for number in range(PICTURES)]
        print(f"{sum(map(len, coded)) / PICTURES / 1000:.0f} kB a picture")
        read = [(row, of, f"picture {row}") for row, of in enumerate(coded)]
        part = Part(np.arange(PICTURES, dtype=np.int32) % CLASSES, lambda: read)
        classes = tuple(map(str, range(CLASSES)))
        Pictures(part, part, classes, SIDE, "channel").save(Path(folder))
        _pipeline(Path(folder), arguments)
        for network in arguments.networks:
            _steps(Path(folder), network, arguments, parameters)


def _picture(number: int) -> bytes:
    """Blurred noise under fine noise, so that a file has about as many bytes a pixel as a photograph."""
    draw = np.random.default_rng(number)
    height, width = draw.integers(300, 521, 2).tolist()
    coarse = draw.integers(0, 256, (height // 16, width // 16, 3), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))
    noisy = smooth.astype(np.int16) + draw.integers(-20, 21, smooth.shape)
    file = BytesIO()
    Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=92)
    return file.getvalue()


def _pipeline(folder: Path, arguments: argparse.Namespace) -> None:
    from sixteen.tasks.classify_image_files import bind

    task = bind(folder)
    for threads in arguments.threads:
        task.threads = threads
        best = 0.0
        for epoch in range(1, PASSES + 1):
            rows = task.rows(arguments.batch, "resized-crop-flip", 0, epoch)
            begun = time.perf_counter()
            read = sum(len(labels) for _, labels in task.batches(rows))
            best = max(best, read / (time.perf_counter() - begun))
        print(f"reading, {threads} threads: {best:.0f} images/s", flush=True)


def _steps(
    folder: Path, network: str, arguments: argparse.Namespace, parameters: Parameters
) -> None:
    from sixteen.precision.bits import FULL
    from sixteen.tasks.classify_image_files import bind
    from sixteen.training.learner import Learner
    from sixteen.training.parameters import Training

    task = bind(folder)
    recipe = parameters.recipes["imagenet-smooth-sgd"].model_copy(update={"batch": arguments.batch})
    training = Training(
        backend=parameters.backend,
        threads=max(arguments.threads),
        devices=1,
        seed=0,
        task="classify_image_files",
        network=parameters.networks[network],
        precision=parameters.precisions["float32"],
        recipe=recipe,
        until=1,
        checkpoint_epochs=1,
        checkpoint_steps=1,
        watched=(),
    )
    learner = Learner(training, task, None)
    rows = learner.rows(1)[:1]
    learner.step.compile(rows)
    given = list(task.batches(rows))
    # Read beforehand, so that the step is measured alone.
    task.batches = lambda rows: given  # pyright: ignore[reportAttributeAccessIssue]
    seconds = []
    for _ in range(PASSES):
        begun = time.perf_counter()
        learner.step.train(rows, np.full(1, 0.1, np.float32), np.full(1, FULL), lambda: None)
        seconds.append(time.perf_counter() - begun)
    rate = arguments.batch / min(seconds[1:])
    print(f"a step of {network}, float32, batch {arguments.batch}: {rate:.1f} images/s", flush=True)


if __name__ == "__main__":
    main()
