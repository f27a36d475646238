"""``image.config`` on images that differ from a good one in one thing each."""

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


def check_of(report):
    return next(check for check in report.checks if check.id == "image.config")


def test_a_good_image_is_promoted(gate_image_family):
    report = gate_image_family()
    assert (report.decision, report.reasons) == (Decision.PROMOTE, ())
    assert len(check_of(report).findings) == 7


@pytest.mark.parametrize(
    ("lines", "finding", "told"),
    [
        (["USER root"], "user", "root"),
        (["HEALTHCHECK NONE"], "healthcheck", "no HEALTHCHECK"),
        (["LABEL model.version=1.9.0"], "label.model.version", "'1.9.0', it has to be '2.0.0'"),
        (["LABEL maintainer="], "label.maintainer", "missing"),
        (["USER 0", "RUN chmod u+s /usr/bin/env", "USER 10001"], "setuid", "/usr/bin/env"),
        (["ENV DB_PASSWORD=hunter2"], "secrets", "environment: DB_PASSWORD"),
        (["ARG NPM_TOKEN=hunter2", "RUN true"], "secrets", "NPM_TOKEN"),
        (
            ["USER 0", f"RUN printf -- '{KEY}' > /k.pem", "RUN rm /k.pem", "USER 10001"],
            "secrets",
            "/k.pem holds a private key",
        ),
    ],
)
def test_each_fault_is_rejected_for_itself_alone(gate_image_family, lines, finding, told):
    report = gate_image_family(*lines)
    failed = [each for each in check_of(report).findings if each.outcome is Outcome.FAIL]
    assert [each.id for each in failed] == [f"image.config.{finding}"]
    assert told in failed[0].message
    assert "hunter2" not in report.model_dump_json()
    assert report.decision is Decision.REJECT
    assert {reason.check_id for reason in report.reasons} == {"image.config"}


def test_a_process_has_no_image(tiny_suite, run_gate):
    config = tiny_suite(IMAGE.replace("{allowed}", "[]"))
    report = run_gate(config, str(config.parent), only=frozenset({Family.IMAGE, Family.GOLDEN}))[0]
    assert check_of(report).outcome is Outcome.NOT_APPLICABLE
