"""Render the report of a study."""

from sixteen.lineage import start

if __name__ == "__main__":
    start.step("sixteen.reporting.report:report")
