"""What two policies differ in: every limit has a direction, and the way back is the other one."""

import tomllib
from itertools import pairwise
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.config.section import FamilySettings, Limits, Section
from harness.config.suite import GateConfig, parse_suite
from harness.history.looseness import Looser, direction
from harness.history.policies import compare_policies, noteworthy, policy_changes
from harness.history.rules import EITHER_WAY, rule_of
from harness.model import Direction, PolicyRecord
from harness.openapi import RULES, Severity

ROOT = Path(__file__).parents[3]
BACK = {
    Direction.LOOSENED: Direction.TIGHTENED,
    Direction.TIGHTENED: Direction.LOOSENED,
    Direction.CHANGED: Direction.CHANGED,
}
GATE = """
schema_version = 1
name = "tiny"
[service]
port = 8000
ready_path = "/ready"
[policy]
required = ["golden", "latency"]
waivers = [{ finding = "golden.single.y", owner = "me", reason = "known", expires = 2026-12-01 }]
[image.limits]
setuid = ["/bin/su"]
[contract]
openapi = "o.json"
[golden]
path = "golden"
single = { path = "/p", body = "${input}" }
outputs = { y = { pointer = "/y", dtype = "float32" }, z = { pointer = "/z", dtype = "float32" } }
[golden.limits.outputs.y]
atol = 1e-5
[latency]
rate_per_s = 50
[latency.limits]
p99 = { slo_ms = 100, margin = 0.5 }
"""


def config(text=GATE):
    return parse_suite(text, Path("gate.toml")).config


def changed(old, new, *, text=GATE):
    """The one change that replacing a piece of the policy makes: key, direction, old and new value."""
    assert text.count(old) == 1
    changes = policy_changes(config(text), config(text.replace(old, new)))
    return [(change.key, change.direction.value, change.old, change.new) for change in changes]


def models(of, seen=None):
    """Every section that gate.toml can have under a family's limits."""
    seen = set() if seen is None else seen
    for argument in (of, *get_args(of)):
        if argument is not of:
            models(argument, seen)
        elif isinstance(of, type) and issubclass(of, Section) and of not in seen:
            seen.add(of)
            for field in of.model_fields.values():
                models(field.annotation, seen)
    return seen


LIMITS = {model for each in models(GateConfig) if issubclass(each, Limits) for model in models(each)}


def is_a_table(annotation):
    return isinstance(annotation, type) and issubclass(annotation, Section)


@pytest.mark.parametrize("model", sorted(LIMITS, key=lambda model: model.__name__))
def test_every_limit_has_a_direction_or_is_known_to_have_none(model):
    for name, field in model.model_fields.items():
        if is_a_table(field.annotation) or name in {"device", "provider", "against"}:
            continue
        known = any((base, name) in EITHER_WAY for base in model.__mro__)
        assert (rule_of(model, name) is None) == known, f"{model.__name__}.{name}"


FAMILIES = {model for model in models(GateConfig) if issubclass(model, FamilySettings)}
DECIDE_NOTHING = {"request", "metrics", "gpu"}


@pytest.mark.parametrize("model", sorted(FAMILIES, key=lambda model: model.__name__))
def test_every_part_that_a_suite_may_leave_out_is_known_to_ask_something(model):
    parts = {
        name
        for name, field in model.model_fields.items()
        if any(is_a_table(each) for each in get_args(field.annotation)) and field.default is None
    }
    assert {name for name in parts if rule_of(model, name) is not Looser.ASKS} <= DECIDE_NOTHING


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("margin = 0.5", "margin = 0.7", "latency.limits.p99.margin loosened 0.5 0.7"),
        ("slo_ms = 100, ", "", "latency.limits.p99.slo_ms loosened 100.0 None"),
        ("atol = 1e-5", "atol = 1e-6", "golden.limits.outputs.y.atol tightened 1e-05 1e-06"),
        ("atol = 1e-5", "atol = 1e-5\nulp = 4", "golden.limits.outputs.y.ulp loosened None 4"),
        ("[latency]", "[latency.burst]\n[latency]", "latency.burst tightened None {}"),
        (', "latency"]', "]", "policy.required loosened latency None"),
        ("2026-12", "2027-12", "policy.waivers.golden.single.y.expires loosened 2026-12-01 2027-12-01"),
        ('"known"', '"other"', "policy.waivers.golden.single.y.reason changed known other"),
        ('["/bin/su"]', '["/bin/su", "/bin/x"]', "image.limits.setuid loosened None /bin/x"),
        ('setuid = ["/bin/su"]', "", 'image.limits.setuid loosened ["/bin/su"] None'),
        ("port = 8000", "port = 8001", "service.port changed 8000 8001"),
        ("[policy]", "cpus = 2\n[policy]", "service.cpus loosened 1.0 2.0"),
        ("[policy]", "pids = 16\n[policy]", "service.pids tightened 256 16"),
        ("[policy]", 'memory = "2g"\n[policy]', "service.memory loosened 1g 2g"),
        ("[policy]", 'memory = "512m"\n[policy]', "service.memory tightened 1g 512m"),
        ("[policy]", 'memory = "1024m"\n[policy]', "service.memory changed 1g 1024m"),
        ("[latency.limits]", "[latency.limits]\ndevices = 2", "latency.limits.devices changed 1 2"),
        ('[contract]\nopenapi = "o.json"', "", 'contract loosened {"openapi":"o.json"} None'),
        (
            "[latency.limits]",
            "[latency.limits]\nconfidence = 0.9",
            "latency.limits.confidence loosened 0.95 0.9",
        ),
        (
            "[latency.limits]",
            '[latency.limits]\npromises = "fail"',
            "latency.limits.promises tightened warn fail",
        ),
    ],
)
def test_one_change(old, new, expected):
    ((key, way, before, after),) = changed(old, new)
    assert f"{key} {way} {before} {after}" == expected


def test_a_waiver_added_lets_more_pass_and_is_told_whole():
    ((key, way, before, after),) = changed(
        "waivers = [",
        'waivers = [{ finding = "a.b", owner = "o", reason = "r", expires = 2027-01-01 }, ',
    )
    assert (key, way, before) == ("policy.waivers.a.b", "loosened", None)
    assert after == '{"finding":"a.b","owner":"o","reason":"r","expires":"2027-01-01"}'


def test_an_output_without_a_tolerance_is_compared_exactly():
    text = GATE + "[golden.limits.outputs.z]\n"
    assert changed("[golden.limits.outputs.z]\n", "", text=text) == []
    text = GATE + "[golden.limits.outputs.z]\nrtol = 0.1\n"
    ((key, way, before, after),) = changed("[golden.limits.outputs.z]\nrtol = 0.1\n", "", text=text)
    assert (key, way, before, after) == ("golden.limits.outputs.z.rtol", "tightened", 0.1, 0.0)


def test_a_rule_of_the_contract_is_looser_without_what_sharpens_it():
    rule = next(name for name, severity in RULES.items() if severity is Severity.WARNING)
    text = GATE + f'[contract.limits.severity]\n{rule} = "error"\n'
    ((key, way, before, after),) = changed(f'{rule} = "error"', "", text=text)
    assert (key, way) == (f"contract.limits.severity.{rule}", "loosened")
    assert (before, after) == ("error", "warning")


def test_an_override_is_compared_by_what_holds_where_it_does():
    text = GATE + '[[golden.limits.overrides]]\ndevice = "gpu"\noutputs = { y = { atol = 1e-4 } }\n'
    assert changed("atol = 1e-4", "atol = 1e-3", text=text) == [
        ("golden.limits.overrides[gpu].outputs.y.atol", "loosened", 1e-4, 1e-3)
    ]
    gone = text.replace(
        '[[golden.limits.overrides]]\ndevice = "gpu"\noutputs = { y = { atol = 1e-4 } }\n', ""
    )
    (change,) = policy_changes(config(text), config(gone))
    assert (change.direction, change.old, change.new) == (Direction.TIGHTENED, 1e-4, 1e-5)


def test_what_holds_on_a_gpu_is_told_once():
    text = GATE + "[latency.gpu.limits]\np99 = { margin = 0.8 }\n"
    assert changed("margin = 0.8", "margin = 0.9", text=text) == [
        ("latency.gpu.limits.p99.margin", "loosened", 0.8, 0.9)
    ]
    assert changed("slo_ms = 100", "slo_ms = 90", text=text) == [
        ("latency.limits.p99.slo_ms", "tightened", 100.0, 90.0)
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('memory = "4g"', 'memory = "8g"', [("service.gpu.memory", "loosened", "4g", "8g")]),
        # Without one, that of [service] holds.
        ('memory = "4g"', "", [("service.gpu.memory", "tightened", "4g", "1g")]),
        ("[service.gpu]", "[service.gpu]\npids = 512", [("service.gpu.pids", "loosened", 256, 512)]),
        ("port = 8000", "port = 8000\npids = 512", [("service.pids", "loosened", 256, 512)]),
    ],
)
def test_a_gpu_has_bounds_of_its_own_or_those_of_the_service(old, new, expected):
    assert changed(old, new, text=GATE + '[service.gpu]\nmemory = "4g"\n') == expected


JUDGED = """
[service.variants.replicated]
replicas = 2
[service.metadata]
path = "/about"
[lifecycle]
refusals = [{ variant = "replicated", exit_code = 3, log = "no key" }]
[golden.loaded]
rate_per_s = 100
[latency.slo]
rate_per_s = 70
[latency.burst]
size = 32
[drift]
traffic = "drift.jsonl"
predictions = { label = { pointer = "/y", kind = "number" } }
[scenarios]
auth = ["a.toml"]
[scenarios.rate_policies.day]
limit = 5
window_s = 60
[telemetry]
path = "/metrics"
request_id = "id"
[telemetry.series.answers_total]
type = "counter"
labels = ["path", "status"]
[auth]
keys = ["caller"]
"""


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("replicas = 2", "replicas = 1", "service.variants.replicated.replicas loosened"),
        ("port = 8000", "port = 8000\nreplicas = 2", ""),
        ("rate_per_s = 100", "rate_per_s = 10", "golden.loaded.rate_per_s loosened"),
        ("rate_per_s = 70", "rate_per_s = 60", "latency.slo.rate_per_s loosened"),
        ("rate_per_s = 70", "rate_per_s = 700", ""),
        ("size = 32", "size = 8", "latency.burst.size loosened"),
        ('"no key"', '".*"', "lifecycle.refusals.replicated.log changed"),
        (", exit_code = 3", "", "lifecycle.refusals.replicated.exit_code loosened"),
        ('pointer = "/z"', 'pointer = "/y"', "golden.outputs.z.pointer changed"),
        ('"o.json"', '"p.json"', "contract.openapi changed"),
        ('path = "golden"', 'path = "other"', "golden.path changed"),
        ('"drift.jsonl"', '"other.jsonl"', "drift.traffic changed"),
        ("limit = 5", "limit = 500", "scenarios.rate_policies.day.limit loosened"),
        ("window_s = 60", "window_s = 6", "scenarios.rate_policies.day.window_s loosened"),
        ('["path", "status"]', '["path"]', "telemetry.series.answers_total.labels changed"),
        ('"/about"', '"/else"', "service.metadata.path changed"),
        # How it is started, and by whom it is asked.
        ("port = 8000", "port = 8001", ""),
        ("port = 8000", 'port = 8000\nenvironment = { A = "1" }', ""),
        ("replicas = 2", 'replicas = 2\nenvironment = { A = "1" }', ""),
        ('["caller"]', '["other"]', ""),
        ('name = "tiny"', 'name = "other"', ""),
    ],
)
def test_what_judges_is_told_and_how_the_service_is_started_is_not(old, new, told):
    text = GATE + JUDGED
    assert text.count(old) == 1
    changes = noteworthy(policy_changes(config(text), config(text.replace(old, new))))
    assert ", ".join(f"{change.key} {change.direction}" for change in changes) == told


def test_a_class_that_is_no_longer_held_against_its_scores():
    scores = 's = { pointer = "/s", dtype = "float32", keys = ["a", "b"] }'
    text = GATE.replace("outputs = { y", f"outputs = {{ {scores}, y").replace(
        'z = { pointer = "/z", dtype = "float32" }',
        'z = { pointer = "/z", dtype = "string", argmax_of = "s" }',
    )
    ((key, way, *_),) = changed(', argmax_of = "s"', "", text=text)
    assert (key, way) == ("golden.outputs.z.argmax_of", "loosened")


def test_the_report_tells_what_is_looser_and_limits_of_unknown_direction():
    new = GATE.replace("port = 8000", "port = 8001").replace("margin = 0.5", "margin = 0.4")
    new = new.replace("[latency.limits]", "[latency.limits]\ndevices = 2\nmin_throughput = 0.5")
    told = noteworthy(policy_changes(config(), config(new)))
    assert [change.key for change in told] == ["latency.limits.min_throughput", "latency.limits.devices"]


SIZES = st.from_regex(r"[1-9][0-9]{0,3}[kmg]", fullmatch=True)
VALUES = {
    Looser.HIGHER: st.none() | st.floats(allow_nan=False) | st.integers(-9, 9) | st.dates() | SIZES,
    Looser.LOWER: st.none() | st.floats(allow_nan=False),
    Looser.ALLOWANCE: st.none() | st.integers(1, 9),
    Looser.ALLOWS: st.none() | st.booleans() | st.text(),
    Looser.ASKS: st.none() | st.booleans() | st.text(),
    Looser.SHARPNESS: st.none() | st.sampled_from(["info", "warning", "warn", "error", "fail"]),
    None: st.none() | st.text(),
}


@given(
    st.sampled_from([*Looser, None]).flatmap(
        lambda rule: st.tuples(st.just(rule), VALUES[rule], VALUES[rule])
    )
)
def test_the_way_back_is_the_other_one(drawn):
    rule, old, new = drawn
    assert direction(rule, new, old) is BACK[direction(rule, old, new)]
    assert direction(rule, old, old) is Direction.CHANGED


PIECES = st.lists(
    st.sampled_from(
        [
            ("margin = 0.5", "margin = 0.7"),
            ("slo_ms = 100, ", ""),
            ("atol = 1e-5", "rtol = 1e-3\nulp = 2"),
            (', "latency"]', ', "fuzz"]'),
            ("waivers = [", 'waivers = [{ finding = "a", owner = "o", reason = "r", expires = 2027-01-01 },'),
            ('["/bin/su"]', '["/bin/x"]'),
            ("[golden.limits.outputs.y]", "[golden.limits.errors.z]\nbias = 1e-7\n[golden.limits.outputs.y]"),
            ("rate_per_s = 50", "rate_per_s = 60"),
            ("[policy]", '[service.gpu]\nmemory = "2g"\n[policy]'),
            ("port = 8000", 'port = 8000\nmemory = "2g"'),
            ("[contract]\n", "[contract]\nserved = '/o.json'\n"),
            ("[latency.limits]", "[latency.gpu.limits]\np50 = { slo_ms = 3 }\n[latency.limits]"),
        ]
    ),
    unique=True,
)


@given(PIECES, PIECES)
def test_loosened_from_a_to_b_is_tightened_from_b_to_a(first, second):
    texts = []
    for pieces in (first, second):
        text = GATE
        for old, new in pieces:
            text = text.replace(old, new)
        texts.append(config(text))
    there, back = policy_changes(*texts), policy_changes(*reversed(texts))
    assert {(c.key, c.direction, repr(c.old), repr(c.new)) for c in there} == {
        (c.key, BACK[c.direction], repr(c.new), repr(c.old)) for c in back
    }
    assert (there == ()) == (texts[0] == texts[1])


@pytest.mark.parametrize("path", sorted(ROOT.glob("gate*.toml")), ids=lambda path: path.name)
def test_a_suite_beside_itself_shows_nothing(path):
    text = path.read_text(encoding="utf-8")
    assert policy_changes(config(text), config(text)) == ()


def test_suites_of_this_repository_are_compared_both_ways():
    suites = [config(path.read_text(encoding="utf-8")) for path in sorted(ROOT.glob("gate*.toml"))]
    for one, other in pairwise(suites):
        there, back = policy_changes(one, other), policy_changes(other, one)
        assert {(c.key, repr(c.old), repr(c.new)) for c in there} == {
            (c.key, repr(c.new), repr(c.old)) for c in back
        }


def record(content):
    return PolicyRecord(path="gate.toml", sha256="", content=content)


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_two_texts_are_compared_or_said_not_to_be(old, new):
    compared = compare_policies(record(old), record(new))
    assert compared.changes == ()
    assert bool(compared.problem) == (old != new)


@pytest.mark.parametrize("number", ["1" * 5000, "[" * 5000])
def test_a_policy_that_no_parser_takes(number):
    compared = compare_policies(record(GATE), record(f"a = {number}"))
    assert "the later policy is not one that this version of harness reads" in compared.problem


def test_numbers_that_no_float_holds_and_policies_of_many_levels():
    huge = GATE.replace('setuid = ["/bin/su"]', f"max_size_mib = 1{'0' * 400}")
    assert "an integer beyond 64 bits" in compare_policies(record(GATE), record(huge)).problem
    for levels in (20, 100, 5000):
        deep = GATE.replace(
            'body = "${input}"', f'body = {{ x = "${{input}}", {".".join("a" * levels)} = 1 }}'
        )
        compared = compare_policies(record(GATE), record(deep))
        assert bool(compared.changes) != bool(compared.problem)
        assert bool(compared.problem) == (levels > 64)


def test_policies_that_differ_in_comments_alone_do_not_differ():
    assert compare_policies(record(GATE), record("# a word\n" + GATE)).changes == ()
    assert tomllib.loads(GATE)["name"] == "tiny"
