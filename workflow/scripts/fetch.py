"""Download the archive of a dataset, or take up a download that broke off."""

import argparse
import sys
from pathlib import Path

from sixteen import parameters
from sixteen.datasets.fetch import fetch
from sixteen.errors import UserError

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--log", type=Path, required=True)
    arguments = parser.parse_args()
    try:
        entry = parameters.load(Path("params.yaml"))["datasets"][arguments.dataset]
        fetch(entry["url"], arguments.output, entry["sha256"], entry["bytes"])
    except UserError as error:
        sys.exit(f"sixteen: {error}")
