"""Which suite gates an entry, and what is wrong with one that no suite could gate."""

import pytest
from selftest_samples import FAULT, write_entry

from harness.config.suite import load_suite
from harness.errors import ConfigError
from harness.selftest.catalogue import load_catalogue
from harness.selftest.suites import config_of, extended, verify

SUITE = """
schema_version = 1
name = "first"
[service]
port = 8000
ready_path = "/ready"
[service.variants.tls]
scheme = "https"
[golden]
path = "golden"
single = { path = "/p", body = "${input}" }
outputs = { y = { pointer = "/y", dtype = "float32" } }
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "suite" / "gate.toml"
    path.parent.mkdir()
    path.write_text(SUITE)
    (path.parent / "golden").mkdir()
    return path


@pytest.fixture
def entry(tmp_path):
    def entry(more=""):
        write_entry(tmp_path, "fault", "off", FAULT + more)
        return load_catalogue(tmp_path)[0]

    return entry


@pytest.mark.parametrize("more", ["", 'artifact = "first"'])
def test_an_entry_is_gated_by_the_suite_that_is_tested(config, entry, more):
    assert config_of(entry(more), load_suite(config)) == config


def test_an_entry_of_another_artifact_is_gated_by_the_suite_of_that(config, entry):
    other = entry('artifact = "second"')
    with pytest.raises(ConfigError, match=r"fault\.toml: artifact: there is no gate\.second\.toml"):
        config_of(other, load_suite(config))
    path = config.with_name("gate.second.toml")
    path.write_text(SUITE)
    assert config_of(other, load_suite(config)) == path


def test_a_suite_that_nothing_is_added_to_is_itself(config, entry, tmp_path):
    assert extended(entry(), config, tmp_path / "more") == config
    assert not (tmp_path / "more").exists()


def test_what_an_entry_adds_is_at_the_end_and_its_paths_lead_to_the_same(config, entry, tmp_path):
    more = entry('suite = "[golden.limits.outputs.y]\\natol = 0.5"')
    for _ in range(2):  # a trial that is made again finds it there
        path = extended(more, config, tmp_path / "more")
        suite = load_suite(path)
        assert suite.config.golden.limits.outputs["y"].atol == 0.5
        assert suite.resolve("golden", key="golden.path").samefile(config.parent / "golden")
    assert load_suite(config).config.golden.limits.outputs == {}


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ('suite = "[golden.limits]\\natoll = 1"', "golden.limits.atoll: unknown key"),
        ('[probe]\nvariant = "mtls"', "probe.variant: "),
    ],
)
def test_what_no_suite_could_gate_is_named(config, entry, more, told):
    with pytest.raises(ConfigError) as caught:
        verify(entry(more), load_suite(config))
    assert "fault.toml: " in str(caught.value)
    assert told in str(caught.value)


def test_a_check_that_the_suite_does_not_declare_is_named(config, tmp_path):
    write_entry(tmp_path, "fault", "off", FAULT.replace("golden.single", "golden.batch"))
    (entry,) = load_catalogue(tmp_path)
    with pytest.raises(ConfigError, match=r"caught_by: .* does not declare what this check asks"):
        verify(entry, load_suite(config))


@pytest.mark.parametrize(
    "more", ["", '[probe]\nvariant = "tls"', 'suite = "[golden.limits.outputs.y]\\natol = 1"']
)
def test_what_a_suite_can_gate_is_none_of_these(config, entry, more):
    verify(entry(more), load_suite(config))
