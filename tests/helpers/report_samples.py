"""Reports to render: a promote, a reject, an inconclusive, and whatever hypothesis thinks of."""

import hashlib

from hypothesis import strategies as st

from harness.model import (
    BoundedShare,
    Capability,
    CheckError,
    CheckResult,
    Decision,
    Direction,
    Environment,
    ErrorKind,
    Family,
    Finding,
    ModelIdentity,
    Outcome,
    PolicyChange,
    PolicyRecord,
    Reason,
    Report,
    Scope,
    SelftestRecord,
    SinceLastPromote,
    TargetDescription,
)

RUN_ID = "20261121T224017Z-4f2a9c81d0be-7c1e9a"
HOSTILE = (
    "</pre></script><script>alert(1)</script><img src=x onerror=alert(2)>]]>-->\n"
    "::error::pwned\n##[error]pwned\x1b[31mred\x1b]0;title\x07\x00\x9b2J\u202egnp.exe\u2066\ufffe"
    "|`code`|``` [link](javascript:alert(3)) ![i](http://x/y.png) "
    "@everyone #1 [bold red]rich[/] {{7*7}} {% raw %}"
)

_CURL = (
    "curl --silent --show-error --request POST 'http://127.0.0.1:8000/predict' "
    "--header 'X-API-Key: '\"$HARNESS_KEY\" --header 'Content-Type: application/json' "
    '--data-binary \'{"mean radius": 17.99, "mean texture": 10.38, "mean perimeter": 122.8}\''
)


def target(kind: Scope = Scope.CONTAINER, image: str = "registry.test/breast-cancer:2.4.0-rc1"):
    return TargetDescription(
        kind=kind,
        image=image if kind is Scope.CONTAINER else None,
        image_id="sha256:4f2a9c81d0be" + "5e" * 26 if kind is Scope.CONTAINER else None,
        repo_digest=None,
        url=None,
        model=ModelIdentity(name="breast-cancer", version="2.4.0", sha256="9b" * 32),
        device="cpu",
        execution_provider="CPUExecutionProvider",
        startup_s=1.84,
    )


def passed(check_id: str, family: Family, count: int, duration_s: float, *findings: Finding, required=True):
    return CheckResult(
        id=check_id,
        family=family,
        required=required,
        outcome=Outcome.PASS,
        expected=count,
        executed=count,
        duration_s=duration_s,
        findings=findings
        or (Finding(id=f"{check_id}.cases", outcome=Outcome.PASS, message="all cases agree", samples=count),),
        evidence_files={f"{check_id}/evidence.json": "ab" * 32},
    )


CONTRACT = passed(
    "contract.openapi",
    Family.CONTRACT,
    5,
    0.21,
    Finding(
        id="contract.openapi.breaking",
        outcome=Outcome.PASS,
        message="no breaking change in 5 operations",
        observed=0,
        limit=0,
        unit="changes",
        samples=5,
    ),
)
GOLDEN_SINGLE = passed(
    "golden.single",
    Family.GOLDEN,
    569,
    6.4,
    Finding(
        id="golden.single.label",
        outcome=Outcome.PASS,
        message="every label is the recorded one",
        observed=0,
        limit=0,
        unit="rows",
        samples=569,
    ),
    Finding(
        id="golden.single.probabilities",
        outcome=Outcome.PASS,
        message="largest difference of any probability, row-0412 malignant",
        observed=3.8e-07,
        limit=1e-05,
        samples=569,
    ),
)
GOLDEN_BATCH = passed("golden.batch", Family.GOLDEN, 569, 0.9)
FUZZ = passed("fuzz.operations", Family.FUZZ, 500, 21.7)
AUTH = passed("scenarios.auth", Family.SCENARIOS, 12, 1.3)
RATE = passed("scenarios.rate-limit", Family.SCENARIOS, 6, 8.2)
LATENCY = passed(
    "latency.paired",
    Family.LATENCY,
    4000,
    41.5,
    Finding(
        id="latency.paired.p99",
        outcome=Outcome.PASS,
        message="p99 response time 21.4 ms, 95 % interval [19.8, 24.1] ms",
        observed=21.437,
        limit=50.0,
        unit="ms",
        samples=4000,
        confidence=0.95,
        evidence="latency.paired/samples.csv",
        reproduce="harness run --candidate registry.test/breast-cancer:2.4.0-rc1 --only latency --seed 7",
    ),
    Finding(
        id="latency.paired.ratio",
        outcome=Outcome.PASS,
        message="p99 is 1.02 times the reference's, 95 % interval [0.97, 1.08]: within the margin",
        observed=1.0211,
        limit=1.1,
        unit="times",
        samples=4000,
        confidence=0.95,
    ),
)
TELEMETRY = CheckResult(
    id="telemetry.metrics",
    family=Family.TELEMETRY,
    required=False,
    outcome=Outcome.WARN,
    expected=3,
    executed=3,
    duration_s=0.12,
    findings=(
        Finding(
            id="telemetry.metrics.counter",
            outcome=Outcome.WARN,
            message="the inference counter also counts rejected requests",
            observed=612,
            limit=569,
            unit="inferences",
            samples=569,
        ),
    ),
)
HEALTHY = (CONTRACT, GOLDEN_SINGLE, GOLDEN_BATCH, FUZZ, AUTH, RATE, TELEMETRY, LATENCY)


def policy(content: str) -> PolicyRecord:
    return PolicyRecord(
        path="gate.toml", sha256=hashlib.sha256(content.encode()).hexdigest(), content=content
    )


def report(
    decision: Decision = Decision.PROMOTE,
    checks: tuple[CheckResult, ...] = HEALTHY,
    reasons: tuple[Reason, ...] = (),
    *,
    scope: Scope = Scope.CONTAINER,
    reference: TargetDescription | None = None,
    run_id: str = RUN_ID,
    **others,
) -> Report:
    fields = {
        "run_id": run_id,
        "started_at": "2026-11-21T22:40:17.204Z",
        "finished_at": "2026-11-21T22:41:46.911Z",
        "duration_s": 89.7,
        "decision": decision,
        "reasons": reasons,
        "scope": scope,
        "partial": False,
        "suite": "breast-cancer",
        "candidate": target(scope),
        "reference": reference,
        "policy": policy(
            '[golden]\nset = "golden/breast-cancer"\n\n[golden.limits]\nprobabilities_atol = 1e-5\n'
        ),
        "seed": 20261121,
        "harness_version": "0.0.9",
        "environment": Environment(
            cpu="AMD EPYC 7763 64-Core Processor",
            cores=2,
            memory_bytes=8_345_161_728,
            kernel="6.1.0-18-amd64",
            engine="Docker 27.3.1",
            python="3.11.7",
            packages={"httpx": "0.28.1", "locust": "2.47.0", "schemathesis": "4.32.5"},
        ),
        "validity": {"generator_lag_p99_ms": 1.84, "host_noise": {"p99_ms": 0.4, "checks": [1, 2]}},
        "order": tuple(check.id for check in checks),
        "checks": checks,
    }
    return Report(**(fields | others))


def on_gpu() -> Report:
    """As a run on a GPU would be reported; none was made."""
    service = target().model_copy(
        update={
            "device": "gpu",
            "execution_provider": "CUDAExecutionProvider",
            "execution_providers": ("CUDAExecutionProvider", "CPUExecutionProvider"),
            "nodes_by_provider": {"CPUExecutionProvider": 1, "CUDAExecutionProvider": 14},
        }
    )
    machine = report().environment.model_copy(
        update={"gpu": "2 x NVIDIA L4 (22.5 GiB)", "driver": "580.82.07"}
    )
    return report(
        candidate=service,
        reference=service,
        environment=machine,
        validity={"gpu_utilisation": 0.44, "candidate_gpu_memory_mib": 3072.0},
    )


def promote() -> Report:
    return report(reference=target(image="registry.test/breast-cancer:2.3.1"))


def reject() -> Report:
    golden = GOLDEN_SINGLE.model_copy(
        update={
            "outcome": Outcome.FAIL,
            "findings": (
                GOLDEN_SINGLE.findings[0],
                Finding(
                    id="golden.single.probabilities",
                    outcome=Outcome.FAIL,
                    message="17 of 569 rows differ by more than their tolerance, most at row-0412: malignant",
                    observed=0.03125,
                    limit=1e-05,
                    samples=569,
                    evidence="golden.single/row-0412.json",
                    reproduce=_CURL,
                ),
            ),
        }
    )
    auth = AUTH.model_copy(
        update={
            "outcome": Outcome.FAIL,
            "findings": (
                *(
                    Finding(
                        id=f"scenarios.auth.{name}", outcome=Outcome.PASS, message=f"{name}: 401", samples=1
                    )
                    for name in ("missing-key", "wrong-key", "empty-key", "expired")
                ),
                Finding(
                    id="scenarios.auth.alg-none",
                    outcome=Outcome.FAIL,
                    message="an unsigned token (alg: none) was accepted",
                    observed=200,
                    limit=401,
                    samples=3,
                    evidence="scenarios.auth/alg-none.json",
                    reproduce="harness run --candidate breast-cancer:2.4.0-rc1 --only scenarios",
                ),
            ),
        }
    )
    latency = LATENCY.model_copy(
        update={
            "outcome": Outcome.INCONCLUSIVE,
            "findings": (
                LATENCY.findings[0],
                LATENCY.findings[1].model_copy(
                    update={
                        "outcome": Outcome.INCONCLUSIVE,
                        "message": "p99 is 1.09 times the reference's, 95 % interval [1.01, 1.19]: "
                        "about 6 200 more samples would settle it",
                        "observed": 1.09,
                    }
                ),
            ),
        }
    )
    return report(
        Decision.REJECT,
        (CONTRACT, golden, GOLDEN_BATCH, FUZZ, auth, RATE, TELEMETRY, latency),
        (
            Reason(
                check_id=golden.id,
                finding_id="golden.single.probabilities",
                message=golden.findings[1].message,
            ),
            Reason(check_id=auth.id, finding_id="scenarios.auth.alg-none", message=auth.findings[-1].message),
        ),
        reference=target(image="registry.test/breast-cancer:2.3.1"),
    )


def undecided_too() -> Report:
    """The reject, whose reasons name the undecided latency as well, before the failures."""
    of = reject()
    latency = of.checks[-1]
    doubt = Reason(
        check_id=latency.id, finding_id=latency.findings[1].id, message=latency.findings[1].message
    )
    return of.model_copy(update={"reasons": (doubt, *of.reasons)})


def inconclusive() -> Report:
    broken = CheckResult(
        id="fuzz.operations",
        family=Family.FUZZ,
        required=True,
        outcome=Outcome.ERROR,
        expected=500,
        executed=0,
        duration_s=2.2,
        error=CheckError(kind=ErrorKind.INFRASTRUCTURE, message="the engine closed the connection"),
    )
    image = CheckResult(
        id="image.labels",
        family=Family.IMAGE,
        required=True,
        outcome=Outcome.NOT_APPLICABLE,
        expected=1,
        executed=0,
        duration_s=0.0,
        reason="the candidate runs as a process",
        missing=Capability.CONTAINER,
    )
    return report(
        Decision.INCONCLUSIVE,
        (image, CONTRACT, GOLDEN_SINGLE, GOLDEN_BATCH, broken, AUTH, RATE, LATENCY),
        (Reason(check_id="fuzz.operations", finding_id="", message="the engine closed the connection"),),
        scope=Scope.PROCESS,
        not_declared=("inference counter", "drift metric"),
    )


def looser() -> Report:
    """A promote under a policy that lets more pass than that of the release before."""
    since = SinceLastPromote(
        run_id="20261101T101500Z-86c1e0b2f3a4-1b2c3d",
        finished_at="2026-11-01T10:17:31.000+00:00",
        image="registry.test/breast-cancer:2.3.1",
        image_id="sha256:86c1e0b2f3a4" + "5e" * 26,
        repo_digest=None,
        policy_sha256="d5" * 32,
        changes=(
            PolicyChange(key="latency.limits.p99.margin", direction=Direction.LOOSENED, old=0.5, new=0.75),
            PolicyChange(key="policy.required", direction=Direction.LOOSENED, old="drift"),
            PolicyChange(key="latency.limits.devices", direction=Direction.CHANGED, old=1, new=2),
        ),
    )
    return report(reference=target(image="registry.test/breast-cancer:2.3.1"), since_last_promote=since)


def selftested(**others) -> Report:
    """A promote by a gate that was shown to notice 71 of 72 faults, and to reject no benign change."""
    of = report(reference=target(image="registry.test/breast-cancer:2.3.1"))
    fields = {
        "path": "selftest/0123456789abcdef/quick.json",
        "finished_at": "2026-11-20T03:12:44+00:00",
        "suite": of.suite,
        "policy_sha256": of.policy.sha256,
        "harness_version": of.harness_version,
        "digest": "0123456789abcdef",
        "digest_at_run": "0123456789abcdef",
        "mode": "quick",
        "faults": 72,
        "benign": 24,
        "detection": BoundedShare(hits=71, samples=72, seen=71 / 72, bound=0.9358, confidence=0.95),
        "killed_extended": 0,
        "false_rejects": BoundedShare(hits=0, samples=24, seen=0.0, bound=0.1173, confidence=0.95),
        "undecided": 0,
        "inactive": 0,
        "error": 0,
        "untried": 0,
    }
    return of.model_copy(update={"selftest": SelftestRecord(**(fields | others))})


def hostile(text: str = HOSTILE) -> Report:
    """A reject in which everything that is a free string is ``text``."""
    finding = Finding(
        id=text,
        outcome=Outcome.FAIL,
        message=text,
        observed=text,
        limit=text,
        unit=text,
        samples=3,
        evidence=text,
        reproduce=text,
        waiver=text,
    )
    failing = finding.model_copy(update={"waiver": None})
    check = CheckResult(
        id=text,
        family=Family.FUZZ,
        required=True,
        outcome=Outcome.FAIL,
        expected=1,
        executed=1,
        duration_s=1.0,
        reason=text,
        error=CheckError(kind=ErrorKind.HARNESS, message=text),
        findings=(finding, failing),
        evidence_files={text: text},
    )
    candidate = TargetDescription(
        kind=Scope.URL,
        image=text,
        image_id=text,
        repo_digest=text,
        url=text,
        model=ModelIdentity(name=text, version=text, sha256=text),
        execution_provider=text,
        execution_providers=(text,),
        nodes_by_provider={text: 1},
    )
    return report(
        Decision.REJECT,
        (check, check.model_copy(update={"outcome": Outcome.WARN, "findings": ()})),
        (
            Reason(check_id=text, finding_id=text, message=text),
            Reason(check_id="", finding_id="", message=text),
        ),
        scope=Scope.URL,
        run_id=text,
        suite=text,
        not_declared=(text,),
        unused_waivers=(text,),
        candidate=candidate,
        reference=candidate,
        validity={text: text, "nested": [{text: text}]},
        policy=PolicyRecord(path=text, sha256=text, content=text),
        environment=Environment(
            cpu=text,
            cores=1,
            memory_bytes=1,
            gpu=text,
            driver=text,
            kernel=text,
            engine=text,
            python=text,
            packages={text: text},
        ),
        limits_not_compared=text,
        since_last_promote=SinceLastPromote(
            run_id=text,
            finished_at=text,
            image=text,
            image_id=text,
            repo_digest=text,
            policy_sha256=text,
            changes=(PolicyChange(key=text, direction=Direction.LOOSENED, old=text, new=text),),
        ),
        selftest=SelftestRecord(
            path=text,
            finished_at=text,
            suite=text,
            policy_sha256=text,
            harness_version=text,
            digest=text,
            digest_at_run=text,
            mode="full",
            faults=2,
            benign=1,
            detection=BoundedShare(hits=1, samples=2, seen=0.5, bound=0.025, confidence=0.95),
            killed_extended=1,
            false_rejects=BoundedShare(hits=1, samples=1, seen=1.0, bound=1.0, confidence=0.95),
            undecided=1,
            inactive=1,
            error=1,
            untried=1,
            stale=text,
        ),
    )


def reports() -> st.SearchStrategy[Report]:
    """Any report the model accepts, hostile text and odd numbers included."""
    text = st.one_of(st.just(HOSTILE), st.text(st.characters(codec="utf-8"), max_size=30))
    texts = {"id": text, "message": text, "unit": text, "evidence": text, "reproduce": text}
    scalar = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), text)
    finding = st.builds(
        Finding,
        **texts,
        observed=scalar,
        limit=scalar,
        confidence=st.none() | st.floats(),
        waiver=st.none() | text,
    )
    check = st.builds(
        CheckResult,
        id=text,
        reason=text,
        duration_s=st.floats(),
        error=st.none() | st.builds(CheckError, kind=st.sampled_from(ErrorKind), message=text),
        findings=st.lists(finding, max_size=3).map(tuple),
        evidence_files=st.dictionaries(text, text, max_size=1),
    )
    description = st.builds(
        TargetDescription,
        image=st.none() | text,
        url=st.none() | text,
        startup_s=st.none() | st.floats(),
        model=st.builds(ModelIdentity, name=st.none() | text),
    )
    json_value = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | text,
        lambda children: st.lists(children, max_size=2) | st.dictionaries(text, children, max_size=2),
        max_leaves=4,
    )
    change = st.builds(PolicyChange, key=text, old=scalar, new=scalar)
    since = st.builds(
        SinceLastPromote,
        image=st.none() | text,
        problem=text,
        changes=st.lists(change, max_size=2).map(tuple),
    )
    return st.builds(
        report,
        since_last_promote=st.none() | since,
        selftest=st.none() | st.builds(SelftestRecord, path=text, finished_at=text, stale=text),
        limits_not_compared=text,
        decision=st.sampled_from(Decision),
        scope=st.sampled_from(Scope),
        run_id=text,
        suite=text,
        partial=st.booleans(),
        duration_s=st.floats(),
        seed=st.integers(),
        not_declared=st.lists(text, max_size=2).map(tuple),
        unused_waivers=st.lists(text, max_size=2).map(tuple),
        candidate=description,
        reference=st.none() | description,
        checks=st.lists(check, max_size=3).map(tuple),
        reasons=st.lists(st.builds(Reason, check_id=text, finding_id=text, message=text), max_size=2).map(
            tuple
        ),
        validity=st.dictionaries(text, json_value, max_size=2),
    )
