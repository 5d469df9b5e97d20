"""The script of the rule that downloads, on a dataset of several archives."""

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
VOCABULARY = re.compile(r'url: "[^"]*/vocab.txt",\s*bytes: \d+,\s*sha256: [0-9a-f]{64}')


def fetch(project: Path, to: str) -> subprocess.CompletedProcess:
    command = [sys.executable, str(ROOT / "workflow/scripts/fetch.py"), "--dataset", "xnli"]
    command += ["--output", to, "--log", "logs/fetch.log"]
    return subprocess.run(command, cwd=project, capture_output=True, text=True)


def test_each_archive_of_a_dataset_is_fetched_by_its_name(tmp_path):
    content = b"[PAD]\n"
    (tmp_path / "vocab.txt").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    place = f'url: "file://{tmp_path}/vocab.txt", bytes: {len(content)}, sha256: {digest}'
    text, found = VOCABULARY.subn(place, (ROOT / "params.yaml").read_text())
    assert found == 1
    (tmp_path / "params.yaml").write_text(text)
    shutil.copytree(ROOT / "papers", tmp_path / "papers")

    done = fetch(tmp_path, "data/fetched/xnli/vocab.txt")

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "data/fetched/xnli/vocab.txt").read_bytes() == content
    refused = fetch(tmp_path, "data/fetched/xnli/other.txt")
    assert refused.returncode == 1
    assert "no longer says where data/fetched/xnli/other.txt comes from" in refused.stderr
