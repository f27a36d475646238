import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.fuzz import reproducer
from harness.checks.fuzz.raw_message import Payload
from harness.checks.fuzz.reproducer import StoredRaw, raw_parts, read_all, write
from harness.errors import ConfigError, ExitCode

SECRET = "a-secret-of-sixteen"


def redact(text):
    return text.replace(SECRET, "$GATE_KEY_A")


def stored_raw(*parts, **changes):
    payload = Payload(parts)
    usual = {
        "case": "nan",
        "expect": "refused",
        "statuses": (),
        "status": 500,
        "parts": raw_parts(payload, "127.0.0.1:8000", redact),
        "pause_s": 0.0,
        "half_close": False,
        "abort": False,
        "answers": 1,
        "times": 1,
        "senders": 0,
    }
    return StoredRaw(**(usual | changes))


@given(parts=st.lists(st.binary(max_size=300), max_size=4))
def test_bytes_survive_storing(tmp_path_factory, parts):
    folder = tmp_path_factory.mktemp("evidence") / "fuzz.raw"
    folder.mkdir()
    name = write(folder, "nan", stored_raw(*parts), redact)
    (file,) = read_all([folder.parent / name])
    assert file.stored.payload({}).parts == tuple(parts)


def test_secret_and_host_are_variables_until_it_is_sent(tmp_path):
    folder = tmp_path / "fuzz.raw"
    folder.mkdir()
    part = f"POST / HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nX-Key: {SECRET}\r\n\r\n".encode()
    name = write(folder, "a/b c", stored_raw(part), redact)
    assert name == "fuzz.raw/reproducers/a-b-c.json"
    assert SECRET not in (tmp_path / name).read_text()
    (file,) = read_all([tmp_path / name])
    values = {"$GATE_KEY_A": "another-secret", "$HARNESS_HOST": "host:1"}
    sent = b"POST / HTTP/1.1\r\nHost: host:1\r\nX-Key: another-secret\r\n\r\n"
    assert file.stored.payload(values).parts == (sent,)


def test_a_large_body_is_stored_small(tmp_path):
    folder = tmp_path / "fuzz.raw"
    folder.mkdir()
    name = write(folder, "big", stored_raw(b" " * 2_000_000), redact)
    assert (tmp_path / name).stat().st_size < 40_000
    assert read_all([tmp_path / name])[0].stored.payload({}).size_bytes == 2_000_000


def test_a_folder_gives_all_its_files_and_each_content_once(tmp_path):
    folder = tmp_path / "fuzz.raw"
    folder.mkdir()
    for name, content in (("b", b"1"), ("a", b"2"), ("c", b"1")):
        write(folder, name, stored_raw(content), redact)
    files = read_all([folder / "reproducers", folder / "reproducers" / "a.json"])
    assert [file.path.name for file in files] == ["a.json", "b.json"]


def changed(**changes):
    return json.dumps(stored_raw(b"a").model_dump(mode="json") | changes)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "x.json"),
        ("{}", "kind"),
        ('{"kind": "other"}', "kind"),
        (changed(expect="maybe"), "expect"),
        (changed(times=10**9), "times"),
        (changed(parts=[{"zlib_base64": "****"}]), "parts"),
        (changed(parts=[{"zlib_base64": "YWJj"}]), "parts"),
        (changed(parts=["\u00e4"]), "parts"),
        (changed(schema_version=2), "schema_version"),
        (changed(more=1), "more"),
    ],
)
def test_a_bad_file_is_named_with_what_is_wrong(tmp_path, text, problem):
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_all([path])
    assert problem in str(caught.value)
    assert "x.json" in str(caught.value)
    assert caught.value.exit_code is ExitCode.USAGE


def test_what_is_not_there_or_empty_is_named(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        read_all([tmp_path / "none.json"])
    with pytest.raises(ConfigError, match=r"without any \*\.json"):
        read_all([tmp_path])


def test_a_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(reproducer, "MOST_SENT_BYTES", 1000)
    (bomb,) = raw_parts(Payload((b"\x00" * 1_000_000,)), "h", redact)
    path = tmp_path / "x.json"
    path.write_text(changed(parts=[bomb.model_dump()]))
    with pytest.raises(ConfigError, match="more than 1000 bytes"):
        read_all([path])
