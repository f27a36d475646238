"""Names of suites, bodies from files, and which services are asked without a question."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.config.suite import GateConfig
from harness.errors import ConfigError
from harness.suite_init.request import InitRequest, is_local, read_bodies, suite_name


@pytest.mark.parametrize(
    ("candidate", "name"),
    [
        ("my-service:2.1.0", "my-service"),
        ("registry.example:5000/team/My_Service@sha256:" + "0" * 64, "my-service"),
        ("http://127.0.0.1:8000", "the-folder"),
        ("___", "service"),
    ],
)
def test_a_suite_is_named_after_its_image_or_folder(candidate, name):
    assert suite_name(InitRequest(candidate=candidate, folder=Path("/x/The Folder"))) == name


@given(st.text())
def test_any_name_is_one(candidate):
    name = suite_name(InitRequest(candidate=candidate, folder=Path("/x")))
    GateConfig.model_validate({"schema_version": 1, "name": name, "service": {"port": 1, "ready_path": "/"}})


@pytest.mark.parametrize(
    ("text", "bodies"),
    [
        ('{"x": [1,\n2]}', [{"x": [1, 2]}]),
        ('{"x": 1}\n\n{"x": 2}\n', [{"x": 1}, {"x": 2}]),
        ("[1, 2]", [[1, 2]]),
        ("null", [None]),
    ],
)
def test_a_file_holds_one_body_or_one_a_line(tmp_path, text, bodies):
    file = tmp_path / "bodies"
    file.write_text(text)
    assert read_bodies(file) == bodies


@pytest.mark.parametrize("content", [b"", b"\n", b"{", b"1\n{\n", b"\xff", b"NaN", b"1 2"])
def test_a_file_that_holds_none(tmp_path, content):
    file = tmp_path / "bodies"
    file.write_bytes(content)
    with pytest.raises(ConfigError) as refused:
        read_bodies(file)
    assert str(file) in str(refused.value)


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://localhost/base", True),
        ("http://[::1]:80", True),
        ("https://example.com", False),
        ("http://10.0.0.7:8000", False),
        ("http://localhost.example.com", False),
    ],
)
def test_a_service_on_another_machine_is_not_asked_unasked(url, local):
    assert is_local(url) is local
