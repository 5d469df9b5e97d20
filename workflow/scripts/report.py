"""Render the report of a study."""

from sixteen.lineage import job
from sixteen.reporting.report import report

if __name__ == "__main__":
    job.main(report)
