"""Every kind of file that the harness is given: a real one, where it lies, and who reads it.

Each reader goes as far as a run goes before anything is started.
"""

import json
import shutil
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import yaml
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from image_archives import write_archive
from mutations import as_json, as_json_lines, as_toml
from report_samples import looser, promote, reject
from selftest_samples import trial, write_entry

from harness.attestation import dsse
from harness.attestation.keys import load_private_key, load_public_key
from harness.attestation.verify import read_envelope
from harness.checks.artifact.folder import opened
from harness.checks.artifact.manifest import ManifestError, read_manifest
from harness.checks.fuzz.reproducer import read_all
from harness.checks.golden.golden_set import load_golden_set
from harness.checks.golden.metadata import GoldenMetadata
from harness.checks.golden.quality.check import GoldenQuality
from harness.checks.scenarios.loading import load_plan
from harness.checks.table import CHECKS
from harness.config.suite import load_suite
from harness.errors import HarnessError
from harness.evidence_files import sha256_file
from harness.golden.inputs import read_inputs
from harness.history.belief import why_not_believed
from harness.history.compare import compare
from harness.history.comparison_text import tables as comparison_tables
from harness.history.folder import Stored
from harness.history.promoted import judged
from harness.history.trend import history, summarised
from harness.history.trend_text import tables
from harness.openapi import diff, operation_names, read_document, render
from harness.openapi.validation import SchemaValidator
from harness.plan import verified_plan
from harness.rejudge import rejudge
from harness.reports.figures.drawing import draw
from harness.reports.store import evidence_folder, load_report
from harness.reports.table import RENDERERS
from harness.reports.table import render as rendered
from harness.selftest.catalogue import load_catalogue
from harness.selftest.document import FOLDER, LATEST, document_of, load_document
from harness.selftest.matrix import matrix
from harness.selftest.model import Kind, Mode, Result
from harness.selftest.overlay import build_context
from harness.selftest.standing import with_selftest
from harness.selftest.suites import verify
from harness.selftest.trials import TrialStore, last_of_each
from harness.traffic.recording import read_recording

ROOT = Path(__file__).resolve().parents[2]
PLAIN = ROOT / "tests" / "suites" / "plain"
TODAY = date(2026, 11, 22)
LATER = datetime(2099, 1, 1, tzinfo=UTC)
REPRODUCER = {
    "schema_version": 1,
    "kind": "raw",
    "case": "body-cut",
    "expect": "refused",
    "statuses": [400],
    "status": 500,
    "parts": ["POST / HTTP/1.1\r\n", {"zlib_base64": "eJxLBAAAYgBi"}],
    "pause_s": 0.5,
    "half_close": False,
    "abort": False,
    "answers": 1,
    "times": 1,
    "senders": 0,
}


FAULT = """
does = "is off by one"
family = "golden"
image = ["USER 0:0", "RUN true", "USER 10001:10001"]
suite = "[golden.metamorphic]"
may_also_fail = ["golden.batch.score"]
slow = true
caught_by = { "golden.single" = ["golden.single.score"] }
"""
BENIGN = """
does = "says so in other words"
family = "golden"
image = ["LABEL a=b"]
near = ["golden.single", "golden.batch"]
"""


@dataclass(frozen=True)
class Input:
    """A file that is read.

    Attributes:
        path: Where it lies; damaged ones are written here.
        whole: Its content.
        document: What it says, None where it has no structure.
        write: Makes a content of a document.
        read: Reads it, as far as it can be.
        error: What may be raised.
    """

    path: Path
    whole: bytes
    document: Any
    write: Callable[[Any], bytes]
    read: Callable[[], object]
    error: type[Exception] = HarnessError


def json_input(path, read, **more):
    return Input(path, path.read_bytes(), json.loads(path.read_bytes()), as_json, read, **more)


def lines_input(path, read, *, most=None):
    """``most`` lines are left of it, where it vouches for no number of them."""
    lines = path.read_bytes().splitlines()[:most]
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return Input(path, path.read_bytes(), list(map(json.loads, lines)), as_json_lines, read)


def toml_input(path, read):
    return Input(path, path.read_bytes(), tomllib.loads(path.read_text()), as_toml, read)


def inputs(folder, stored_run):
    """All of them, by name, in a folder of their own; ``stored_run`` is the report of a run that was made."""
    return {
        **_of_the_plain_suite(folder / "plain"),
        **_of_the_reference_suite(folder / "reference"),
        **_of_contracts(folder / "contracts"),
        **_of_stored_runs(folder / "runs", stored_run),
        **_of_candidates(folder / "candidates"),
        **_of_attestations(folder / "attestations"),
        **_of_selftests(folder / "selftests", folder / "plain" / "gate.toml"),
    }


def _of_the_plain_suite(folder):
    shutil.copytree(PLAIN, folder)
    config = folder / "gate.toml"

    def plan():
        verified_plan(load_suite(config), CHECKS)

    def golden():
        suite = load_suite(config)
        load_golden_set(suite, suite.config.golden)

    return {
        "gate.toml": toml_input(config, plan),
        "golden.toml": toml_input(folder / "golden" / "golden.toml", golden),
        "cases.jsonl": lines_input(folder / "golden" / "cases.jsonl", golden),
        "inputs.jsonl": lines_input(
            shutil.copy(folder / "golden" / "cases.jsonl", folder / "inputs.jsonl"),
            lambda: list(read_inputs(folder / "inputs.jsonl")),
            most=8,
        ),
        "tokens.toml": toml_input(folder / "scenarios" / "tokens.toml", plan),
    }


def _of_the_reference_suite(folder):
    for name in ("golden/breast-cancer", "contracts", "scenarios"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("selftest", "__pycache__"))
    shutil.copy(ROOT / "gate.toml", folder)
    config, golden = folder / "gate.toml", folder / "golden" / "breast-cancer"

    def scenarios(name):
        suite = load_suite(config)
        load_plan(suite, suite.config.scenarios, [f"scenarios/{name}"], key="scenarios.auth")

    def verified(check):
        suite = load_suite(config)
        check.verify_inputs(suite, suite.config.golden)

    def traffic():
        return [each.request({}) for each in read_recording(golden / "traffic.jsonl")]

    return {
        "gate.toml of the reference": toml_input(config, lambda: load_suite(config)),
        **{
            name: toml_input(folder / "scenarios" / name, lambda name=name: scenarios(name))
            for name in ("auth.toml", "rate_limit.toml", "tls.toml")
        },
        "labelled.jsonl": lines_input(golden / "labelled.jsonl", lambda: verified(GoldenQuality())),
        "metadata.json": json_input(golden / "metadata.json", lambda: verified(GoldenMetadata())),
        "traffic.jsonl": lines_input(golden / "traffic.jsonl", traffic, most=8),
    }


def _of_contracts(folder):
    folder.mkdir()
    frozen = json.loads((PLAIN / "contracts" / "openapi.json").read_bytes())
    as_file = shutil.copy(PLAIN / "contracts" / "openapi.json", folder / "served.json")
    as_yaml = folder / "served.yaml"
    as_yaml.write_text(yaml.safe_dump(frozen))

    def compared(path):
        served = read_document(path)
        for changes in (diff(frozen, served), diff(served, frozen)):
            render(changes)
        operation_names(served)
        validator = SchemaValidator(served)
        for name in frozen["components"]["schemas"]:
            validator.problem(f"/components/schemas/{name}", {"a": [1, "x", None]})

    return {
        "openapi.json": json_input(as_file, lambda: compared(as_file)),
        "openapi.yaml": Input(
            as_yaml,
            as_yaml.read_bytes(),
            frozen,
            lambda document: yaml.safe_dump(document).encode("utf-8", "replace"),
            lambda: compared(as_yaml),
        ),
    }


def _of_stored_runs(folder, stored_run):
    shutil.copytree(stored_run.parent, folder, symlinks=True)
    run, sample = folder / stored_run.name, folder / f"{reject().run_id}.json"
    sample.write_text(looser().model_dump_json())
    evidence, whole = evidence_folder(run) / "golden.single" / "evidence.json", run.read_bytes()

    def shown(path):
        report = load_report(path)
        stored = Stored(path, report)
        why_not_believed(stored, LATER)
        judged(stored)
        for group in history([summarised(stored)], 5):
            for table in tables(group):
                table.rich()
                table.markdown()
        for table in comparison_tables(compare(looser(), report)):
            table.markdown()
        figures = draw(report, evidence_folder(path))
        for name in RENDERERS:
            rendered(name, report, figures)

    def again():
        rejudge(run, None, today=TODAY)
        shown(run)

    def believed():
        """The evidence as what the report vouches for: whoever damages it can do that too."""
        document = json.loads(whole)
        for check in document["checks"]:
            if check["id"] == evidence.parent.name:
                check["evidence_files"][f"{evidence.parent.name}/{evidence.name}"] = sha256_file(evidence)
        run.write_text(json.dumps(document))
        try:
            rejudge(run, None, today=TODAY)
        finally:
            run.write_bytes(whole)

    return {
        "a report": json_input(sample, lambda: shown(sample)),
        "a stored run": json_input(run, again),
        "evidence": json_input(evidence, believed),
    }


def _of_candidates(folder):
    folder.mkdir()
    path, archive = folder / "manifest.json", folder / "image.tar"
    shutil.copy(ROOT / "reference_service" / "artifacts" / "breast-cancer" / "manifest.json", path)
    settings = load_suite(ROOT / "gate.toml").config.artifact
    stored = folder / "reproducer.json"
    stored.write_text(json.dumps(REPRODUCER))

    def manifest():
        name = f"{settings.folder.strip('/')}/{settings.manifest}"
        write_archive(archive, [(name, path.read_bytes(), 0o644)])
        with opened(archive, settings.folder, largest_mib=settings.largest_mib) as found:
            read = read_manifest(found, settings)
        for pointer in (settings.name, settings.version, settings.model):
            read.text(pointer)

    return {
        "manifest.json": json_input(path, manifest, error=ManifestError),
        "reproducer.json": json_input(stored, lambda: read_all([stored])),
    }


def _of_attestations(folder):
    folder.mkdir()
    key = ed25519.Ed25519PrivateKey.generate()
    private, public, sealed = folder / "private.pem", folder / "public.pem", folder / "attestation.json"
    private.touch(mode=0o600)
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    sealed.write_text(dsse.seal(b'{"_type": "x"}', "application/vnd.in-toto+json", key))

    def envelope():
        read = read_envelope(sealed)
        if isinstance(read, dsse.Envelope):
            dsse.verify(read, [key.public_key()])

    return {
        "attestation.json": json_input(sealed, envelope),
        "private.pem": Input(private, private.read_bytes(), None, bytes, lambda: load_private_key(private)),
        "public.pem": Input(public, public.read_bytes(), None, bytes, lambda: load_public_key(public)),
    }


def _of_selftests(folder, config):
    catalogue = folder / "catalogue"
    fault = write_entry(catalogue, "fault", "off_by_one", FAULT) / "fault.toml"
    benign = write_entry(catalogue, "benign", "other_words", BENIGN) / "benign.toml"
    suite = load_suite(config)

    def entries():
        found = load_catalogue(catalogue)
        for entry in found:
            verify(entry, suite)
            build_context(entry)
        return [entry.listed for entry in found]

    store, out = TrialStore(folder / "0123456789abcdef"), folder / "reports"
    latest = out / FOLDER / LATEST
    for each in (store.folder, latest.parent):
        each.mkdir(parents=True)
    store.append(trial("off_by_one"))
    store.append(trial("other_words", Result.PROMOTED, Kind.BENIGN))

    def last():
        return matrix(entries(), last_of_each(store.read(), Mode.QUICK, 0))

    document = document_of(suite, last(), digest="0" * 16, inputs={}, proxied=False, mode=Mode.QUICK, seed=0)
    latest.write_text(document.model_dump_json())

    def stands_on():
        report = with_selftest(promote(), out)
        for name in RENDERERS:
            rendered(name, report)
        load_document(latest)

    return {
        "fault.toml": toml_input(fault, entries),
        "benign.toml": toml_input(benign, entries),
        "trials.jsonl": lines_input(store.path, last),
        "latest.json": json_input(latest, stands_on),
    }
