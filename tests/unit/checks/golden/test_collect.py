"""Collecting over loopback HTTP from services that are right, wrong, slow, hostile and dead."""

import hashlib
import json
import threading
import time
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from harness.checks.golden.batch import GoldenBatch
from harness.checks.golden.concurrent import GoldenConcurrent
from harness.checks.golden.evidence import BesideLoad
from harness.checks.golden.loaded import GoldenLoaded
from harness.checks.golden.metamorphic.check import GoldenMetamorphic
from harness.checks.golden.payloads import payloads
from harness.checks.golden.settings import ConcurrentSettings, LoadedSettings, MetamorphicSettings
from harness.checks.golden.single import GoldenSingle
from harness.checks.interface import CheckContext
from harness.config.suite import parse_suite
from harness.credentials import Credentials
from harness.errors import ConfigError, TargetError
from harness.judgement import conclude
from harness.model import Outcome, Scope, TargetDescription

GATE = """\
schema_version = 1
name = "small"
[service]
port = 8000
ready_path = "/"
[auth]
keys = ["default"]
[auth.credentials.caller]
headers = { X-Token = "${key.default}" }
[golden]
path = "golden"
connections = 3
timeout_s = 5
most_answer_bytes = 2048
[golden.single]
path = "/one"
credential = "caller"
body = { instance = "${input}" }
[golden.batch]
path = "/many"
credential = "caller"
size = 4
items = "/results"
body = { instances = "${inputs}" }
[golden.outputs.label]
pointer = "/label"
dtype = "string"
[golden.outputs.score]
pointer = "/detail/score"
dtype = "float32"
[golden.limits.outputs]
score = { atol = 1e-6 }
"""
HEADER = """\
schema_version = 1
producer = { name = "test", version = "1", kind = "script", date = "2026-11-01", environment = "python" }
model = { name = "m", version = "1", sha256 = "%(zeros)s" }
dataset = { name = "d", sha256 = "%(zeros)s" }
cases = { file = "cases.jsonl", sha256 = "%(sha256)s", count = 10 }
"""


def right(number):
    return {"label": "odd" if number % 2 else "even", "detail": {"score": number / 8}, "request_id": "r"}


@pytest.fixture
def suite(tmp_path):
    lines = [
        {"id": f"row-{n}", "input": [n], "expected": {"label": right(n)["label"], "score": n / 8}}
        for n in range(10)
    ]
    content = "".join(json.dumps(line) + "\n" for line in lines).encode()
    folder = tmp_path / "golden"
    folder.mkdir()
    (folder / "cases.jsonl").write_bytes(content)
    header = HEADER % {"zeros": "0" * 64, "sha256": hashlib.sha256(content).hexdigest()}
    (folder / "golden.toml").write_text(header)
    return parse_suite(GATE, tmp_path / "gate.toml")


class Service:
    """A loopback service whose answer to a number is ``answer(number)`` -> (status, body bytes)."""

    def __init__(self, answer, many=None):
        service = self
        self.seen = []
        self.connections = 0
        self.dead = False

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self):
                super().setup()
                service.connections += 1

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                service.seen.append((self.path, body, self.headers["X-Token"]))
                if self.path == "/one":
                    status, content = answer(body["instance"][0])
                else:
                    status, content = many([instance[0] for instance in body["instances"]])
                if status is None:
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                if status == 307:
                    self.send_header("Location", "/one")
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.block_on_close = False
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)

    base_url = property(lambda self: f"http://127.0.0.1:{self.server.server_address[1]}")
    description = TargetDescription(kind=Scope.URL)

    def alive(self):
        return not self.dead

    def logs(self):
        return "last words"

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.server.shutdown()
        self.server.server_close()


def context(suite, service, folder, progress=lambda _done, _total: None):
    credentials = Credentials(suite.config.auth, {"GATE_KEY_DEFAULT": "the-secret-of-all"})
    return CheckContext(
        candidate=service,
        reference=None,
        suite=suite,
        credentials=credentials,
        seed=1,
        folder=folder,
        generator_cpus=None,
        progress=progress,
    )


def as_json(document, status=200):
    return status, json.dumps(document).encode()


def collect(check, suite, service, folder):
    """Evidence as the judge gets it: written and read again."""
    made = context(suite, service, folder)
    check.collect(made, suite.config.golden).save(folder, made.credentials.redact)
    return check.evidence.load(folder)


def judged(check, suite, evidence):
    return {f.id: f for f in check.judge(evidence, suite.config.golden.limits)}


def test_a_right_service_passes_with_every_case_in_order(suite, tmp_path):
    progress = []
    with Service(lambda n: as_json(right(n))) as service:
        made = context(suite, service, tmp_path, lambda *at: progress.append(at))
        evidence = GoldenSingle().collect(made, suite.config.golden)
    assert (evidence.expected, evidence.executed) == (10, 10)
    assert [case.id for case in evidence.cases] == [f"row-{n}" for n in range(10)]
    assert evidence.cases[3].observed == {"label": "odd", "score": 0.375}
    assert progress == [(n, 10) for n in range(1, 11)]
    assert {token for _, _, token in service.seen} == {"the-secret-of-all"}
    assert service.connections <= 3
    assert {f.outcome for f in judged(GoldenSingle(), suite, evidence).values()} == {Outcome.PASS}


def many_at_once(suite):
    return suite.config.golden.model_copy(update={"concurrent": ConcurrentSettings(connections=8)})


def test_many_at_once_ask_every_case_as_often_as_declared_in_a_seeded_order(suite, tmp_path):
    with Service(lambda n: as_json(right(n))) as service:
        made = context(suite, service, tmp_path)
        first, again = (GoldenConcurrent().collect(made, many_at_once(suite)) for _ in range(2))
    asked = [case.id for case in first.cases]
    assert sorted(asked) == sorted([f"row-{n}" for n in range(10)] * 2)
    assert asked == [case.id for case in again.cases]
    assert asked != sorted(asked)
    assert (first.expected, first.executed) == (20, 20)
    assert {f.outcome for f in judged(GoldenConcurrent(), suite, first).values()} == {Outcome.PASS}


def test_a_buffer_shared_by_requests_in_flight_is_seen_only_when_many_are(suite, tmp_path):
    shared = {}

    def answer(number):
        shared["number"] = number
        time.sleep(0.02)
        return as_json(right(shared["number"]))

    for folder in ("alone", "together"):
        (tmp_path / folder).mkdir()
    with Service(answer) as service:
        one_by_one = suite.config.golden.model_copy(update={"connections": 1})
        alone = GoldenSingle().collect(context(suite, service, tmp_path / "alone"), one_by_one)
        together = GoldenConcurrent().collect(
            context(suite, service, tmp_path / "together"), many_at_once(suite)
        )
    assert {f.outcome for f in judged(GoldenSingle(), suite, alone).values()} == {Outcome.PASS}
    found = judged(GoldenConcurrent(), suite, together)
    assert found["golden.concurrent.score"].outcome is Outcome.FAIL
    assert found["golden.concurrent.repeats"].outcome is Outcome.FAIL


def test_answers_that_come_out_of_order_stay_with_their_cases(suite, tmp_path):
    def answer(number):
        time.sleep(0.1 if number % 3 == 0 else 0)
        return as_json(right(number))

    with Service(answer) as service:
        evidence = collect(GoldenSingle(), suite, service, tmp_path)
    assert [case.observed["score"] for case in evidence.cases] == [n / 8 for n in range(10)]


def test_the_secret_is_not_in_the_evidence_but_the_curl_names_its_variable(suite, tmp_path):
    with Service(lambda _n: (500, b"no the-secret-of-all here")) as service:
        evidence = collect(GoldenSingle(), suite, service, tmp_path)
    for written in ("evidence.json", "answers.jsonl"):
        assert "the-secret-of-all" not in (tmp_path / written).read_text()
    found = judged(GoldenSingle(), suite, evidence)["golden.single.answers"]
    assert found.outcome is Outcome.FAIL
    assert '-H "X-Token: $GATE_KEY_DEFAULT"' in found.reproduce


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ((500, b'{"error": "x"}'), 'HTTP 500: {"error": "x"}'),
        ((307, b""), "HTTP 307"),
        ((404, b"\xff"), "HTTP 404"),
        ((200, b"<html>"), "HTTP 200, but not JSON"),
        ((200, b""), "HTTP 200, but not JSON"),
        ((200, b'{"label": NaN}'), "NaN is not JSON"),
        ((200, b"[" * 2000), "nested"),
        ((200, b'"\\ud800"'), "not JSON"),
        ((200, b" " * 5000), "more than 2048 bytes"),
    ],
)
def test_a_useless_answer_is_the_problem_of_its_case(suite, tmp_path, answer, problem):
    with Service(lambda n: answer if n == 4 else as_json(right(n))) as service:
        evidence = collect(GoldenSingle(), suite, service, tmp_path)
    assert evidence.executed == 10
    assert problem in evidence.cases[4].problem
    assert [case.id for case in evidence.cases if case.problem] == ["row-4"]
    assert len(service.seen) == 10
    found = judged(GoldenSingle(), suite, evidence)
    assert found["golden.single.answers"].outcome is Outcome.FAIL
    assert "row-4" in found["golden.single.answers"].message


@pytest.mark.parametrize("document", [[], "text", None, {"label": "even"}, {"label": "even", "detail": []}])
def test_a_lacking_output_fails_that_output(suite, tmp_path, document):
    with Service(lambda n: as_json(document if n == 4 else right(n))) as service:
        evidence = collect(GoldenSingle(), suite, service, tmp_path)
    found = judged(GoldenSingle(), suite, evidence)
    assert found["golden.single.answers"].outcome is Outcome.PASS
    assert found["golden.single.score"].outcome is Outcome.FAIL
    assert "row-4 at /detail/score: nothing at" in found["golden.single.score"].message


def test_an_output_that_is_far_too_long_is_not_kept(suite, tmp_path):
    suite = parse_suite(GATE.replace("2048", "200000"), suite.path)
    with Service(lambda n: as_json({**right(n), "label": "x" * 100_000})) as service:
        evidence = collect(GoldenSingle(), suite, service, tmp_path)
    assert (tmp_path / "answers.jsonl").stat().st_size < 10_000
    assert judged(GoldenSingle(), suite, evidence)["golden.single.label"].outcome is Outcome.FAIL


def test_a_case_that_gets_no_answer_is_not_executed(suite, tmp_path):
    with Service(lambda n: (None, b"") if n == 4 else as_json(right(n))) as service:
        evidence = collect(GoldenSingle(), suite, service, tmp_path)
    assert (evidence.expected, evidence.executed) == (10, 9)
    assert evidence.cases[4].problem.startswith("no answer: RemoteProtocolError")
    assert judged(GoldenSingle(), suite, evidence)["golden.single.answers"].outcome is Outcome.FAIL


def test_a_service_that_hangs_is_given_up(suite, tmp_path):
    suite = parse_suite(
        GATE.replace("connections = 3", "connections = 1").replace("timeout_s = 5", "timeout_s = 0.2"),
        suite.path,
    )
    released = threading.Event()

    def hang(_number):
        released.wait(20)
        return None, b""

    with Service(hang) as service:
        started = time.monotonic()
        evidence = collect(GoldenSingle(), suite, service, tmp_path)
        took_s = time.monotonic() - started
        released.set()
    assert evidence.executed == 0
    assert evidence.cases[0].problem.startswith("no answer: ReadTimeout")
    assert evidence.cases[9].problem == "not asked: 8 requests had no answer"
    assert took_s < 8


def test_a_service_that_died_is_a_target_error_with_its_logs(suite, tmp_path):
    def die(number):
        if number < 4:
            return as_json(right(number))
        service.dead = True
        return None, b""

    with Service(die) as service, pytest.raises(TargetError) as raised:
        GoldenSingle().collect(context(suite, service, tmp_path), suite.config.golden)
    assert raised.value.logs == "last words"


def results(numbers):
    return as_json({"results": [right(number) for number in numbers]})


def test_a_right_batch_service_passes_with_a_short_last_batch(suite, tmp_path):
    with Service(None, results) as service:
        evidence = collect(GoldenBatch(), suite, service, tmp_path)
    assert (evidence.expected, evidence.executed) == (10, 10)
    assert [batch.asked for batch in evidence.batches] == [4, 4, 2]
    assert sorted(len(body["instances"]) for _, body, _ in service.seen) == [2, 4, 4]
    assert {f.outcome for f in judged(GoldenBatch(), suite, evidence).values()} == {Outcome.PASS}


@pytest.mark.parametrize(
    ("many", "failing", "message"),
    [
        (lambda ns: results(ns[::-1]), "items", "row-0 got the answer of row-3"),
        (lambda ns: results(ns[1:]), "items", "row-0: 3 items for 4 cases"),
        (lambda ns: results([*ns, 1]), "items", "row-0: 5 items for 4 cases"),
        (lambda _ns: results([]), "items", "0 items for 4 cases"),
        (lambda ns: results(ns[:1] * len(ns)), "score", "row-3"),
        (lambda _ns: as_json({"results": {}}), "answers", "object instead of an array"),
        (lambda _ns: as_json({"result": []}), "answers", "nothing at '/results'"),
        (lambda _ns: as_json({"detail": "too many"}, 422), "answers", "HTTP 422"),
    ],
)
def test_a_wrong_batch_service_fails_and_says_why(suite, tmp_path, many, failing, message):
    with Service(None, many) as service:
        evidence = collect(GoldenBatch(), suite, service, tmp_path)
    found = judged(GoldenBatch(), suite, evidence)[f"golden.batch.{failing}"]
    assert found.outcome is Outcome.FAIL
    assert message in found.message


def test_a_suite_without_batch_has_no_batch_check(suite):
    text = GATE[: GATE.index("[golden.batch]")] + GATE[GATE.index("[golden.outputs.label]") :]
    assert GoldenBatch().applies(suite.config.golden)
    assert not GoldenBatch().applies(parse_suite(text, suite.path).config.golden)


def test_payloads_are_the_single_requests(suite):
    made = payloads(suite, Credentials(suite.config.auth, {"GATE_KEY_DEFAULT": "the-secret-of-all"}))
    assert [json.loads(request.body) for request in made] == [{"instance": [n]} for n in range(10)]
    assert {(r.method, r.path, r.headers["X-Token"]) for r in made} == {("POST", "/one", "the-secret-of-all")}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"${input}"', '"${inputs}"', "single.body has the placeholders"),
        ('"${input}"', '"fixed"', "single.body has the placeholders"),
        ('"${inputs}"', '"${input}"', "batch.body has the placeholders"),
        ("score = { atol", "scores = { atol", r"limits\.outputs names \['scores'\]"),
        ("score = { atol", "label = { atol", "not numbers"),
        ('dtype = "float32"', 'dtype = "single"', r"golden\.outputs\.score\.dtype"),
        ("size = 4", "size = 1", r"golden\.batch\.size"),
    ],
)
def test_a_mistake_in_the_settings_is_named(suite, old, new, message):
    assert old in GATE
    with pytest.raises(ConfigError, match=message):
        parse_suite(GATE.replace(old, new, 1), suite.path)


def test_a_missing_golden_folder_is_named(suite):
    missing = parse_suite(GATE.replace('path = "golden"', 'path = "goldens"'), suite.path)
    with pytest.raises(ConfigError, match=r"golden\.path: no such file or folder \(got 'goldens'\)"):
        payloads(missing, Credentials(missing.config.auth, {}))


@pytest.mark.parametrize("check", [GoldenSingle(), GoldenBatch()])
def test_a_budget_that_is_spent_leaves_cases_unasked_and_is_no_pass(check, suite, tmp_path):
    def slow(answer):
        time.sleep(0.2)
        return as_json(answer)

    golden = suite.config.golden
    batch = golden.batch.model_copy(update={"size": 2})
    settings = golden.model_copy(update={"budget_s": 0.5, "connections": 1, "batch": batch})
    with Service(
        lambda n: slow(right(n)), lambda numbers: slow({"results": [right(n) for n in numbers]})
    ) as service:
        evidence = check.collect(context(suite, service, tmp_path), settings)
    assert 0 < evidence.executed == len(evidence.cases) < evidence.expected
    found = {finding.outcome for finding in check.judge(evidence, settings.limits)}
    assert Outcome.FAIL not in found
    result = conclude(
        check,
        evidence,
        settings,
        suite.config.policy,
        required=True,
        duration_s=1,
        today=date(2026, 1, 1),
        reproduce="",
        evidence_files={},
    )
    assert result.outcome is Outcome.INCONCLUSIVE


def in_company(suite, **changes):
    declared = {
        "loaded": LoadedSettings(rate_per_s=100),
        "metamorphic": MetamorphicSettings(sizes=(2, 3)),
        "timeout_s": 10.0,
    }
    return suite.config.golden.model_copy(update=declared | changes)


def test_cases_are_asked_beside_a_load(suite, tmp_path):
    def answer(number):
        time.sleep(0.02)
        return as_json(right(number))

    with Service(answer) as service:
        one_by_one = in_company(suite, connections=1)
        evidence = GoldenLoaded().collect(context(suite, service, tmp_path), one_by_one)
    assert (evidence.expected, evidence.executed % 10) == (10, 0)
    assert evidence.executed >= 10
    assert evidence.beside.requests >= 50
    assert len(service.seen) >= 10 + evidence.beside.requests
    assert {f.outcome for f in judged(GoldenLoaded(), suite, evidence).values()} == {Outcome.PASS}


def test_an_answer_that_is_wrong_under_load_only_is_found(suite, tmp_path):
    busy = threading.Semaphore(2)

    def answer(number):
        found = busy.acquire(blocking=False)
        time.sleep(0.05)
        if not found:
            return as_json(right(number + 1))
        busy.release()
        return as_json(right(number))

    for folder in ("alone", "beside"):
        (tmp_path / folder).mkdir()
    with Service(answer) as service:
        quiet = in_company(suite, connections=1)
        alone = GoldenSingle().collect(context(suite, service, tmp_path / "alone"), quiet)
        beside = GoldenLoaded().collect(context(suite, service, tmp_path / "beside"), quiet)
    assert {f.outcome for f in judged(GoldenSingle(), suite, alone).values()} == {Outcome.PASS}
    assert judged(GoldenLoaded(), suite, beside)["golden.loaded.label"].outcome is Outcome.FAIL


def test_a_load_of_which_more_than_one_in_a_hundred_fails_is_none(suite, tmp_path):
    evidence = GoldenLoaded.evidence
    with Service(lambda n: as_json(right(n))) as service:
        seen = GoldenLoaded().collect(context(suite, service, tmp_path), in_company(suite))
    assert isinstance(seen, evidence)
    for failed, outcome in ((2, Outcome.PASS), (3, Outcome.INCONCLUSIVE), (200, Outcome.INCONCLUSIVE)):
        beside = BesideLoad(rate_per_s=100, requests=200, failed=failed)
        held = seen.model_copy(update={"beside": beside})
        assert judged(GoldenLoaded(), suite, held)["golden.loaded.load"].outcome is outcome
    ended = seen.model_copy(update={"beside": seen.beside.model_copy(update={"problem": "ended"})})
    assert judged(GoldenLoaded(), suite, ended)["golden.loaded.load"].outcome is Outcome.INCONCLUSIVE


def metamorphic(suite, answer, folder, of_size=lambda number, _size: right(number)):
    """Outcomes for a service that answers a number by ``answer``, and one in a batch by ``of_size``."""
    folder.mkdir()

    def many(numbers):
        return as_json({"results": [of_size(number, len(numbers)) for number in numbers]})

    with Service(answer, many) as service:
        seen = GoldenMetamorphic().collect(context(suite, service, folder), in_company(suite))
    found = judged(GoldenMetamorphic(), suite, seen)
    return {name.removeprefix("golden.metamorphic."): each.outcome for name, each in found.items()}


def test_a_service_whose_answers_follow_from_the_input_alone_passes(suite, tmp_path):
    found = metamorphic(suite, lambda n: as_json(right(n)), tmp_path / "right")
    assert set(found) == {"answers", "repeat", "concurrent", "batch_2", "batch_3", "permuted"}
    assert set(found.values()) == {Outcome.PASS}
    # Wrong, but always in the same way: that is for the golden values to tell.
    wrong = metamorphic(
        suite, lambda n: as_json(right(n + 1)), tmp_path / "wrong", of_size=lambda n, _size: right(n + 1)
    )
    assert set(wrong.values()) == {Outcome.PASS}


def test_progress_of_metamorphic_relations_counts_all_of_them(suite, tmp_path):
    progress = []
    with Service(
        lambda n: as_json(right(n)), lambda ns: as_json({"results": [right(n) for n in ns]})
    ) as service:
        made = context(suite, service, tmp_path, lambda *at: progress.append(at))
        seen = GoldenMetamorphic().collect(made, in_company(suite))
    assert seen.expected == seen.executed == 60
    assert progress == [(n, 60) for n in range(1, 61)]


def test_a_service_whose_answers_change_is_found_by_asking_again(suite, tmp_path):
    asked = []

    def drifting(number):
        asked.append(number)
        return as_json(right(number + (len(asked) > 10)))

    found = metamorphic(suite, drifting, tmp_path / "again")
    assert found["answers"] is Outcome.PASS
    assert found["repeat"] is Outcome.FAIL


def test_a_batch_that_is_answered_otherwise_than_its_rows_is_found(suite, tmp_path):
    found = metamorphic(
        suite,
        lambda n: as_json(right(n)),
        tmp_path / "batches",
        of_size=lambda number, size: right(number + (size == 3)),
    )
    assert found["batch_2"] is Outcome.PASS
    assert (found["batch_3"], found["permuted"]) == (Outcome.FAIL, Outcome.FAIL)
