"""What there is to try, and by which suite it is gated."""

import pytest
from selftest_suites import NAMES, selftest_suite

from harness.config.suite import load_suite
from harness.errors import ConfigError
from harness.selftest.model import Kind
from harness.selftest.proxy import pass_through
from harness.selftest.subject import of_catalogue, of_proxy

WEIGHT, _, _ = NAMES


@pytest.fixture
def config(tmp_path):
    return selftest_suite(tmp_path / "suite")


def test_a_catalogue_is_listed_whole(config):
    subject = of_catalogue(load_suite(config))
    assert [entry.name for entry in subject.entries] == list(NAMES)
    assert set(subject.configs.values()) == {config}


def test_what_adds_to_its_suite_is_marked(config):
    path = config.parent / "catalogue" / "faults" / WEIGHT / "fault.toml"
    path.write_text(f'{path.read_text()}\nsuite = """\n[service.variants.another]\nscheme = "https"\n"""\n')
    subject = of_catalogue(load_suite(config))
    assert {entry.name for entry in subject.entries if entry.extended} == {WEIGHT}


def test_a_mistake_in_an_entry_comes_up_before_anything_is_built(config):
    path = config.parent / "catalogue" / "faults" / WEIGHT / "fault.toml"
    path.write_text(f'{path.read_text()}\n[probe]\nvariant = "tls"\n')
    with pytest.raises(ConfigError, match=r"fault\.toml: probe\.variant"):
        of_catalogue(load_suite(config))


def test_of_the_proxy_only_the_pass_through_has_to_be_promoted(config):
    subject = of_proxy(load_suite(config))
    benign = {entry.name for entry in subject.entries if entry.kind is Kind.BENIGN}
    assert benign == {pass_through().name}
    assert subject.catalogue is None
    assert all(entry.mechanism for entry in subject.entries)
