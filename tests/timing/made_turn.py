"""A turn on a made GPU of 1,000 bytes, of which an item takes as many as its format has.

Killed where that is too much, or aborted with the words of MADE_ABORT.
"""

import json
import os
import signal
import sys
from pathlib import Path

job, dataset, result = map(Path, sys.argv[1:])
told = json.loads(job.read_text())
training, batch = told["training"], told["training"]["recipe"]["batch"]
width = {"float32": 4, "float16": 2}[training["precision"]["compute"]]
diary = job.parent / "diary.jsonl"
with diary.open("a") as file:
    file.write(
        json.dumps([training["precision"]["compute"], batch, told["steps"], os.getpid()]) + "\n"
    )
code = job.parent.resolve() / "code"
assert os.environ["PYTHONPATH"].startswith(f"{code}:"), "an edit would reach a turn"
assert sys.flags.safe_path, "a bundle's turn would import from the folder of the bundle"
assert (code / "sixteen/timing/turn.py").is_file()
assert "SIXTEEN_CACHE" not in os.environ, "compiled programs would be read, not compiled"
if batch * width > 1000:
    if (said := os.environ.get("MADE_ABORT")) is not None:
        print(said, file=sys.stderr, flush=True)
        os.abort()
    os.kill(os.getpid(), signal.SIGKILL)
answer = {
    "compile_seconds": 1.0,
    "step_seconds": width / 1000,
    "items_per_second": batch * 1000 / width,
    "peak_bytes": batch * width,
    "peak_bytes_of": "device",
    "energy_joules": None,
    "device": os.environ.get("MADE_DEVICE", "NVIDIA made"),
    "train_items": int(os.environ.get("MADE_ITEMS", "5000")),
}
if refused := os.environ.get("MADE_REFUSAL"):
    answer = {"refused": refused}
result.write_text(json.dumps(answer))
