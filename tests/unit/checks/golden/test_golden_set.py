"""Reading golden sets: each mistake is named with its file, its line or key, and what is allowed."""

import gzip
import hashlib
import json
from pathlib import Path

import pytest

from harness.checks.golden.golden_set import read_cases
from harness.checks.golden.header import read_header
from harness.checks.golden.settings import OutputSettings
from harness.errors import ConfigError, ExitCode

OUTPUTS = {
    "label": OutputSettings(pointer="/label", dtype="string"),
    "score": OutputSettings(pointer="/score", dtype="float32"),
}
HEADER = """\
schema_version = 1
[producer]
name = "pipeline"
version = "1.0"
kind = "pipeline"
date = "2026-11-01"
environment = "python 3.11"
[model]
name = "m"
version = "1.0.0"
sha256 = "{zeros}"
[dataset]
name = "d"
sha256 = "{zeros}"
[cases]
file = "cases.jsonl"
sha256 = "{sha256}"
count = {count}
"""


def case(number, **change):
    return {"id": f"row-{number}", "input": {"x": number}, "expected": {"label": "a", "score": 0.5}, **change}


def write(folder: Path, lines, *, count=None, sha256=None):
    content = "".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines).encode()
    (folder / "cases.jsonl").write_bytes(content)
    header = HEADER.format(
        zeros="0" * 64,
        sha256=sha256 or hashlib.sha256(content).hexdigest(),
        count=len(lines) if count is None else count,
    )
    (folder / "golden.toml").write_text(header)
    return folder


def read(folder):
    header = read_header(folder / "golden.toml")
    return tuple(read_cases(folder, header.cases, OUTPUTS))


def test_a_right_set_is_read_in_order(tmp_path):
    cases = read(write(tmp_path, [case(0), case(1), case(2)]))
    assert [c.id for c in cases] == ["row-0", "row-1", "row-2"]
    assert cases[1].input == {"x": 1}


def test_the_reader_streams(tmp_path):
    write(tmp_path, [case(0), "garbage\n"])
    header = read_header(tmp_path / "golden.toml")
    cases = read_cases(tmp_path, header.cases, OUTPUTS)
    assert next(cases).id == "row-0"
    with pytest.raises(ConfigError, match="line 2"):
        next(cases)


def compressed(folder):
    """The same set with its cases compressed; the digest stays that of the lines."""
    lines = (folder / "cases.jsonl").read_bytes()
    (folder / "cases.jsonl").unlink()
    (folder / "cases.jsonl.gz").write_bytes(gzip.compress(lines))
    header = folder / "golden.toml"
    header.write_text(header.read_text().replace('"cases.jsonl"', '"cases.jsonl.gz"'))
    return folder / "cases.jsonl.gz"


def test_a_compressed_set_is_read_alike(tmp_path):
    plain = read(write(tmp_path, [case(0), case(1)]))
    compressed(tmp_path)
    assert read(tmp_path) == plain


@pytest.mark.parametrize(
    "damage",
    [lambda b: b[:-9], lambda b: b[:40] + b"?" + b[41:], lambda _: b"plain"],
    ids=["cut", "altered", "not compressed"],
)
def test_a_damaged_compressed_set_is_named(tmp_path, damage):
    write(tmp_path, [case(n) for n in range(20)])
    file = compressed(tmp_path)
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(ConfigError, match=r"cases\.jsonl\.gz: "):
        read(tmp_path)


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ("\n", "line 2: not JSON"),
        ("{\n", "line 2: not JSON"),
        ("[1]\n", "line 2"),
        (case(0), "line 2: id: used twice"),
        (case(1, extra=1), "line 2.extra: unknown key"),
        ({"id": "x", "input": 1}, "line 2.expected: required key is missing"),
        (case(1, id=""), "line 2.id"),
        (case(1, expected={"label": "a"}), "line 2: expected: does not name the outputs"),
        (case(1, expected={"label": "a", "score": 1, "more": 2}), "line 2: expected: does not name"),
        (case(1, expected={"label": 3, "score": 0.5}), "line 2: expected.label: number instead of a string"),
        (case(1, expected={"label": "a", "score": True}), "line 2: expected.score: boolean instead"),
        (case(1, expected={"label": "a", "score": float("nan")}), "line 2: not JSON: NaN"),
        (
            case(1, expected={"label": "a", "score": 1e39}),
            "line 2: expected.score: 1e[+]39 is beyond float32",
        ),
    ],
)
def test_a_wrong_line_is_named(tmp_path, second, message):
    with pytest.raises(ConfigError, match=message) as raised:
        read(write(tmp_path, [case(0), second]))
    assert "cases.jsonl" in str(raised.value)
    assert raised.value.exit_code is ExitCode.USAGE


def test_zero_cases_are_an_error(tmp_path):
    with pytest.raises(ConfigError, match="has no case"):
        read(write(tmp_path, [], count=1))
    with pytest.raises(ConfigError, match=r"cases\.count"):
        read(write(tmp_path, [], count=0))


def test_another_count_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match=r"cases\.count: cases\.jsonl has 2 cases \(got 3\)"):
        read(write(tmp_path, [case(0), case(1)], count=3))


def test_another_digest_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match=r"cases\.sha256: .* another digest"):
        read(write(tmp_path, [case(0)], sha256="0" * 64))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('name = "pipeline"', 'name = ""', r"producer\.name"),
        ('name = "pipeline"\n', "", r"producer\.name: required key is missing"),
        (
            'kind = "pipeline"',
            'kind = "guess"',
            r"producer\.kind.*'import' or 'service'",
        ),
        ('date = "2026-11-01"', 'date = "yesterday"', r"producer\.date"),
        ("schema_version = 1", "schema_version = 2", "schema_version"),
        ('file = "cases.jsonl"', 'file = "../cases.jsonl"', r"cases\.file: .*beside golden\.toml"),
        ('file = "cases.jsonl"', 'file = "other.jsonl"', r"other\.jsonl: cannot be read"),
        ("[dataset]", "[data_set]", r"data_?set: "),
        ("[dataset]", "[dataset", "not TOML"),
        ('file = "cases.jsonl"', 'file = "cases.jsonl\\u0000"', r"cases\.file: .*beside golden\.toml"),
        ("count = ", "count = 0x" + "f" * 5000 + " # ", r"golden\.toml: cases\.count: .*beyond 64 bits"),
        ("[dataset]", "x = " + "[" * 5000, "not TOML"),
    ],
)
def test_a_wrong_header_is_named(tmp_path, old, new, message):
    folder = write(tmp_path, [case(0)])
    header = folder / "golden.toml"
    text = header.read_text()
    assert old in text
    header.write_text(text.replace(old, new, 1))
    with pytest.raises(ConfigError, match=message):
        read(folder)


def test_a_missing_header_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"golden\.toml: cannot be read"):
        read(tmp_path)
