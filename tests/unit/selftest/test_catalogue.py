"""The catalogue is read whole or not at all, and a mistake in it names file, key and value."""

from collections import Counter
from pathlib import Path

import pytest
from selftest_samples import BENIGN, FAULT, listed, write_entry

from harness.config.suite import load_suite
from harness.errors import ConfigError, UsageError
from harness.model import Family
from harness.selftest.catalogue import chosen, load_catalogue
from harness.selftest.model import Kind
from harness.selftest.overlay import build_context

ROOT = Path(__file__).resolve().parents[3]
LEAST_FAULTS, LEAST_BENIGN = 50, 12


def mistake(folder):
    with pytest.raises(ConfigError) as caught:
        load_catalogue(folder)
    return str(caught.value)


def test_the_reference_suite_has_a_catalogue():
    suite = load_suite(ROOT / "gate.toml")
    entries = load_catalogue(suite.resolve(suite.config.selftest.catalogue, key="selftest.catalogue"))
    kinds = Counter(entry.kind for entry in entries)
    assert kinds[Kind.FAULT] >= LEAST_FAULTS
    assert kinds[Kind.BENIGN] >= LEAST_BENIGN
    assert [entry.name for entry in entries if entry.probe is None] == []


def test_an_entry_is_what_its_folder_says(tmp_path):
    write_entry(tmp_path, "benign", "worded", BENIGN, benign="pass", probe="pass")
    folder = write_entry(tmp_path, "fault", "off", FAULT + 'image = ["LABEL a=b"]')
    fault, benign = load_catalogue(tmp_path)
    assert (fault.name, fault.kind, fault.module, fault.probe) == ("off", Kind.FAULT, None, None)
    assert fault.file == folder / "fault.toml"
    assert fault.listed.checks == ("golden.single",)
    assert (benign.kind, benign.module.name, benign.probe.name) == (Kind.BENIGN, "benign.py", "probe.py")
    assert benign.listed.checks == ("golden.single",)


def test_its_image_has_its_lines_and_starts_its_module(tmp_path):
    write_entry(
        tmp_path, "fault", "off", FAULT + 'image = ["USER root", "RUN true"]', fault="x = 1\n", probe=""
    )
    (entry,) = load_catalogue(tmp_path)
    context = build_context(entry)
    assert set(context) == {"Dockerfile", "fault.py"}
    assert context["Dockerfile"].splitlines() == [
        "ARG BASE",
        "FROM ${BASE}",
        "USER root",
        "RUN true",
        "COPY fault.py /overlay/fault.py",
        "ENV PYTHONPATH=/overlay${PYTHONPATH:+:$PYTHONPATH}",
        "ENTRYPOINT []",
        'CMD ["python3", "-m", "fault"]',
    ]


def test_an_image_without_a_module_starts_as_it_did(tmp_path):
    write_entry(tmp_path, "fault", "off", FAULT + 'image = ["LABEL a=b"]')
    (entry,) = load_catalogue(tmp_path)
    assert build_context(entry) == {"Dockerfile": "ARG BASE\nFROM ${BASE}\nLABEL a=b\n"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (FAULT + "slwo = true", "slwo: unknown key"),
        (FAULT.replace("golden.single.y", "golden.batch.y"), "is no finding of golden.single"),
        (FAULT.replace("golden.single.y", "golden.single"), "is no finding of golden.single"),
        (FAULT.replace("golden.single.y", "golden.single."), "'golden.single.*' is any that begins so"),
        (FAULT.replace("golden.single.y", "golden.single.*.y"), "is no id"),
        (FAULT + 'may_also_fail = ["golden."]', "'golden.*' is any that begins so"),
        (
            FAULT + 'may_also_fail = ["fuzz.schema.*"]',
            "may_also_fail: 'fuzz.schema.*' is neither of its family, golden, nor of lifecycle.target",
        ),
        (FAULT.replace("golden.single", "golden.sinlge"), "no check 'golden.sinlge'"),
        (FAULT.replace('"golden"', '"fuzz"'), "names no check of its own family, fuzz"),
        (FAULT + 'undecided = "where not measured"', "undecided is for faults of the latency"),
        (FAULT + 'undecided = "often"', "undecided: "),
        ('does = "x"\nfamily = "golden"\ncaught_by = {}', "caught_by: "),
        (
            FAULT + "[probe.tokens.old]\nclaims = { exp = 1 }",
            "probe.tokens.old.credential: required key is missing",
        ),
        ("does =", "not TOML"),
        (f"does = {'9' * 5000}", "not TOML"),
        (f"does = {2**63}", "beyond 64 bits"),
    ],
)
def test_a_mistake_in_a_fault_is_named(tmp_path, text, told):
    folder = write_entry(tmp_path, "fault", "off", text)
    message = mistake(tmp_path)
    assert message.startswith(f"{folder / 'fault.toml'}")
    assert told in message


def test_a_mistake_in_a_benign_change_is_named(tmp_path):
    write_entry(tmp_path, "benign", "worded", BENIGN.replace("near", "caught_by"))
    assert "benign.toml: caught_by: unknown key" in mistake(tmp_path)


def test_a_folder_whose_file_is_misspelt_is_not_passed_over(tmp_path):
    folder = write_entry(tmp_path, "fault", "off", FAULT)
    (folder / "fault.toml").rename(folder / "faults.toml")
    assert "fault.toml: cannot be read" in mistake(tmp_path)


def test_what_is_no_entry_is_passed_over(tmp_path):
    write_entry(tmp_path, "fault", "off", FAULT)
    (tmp_path / "faults" / "__pycache__").mkdir()
    (tmp_path / "faults" / "README.md").write_text("")
    assert [entry.name for entry in load_catalogue(tmp_path)] == ["off"]


def test_two_entries_have_two_names(tmp_path):
    write_entry(tmp_path, "fault", "off", FAULT)
    write_entry(tmp_path, "benign", "off", BENIGN)
    assert "has that name too" in mistake(tmp_path)


@pytest.mark.parametrize("folder", [".", "nowhere"])
def test_an_empty_catalogue_is_a_mistake(tmp_path, folder):
    assert "no fault and no benign change is in it" in mistake(tmp_path / folder)


ENTRIES = (
    listed("a"),
    listed("b", family=Family.FUZZ),
    listed("c", Kind.BENIGN, Family.FUZZ),
    listed("d", Kind.BENIGN, None),
)


@pytest.mark.parametrize(
    ("names", "expected"),
    [((), "abcd"), (("a",), "a"), (("fuzz",), "bc"), (("fuzz", "a"), "abc"), (("d", "golden"), "ad")],
)
def test_entries_are_chosen_by_name_or_family(names, expected):
    assert chosen(ENTRIES, names) == set(expected)


@pytest.mark.parametrize("name", ["fuz", "latency"])
def test_a_name_of_neither_is_told(name):
    with pytest.raises(UsageError, match=f"--only {name}: there is no such entry") as caught:
        chosen(ENTRIES, [name])
    assert ("did you mean 'fuzz'?" in caught.value.fix) == (name == "fuz")
