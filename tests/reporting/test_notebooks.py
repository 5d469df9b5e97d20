"""Every notebook over a made-up study of its kind: it renders, and its figures have data."""

import re
from pathlib import Path
from typing import Any

import made_up_studies as studies
import pandas as pd
import pytest
from made_up_project import NOTEBOOKS, Project, render

ARMS: dict[str, dict[str, Any]] = {
    "standalone16": {"arms": studies.STANDALONE, "published": studies.PUBLISHED},
    "mixed": {"arms": studies.MIXED, "factorial": studies.TWO_BY_TWO},
    "switch": {"arms": studies.SWITCH},
    "variability": {"arms": studies.FACTORIAL, "factorial": list(studies.FACTORIAL)},
}
CONTINUOUS = {"accuracy-curves", "final-accuracy", "loss-curves", "memory", "largest-batch", "class-accuracy",
              "quantization-error", "speed-float16", "zero-gradients"}  # fmt: skip
OBSERVED = {"casting-error", "gradient-error", "gradient-error-layers", "hessian", "descent", "remainder",
            "lost-updates", "lost-updates-layers", "lost-updates-accuracy"}  # fmt: skip
FIGURES = {
    "standalone16": CONTINUOUS - {"quantization-error"} | OBSERVED | {"speed-mixed", "tolerance", "loss-scale"},
    "mixed": CONTINUOUS - {"quantization-error", "speed-float16", "loss-curves"} | OBSERVED
    | {"gradient-exponents", "gradient-exponents-layers", "gradients-below", "loss-scale", "speed-mixed-dynamic",
       "speed-float16-unscaled", "effects-accuracy", "effects-loss", "effects-lost-updates",
       "effects-underflowed-gradients"},
    "switch": OBSERVED | {"switch-epoch", "final-accuracy", "accuracy-curves", "loss-curves", "zero-gradients",
                          "class-accuracy"},
    "variability": {"effects-epoch-sd", "effects-loss-sd", "effects-accuracy", "effects-loss", "final-accuracy",
                    "effects-gradient-error", "effects-lost-updates"},
}  # fmt: skip


@pytest.mark.parametrize("name", ARMS)
def test_each_notebook_renders_and_every_figure_has_data(tmp_path: Path, name: str) -> None:
    summary = Project(tmp_path).summarize(name, ("resnet8",), 2, **ARMS[name])
    into = render(tmp_path, summary, NOTEBOOKS / f"{name}.ipynb")
    drawn = {path.stem for path in (into / "figures").glob("*.png")}
    assert drawn == FIGURES[name]
    for figure in drawn:
        assert not pd.read_csv(into / "figures" / f"{figure}.csv").empty, figure
    text = (into / "index.html").read_text()
    assert not re.search(r"\bnan\b", re.sub(r"base64,[^\"]*", "", text))
