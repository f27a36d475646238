import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.image import secrets

RANDOM = "q7Zt2Wm9Xc4Vb8Nk1Lp6Hs3Jd5Fg0RyTuEwQaSiOoPzMx" * 4
NONE = frozenset()
KEY = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ"


def seen(path, content, known=NONE):
    return list(secrets.in_file(path, content.encode(), known))


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("id = AKIAQ7ZT2WM5XC4VB6NK", "an AWS access key"),
        ("key: AIza" + RANDOM[:35], "a Google API key"),
        ("AccountName=x;AccountKey=" + RANDOM[:86] + "==;", "an Azure storage key"),
        ("url = https://ghp_" + RANDOM[:36] + "@github.test/x", "a GitHub token"),
        ("github_pat_" + RANDOM[:82], "a GitHub token"),
        ("glpat-" + RANDOM[:20], "a GitLab token"),
        ("hf_" + "qwErtYuiOpAsdFghJklZxcVbnMqwErtYui", "a Hugging Face token"),
        ("npm_" + RANDOM[:36], "an npm token"),
        ("pypi-AgEIcHlwaS5vcmc" + RANDOM[:60], "a PyPI token"),
        ("xoxb-2047593816-" + RANDOM[:24], "a Slack token"),
        ("sk_live_" + RANDOM[:24], "a Stripe key"),
        ("sk-ant-api03-" + RANDOM[:93], "a model provider's key"),
        ("sk-proj-" + RANDOM[:20] + "T3BlbkFJ" + RANDOM[:20], "a model provider's key"),
    ],
)
def test_tokens_are_known_by_their_form(content, kind):
    assert seen("srv/app.py", content) == [f"holds {kind}"]
    assert seen("srv/app.py", f"{content}\n{content}") == [f"holds {kind}"]
    assert seen("srv/app.bin", f"\0{content}") == []
    assert kind in list(secrets.in_text(content, NONE))


@pytest.mark.parametrize(
    "content",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "AKIA" + "A" * 16,
        "AKIA1234567890123456",
        "ghp_" + "x" * 36,
        "ghp_" + RANDOM[:20],
        "a_ghp_" + RANDOM[:36],
        "xoxb-your-token-goes-here",
        "npm_config_registry",
        "the prefix of a token is sk_live_",
    ],
)
def test_what_only_looks_like_a_token_is_none(content):
    assert seen("srv/readme.md", content) == []


@pytest.mark.parametrize(
    ("path", "content", "what"),
    [
        ("root/.netrc", "machine x login y password z", "holds credentials"),
        ("home/app/.aws/credentials", "x", "holds credentials"),
        ("etc/apt/auth.conf", "x", "holds credentials"),
        ("srv/.git/HEAD", "ref: refs/heads/main", "is of a Git repository, whose history comes with it"),
        ("etc/pip.conf", "index-url = https://me:pw@index.test/simple", "holds a URL with a password"),
        ("srv/.git/config", "url = https://me:pw@host.test/x", "holds a URL with a password"),
        ("root/.npmrc", "//registry.test/:_authToken=abc", "holds a token of a registry"),
        ("srv/.env", "DB_PASSWORD=hunter2", "holds the value of a secret variable"),
        ("srv/.env.production", "export API_KEY='hunter2'", "holds the value of a secret variable"),
        ("srv/key.json", f'"private_key": "-----BEGIN PRIVATE KEY-----\\n{KEY}', "holds a private key"),
        ("srv/key.ppk", "PuTTY-User-Key-File-3: ssh-ed25519", "holds a private key"),
        ("srv/key.asc", f"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n{KEY}", "holds a private key"),
    ],
)
def test_files_are_known_by_name_or_content(path, content, what):
    assert seen(path, content) == [what]
    assert seen(path, "") == []


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("srv/.env.example", "DB_PASSWORD=hunter2"),
        ("srv/.env", "LOG_LEVEL=debug\nSECRET_FILE=/run/secrets/x\nDB_PASSWORD="),
        ("srv/environment.py", "DB_PASSWORD=hunter2"),
        ("etc/pip.conf", "index-url = https://index.test/simple"),
        ("etc/pip.conf", "index-url = https://me:${PASSWORD}@index.test/simple"),
        ("root/.npmrc", "//registry.test/:_authToken=${NPM_TOKEN}"),
        ("srv/readme.md", "https://user:password@host"),
        ("srv/.gitignore", "*"),
        ("srv/netrc", "x"),
        ("srv/pem.py", 'BEGIN = "-----BEGIN PRIVATE KEY-----"'),
    ],
)
def test_harmless_files_are_none(path, content):
    assert seen(path, content) == []


def test_what_this_run_was_given_is_found_anywhere():
    known = frozenset({b"sixteen-letters!"})
    assert seen("lib/x.so", "\0 sixteen-letters!", known) == ["holds a secret of this run"]
    assert list(secrets.in_text("a=sixteen-letters!", known)) == ["a secret of this run"]


@given(st.text(), st.binary())
def test_it_says_something_of_any_content_or_nothing_and_never_shows_it(path, content):
    assert all(len(what) < 60 for what in secrets.in_file(path, content, NONE))


LONG = 1 << 20
REPEATED = ["a", "a:", "://", "@", "a://b:", "TOKEN_", "a='", "_auth=", "-", "sk-T3BlbkFJ"]


@pytest.mark.parametrize("unit", REPEATED)
def test_what_a_candidate_repeats_is_scanned_in_linear_time(unit):
    """In a process of its own: a pattern that never ends cannot be stopped in this one."""
    asked = (
        "import sys\n"
        "from harness.checks.image import secrets\n"
        f"text = ({unit!r} * {LONG})[:{LONG}]\n"
        "list(secrets.in_text(text, frozenset()))\n"
        "secrets.SECRET_NAME.search(text + 'FILE')\n"
        "for path in ('srv/.env', 'srv/.npmrc', '/.env' * 200_000 + 'dist'):\n"
        "    list(secrets.in_file(path, text.encode(), frozenset()))\n"
    )
    assert subprocess.run([sys.executable, "-c", asked], timeout=20, check=False).returncode == 0


@pytest.mark.parametrize(
    ("url", "there"),
    [
        ("https://u:p4ss@host/", True),
        ("index=https://u:p4ss@host/", True),
        ("x" * 60 + "https://u:p4ss@host/", True),
        ("git+ssh://u:" + "p" * 5000 + "@host/", True),
        ("https://host:80/@x", False),
        ("https://u:$PASSWORD@host/", False),
        ("'://u:p4ss@host/", False),
    ],
)
def test_a_password_in_a_url_is_seen_whatever_stands_before_it(url, there):
    assert ("a URL with a password" in list(secrets.in_text(url, NONE))) is there


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("DB_PASSWORD", True),
        ("a_token_of_x", True),
        ("TOKEN", True),
        ("my_apikey", True),
        ("TOKENIZER", False),
        ("BASE_TOKENS", False),
        ("TOKEN_FILE", False),
        ("SECRET_KEY_PATH", False),
        ("PASSWORD_DIR", False),
    ],
)
def test_a_variable_is_secret_by_its_name(name, there):
    assert (secrets.SECRET_NAME.search(name) is not None) is there
