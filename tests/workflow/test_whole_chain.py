"""The whole chain with nothing replaced: real training, real notebook, real pages, at the smallest scale."""

import pytest
from small_project import make_project


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """One narrow ResNet-8, one seed, one epoch a phase, the second one observed."""
    project = make_project(tmp_path_factory.mktemp("whole") / "project", cheap=False)

    def shrink(parameters):
        parameters["networks"]["resnet8"]["width"] = 4
        study = parameters["studies"]["continuous16-demo"]
        for arm, text in study["arms"].items():
            study["arms"][arm] = text.replace("until-2", "until-1").replace("until-4", "until-2")
        study["observe"]["every"] = 1
        study["seeds"] = [0]

    project.edit(shrink)
    project.call("dvc repro demos")
    return project


def test_a_second_call_has_nothing_to_do(project):
    assert project.nothing_to_do()
    assert "up to date" in project.call("dvc status demos")


def test_every_byte_is_as_recorded(project):
    assert "all as recorded" in project.call("sixteen verify")


def test_a_figure_is_traced_to_the_dataset(project):
    told = project.call("sixteen trace reports/continuous16-demo/figures/accuracy-curves.png")
    for part in (
        "data/prepared/digits",
        "trained-in-float32-by-short-sgd",
        "quantized-to-float16",
        "learning_rate 0.01",
    ):
        assert part in told


def test_the_page_says_that_one_seed_decides_nothing_about_accuracy(project):
    page = (project.folder / "reports/continuous16-demo/index.html").read_text()
    assert "at least 2 seeds are needed" in page


def test_a_reader_opens_the_pages(project, read_page):
    assert read_page(project.folder / "reports/index.html") == 0
    assert read_page(project.folder / "reports/continuous16-demo/index.html") == 19
