import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.image.archive import Archive
from harness.checks.image.config import ImageConfig, evidence_of
from harness.checks.image.settings import ImageLimits
from harness.model import Capability, Outcome

EVERYTHING = ImageLimits(
    healthcheck=True,
    max_size_mib=100,
    setuid=("/usr/bin/su",),
)
GOOD = {
    "User": "10001:10001",
    "Env": ["PATH=/usr/bin", "SERVICE_API_KEYS_FILE=/run/keys", "GPG_KEY=A035"],
    "Healthcheck": {"Test": ["CMD", "true"]},
}


def judged(
    limits=EVERYTHING,
    *,
    size_mib=50,
    reference_mib=None,
    device="cpu",
    setuid=(),
    secrets=None,
    users=None,
    history=(),
    given=frozenset(),
    **config,
):
    archive = Archive(
        config={"config": {**GOOD, **config}, "history": [{"created_by": step} for step in history]},
        setuid=setuid,
        secrets=secrets or {},
        users=users or {},
        files=1,
    )
    evidence = evidence_of(archive, size_mib * 1024 * 1024, given).model_copy(
        update={
            "device": device,
            "reference_bytes": None if reference_mib is None else reference_mib * 1024 * 1024,
        }
    )
    stored = ImageConfig.evidence.model_validate_json(evidence.model_dump_json())
    return {
        finding.id.removeprefix("image.config."): finding for finding in ImageConfig().judge(stored, limits)
    }


def failed(findings):
    return {name for name, finding in findings.items() if finding.outcome is not Outcome.PASS}


def test_a_good_image_passes_everything():
    findings = judged()
    assert failed(findings) == set()
    assert findings.keys() == {
        "secrets",
        "user",
        "healthcheck",
        "size",
        "setuid",
    }


@pytest.mark.parametrize(
    ("reference_mib", "outcome"),
    [
        (50, Outcome.PASS),
        (40, Outcome.FAIL),
        (0, Outcome.NOT_APPLICABLE),
        (None, Outcome.INCONCLUSIVE),  # a run of a version that did not look
    ],
)
def test_its_size_is_compared_with_the_reference_s(reference_mib, outcome):
    finding = judged(ImageLimits(size_margin=0.1), reference_mib=reference_mib)["size_ratio"]
    assert finding.outcome is outcome
    assert (finding.missing is Capability.REFERENCE_CONTAINER) is (outcome is Outcome.NOT_APPLICABLE)
    if reference_mib:
        assert (finding.observed, finding.unit) == (50 / reference_mib, "times the reference")


def test_only_what_is_asked_for_is_judged_but_secrets_always():
    assert judged(ImageLimits(non_root=False)).keys() == {"secrets"}


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"User": ""}, "user"),
        ({"User": None}, "user"),
        ({"User": "root"}, "user"),
        ({"User": "0:1000"}, "user"),
        ({"User": "app", "users": {"app": 0}}, "user"),
        ({"User": "app", "users": {"other": 1000}}, "user"),
        ({"User": "000"}, "user"),
        ({"User": "9" * 5000}, "user"),
        ({"Healthcheck": None}, "healthcheck"),
        ({"Healthcheck": {"Test": ["NONE"]}}, "healthcheck"),
        ({"size_mib": 101}, "size"),
        ({"setuid": ("/usr/bin/su", "/usr/bin/passwd")}, "setuid"),
        ({"secrets": {"/k": "layer 1: /k holds a private key"}}, "secrets"),
        ({"Env": ["DB_PASSWORD=x"]}, "secrets"),
        ({"Env": ["PIP_INDEX_URL=https://me:pw@index.test/simple"]}, "secrets"),
        ({"history": ["/bin/sh -c #(nop)  ENV AWS_SECRET_ACCESS_KEY=abc"]}, "secrets"),
        ({"history": ["|1 NPM_TOKEN=abc /bin/sh -c npm ci"]}, "secrets"),
        ({"history": ['RUN git clone "https://me:pw@host.test/x"']}, "secrets"),
        ({"Env": ["DEPLOY=ghp_" + "aB3dE6gH9j" * 4]}, "secrets"),
        ({"Labels": {"deploy": "ghp_" + "aB3dE6gH9j" * 4}}, "secrets"),
        ({"Env": ["X=of-this-run"], "given": frozenset({b"of-this-run"})}, "secrets"),
    ],
)
def test_each_fault_fails_its_own_finding(changes, wrong):
    assert failed(judged(**changes)) == {wrong}


@pytest.mark.parametrize(
    "changes",
    [
        {"User": "app", "users": {"app": 1000}},
        {"User": "1000"},
        {"size_mib": 100},
        {"setuid": ("/usr/bin/su",)},
        {"Env": ["DB_PASSWORD=", "TOKENIZERS_PARALLELISM=true", "SECRET_FILE=/run/secret"]},
        {"history": ["COPY token.py /srv", "RUN pip install --index-url https://index.test/simple x"]},
    ],
)
def test_what_is_allowed_passes(changes):
    assert failed(judged(**changes)) == set()


def test_a_secret_itself_is_never_told():
    findings = judged(Env=["API_KEY=hunter2"], history=["ENV TOKEN=hunter3"])
    assert "API_KEY" in findings["secrets"].message
    assert "TOKEN" in findings["secrets"].message
    assert "hunter" not in repr(findings)


def test_a_public_secret_is_allowed_in_its_own_file_only():
    limits = ImageLimits(public_secrets=("/test.key",))
    assert failed(judged(limits, secrets={"/test.key": "told"})) == set()
    assert failed(judged(limits, secrets={"/test.key": "told", "/k": "told"})) == {"secrets"}
    assert failed(judged(limits, secrets={"/test.key": "told"}, Env=["DB_PASSWORD=x"])) == {"secrets"}


@given(
    st.text(alphabet="0123456789:aroot", max_size=8),
    st.dictionaries(st.sampled_from(["a", "o"]), st.integers(0, 2)),
)
def test_no_name_or_number_of_root_passes(user, users):
    outcome = judged(User=user, users=users)["user"].outcome
    name = user.partition(":")[0]
    is_root = name in {"", "root"} or (int(name) if name.isdecimal() else users.get(name, 0)) == 0
    assert (outcome is Outcome.FAIL) == is_root


@pytest.mark.parametrize(
    ("device", "gpu_size_mib", "allowed_mib"),
    [("cpu", None, 100), ("cpu", 3000, 100), ("gpu", None, 100), ("gpu", 3000, 3000)],
)
def test_an_image_for_a_gpu_may_have_a_size_of_its_own(device, gpu_size_mib, allowed_mib):
    limits = EVERYTHING.model_copy(update={"max_gpu_size_mib": gpu_size_mib})
    assert failed(judged(limits, device=device, size_mib=allowed_mib)) == set()
    too_large = judged(limits, device=device, size_mib=allowed_mib + 1)
    assert failed(too_large) == {"size"}
    assert too_large["size"].limit == allowed_mib
