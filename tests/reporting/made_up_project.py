"""A project with the runs of a study, made up but in the files and columns of real ones."""

import csv
import io
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from sixteen.analysis.summarize import summarize

SGD = {"optimizer": "sgd", "learning_rate": 0.01, "momentum": 0.9, "l2": 0.0001, "batch": 32}
PRECISION = {
    "variables": "float32",
    "compute": "float32",
    "batch_norm": "float32",
    "loss": "float32",
}
ARMS = {
    "float32": "trained-in-float32-by-short/continued-in-float32-by-short",
    "float16": "trained-in-float32-by-short/quantized-to-float16/continued-in-float16-by-short",
}
STEPS = 43  # of an epoch
DEVICE = "cpu: Example Processor 3000"
NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "continuous16.ipynb"


def _claim(name: str, says: str, **test: Any) -> dict[str, Any]:
    usual = {"metric": None, "only": None, "hardware": None}
    head = {"id": name, "says": says, "source": "section 4", "arms": ["float16", "float32"]}
    return {**head, **usual, **test}


CLAIMS = [
    _claim("equal", "Training on in 16 bit ends at the accuracy of training on in 32 bit.",
           metric="accuracy", test="equivalence", margin=0.01),
    _claim("faster", "ResNet-156 trains in 32.7 % less time <in 16 bit>.",
           metric="train_seconds", test="ratio_at_most", value=0.673, only="resnet156", hardware="gpu"),
    _claim("speed", "Training in 16 bit takes less time.", metric="train_seconds",
           test="ratio_at_most", value=0.9, hardware="gpu"),
    _claim("varies", "Accuracy varies more from epoch to epoch in 16 bit.", metric="epoch_sd",
           test="ratio_greater"),
    _claim("bounded", "The error of rounding the weights is bounded.", test="bounded"),
]  # fmt: skip


class Project:
    """Writes runs below ``root`` as the steps before the report leave them."""

    def __init__(self, root: Path, seed: int = 0) -> None:
        self.root = root
        self.random = np.random.default_rng(seed)
        self.dataset = self.run(
            "prepare", "data/prepared/digits", {"kind": "digits", "normalisation": "scalar"}, {},
            {"dataset.safetensors": "images"},
        )  # fmt: skip

    def run(
        self,
        step: str,
        folder: str,
        parameters: dict[str, Any],
        parents: dict[str, str],
        files: dict[str, str],
        facts: dict[str, Any] | None = None,
    ) -> str:
        """Write one run; returns its path."""
        fingerprint = sha256(f"{folder}{parameters}{parents}".encode()).hexdigest()[:12]
        path = f"{folder}/{fingerprint}"
        (self.root / path).mkdir(parents=True)
        for name, text in files.items():
            (self.root / path / name).write_text(text)
        self.record(path, step, parameters, parents, facts or {})
        return path

    def record(
        self,
        path: str,
        step: str,
        parameters: dict[str, Any],
        parents: dict[str, str],
        facts: dict[str, Any],
    ) -> None:
        """Write the record of a run whose files are there."""
        outputs = {
            file.name: {
                "sha256": sha256(file.read_bytes()).hexdigest(),
                "bytes": file.stat().st_size,
            }
            for file in sorted((self.root / path).iterdir())
        }
        record = {
            "fingerprint": path.rpartition("/")[2], "step": step, "path": path, "parameters": parameters,
            "code": {"digest": "0" * 64, "modules": {}}, "parents": parents, "inputs": {},
            "outputs": outputs, "facts": facts, "execution": {}, "seal": "",
        }  # fmt: skip
        (self.root / path / "record.json").write_text(json.dumps(record))

    def train(
        self, step: str, folder: str, network: str, seed: int, parents: dict[str, str],
        first: int, epochs: int, half: bool, diverged: bool,
    ) -> str:  # fmt: skip
        """A training run whose accuracy rises towards 0.95."""
        depth = int(network.removeprefix("resnet"))
        done = 2 if diverged else epochs
        parameters = {
            "backend": "tensorflow", "threads": 1, "seed": seed, "precision": PRECISION,
            "network": {"family": "resnet", "depth": depth, "width": 16},
            "recipe": {**SGD, "epochs": epochs, "augmentation": "none"},
        }  # fmt: skip
        noise = self.random.normal(0, 0.006 if half else 0.003, done + 1)
        accuracy = 0.95 - 0.85 * np.exp(-(first + np.arange(done + 1)) / 3) + noise
        accuracy[0] = accuracy[0] if first == 0 else self.last - (0.01 if half else 0)
        self.last = accuracy[-1]
        history = [["epoch", "loss", "train_accuracy", "test_loss", "test_accuracy", "zero_gradients",
                    "nonfinite_gradients"], [first, "", "", "", accuracy[0], "", ""]]  # fmt: skip
        timing = [["epoch", "train_seconds", "images_per_second", "test_seconds"]]
        pace = depth * (0.8 if half else 1.0) * self.random.normal(1, 0.03) * 0.2
        for i in range(1, done + 1):
            loss = float(np.exp(-(first + i) / 3) + 0.05 + abs(noise[i]))
            zeros = (0.12 if half else 0.02) + 0.002 * i + 0.3 * noise[i]
            history.append([first + i, loss, accuracy[i], loss * 1.2, accuracy[i], zeros, 0])
            timing.append([first + i, pace, 1400 / pace, 0.2])
        parameters_count = depth * 9700
        state = parameters_count * (2 if half else 4)
        facts = {
            "outcome": "diverged" if diverged else "finished", "images": done * STEPS * SGD["batch"], "compile_seconds": 14.0 + pace,
            "train_seconds": pace * done, "peak_bytes": int(6e8 + state * 40 * (1 + 0.1 * noise[0])),
            "peak_bytes_of": "process", "weight_bytes": state, "gradient_bytes": state,
            "optimizer_bytes": state, "energy_joules": None, "device": DEVICE,
            "parameters": parameters_count, "layers": 6 * ((depth - 2) // 6) + 2,
        }  # fmt: skip
        files = {"history.csv": _csv(history), "timing.csv": _csv(timing)}
        return self.run(step, folder, parameters, parents, files, facts)

    def quantize(self, folder: str, network: str, start: str) -> str:
        """A cast whose batch-norm scales are exact and whose other errors are within bounds."""
        depth = int(network.removeprefix("resnet"))
        rows: list[list[Any]] = [["tensor", "elements", "max_abs", "max_error", "mean_error",
                 "relative_error", "error_norm", "bound_norm", "within_bound", "underflowed", "subnormal"]]  # fmt: skip
        for layer in range(depth):
            norm = 3.0 + layer
            for name, relative in (
                (f"block-{layer:03}/conv/kernel", 2.1e-4),
                (f"block-{layer:03}/bn/gamma", 0),
            ):
                error = relative * norm * self.random.uniform(0.9, 1.1)
                rows.append([name, 2304, 0.6, error / 9, error / 20, error / norm, error,
                             4.9e-4 * norm, True, 0, 3])  # fmt: skip
        return self.run(
            "quantize", folder, {"to": "float16"}, {"start": start}, {"tensors.csv": _csv(rows)}
        )

    def evaluate(self, folder: str, run: str, accuracy: float, diverged: bool) -> str:
        """The metrics of a run; all null if it diverged."""
        metrics = {"accuracy": accuracy, "loss": 0.2, "calibration_error": 0.02, "margin_mean": 0.8,
                   "best_epoch_bias": 0.004}  # fmt: skip
        metrics = {name: None if diverged else value for name, value in metrics.items()}
        metrics["outcome"] = "diverged" if diverged else "finished"
        files = {
            "metrics.json": json.dumps(metrics),
            "per_class.csv": "class,n,correct,accuracy\n0,36,35,0.97\n",
        }
        return self.run("evaluate", folder, {}, {"dataset": self.dataset, "run": run}, files)

    def summarize(
        self,
        study: str,
        networks: dict[str, int],
        seeds: int,
        arms: dict[str, str] = ARMS,
        diverged: tuple[str, str, int] | None = None,
    ) -> Path:
        """All runs of a study and the real summary of them. ``networks``: name -> epochs of each phase."""
        rows, parents = [], {}
        for network, epochs in networks.items():
            for seed in range(seeds):
                base = f"results/digits-{study}/{network}/trained-in-float32-by-short"
                data = {"dataset": self.dataset}
                pretrained = self.train("train", f"{base}/seed-{seed}", network, seed, data, 0, epochs,
                                        False, False)  # fmt: skip
                reached = self.last
                for arm, sentence in arms.items():
                    self.last, start, folder, training = reached, pretrained, base, [pretrained]
                    lost, quantized = diverged == (network, arm, seed), None
                    for phrase in sentence.split("/")[1:]:
                        folder = f"{folder}/{phrase}"
                        place = f"{folder}/seed-{seed}"
                        if phrase.startswith("quantized"):
                            start = quantized = self.quantize(place, network, start)
                        else:
                            start = self.train("continue_training", place, network, seed,
                                               {**data, "start": start}, epochs, epochs,
                                               "float16" in phrase, lost)  # fmt: skip
                            training.append(start)
                    evaluated = self.evaluate(
                        f"{folder}/evaluated/seed-{seed}", start, self.last, lost
                    )
                    rows.append({"network": network, "arm": arm, "seed": seed, "evaluated": evaluated,
                                 "training": training, "quantized": quantized})  # fmt: skip
                    parents |= {path: path for path in [evaluated, *training, quantized] if path}
        parameters = {
            "study": study, "title": f"Continuous 16-bit training: {study}", "paper": "arXiv:2311.18587",
            "dataset": "digits", "backend": "tensorflow", "arms": arms, "runs": rows,
            "networks": {n: {"family": "resnet", "depth": int(n[6:]), "width": 16} for n in networks},
            "precisions": {"float32": PRECISION}, "recipes": {"short": SGD},
            "statistics": {"confidence": 0.95, "alpha": 0.05, "power": 0.8},
            "claims": CLAIMS if len(arms) > 1 else [],
        }  # fmt: skip
        path = f"results/{study}/summarized/{sha256(study.encode()).hexdigest()[:12]}"
        (self.root / path).mkdir(parents=True)
        facts = summarize(
            parameters,
            {role: self.root / run for role, run in parents.items()},
            self.root / path,
            self.root,
        )
        self.record(path, "summarize", parameters, parents, facts)
        return self.root / path


def _csv(rows: list[list[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
