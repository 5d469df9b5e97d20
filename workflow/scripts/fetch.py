"""Download the archive of a dataset, or take up a download that broke off."""

import argparse
from pathlib import Path

from sixteen.datasets.archives.fetch import fetch
from sixteen.datasets.prepared.entry import Downloaded
from sixteen.lineage import job
from sixteen.study.load import load

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--log", type=Path, required=True)
    arguments = parser.parse_args()
    with job.explained(arguments.log):
        entry = load().datasets[arguments.dataset]
        assert isinstance(entry, Downloaded)  # no other kind has a rule that leads here
        fetch(entry.url, arguments.output, entry.sha256, entry.bytes)
