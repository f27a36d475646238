"""``image.config`` and ``image.labels`` on a good image, and on images with several faults each."""

import pytest

from harness.model import Decision, Family, Outcome

pytestmark = pytest.mark.engine

IMAGE = """
[image.limits]
healthcheck = true
labels = { "model.version" = "2.0.0", maintainer = "" }
max_size_mib = 2000
setuid = {allowed}
"""
GOOD = (
    "HEALTHCHECK CMD true",
    "LABEL model.version=2.0.0 maintainer=someone",
)
KEY = r"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ\n"


@pytest.fixture(scope="session")
def setuid_of_base(engine, base_image):
    """What a Debian base has of these, which the suite allows."""
    find = ["find", "/", "-xdev", "-type", "f", "-perm", "/6000"]
    return sorted(engine.containers.run(base_image, find, remove=True, network="none").decode().split())


@pytest.fixture
def gate_image_family(tiny_suite, tiny_variant, run_gate, setuid_of_base):
    def run(*lines):
        config = tiny_suite(IMAGE.replace("{allowed}", str(setuid_of_base)))
        return run_gate(config, tiny_variant(*GOOD, *lines), only=frozenset({Family.IMAGE}))[0]

    return run


def checks_of(report):
    return [check for check in report.checks if check.family is Family.IMAGE]


def test_a_good_image_is_promoted(gate_image_family):
    report = gate_image_family()
    assert (report.decision, report.reasons) == (Decision.PROMOTE, ())
    assert [len(check.findings) for check in checks_of(report)] == [5, 2]


ROOT_WITHOUT_ITS_PAPERS = (
    [
        "USER root",
        "HEALTHCHECK NONE",
        "LABEL model.version=1.9.0",
        "LABEL maintainer=",
        "ENV DB_PASSWORD=hunter2",
    ],
    {
        "config.user": "root",
        "config.healthcheck": "no HEALTHCHECK",
        "labels.model.version": "'1.9.0', it has to be '2.0.0'",
        "labels.maintainer": "missing",
        "config.secrets": "environment: DB_PASSWORD",
    },
)
WHAT_LAYERS_HOLD = (
    [
        "USER 0",
        "ARG NPM_TOKEN=hunter2",
        f"RUN chmod u+s /usr/bin/env && printf -- '{KEY}' > /k.pem",
        "RUN rm /k.pem",
        "USER 10001",
    ],
    {"config.setuid": "/usr/bin/env", "config.secrets": "/k.pem holds a private key; history, step "},
)


@pytest.mark.parametrize(("lines", "told"), [ROOT_WITHOUT_ITS_PAPERS, WHAT_LAYERS_HOLD])
def test_faults_are_rejected_each_for_itself(gate_image_family, lines, told):
    """That each fault alone fails its own finding is shown without an engine."""
    report = gate_image_family(*lines)
    findings = [each for check in checks_of(report) for each in check.findings]
    failed = {each.id: each.message for each in findings if each.outcome is Outcome.FAIL}
    assert failed.keys() == {f"image.{finding}" for finding in told}
    assert [text for finding, text in told.items() if text not in failed[f"image.{finding}"]] == []
    assert "hunter2" not in report.model_dump_json()
    assert report.decision is Decision.REJECT
    assert {reason.finding_id for reason in report.reasons} == failed.keys()


def test_a_process_has_no_image(tiny_suite, run_gate):
    config = tiny_suite(IMAGE.replace("{allowed}", "[]"))
    report = run_gate(config, str(config.parent), only=frozenset({Family.IMAGE, Family.GOLDEN}))[0]
    assert {check.outcome for check in checks_of(report)} == {Outcome.NOT_APPLICABLE}


def test_an_image_that_never_gets_ready_is_looked_at_all_the_same(gate_image_family):
    report = gate_image_family("USER root", 'CMD ["false"]')
    assert {reason.finding_id for reason in report.reasons} >= {
        "image.config.user",
        "lifecycle.target.ready",
    }
