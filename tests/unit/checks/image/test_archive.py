import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_archives import packed, write_archive

from harness.checks.image.archive import read_archive
from harness.image_archive import ArchiveError

KIB = 1024
KEY = "-----BEGIN {}PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ\n"


@pytest.fixture
def archive(tmp_path):
    """Reads what an image of such layers is saved as."""

    def read(*layers, largest=KIB, **options):
        return read_archive(
            write_archive(tmp_path / "image.tar", *layers, **options), largest_searched=largest
        )

    return read


def test_setuid_and_setgid_files_are_those_of_the_final_file_system(archive):
    lower = [
        ("usr/bin/su", b"x", 0o4755),
        ("bin/wall", b"x", 0o2755),
        ("a/b/c", b"x", 0o4755),
        ("ls", b"", 0o755),
    ]
    assert archive(lower).setuid == ("/a/b/c", "/bin/wall", "/usr/bin/su")
    assert archive(lower, [("usr/bin/su", b"x", 0o755)]).setuid == ("/a/b/c", "/bin/wall")
    assert archive(lower, [("usr/bin/.wh.su", b"", 0o644)]).setuid == ("/a/b/c", "/bin/wall")
    assert archive(lower, [(".wh.a", b"", 0o644)]).setuid == ("/bin/wall", "/usr/bin/su")
    assert archive(lower, [("a/.wh..wh..opq", b"", 0o644)]).setuid == ("/bin/wall", "/usr/bin/su")


def test_a_whiteout_spares_what_its_own_layer_brings(archive):
    lower = [("a/old", b"x", 0o4755)]
    upper = [("a/new", b"x", 0o4755), ("a/.wh..wh..opq", b"", 0o644)]
    assert archive(lower, upper).setuid == ("/a/new",)


def test_a_folder_is_no_setuid_file(archive):
    assert archive([("var/mail", None, 0o2775)]).setuid == ()


def test_names_are_the_same_however_a_layer_writes_them(archive):
    assert archive([("./usr/bin/su", b"x", 0o4755)], [("/usr/bin/su", b"x", 0o755)]).setuid == ()


@pytest.mark.parametrize("kind", ["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "])
def test_a_private_key_is_seen_also_if_a_later_layer_deletes_it(archive, kind):
    found = archive([("srv/tls.pem", KEY.format(kind).encode(), 0o600)], [("srv/.wh.tls.pem", b"", 0o644)])
    assert found.secrets == {"/srv/tls.pem": "layer 1: /srv/tls.pem holds a private key"}


@pytest.mark.parametrize(
    "content",
    [
        b'MARKER = "-----BEGIN PRIVATE KEY-----"\n',
        b"-----BEGIN PUBLIC KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ\n",
        b"-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----\n",
    ],
)
def test_what_only_mentions_a_key_is_none(archive, content):
    assert archive([("lib/pem.py", content, 0o644)]).secrets == {}


def test_files_over_the_limit_are_not_searched(archive):
    content = KEY.format("").encode()
    assert archive([("k", content, 0o600)], largest=len(content)).secrets
    assert not archive([("k", content, 0o600)], largest=len(content) - 1).secrets


@pytest.mark.parametrize("name", ["root/.netrc", "home/app/.aws/credentials", ".pypirc"])
def test_files_of_credentials_are_seen_unless_empty(archive, name):
    assert archive([(name, b"x", 0o600)]).secrets == {f"/{name}": f"layer 1: /{name} holds credentials"}
    assert archive([(name, b"", 0o600)]).secrets == {}
    assert archive([(f"{name}.md", b"x", 0o600)]).secrets == {}


def test_users_are_those_of_the_last_layer(archive):
    lower = [("etc/passwd", b"root:x:0:0::/:/bin/sh\napp:x:0:0::/:/bin/sh\n", 0o644)]
    upper = [("etc/passwd", b"root:x:0:0::/:/bin/sh\napp:x:1000:0::/:/bin/sh\nbroken\n", 0o644)]
    assert archive(lower).users == {"root": 0, "app": 0}
    assert archive(lower, upper).users == {"root": 0, "app": 1000}


def test_compressed_layers_are_read(archive):
    assert archive([("su", b"x", 0o4755)], compress=True).setuid == ("/su",)


@pytest.mark.parametrize("content", [b"", b"nothing", packed([]), packed([("manifest.json", b"[]", 0o644)])])
def test_what_is_no_archive_is_said_to_be_none(tmp_path, content):
    path = tmp_path / "image.tar"
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match="archive cannot be read"):
        read_archive(path, largest_searched=KIB)


@given(st.binary(max_size=2000))
def test_any_bytes_are_an_archive_or_none(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("any") / "image.tar"
    path.write_bytes(content)
    with pytest.raises(ArchiveError):
        read_archive(path, largest_searched=KIB)


def test_layers_of_endless_entries_are_not_read_to_their_end(archive, monkeypatch):
    monkeypatch.setattr("harness.image_archive.MOST_ENTRIES", 3)
    two = [("a", b"x", 0o644), ("b", b"x", 0o644)]
    assert archive(two, [("c", b"x", 0o644)]).files == 3
    with pytest.raises(ArchiveError, match="more than 3 entries"):
        archive(two, two)
