"""Cast every weight of a run to a 16-bit format and measure the error."""

from sixteen.lineage import start

if __name__ == "__main__":
    start.step("sixteen.precision.quantize:quantize")
