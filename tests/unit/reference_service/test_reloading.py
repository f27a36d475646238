"""Key files are read again when they change; a broken one opens and closes nothing."""

import hashlib
import json
import logging
import os
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from signers import write_jwks
from starlette.datastructures import Headers

from reference_service.access import mounted
from reference_service.access.authentication import build_authenticator
from reference_service.access.mounted import Reloaded
from reference_service.errors import ApiError, KeyFileError


@dataclass
class Clock:
    now_s: float = 0.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


def text_of(path):
    def read():
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        if not text.startswith("good"):
            raise KeyFileError(f"{path}: not good")
        return text

    return read


def replace(path, text):
    """As a mounted secret is replaced: a new file takes the name."""
    new = path.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    new.rename(path)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "file"
    path.write_text("good 1", encoding="utf-8")
    return path


def test_a_replaced_file_is_read_within_a_second(path, clock):
    reloaded = Reloaded(text_of(path), path, clock=clock)
    replace(path, "good 2")
    clock.now_s = 0.9
    assert reloaded.current() == "good 1"
    clock.now_s = 1.0
    assert reloaded.current() == "good 2"


def test_a_swapped_link_is_followed(tmp_path, clock):
    """As Kubernetes does it: the file is a link through a folder that is a link."""
    for version in ("1", "2"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "file").write_text(f"good {version}", encoding="utf-8")
    (tmp_path / "data").symlink_to("1")
    path = tmp_path / "file"
    path.symlink_to(Path("data") / "file")
    reloaded = Reloaded(text_of(path), path, clock=clock)
    (tmp_path / "new").symlink_to("2")
    (tmp_path / "new").rename(tmp_path / "data")
    clock.now_s = 1
    assert reloaded.current() == "good 2"


def test_a_file_written_in_place_is_read(path, clock):
    reloaded = Reloaded(text_of(path), path, clock=clock)
    path.write_text("good 12", encoding="utf-8")
    clock.now_s = 1
    assert reloaded.current() == "good 12"


@pytest.mark.parametrize("broken", ["", "bad", None], ids=["empty", "wrong", "gone"])
def test_a_broken_file_keeps_what_was_there_says_so_once_and_is_tried_when_it_changes(
    path, clock, broken, caplog
):
    reloaded = Reloaded(text_of(path), path, clock=clock)
    with caplog.at_level(logging.INFO, "reference_service"):
        path.unlink() if broken is None else replace(path, broken)
        for _ in range(5):
            clock.now_s += 1
            assert reloaded.current() == "good 1"
        assert [record.levelname for record in caplog.records] == ["ERROR"]
        assert "not good" in caplog.text
        replace(path, "good 2")
        clock.now_s += 1
        assert reloaded.current() == "good 2"


def test_a_file_that_is_broken_at_the_start_is_refused(path, clock):
    path.write_text("bad", encoding="utf-8")
    with pytest.raises(KeyFileError, match="not good"):
        Reloaded(text_of(path), path, clock=clock)


def test_an_unchanged_file_is_looked_at_once_a_second_and_not_read(path, clock, monkeypatch):
    reads, looks = [], []
    reloaded = Reloaded(lambda: reads.append(1), path, clock=clock)
    look = mounted._version
    monkeypatch.setattr(mounted, "_version", lambda file: looks.append(1) or look(file))
    for _ in range(1000):
        clock.now_s += 0.01
        reloaded.current()
    assert len(reads) == 1
    assert 9 <= len(looks) <= 10


def test_whoever_is_told_knows_whether_a_broken_file_is_there(path, clock):
    told = []
    reloaded = Reloaded(text_of(path), path, tell_stale=told.append, clock=clock)
    for text in ("good 2", "bad", "worse", "good 3"):
        replace(path, text)
        clock.now_s += 1
        reloaded.current()
    assert told == [0, 0, 1, 1, 0]


def test_metrics_tell_which_file_is_stale(settings, serve, clock, monkeypatch):
    monkeypatch.setattr(Reloaded.__init__, "__kwdefaults__", {"clock": clock})
    client = serve(settings)

    def stale():
        clock.now_s += 1
        client.get("/metadata", headers={"X-API-Key": "good-key"})
        client.get("/metadata", headers={"Authorization": "Bearer a.b.c"})
        found = re.findall(
            r'^mounted_file_stale\{.*file="(\w+)".*\} ([\d.]+)$', client.get("/metrics").text, re.MULTILINE
        )
        return {file: float(value) for file, value in found}

    assert stale() == {"api_keys": 0, "jwks": 0}
    good = settings.api_keys_file.read_text(encoding="utf-8")
    replace(settings.api_keys_file, "{")
    assert stale() == {"api_keys": 1, "jwks": 0}
    replace(settings.api_keys_file, good)
    assert stale() == {"api_keys": 0, "jwks": 0}


def test_a_file_that_may_not_be_read_names_the_user_and_the_way_out(path, monkeypatch):
    def forbidden(_path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", forbidden)
    with pytest.raises(
        KeyFileError, match=rf"Permission denied; .* user {os.geteuid()}: chmod 0440 .*--group-add"
    ):
        mounted.read_mounted(path)


@pytest.mark.parametrize(
    ("unset", "warned"), [(["api_keys_file", "jwks_file"], True), (["jwks_file"], False)]
)
def test_a_service_that_nobody_can_use_says_so(settings, caplog, unset, warned):
    build_authenticator(settings.model_copy(update=dict.fromkeys(unset)))
    assert ("nobody can authenticate" in caplog.text) == warned


@pytest.fixture
def passing(settings, clock, monkeypatch):
    """A long-lived authenticator, asked one second later each time."""
    monkeypatch.setattr(Reloaded.__init__, "__kwdefaults__", {"clock": clock})
    authenticator = build_authenticator(settings)

    def passes(**headers):
        clock.now_s += 1
        try:
            return bool(authenticator.authenticate(Headers(headers)))
        except ApiError:
            return False

    return passes


def entry(secret, **limits):
    digest = hashlib.sha256(secret.encode()).hexdigest()
    return {"id": secret, "sha256": digest, "scopes": ["predict"], **limits}


def test_keys_are_added_and_revoked_without_a_restart(settings, passing):
    assert passing(**{"x-api-key": "good-key"})
    assert not passing(**{"x-api-key": "next-key"})
    replace(settings.api_keys_file, json.dumps({"keys": [entry("good-key"), entry("next-key")]}))
    assert passing(**{"x-api-key": "next-key"})
    replace(settings.api_keys_file, json.dumps({"keys": [entry("good-key", revoked=True)]}))
    assert not passing(**{"x-api-key": "good-key"})
    assert not passing(**{"x-api-key": "next-key"})


@pytest.mark.parametrize("content", ["", "{", '{"keys": [{"id": "good-key"}]}'])
def test_a_broken_keys_file_admits_neither_more_nor_fewer(settings, passing, content):
    replace(settings.api_keys_file, content)
    assert passing(**{"x-api-key": "good-key"})
    assert not passing(**{"x-api-key": "wrong"})
    assert not passing()


def test_public_keys_are_rotated_without_a_restart(settings, passing, signer, elliptic_signer):
    def bearer(of):
        return {"authorization": f"Bearer {of.token()}"}

    assert passing(**bearer(signer))
    assert not passing(**bearer(elliptic_signer))
    write_jwks(settings.jwks_file, signer.jwk, elliptic_signer.jwk)
    assert passing(**bearer(signer))
    assert passing(**bearer(elliptic_signer))
    write_jwks(settings.jwks_file, elliptic_signer.jwk)
    assert not passing(**bearer(signer))
    settings.jwks_file.write_text('{"keys": []}', encoding="utf-8")
    assert passing(**bearer(elliptic_signer))
    assert not passing(**bearer(signer))
