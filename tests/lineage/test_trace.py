"""Tracing: renamed copies are found, modified files refused, and only what was compared is claimed."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from small_plan import make

from sixteen import cli
from sixteen.errors import UserError
from sixteen.lineage import record, trace
from sixteen.lineage.archive import Archive

FIGURE = Path("reports/small/figures/accuracy.png")


def told(file):
    archive = Archive.of(Path())
    return trace.tell(archive, trace.find(archive, Path(file)))


def only(pattern):
    return next(iter(sorted(Path().glob(pattern))))


def flip(file, at=-1):
    data = bytearray(file.read_bytes())
    data[at] ^= 1
    file.write_bytes(data)


def reports_only():
    shutil.rmtree("results")
    shutil.rmtree("data")


def test_a_figure_is_traced_down_to_the_dataset(project):
    text, sound = told(FIGURE)
    steps = re.findall(r"^[ │├└─]*(\w+)  (?:results|data)/", text, re.MULTILINE)
    assert sound
    assert steps[:2] == ["report", "summarize"]
    assert {"evaluate", "continue_training", "quantize", "train", "prepare"} <= set(steps)
    assert only("data/prepared/digits/*/dataset.safetensors").parent.as_posix() in text


def test_every_run_is_told_in_full_once(project):
    text, _ = told(FIGURE)
    for folder in record.find(Path()):
        assert text.replace("record.json", "").count(folder.name) >= 1
    digest = record.sha256_of(only("data/prepared/digits/*/dataset.safetensors"))
    assert text.count(digest) == 1


@pytest.mark.parametrize(
    "pattern",
    [
        "results/digits/*/trained*/seed-0/*/weights.safetensors",
        "results/digits/**/evaluated/seed-1/*/metrics.json",
        "results/small/summarized/*/summary.csv",
        "reports/small/index.html",
        "reports/small/figures/accuracy.svg",
        "reports/small/provenance.json",
        "reports/small/record.json",
        "results/digits/**/quantized*/seed-0/*/record.json",
        "data/prepared/digits/*/dataset.safetensors",
    ],
)
def test_every_kind_of_file_is_found_also_as_a_renamed_copy(project, tmp_path, pattern):
    file = only(pattern)
    copy = tmp_path / ("record.json" if file.name == "record.json" else "copy")
    shutil.copyfile(file, copy)
    assert told(file)[0].splitlines()[:2] == told(copy)[0].splitlines()[:2]


def test_of_equal_files_the_one_that_lies_there_is_told(project):
    copies = sorted(Path().glob("**/tables/runs.csv")) + sorted(
        Path().glob("results/small/summarized/*/runs.csv")
    )
    heads = {told(file)[0].splitlines()[0] for file in copies}
    assert len(copies) == 3 and len(heads) == 2


def test_a_copied_table_is_traced_to_the_run_that_wrote_it_first(project, tmp_path):
    shutil.copyfile("reports/small/tables/runs.csv", tmp_path / "mine.csv")
    assert told(tmp_path / "mine.csv")[0].startswith("runs.csv of results/small/summarized/")


@pytest.mark.parametrize(
    "pattern",
    ["results/digits/*/trained*/seed-0/*/weights.safetensors", "reports/small/index.html"],
)
def test_a_modified_file_in_its_place_is_refused_and_named(project, pattern):
    file = only(pattern)
    flip(file)
    with pytest.raises(UserError, match=f"{file} isn't what results/.* wrote"):
        told(file)


def test_another_runs_file_in_the_place_of_one_is_refused(project):
    one, other = sorted(Path().glob("results/digits/*/trained*/seed-?/*/weights.safetensors"))
    shutil.copyfile(one, other)
    with pytest.raises(UserError, match="isn't what"):
        told(other)


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_a_modified_copy_of_a_figure_is_refused_with_what_it_says_inside(project, tmp_path, ending):
    copy = tmp_path / f"copy.{ending}"
    shutil.copyfile(FIGURE.with_suffix(f".{ending}"), copy)
    flip(copy)
    with pytest.raises(
        UserError, match=r"figure accuracy of study small.*differ from the record of results/"
    ):
        told(copy)


def test_a_strangers_file_is_refused(project, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match="no record in this folder knows"):
        told(tmp_path / "mine.txt")


def test_a_changed_record_is_refused(project, tmp_path):
    file = only("results/digits/**/quantized*/seed-0/*/record.json")
    (tmp_path / "record.json").write_text(file.read_text().replace('"float16"', '"float32"'))
    with pytest.raises(UserError, match="no record"):
        told(tmp_path / "record.json")


@pytest.mark.parametrize("spelled", [b"\xef\xbb\xbf%s", b"%s\n"])
def test_a_record_in_another_spelling_is_refused(project, tmp_path, spelled):
    file = only("results/digits/**/quantized*/seed-0/*/record.json")
    (tmp_path / "record.json").write_bytes(spelled % file.read_bytes())
    with pytest.raises(UserError, match="no record"):
        told(tmp_path / "record.json")


def test_a_terminal_that_knows_few_characters_shows_the_rest_escaped(project):
    command = [sys.executable, "-m", "sixteen", "trace", str(FIGURE)]
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "\\u2502" in done.stdout


def test_reports_alone_answer_and_say_what_is_not_here(project):
    whole, _ = told(FIGURE)
    reports_only()
    text, sound = told(FIGURE)
    fingerprints = set(re.findall(r"\b[0-9a-f]{12}\b", whole))
    assert sound
    assert fingerprints == set(re.findall(r"\b[0-9a-f]{12}\b", text))
    assert "bytes match 10/10" in text and "not in this clone" in text


def test_reports_alone_do_not_hide_a_modified_figure(project):
    reports_only()
    flip(FIGURE)
    with pytest.raises(UserError, match="isn't what"):
        told(FIGURE)


def test_differing_bytes_on_the_way_are_named(project):
    weights = only("results/digits/*/trained*/seed-0/*/weights.safetensors")
    flip(weights)
    text, sound = told(FIGURE)
    assert not sound
    assert f"DIFFERS from its record: {weights}" in text


def test_a_parent_made_anew_with_other_bytes_is_named(project):
    weights = only("results/digits/*/trained*/seed-0/*/weights.safetensors")
    flip(weights)
    kept = record.read(weights.parent)
    record.write(weights.parent, {**kept, "outputs": record.describe(weights.parent)})
    text, sound = told(FIGURE)
    assert not sound
    assert f"DIFFERS from what was written: {weights} as read by" in text


@pytest.mark.parametrize("remembered", [True, False])
def test_parameters_that_somebody_wrote_into_a_record_are_no_ones(project, remembered):
    weights = only("results/digits/*/trained*/seed-0/*/weights.safetensors")
    kept = record.read(weights.parent)
    recipe = kept["parameters"]["recipe"] | {"learning_rate": 0.5}
    forged = kept | {"parameters": kept["parameters"] | {"recipe": recipe}}
    record.write(weights.parent, forged)
    if not remembered:
        shutil.rmtree("reports")
    text, sound = told(weights)
    assert not sound
    assert (
        f"DIFFERS from its record: {weights.parent}/record.json, which states a fingerprint" in text
    )
    with pytest.raises(UserError, match="states a fingerprint that its contents don't amount to"):
        record.intact(Path(), weights.parent.as_posix())


def test_a_fingerprint_that_somebody_wrote_into_a_record_is_no_ones(project):
    folder = only("results/digits/*/trained*/seed-0/*/")
    record.write(folder, record.read(folder) | {"fingerprint": "0" * 12})
    text, sound = told(folder / "weights.safetensors")
    assert not sound and f"{folder}/record.json, which states a fingerprint" in text
    with pytest.raises(UserError, match="states a fingerprint that its contents don't amount to"):
        record.intact(Path(), folder.as_posix())


def test_a_network_that_is_called_like_a_seed_is_none(project, parameters):
    parameters["networks"]["seed-7"] = parameters["networks"].pop("resnet8")
    parameters["studies"]["small"]["networks"] = ["seed-7"]
    make(parameters)
    text, sound = told(FIGURE)
    assert sound and "results/digits/seed-7/" in text
    assert "seed 0" in text and "seed 1" in text and "seed 7" not in text


def test_a_record_of_brackets_is_none(project):
    file = only("results/digits/*/trained*/seed-0/*/record.json")
    file.write_text("[" * 100_000 + "]" * 100_000)
    with pytest.raises(UserError, match="whose record doesn't know it"):
        told(file)


def test_damaged_records_are_left_out_and_named(project):
    flip(only("results/digits/**/evaluated/seed-0/*/record.json"), 5)
    shutil.rmtree("reports")
    text, _ = told(only("results/digits/*/trained*/seed-0/*/weights.safetensors"))
    assert "damaged records" in text


@pytest.mark.parametrize("key", ["execution", "outputs", "path", "parents", "inputs", "code"])
def test_records_that_are_sealed_and_malformed_are_left_out_and_named(project, key):
    folder = only("results/digits/**/evaluated/seed-0/*/")
    kept = record.read(folder)
    del kept[key]
    record.write(folder, kept)
    [published] = Path("reports").glob("*/provenance.json")
    closure = json.loads(published.read_text())
    closure["records"][folder.as_posix()] = json.loads((folder / record.NAME).read_text())
    published.write_text(json.dumps(closure))
    text = " ".join(told(only("results/digits/*/trained*/seed-0/*/weights.safetensors"))[0].split())
    assert f"damaged records, see `sixteen verify`: {published}, {folder}/record.json" in text


def test_no_record_commands_the_terminal(project, monkeypatch, capsys):
    folder = only("results/digits/*/trained*/seed-0/*/")
    kept = record.read(folder)
    record.write(folder, kept | {"execution": kept["execution"] | {"host": "\x1b[31mred\u202e"}})
    monkeypatch.setattr("sys.argv", ["sixteen", "trace", str(folder / "weights.safetensors")])
    with pytest.raises(SystemExit):
        cli.main()
    told = capsys.readouterr().out
    assert "\x1b" not in told and "\u202e" not in told and r"\x1b[31mred\u202e" in told


def test_what_a_killed_run_left_is_no_run(project):
    folder = only("results/digits/*/trained*/seed-0/*")
    shutil.copytree(folder, folder.with_name(f".{folder.name}.partial"))
    assert len(Archive.of(Path()).makers[record.sha256_of(folder / "weights.safetensors")]) == 1


def test_outside_of_a_project_it_says_where_to_run(tmp_path):
    with pytest.raises(UserError, match="top of the project"):
        Archive.of(tmp_path)


def test_the_list_of_reports_is_told_from_a_file_that_was_modified(project):
    Path("reports/index.html").write_text("a list")
    with pytest.raises(UserError, match="is the list of the reports"):
        trace.find(Archive.of(Path()), Path("reports/index.html"))


@pytest.mark.parametrize("said", ["[1]", "5", "{}", '{"figure": 1, "study": 2, "summary": 3}'])
def test_a_figure_that_says_nonsense_of_itself_says_nothing(tmp_path, said):
    told = PngInfo()
    told.add_text("sixteen", said)
    Image.new("RGB", (1, 1)).save(tmp_path / "a.png", pnginfo=told)
    assert trace.embedded(tmp_path / "a.png") is None
