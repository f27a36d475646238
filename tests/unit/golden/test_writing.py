"""A golden set is written whole or not at all."""

import gzip
from datetime import date

import pytest

from harness.checks.golden.golden_set import read_cases
from harness.checks.golden.header import GoldenDataset, GoldenHeader, GoldenModel, Producer, read_header
from harness.checks.golden.settings import OutputSettings
from harness.errors import ConfigError, UsageError
from harness.golden.inputs import read_inputs
from harness.golden.writing import GoldenWriter, require_free

OUTPUTS = {"y": OutputSettings(pointer="/y", dtype="int64")}
WHO = 'a "quoted" \\ name\nin two lines, é'


def header(cases):
    return GoldenHeader(
        schema_version=1,
        producer=Producer(name=WHO, version="1", kind="script", date=date(2026, 11, 22), environment="none"),
        model=GoldenModel(name="m"),
        dataset=GoldenDataset(name="d", sha256="0" * 64),
        cases=cases,
    )


def write(folder, count, *, compress=False):
    with GoldenWriter(folder, compress=compress) as writer:
        for number in range(count):
            writer.add(f"n-{number}", number, {"y": number})
        writer.commit(header)


@pytest.mark.parametrize("compress", [False, True])
def test_what_is_written_is_read(tmp_path, compress):
    write(tmp_path / "set", 3, compress=compress)
    read = read_header(tmp_path / "set" / "golden.toml")
    assert read.producer.name == WHO
    cases = list(read_cases(tmp_path / "set", read.cases, OUTPUTS))
    assert [(case.id, case.input, case.expected) for case in cases] == [
        (f"n-{n}", n, {"y": n}) for n in range(3)
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_the_same_cases_make_the_same_files(tmp_path):
    for name in ("one", "two"):
        write(tmp_path / name, 3, compress=True)
    one, two = ((tmp_path / name / "cases.jsonl.gz").read_bytes() for name in ("one", "two"))
    assert one == two
    assert gzip.decompress(one).count(b"\n") == 3


def test_another_form_replaces_the_first_and_leaves_other_files(tmp_path):
    write(tmp_path, 2)
    (tmp_path / "metadata.json").write_text("{}")
    write(tmp_path, 3, compress=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "cases.jsonl.gz",
        "golden.toml",
        "metadata.json",
    ]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_failure_leaves_what_was_there(tmp_path, value):
    write(tmp_path / "set", 2)
    before = {path.name: path.read_bytes() for path in (tmp_path / "set").iterdir()}
    with GoldenWriter(tmp_path / "set", compress=False) as writer, pytest.raises(ValueError, match="JSON"):
        writer.add("n", 1, {"y": value})
    assert {path.name: path.read_bytes() for path in (tmp_path / "set").iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_a_set_is_in_the_way_unless_forced(tmp_path):
    require_free(tmp_path, force=False)
    write(tmp_path, 1)
    with pytest.raises(UsageError, match="holds a golden set"):
        require_free(tmp_path, force=False)
    require_free(tmp_path, force=True)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("", "has no input"),
        ('{"id": "a", "input": 1}\n{"id": "a", "input": 2}\n', "id: used twice"),
        ('{"id": "a"}\n', "line 1.input: required key is missing"),
        ('{"id": "a", "input": 1}\n{"id": "b", "inptu": 1}\n', "line 2.inptu: unknown key"),
        ("[]\n", "line 1"),
        ("{\n", "line 1: not JSON"),
    ],
)
def test_wrong_inputs_are_named(tmp_path, lines, message):
    file = tmp_path / "inputs.jsonl"
    file.write_text(lines)
    with pytest.raises(ConfigError, match=message):
        read_inputs(file)


@pytest.mark.parametrize("damage", ["bits", "end"])
def test_damaged_compressed_inputs_are_named(tmp_path, damage):
    file = tmp_path / "inputs.jsonl.gz"
    whole = gzip.compress(b'{"id": "a", "input": 1}\n' * 50)
    file.write_bytes(whole[:10] + b"\xff" * 20 + whole[30:] if damage == "bits" else whole[:-20])
    with pytest.raises(ConfigError, match=r"inputs\.jsonl\.gz: cannot be read"):
        read_inputs(file)


def test_a_file_of_cases_is_one_of_inputs(tmp_path):
    write(tmp_path, 2, compress=True)
    inputs = read_inputs(tmp_path / "cases.jsonl.gz", "again")
    assert [(case.id, case.input, case.expected) for case in inputs] == [("n-0", 0, {}), ("n-1", 1, {})]
    assert (inputs.count, inputs.dataset.name) == (2, "again")


@pytest.mark.parametrize("below", [(), ("set",), ("a", "set")])
def test_no_set_is_made_below_a_file(tmp_path, below):
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(UsageError, match="file is no folder"):
        require_free(file.joinpath(*below), force=True)
