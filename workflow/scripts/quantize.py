"""Cast every weight of a run to a 16-bit format and measure the error."""

from sixteen.lineage import job
from sixteen.precision.quantize import quantize

if __name__ == "__main__":
    job.main(quantize)
