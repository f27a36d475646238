"""Every mistake in a scenario file is found before a request, with file, place, value and what is allowed."""

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest

from harness.checks.scenarios.check import AuthScenarios
from harness.checks.scenarios.loading import load_plan
from harness.checks.scenarios.scenario import scenario_schema
from harness.config.suite import load_suite
from harness.errors import ConfigError

ROOT = Path(__file__).parents[4]
SCENARIO = '[[scenario]]\nid = "one"\ntitle = "It holds"\n'
STEP = '[[scenario.steps]]\nrequest = "predict"\nexpect = { status = 200 }\n'
SHIPPED = ("auth.toml", "rate_limit.toml")


def step(text):
    """A file of one scenario whose second step is wrong."""
    return SCENARIO + STEP + "[[scenario.steps]]\n" + text


def load_from(folder):
    suite = load_suite(folder / "gate.toml")
    return load_plan(suite, suite.config.scenarios, suite.config.scenarios.auth, key="scenarios.auth")


def load(suite, text):
    (suite.folder / "auth.toml").write_text(text)
    settings = suite.config.scenarios
    return load_plan(suite, settings, settings.auth, key="scenarios.auth")


MISTAKES = {
    "not TOML": ("[[scenario", ["auth.toml: not TOML"]),
    "no scenario": ("", ["auth.toml: scenario: required key is missing"]),
    "unknown top-level key": (
        SCENARIO.replace("scenario]]", "scenarios]]") + STEP.replace("scenario.", "scenarios."),
        ["auth.toml: scenarios: unknown key", "also scenario: required key is missing"],
    ),
    "scenario is a table": ('scenario = { id = "one" }', ["auth.toml: scenario: "]),
    "no steps": (SCENARIO, ["scenario.one.steps: required key is missing"]),
    "empty steps": (SCENARIO + "steps = []", ["scenario.one.steps"]),
    "no id": (SCENARIO.replace('id = "one"\n', "") + STEP, ["scenario.0.id: required key is missing"]),
    "id with a space": (SCENARIO.replace('"one"', '"o ne"') + STEP, ["scenario.o ne.id", "'o ne'"]),
    "no title": (SCENARIO.replace('"It holds"', '""') + STEP, ["scenario.one.title"]),
    "duplicate id": (
        SCENARIO + STEP + SCENARIO + STEP,
        ["scenario.one.id: a second scenario with this id (got 'one')", "an id of its own"],
    ),
    "unknown step key": (
        step('request = "predict"\nrepeats = 3\nexpect = { status = 200 }'),
        ["scenario.one.step2.repeats: unknown key (got 3)", "did you mean 'repeat'?"],
    ),
    "a replica that is not there": (
        step('request = "predict"\nreplica = 1\nexpect = { status = 200 }'),
        ["scenario.one.step2.replica: no such replica (got 1)", "0 to 0, or each"],
    ),
    "a companion that is not there": (
        step('request = "predict"\ncompanion = { store = "stop" }\nexpect = { status = 200 }'),
        ["scenario.one.step2.companion: the service is not started with it (got 'store')", "start_with"],
    ),
    "an impossible action": (
        step('request = "predict"\ncompanion = { store = "kill" }\nexpect = { status = 200 }'),
        ["scenario.one.step2.companion.store", "'stop', 'start', 'pause' or 'unpause'"],
    ),
    "a quota that is not declared": (
        step('request = "predict"\nexpect = { quota = "ten" }'),
        ["scenario.one.step2.expect.quota: no such policy (got 'ten')", "five_a_minute"],
    ),
    "two times to send": (
        step('request = "predict"\nat_s = 1\nwait = "retry_after"\nexpect = { status = 200 }'),
        ["wait and at_s both say when to send"],
    ),
    "too many for a quota": (
        step('request = "predict"\nrepeat = 300\nexpect = { quota = "five_a_minute" }'),
        ["at most 256 requests of a step"],
    ),
    "no expectation": (step('request = "predict"'), ["scenario.one.step2.expect: required key is missing"]),
    "empty expectation": (
        step('request = "predict"\nexpect = { headers = { A = "b" } }'),
        ["scenario.one.step2.expect: value error, needs a status, counts, a quota or no_answer"],
    ),
    "unknown variant": (
        SCENARIO.replace("[[scenario]]", "[[scenario]]\nservice = 'damaged'") + STEP,
        ["scenario.one.service: no such variant (got 'damaged')", "[service.variants]", "none is declared"],
    ),
    "TLS without a variant that speaks it": (
        step('request = "predict"\ntls = { version = "1.0" }\nexpect = { no_answer = true }'),
        ["scenario.one.step2.tls: the service of this scenario does not speak TLS", 'scheme = "https"'],
    ),
    "plain text of a version": (
        step('request = "predict"\ntls = { version = "1.0", plain = true }\nexpect = { no_answer = true }'),
        ["scenario.one.step2.tls: value error, plain stands alone"],
    ),
    "unknown counter": (
        step('request = "predict"\nexpect = { status = 200, counters = { guesses = 1 } }'),
        ["expect.counters.guesses: no such counter", "[scenarios.counters]", "inferences"],
    ),
    "nobody to call": (
        step('request = "predict"\nexpect = { status = 401, no_connection = true }'),
        ["scenario.one.step2.expect.no_connection", "${listener.url}"],
    ),
    "the id of the search for secrets": (
        SCENARIO.replace('"one"', '"secrets"') + STEP,
        ["scenario.secrets.id: value error, is the finding about secrets"],
    ),
    "unknown secret": (
        step('request = "predict"\nheaders = { A = "${key.nobody}" }\nexpect = { status = 401 }'),
        ["scenario.one.step2.headers: no such variable (got '${key.nobody}')", "key.NAME of [auth] keys"],
    ),
    "unknown variable in a forged header": (
        step(
            'request = "predict"\ncredential = "bearer"\nforge = { header = { jku = "${url}" } }\n'
            "expect = { status = 401 }"
        ),
        ["scenario.one.step2.forge.header: no such variable (got '${url}')"],
    ),
    "length of the body": (
        step('request = "predict"\nheaders = { Content-Length = "1" }\nexpect = { status = 400 }'),
        ["scenario.one.step2.headers", "follows from the body"],
    ),
    "payload and claims": (
        step(
            'request = "predict"\ncredential = "bearer"\nforge = { payload = "[]", drop = ["exp"] }\n'
            "expect = { status = 401 }"
        ),
        ["scenario.one.step2.forge: value error, payload stands in place of all claims"],
    ),
    "two keys that sign": (
        step(
            'request = "predict"\ncredential = "bearer"\n'
            'forge = { alg = "HS256", key = "public", hmac_key = "" }\nexpect = { status = 401 }'
        ),
        ["scenario.one.step2.forge: value error, either key or hmac_key signs it"],
    ),
    "no answer and counts": (
        step('request = "predict"\nexpect = { no_answer = true, counts = [{ status = 200, exactly = 1 }] }'),
        ["scenario.one.step2.expect: value error, no_answer goes with a status"],
    ),
    "impossible status": (
        step('request = "predict"\nexpect = { status = 700 }'),
        ["scenario.one.step2.expect.status", "must be a status such as 401", "(got 700)"],
    ),
    "boolean status": (step('request = "predict"\nexpect = { status = true }'), ["expect.status", "True"]),
    "empty status": (step('request = "predict"\nexpect = { status = [] }'), ["expect.status", "no answer"]),
    "status class in words": (
        step('request = "predict"\nexpect = { status = ["2xx", "ok"] }'),
        ["scenario.one.step2.expect.status", "['2xx', 'ok']"],
    ),
    "bad pattern": (
        step('request = "predict"\nexpect = { status = 200, headers = { A = { matches = "(" } } }'),
        ["scenario.one.step2.expect.headers.A.matches", "not a regular expression"],
    ),
    "unknown rule": (
        step('request = "predict"\nexpect = { status = 200, body = { "/a" = { equal = 1 } } }'),
        ["scenario.one.step2.expect.body./a.equal: unknown key", "did you mean 'equals'?"],
    ),
    "absent and equal": (
        step(
            'request = "predict"\nexpect = { status = 200, body = { "" = { present = false, equals = 1 } } }'
        ),
        ["scenario.one.step2.expect.body", "stands alone"],
    ),
    "pointer without slash": (
        step('request = "predict"\nexpect = { status = 200, body = { "a" = 1 } }'),
        ["scenario.one.step2.expect.body.a"],
    ),
    "count without bound": (
        step('request = "predict"\nexpect = { counts = [{ status = 429 }] }'),
        ["scenario.one.step2.expect.counts.0", "either exactly, or at_least or at_most"],
    ),
    "count with both": (
        step('request = "predict"\nexpect = { counts = [{ status = 429, exactly = 1, at_most = 2 }] }'),
        ["scenario.one.step2.expect.counts.0", "either exactly, or at_least or at_most"],
    ),
    "count down once": (
        step('request = "predict"\nexpect = { status = 200, counts_down = "Left" }'),
        ["scenario.one.step2", "counts_down needs repeat"],
    ),
    "no request": (step("expect = { status = 200 }"), ["scenario.one.step2", "needs a request, or both"]),
    "unknown request": (
        step('request = "predikt"\nexpect = { status = 200 }'),
        ["scenario.one.step2.request: no such request (got 'predikt')", "allowed: ", ": predict"],
    ),
    "relative path": (
        step('method = "GET"\npath = "health"\nexpect = { status = 200 }'),
        ["scenario.one.step2.path", "'health'"],
    ),
    "lower-case method": (
        step('method = "get"\npath = "/health"\nexpect = { status = 200 }'),
        ["scenario.one.step2.method", "'get'"],
    ),
    "header with a line break": (
        step('request = "predict"\nheaders = { A = "b\\r\\nC: d" }\nexpect = { status = 200 }'),
        ["scenario.one.step2.headers.A"],
    ),
    "header name with a space": (
        step('request = "predict"\nheaders = { "A B" = "c" }\nexpect = { status = 200 }'),
        ["scenario.one.step2.headers.A B"],
    ),
    "header that ends in a space": (
        step('request = "predict"\nheaders = { A = "b " }\nexpect = { status = 200 }'),
        ["scenario.one.step2.headers.A", "'b '"],
    ),
    "path with a space": (
        step('method = "GET"\npath = "/a b"\nexpect = { status = 200 }'),
        ["scenario.one.step2.path", "'/a b'"],
    ),
    "date in the body": (
        step('request = "predict"\nbody = { a = 2026-01-01 }\nexpect = { status = 200 }'),
        ["scenario.one.step2.body"],
    ),
    "unknown credential": (
        step('request = "predict"\ncredential = "admin"\nexpect = { status = 200 }'),
        ["scenario.one.step2.credential: no such credential (got 'admin')", "api_key, reader_key"],
    ),
    "unknown variable in a header": (
        step('request = "predict"\nheaders = { A = "${j}" }\nexpect = { status = 200 }'),
        ["scenario.one.step2.headers: no such variable (got '${j}')", "sample, i"],
    ),
    "unknown variable in the body": (
        step('request = "predict"\nbody = { a = ["${j}"] }\nexpect = { status = 200 }'),
        ["scenario.one.step2.body: no such variable (got '${j}')"],
    ),
    "unknown variable in the path": (
        step('request = "predict"\npath = "/${j}"\nexpect = { status = 200 }'),
        ["scenario.one.step2.path: no such variable (got '${j}')"],
    ),
    "nothing to forge": (
        step('request = "predict"\nforge = { alg = "none" }\nexpect = { status = 401 }'),
        ["scenario.one.step2", "forge needs the credential"],
    ),
    "empty forge": (
        step('request = "predict"\ncredential = "bearer"\nforge = {}\nexpect = { status = 401 }'),
        ["scenario.one.step2.forge", "forges nothing"],
    ),
    "unknown algorithm": (
        step(
            'request = "predict"\ncredential = "bearer"\nforge = { alg = "RS1" }\nexpect = { status = 401 }'
        ),
        ["scenario.one.step2.forge.alg", "'RS1'"],
    ),
    "HMAC without key": (
        step(
            'request = "predict"\ncredential = "bearer"\nforge = { alg = "HS256" }\nexpect = { status = 401 }'
        ),
        ["scenario.one.step2.forge", 'key = "public" and hmac_key go with'],
    ),
    "unsigned with key": (
        step(
            'request = "predict"\ncredential = "bearer"\nforge = { alg = "none", key = "other" }\n'
            "expect = { status = 401 }"
        ),
        ["scenario.one.step2.forge", "is not signed"],
    ),
    "secret and claims": (
        step(
            'request = "predict"\ncredential = "bearer"\nforge = { secret = "x", drop = ["exp"] }\n'
            "expect = { status = 401 }"
        ),
        ["scenario.one.step2.forge", "secret stands alone, without drop"],
    ),
    "token forged for a key": (
        step(
            'request = "predict"\ncredential = "api_key"\nforge = { alg = "none" }\nexpect = { status = 401 }'
        ),
        ["scenario.one.step2.forge: credential 'api_key' has no token to forge", "allowed: secret"],
    ),
    "nothing repeated": (
        step('request = "predict"\nrepeat = 0\nexpect = { status = 200 }'),
        ["scenario.one.step2.repeat", "(got 0)"],
    ),
    "more at once than there are": (
        step('request = "predict"\nrepeat = 2\nat_once = 3\nexpect = { status = 200 }'),
        ["scenario.one.step2", "at_once is more than repeat"],
    ),
    "wait for something else": (
        step('request = "predict"\nwait = "5s"\nexpect = { status = 200 }'),
        ["scenario.one.step2.wait", "'5s'"],
    ),
    "first step waits": (
        SCENARIO + STEP + 'wait = "retry_after"\n',
        ["scenario.one", "nothing to wait for"],
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named(mistake, suite):
    text, said = MISTAKES[mistake]
    with pytest.raises(ConfigError) as caught:
        load(suite, text)
    message = f"{caught.value}\n{caught.value.fix and 'allowed: '}{caught.value.fix}"
    assert message.startswith("auth.toml: ")
    for part in said:
        assert part in message


def test_a_mistake_is_found_before_the_first_request(suite, context_for):
    (suite.folder / "auth.toml").write_text(SCENARIO + STEP + STEP.replace("predict", "other"))
    with pytest.raises(ConfigError, match="no such request"):
        AuthScenarios().collect(context_for("http://127.0.0.1:9"), suite.config.scenarios)


def test_an_id_may_not_come_again_in_another_file(folder):
    gate = (folder / "gate.toml").read_text().replace('["auth.toml"]', '["auth.toml", "more.toml"]')
    (folder / "gate.toml").write_text(gate)
    (folder / "more.toml").write_text(SCENARIO.replace('"one"', '"key-wrong"') + STEP)
    with pytest.raises(ConfigError, match=r"more\.toml: scenario\.key-wrong\.id: a second scenario"):
        load_from(folder)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"auth.toml"', '"gone.toml"', r"scenarios\.auth\.0: no such file .*'gone\.toml'"),
        ('file = "cases.jsonl"', 'file = "gone"', r"scenarios\.variables\.sample\.file: no such file"),
        (
            "line = 1",
            "line = 2",
            r"scenarios\.variables\.sample\.line: cases\.jsonl has no such line \(got 2\)",
        ),
        ('pointer = "/input"', 'pointer = "/x"', r"scenarios\.variables\.sample\.pointer: nothing at '/x'"),
        ('file = "cases.jsonl"', 'file = "gate.toml"', r"scenarios\.variables\.sample: not JSON"),
        (
            "${sample}",
            "${simple}",
            r"scenarios\.requests\.predict\.body: no such variable \(got '\${simple}'\)",
        ),
        ("variables.sample", "variables.i", r"variables\.i is reserved"),
        (
            "requests.predict]",
            'requests.predict]\ncredential = "api_key"',
            r"requests\.predict has a credential",
        ),
    ],
)
def test_a_mistake_in_gate_toml_is_named(old, new, said, folder):
    gate = (folder / "gate.toml").read_text()
    assert old in gate
    (folder / "gate.toml").write_text(gate.replace(old, new))
    with pytest.raises(ConfigError, match=said):
        load_from(folder)


def test_a_step_adds_to_the_request_that_it_names(suite):
    text = step(
        'request = "predict"\nheaders = { A = "${i}" }\nbody = { b = 1 }\nexpect = { status = "2xx" }'
    )
    plan = load(suite, text)
    first, second = plan.scenarios[0].steps
    assert plan.variables == {"sample": {"a": 1.5}}
    assert (first.template.method, first.template.path) == ("POST", "/predict")
    assert first.template.body == {"features": "${sample}"}
    assert (second.template.headers, second.template.body) == ({"A": "${i}"}, {"b": 1})


def test_the_schema_is_the_one_in_contracts():
    text = (ROOT / "contracts" / "scenario.schema.json").read_text()
    assert json.loads(text) == scenario_schema(), "write scenario_schema() to contracts/scenario.schema.json"


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_files_fit_the_schema(name):
    document = tomllib.loads((ROOT / "scenarios" / name).read_text())
    jsonschema.Draft202012Validator(scenario_schema()).validate(document)


@pytest.mark.parametrize("wrong", ["status class in words", "unknown rule", "unknown step key", "no steps"])
def test_the_schema_refuses_what_the_program_refuses(wrong):
    document = tomllib.loads(MISTAKES[wrong][0])
    assert not jsonschema.Draft202012Validator(scenario_schema()).is_valid(document)


def test_a_check_applies_where_the_suite_names_a_file(suite):
    settings = suite.config.scenarios
    assert AuthScenarios().applies(settings)
    assert not AuthScenarios().applies(settings.model_copy(update={"auth": ()}))
