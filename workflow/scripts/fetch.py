"""Download an archive of a dataset, or take up a download that broke off."""

import argparse
from pathlib import Path

from sixteen.lineage import start

if __name__ == "__main__":
    start.quietly()
    from sixteen.datasets.archives.fetch import fetch
    from sixteen.errors import UserError
    from sixteen.lineage import job
    from sixteen.lineage.planning import fetched
    from sixteen.study.load import load

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--log", type=Path, required=True)
    arguments = parser.parse_args()
    with job.explained(arguments.log):
        name, to = arguments.dataset, arguments.output
        entry = load().datasets.get(name)
        known = (
            {fetched(name, archive): archive for archive in entry.archives.values()}
            if entry
            else {}
        )
        if (archive := known.get(to.as_posix())) is None:
            raise UserError(
                f"params.yaml no longer says where {to} comes from, it has changed since that was planned: start "
                "snakemake anew"
            )
        fetch(archive.url, to, archive.sha256, archive.bytes)
