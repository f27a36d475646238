"""A mistake in gate.toml names the file, the key, the value and what is allowed."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.config.suite import load_suite, parse_suite
from harness.errors import ConfigError, ExitCode

ROOT = Path(__file__).resolve().parents[3]
GOOD = """
schema_version = 1
name = "x"
[service]
port = 8000
ready_path = "/ready"
"""


def mistake(text, path="gate.toml"):
    with pytest.raises(ConfigError) as caught:
        parse_suite(text, Path(path))
    assert caught.value.exit_code is ExitCode.USAGE
    return str(caught.value), caught.value.fix


def test_the_reference_suite_is_valid():
    assert load_suite(ROOT / "gate.toml").config.golden is not None


def test_a_misspelt_key_is_named_with_the_right_one():
    message, fix = mistake(GOOD + "prot = 1\n")
    assert message == "gate.toml: service.prot: unknown key (got 1)"
    assert "did you mean 'port'" in fix


def test_a_misspelt_required_key_is_named_with_the_right_one():
    message, fix = mistake(GOOD.replace("port", "prot"))
    assert message.startswith("gate.toml: service.prot: unknown key (got 8000)")
    assert "also service.port: required key is missing" in message
    assert "did you mean 'port'" in fix


def test_a_misspelt_value_of_an_enumeration_is_named_with_the_right_one():
    message, fix = mistake(GOOD + '[policy]\nrequired = ["contracts"]\n')
    assert message.startswith("gate.toml: policy.required.0: ")
    assert "(got 'contracts')" in message
    assert fix == "did you mean 'contract'?"


def test_a_value_like_none_of_an_enumeration_gets_no_guess():
    _, fix = mistake(GOOD + '[policy]\nrequired = ["zzz"]\n')
    assert not fix


def test_a_wrong_value_is_shown():
    message, _ = mistake(GOOD.replace("8000", "70000"))
    assert "service.port" in message
    assert "70000" in message
    assert "65535" in message


def test_a_missing_key_is_named():
    message, _ = mistake(GOOD.replace("port = 8000", ""))
    assert message == "gate.toml: service.port: required key is missing"


def test_every_further_mistake_is_listed():
    message, _ = mistake(GOOD + 'memory = "lots"\npids = 0\n')
    assert "service.memory" in message
    assert "also service.pids" in message


def test_broken_toml_tells_the_line():
    message, _ = mistake("a =\nb = 1")
    assert "not TOML" in message
    assert "line 1" in message


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.toml: cannot be read"):
        load_suite(tmp_path / "nowhere.toml")


def test_an_undeclared_credential_is_found_where_it_is_used():
    text = GOOD + '[service.metadata]\npath = "/m"\ncredential = "boss"\n'
    message, fix = mistake(text)
    assert "service.metadata.credential" in message
    assert "'boss'" in message
    assert "auth.credentials" in fix


def test_an_output_does_not_share_the_id_of_another_finding():
    golden = """
[golden]
path = "golden"
single = { path = "/p", body = "${input}" }
outputs = { items = { pointer = "/y", dtype = "float32" } }
"""
    message, _ = mistake(GOOD + golden)
    assert "golden.outputs: " in message
    assert "'items'" in message


def test_a_misspelt_key_of_the_gpu_is_named_with_the_right_one():
    message, fix = mistake(GOOD + '[service.gpu]\nenviroment = { A = "b" }\n')
    assert message.startswith("gate.toml: service.gpu.enviroment: unknown key")
    assert "did you mean 'environment'" in fix


@pytest.mark.parametrize("line", ['memory = "lots"', "pids = 0", "ready_timeout_s = 0", "environment = 1"])
def test_a_wrong_value_of_the_gpu_is_named(line):
    message, _ = mistake(GOOD + f"[service.gpu]\n{line}\n")
    assert f"service.gpu.{line.partition(' ')[0]}" in message


def test_build_arguments_without_a_build_are_a_mistake():
    section = '[service.gpu]\nbuild_args = { A = "b" }\n'
    message, _ = mistake(GOOD + section)
    assert message.startswith("gate.toml: service: ")
    assert "gpu.build_args is given" in message
    assert parse_suite(GOOD + "[service.build]\n" + section, Path("gate.toml")).config.service.gpu


def test_infinity_is_no_limit():
    message, _ = mistake(GOOD + "cpus = inf\n")
    assert "service.cpus" in message


GOLDEN = """
[golden]
path = "golden"
single = { path = "/p", body = "${input}" }
outputs = { y = { pointer = "/y", dtype = "float32" } }
"""


@pytest.mark.parametrize(
    ("old", "new", "key", "said"),
    [
        ('path = "/p"', 'path = "/p", method = "P ST"', "golden.single.method", "name of an HTTP method"),
        (
            'path = "/p"',
            'path = "/p", headers = { "X Y" = "a" }',
            "golden.single.headers",
            "no name of a header",
        ),
        ('path = "/p"', 'path = "/p", headers = { X = "ü" }', "golden.single.headers", "printable ASCII"),
        ('path = "/p"', 'path = "/p", headers = { X = "a\\nb" }', "golden.single.headers", "printable ASCII"),
        ('"${input}"', '["${input}", 2026-11-22]', "golden.single.body", "must be JSON"),
        ('"${input}"', '["${input}", nan]', "golden.single.body", "not JSON compliant"),
    ],
)
def test_what_no_client_could_send_is_a_mistake_of_the_suite(old, new, key, said):
    assert parse_suite(GOOD + GOLDEN, Path("gate.toml"))
    message, _ = mistake(GOOD + GOLDEN.replace(old, new, 1))
    assert f"gate.toml: {key}: " in message
    assert said in message


@pytest.mark.parametrize("pattern", ["a{99999999999}", "(" * 5000, "["], ids=["repeated", "deep", "open"])
def test_an_expression_that_python_cannot_compile_is_a_mistake(pattern):
    text = f'[service.variants.v]\n[lifecycle]\nrefusals = [{{ variant = "v", log = "{pattern}" }}]\n'
    message, _ = mistake(GOOD + text)
    assert message.startswith("gate.toml: lifecycle.refusals.0.log: ")
    assert "not a regular expression" in message


def test_a_deep_value_is_still_an_error_of_its_key():
    message, _ = mistake(GOOD.replace('name = "x"', ".".join(["name", *["a"] * 60]) + " = 1"))
    assert message.startswith("gate.toml: name: ")


def test_an_input_that_is_no_file_is_not_waited_for(tmp_path):
    suite = replace(parse_suite(GOOD, Path("gate.toml")), path=tmp_path / "gate.toml")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    for name, problem in {
        "pipe": "neither a file nor a folder",
        "loop": "cannot be read",
        "nothing": "no such file or folder",
        "x" * 300: "cannot be read",
        "a\0b": "cannot be read",
        "gate.toml/below": "no such file or folder",
    }.items():
        with pytest.raises(ConfigError, match=problem) as caught:
            suite.resolve(name, key="golden.path")
        assert str(caught.value).startswith(f"{suite.path}: golden.path: ")
    assert suite.resolve(".", key="golden.path").is_dir()


def problem(text):
    """The problem with a text; where there is none, the name of the file."""
    try:
        return str(parse_suite(text, Path("gate.toml")).path)
    except ConfigError as error:
        return str(error)


@given(st.text(max_size=300))
def test_any_text_is_a_suite_or_a_clear_error(text):
    assert problem(text).startswith("gate.toml")


toml_scalars = (
    st.integers(-10, 10**6) | st.booleans() | st.sampled_from(['""', '"x"', "[]", "{}", "nan", "1e999"])
)
KEYS = ["port", "ready_path", "memory", "cpus", "files", "build", "command", "environment", "zzz"]


@given(st.dictionaries(st.sampled_from(KEYS), toml_scalars, max_size=5))
def test_any_values_are_a_suite_or_a_clear_error(values):
    lines = [
        f"{key} = {str(value).lower() if isinstance(value, bool) else value}" for key, value in values.items()
    ]
    text = "schema_version = 1\nname = 'x'\n[service]\n" + "\n".join(lines)
    assert problem(text).startswith("gate.toml")
