"""Download the archive of a dataset, or take up a download that broke off."""

import argparse
from pathlib import Path

from sixteen.lineage import start

if __name__ == "__main__":
    start.quietly()
    from sixteen.datasets.archives.fetch import fetch
    from sixteen.datasets.prepared.entry import Downloaded
    from sixteen.errors import UserError
    from sixteen.lineage import job
    from sixteen.lineage.planning import archive
    from sixteen.study.load import load

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--log", type=Path, required=True)
    arguments = parser.parse_args()
    with job.explained(arguments.log):
        name, to = arguments.dataset, arguments.output
        entry = load().datasets.get(name)
        if not isinstance(entry, Downloaded) or archive(name, entry) != to.as_posix():
            raise UserError(
                f"params.yaml no longer says where {to} comes from, it has changed since that was planned: start "
                "snakemake anew"
            )
        fetch(entry.url, to, entry.sha256, entry.bytes)
