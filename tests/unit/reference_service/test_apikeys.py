"""When a key is valid, whose it is, what it may do, and which files are refused."""

import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from reference_service.access.apikeys import ApiKey
from reference_service.access.authentication import build_authenticator
from reference_service.app import create_app
from reference_service.errors import ApiError, KeyFileError


def entry(**changes):
    return {"id": "a", "sha256": "0" * 64, "scopes": ["predict"]} | changes


def in_seconds(seconds):
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


@pytest.fixture
def principal(settings):
    """The caller that a keys file makes of the key `good`; None where it is refused."""

    def authenticate(*entries):
        digest = hashlib.sha256(b"good").hexdigest()
        keys = [{"sha256": digest, **entry} for entry in entries]
        settings.api_keys_file.write_text(json.dumps({"keys": keys}), encoding="utf-8")
        try:
            return build_authenticator(settings).authenticate(Headers({"x-api-key": "good"}))
        except ApiError:
            return None

    return authenticate


@pytest.mark.parametrize(
    ("limits", "valid"),
    [
        ({}, True),
        ({"revoked": False}, True),
        ({"revoked": True}, False),
        ({"expires_at": in_seconds(3600)}, True),
        ({"expires_at": in_seconds(-2)}, False),
        ({"not_before": in_seconds(-2)}, True),
        ({"not_before": in_seconds(3600)}, False),
        ({"not_before": in_seconds(-9), "expires_at": in_seconds(-2)}, False),
        ({"not_before": in_seconds(-9), "expires_at": in_seconds(3600)}, True),
        ({"not_before": in_seconds(-9), "expires_at": in_seconds(3600), "revoked": True}, False),
    ],
)
def test_a_key_is_valid_in_its_time_unless_revoked(principal, limits, valid):
    caller = principal({"id": "a", "scopes": ["predict"], **limits})
    assert (caller is not None) == valid


@given(
    now=st.datetimes(timezones=st.just(UTC)),
    start=st.none() | st.datetimes(timezones=st.just(UTC)),
    end=st.none() | st.datetimes(timezones=st.just(UTC)),
    revoked=st.booleans(),
)
def test_validity_is_half_open(now, start, end, revoked):
    if start and end and end <= start:
        return
    key = ApiKey.model_construct(**entry(), not_before=start, expires_at=end, revoked=revoked)
    valid = not revoked and (start is None or start <= now) and (end is None or now < end)
    assert (key.refusal(now) is None) == valid


@pytest.mark.parametrize("offset", ["Z", "+00:00", "-02:30"])
def test_times_of_any_offset_are_compared_as_points_in_time(principal, offset):
    assert principal({"id": "a", "scopes": [], "not_before": f"2020-01-01T00:00:00{offset}"}) is not None
    assert principal({"id": "a", "scopes": [], "expires_at": f"2020-01-01T00:00:00{offset}"}) is None


def test_keys_of_one_client_are_one_identity(principal):
    other = {"id": "b", "sha256": "1" * 64, "client": "shop", "scopes": ["metadata"]}
    caller = principal({"id": "a", "client": "shop", "scopes": ["predict"]}, other)
    assert (caller.identity, caller.scopes) == ("key:shop", {"predict"})
    assert principal({"id": "a", "scopes": ["predict"]}).identity == "key:a"


def test_rotating_keys_share_one_quota(settings, serve):
    keys = [
        {
            "id": name,
            "client": "shop",
            "sha256": hashlib.sha256(name.encode()).hexdigest(),
            "scopes": ["metadata"],
            "metadata_quota": "3 per 60 seconds",
        }
        for name in ("former", "next")
    ]
    settings.api_keys_file.write_text(json.dumps({"keys": keys}), encoding="utf-8")
    client = serve(settings)
    statuses = [
        client.get("/metadata", headers={"X-API-Key": name}).status_code for name in ("former", "next") * 2
    ]
    assert statuses == [200, 200, 200, 429]


def test_limits_of_a_key_are_those_of_the_caller(principal):
    caller = principal({"id": "a", "scopes": [], "models": ["1.0.0", "1.1.0"], "max_batch": 7})
    assert (caller.models, caller.max_batch) == ({"1.0.0", "1.1.0"}, 7)
    caller = principal({"id": "a", "scopes": []})
    assert (caller.models, caller.max_batch) == (None, None)
    assert principal({"id": "a", "scopes": [], "models": []}).models == frozenset()


WRONG = {
    "repeated id": ([entry(), entry(sha256="1" * 64)], "id"),
    "repeated key": ([entry(), entry(id="b")], "sha256"),
    "unknown scope": ([entry(scopes=["predict", "admin"])], "scopes"),
    "scope in another case": ([entry(scopes=["Predict"])], "scopes"),
    "no id": ([{"sha256": "0" * 64, "scopes": []}], "id"),
    "two quotas of one client": (
        [entry(client="c", quota="1/second"), entry(id="b", sha256="1" * 64, client="c", quota="2/second")],
        "quotas",
    ),
    "a quota and none of one client": (
        [entry(client="c", quota="1/second"), entry(id="b", sha256="1" * 64, client="c")],
        "quotas",
    ),
    "date without time": ([entry(expires_at="2027-01-01")], "expires_at"),
    "time without offset": ([entry(expires_at="2027-01-01T00:00:00")], "expires_at"),
    "seconds": ([entry(expires_at=1_800_000_000)], "expires_at"),
    "seconds as text": ([entry(not_before="1800000000")], "not_before"),
    "no such day": ([entry(not_before="2027-02-30T00:00:00Z")], "not_before"),
    "ends before it begins": (
        [entry(not_before="2027-01-01T00:00:00Z", expires_at="2026-01-01T00:00:00Z")],
        "expires_at",
    ),
    "revoked is text": ([entry(revoked="no")], "revoked"),
    "revoked is a number": ([entry(revoked=0)], "revoked"),
    "models is text": ([entry(models="1.0.0")], "models"),
    "no batch at all": ([entry(max_batch=0)], "max_batch"),
    "batch is text": ([entry(max_batch="5")], "max_batch"),
    "misspelt limit": ([entry(max_bach=5)], "max_bach"),
    "many quotas": ([entry(quota="1/second;2/hour")], "quota"),
}


@pytest.mark.parametrize(("keys", "message"), WRONG.values(), ids=WRONG.keys())
def test_keys_file_that_means_something_else(settings, keys, message):
    settings.api_keys_file.write_text(json.dumps({"keys": keys}), encoding="utf-8")
    with pytest.raises(KeyFileError, match=message):
        build_authenticator(settings)


@pytest.mark.parametrize(
    "content",
    [
        "{",
        '{"keys": [{"id": "a", "sha256": "plain-text-secret", "scopes": []}]}',
        f'{{"keys": [{{"id": "a", "sha256": "{"0" * 64}", "scopes": [], "quota": "many"}}]}}',
        f'{{"keys": [{{"id": "a", "sha256": "{"0" * 64}", "scopes": [], "quota": "0/second"}}]}}',
    ],
)
def test_unusable_keys_file(settings, content):
    settings.api_keys_file.write_text(content, encoding="utf-8")
    with pytest.raises(KeyFileError, match=r"keys\.json") as raised:
        create_app(settings)
    assert "plain-text-secret" not in str(raised.value)


def test_missing_keys_file(settings):
    settings.api_keys_file.unlink()
    with pytest.raises(KeyFileError, match=r"keys\.json"):
        create_app(settings)
