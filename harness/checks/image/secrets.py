"""Tells what gives a secret away, by the name of a file, by its content, or in a line of text.

Few patterns, each hard to meet by accident: a scanner that cries wolf is soon waived. Each takes linear time,
since the candidate chooses the text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

LOOKS_BINARY_WITHIN = 8192
LEAST_DISTINCT = 8
SHAM = re.compile(rb"EXAMPLE|(.)\1{5}|0123456|1234567|abcdefg", re.IGNORECASE)
"""Made up for a document or a test."""
PRIVATE_KEY = re.compile(
    rb"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:\s|\\[nr]){1,9}"
    rb"(?:(?:Proc-Type|Version|Comment): |[A-Za-z0-9+/=]{40})"
    rb"|PuTTY-User-Key-File-[23]: "
)
"""With a line of its content: source code that only mentions the marker is no key."""
SECRET_NAME = re.compile(
    r"\A(?!.*(?:FILE|PATH|DIR)$)(?:.*_)?(?:PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|PRIVATE_KEY|ACCESS_KEY)(?:$|_)",
    re.IGNORECASE | re.DOTALL,
)
"""The name of a variable that holds a secret, not the path of a file that does."""
ASSIGNED = re.compile(r"\b([A-Za-z_][A-Za-z0-9_]*)=(?:\"[^\"]+\"|'[^']+'|[^\s\"';&|]+)")
CREDENTIALS_IN_URL = re.compile(r"(?<=[a-z0-9+.-])://[^/\s:@]+:[^/\s:@$]+@", re.IGNORECASE)
"""Of the scheme only its last character: to look for its first from everywhere takes quadratic time."""


@dataclass(frozen=True)
class _Token:
    """A form that one issuer gives its secrets; ``literal`` is a part of each, quick to look for."""

    kind: str
    literal: bytes
    pattern: re.Pattern[bytes]


TOKENS = tuple(
    _Token(kind, literal, re.compile(rb"(?<![A-Za-z0-9_-])" + pattern + rb"(?![A-Za-z0-9_-])"))
    for kind, literal, pattern in (
        ("an AWS access key", b"AKIA", rb"AKIA[A-Z2-7]{16}"),
        ("an AWS access key", b"ASIA", rb"ASIA[A-Z2-7]{16}"),
        ("a Google API key", b"AIza", rb"AIza[A-Za-z0-9_-]{35}"),
        ("an Azure storage key", b"AccountKey=", rb"AccountKey=[A-Za-z0-9+/]{86}=="),
        ("a GitHub token", b"ghp_", rb"ghp_[A-Za-z0-9]{36,251}"),
        ("a GitHub token", b"gho_", rb"gho_[A-Za-z0-9]{36,251}"),
        ("a GitHub token", b"ghs_", rb"ghs_[A-Za-z0-9]{36,251}"),
        ("a GitHub token", b"github_pat_", rb"github_pat_[A-Za-z0-9_]{82}"),
        ("a GitLab token", b"glpat-", rb"glpat-[A-Za-z0-9_-]{20,}"),
        ("a Hugging Face token", b"hf_", rb"hf_[A-Za-z]{34}"),
        ("an npm token", b"npm_", rb"npm_[A-Za-z0-9]{36}"),
        ("a PyPI token", b"pypi-AgE", rb"pypi-AgE[A-Za-z0-9_-]{60,}"),
        ("a Slack token", b"xox", rb"xox[abeprs]-[0-9]{10,13}-[A-Za-z0-9-]{10,}"),
        ("a Stripe key", b"_live_", rb"[rs]k_live_[A-Za-z0-9]{20,}"),
        ("a model provider's key", b"sk-ant-", rb"sk-ant-[a-z]{3}[0-9]{2}-[A-Za-z0-9_-]{80,}"),
        ("a model provider's key", b"T3BlbkFJ", rb"sk-[A-Za-z0-9_-]*T3BlbkFJ[A-Za-z0-9_-]{20,}"),
    )
)
CREDENTIAL_FILES = frozenset(
    {
        ".aws/credentials",
        ".azure/accessTokens.json",
        ".config/gcloud/application_default_credentials.json",
        ".config/gcloud/credentials.db",
        ".config/gh/hosts.yml",
        ".config/rclone/rclone.conf",
        ".docker/config.json",
        ".git-credentials",
        ".htpasswd",
        ".kube/config",
        ".my.cnf",
        ".netrc",
        ".pgpass",
        ".pypirc",
        ".s3cfg",
        ".ssh/id_dsa",
        ".ssh/id_ecdsa",
        ".ssh/id_ed25519",
        ".ssh/id_rsa",
        ".terraform.d/credentials.tfrc.json",
        ".vault-token",
        "etc/apt/auth.conf",
    }
)
"""Ends of paths: files that hold nothing else."""
SETTINGS_FILE = re.compile(
    r"(?:^|/)(?:pip\.conf|pip\.ini|\.condarc|\.gitconfig|\.git/config|\.?npmrc|\.yarnrc)$"
)
"""Harmless unless they name a password or a token."""
AUTH_TOKEN = re.compile(r"_(?:authToken|password|auth)\s*=\s*(?!\$)\S")
ENVIRONMENT_FILE = re.compile(r"(?:^|/)\.env(?![^/]*(?:example|sample|template|dist|test)$)(?:\.[a-z]+)*$")
REPOSITORY = re.compile(r"(?:^|/)\.git/HEAD$")
"""One file that each Git repository has: its history may hold what the files no longer do."""


def in_file(path: str, content: bytes, given: frozenset[bytes]) -> Iterator[str]:
    """What a file gives away, as the end of a sentence that begins with its path; never the secret.

    Args:
        path: In the image, without a leading ``/``.
        content: All of it.
        given: Secrets that this run was given, and that must be nowhere.
    """
    if not content:
        return
    if any(path == known or path.endswith(f"/{known}") for known in CREDENTIAL_FILES):
        yield "holds credentials"
        return
    if REPOSITORY.search(path):
        yield "is of a Git repository, whose history comes with it"
    if (b"PRIVATE KEY" in content or b"PuTTY-User-Key" in content) and PRIVATE_KEY.search(content):
        yield "holds a private key"
    if any(secret in content for secret in given):
        yield "holds a secret of this run"
    if b"\0" not in content[:LOOKS_BINARY_WITHIN]:
        yield from (f"holds {kind}" for kind in _tokens(content))
        if ENVIRONMENT_FILE.search(path) or SETTINGS_FILE.search(path):
            yield from (f"holds {what}" for what in _settings(path, content.decode("utf-8", "replace")))


def in_text(text: str, given: frozenset[bytes]) -> Iterator[str]:
    """What a line of the image's configuration gives away, whatever the name of its variable."""
    content = text.encode("utf-8", "replace")
    yield from _tokens(content)
    if any(secret in content for secret in given):
        yield "a secret of this run"
    if CREDENTIALS_IN_URL.search(text):
        yield "a URL with a password"


def _tokens(content: bytes) -> list[str]:
    """Kinds of tokens, each once."""
    found = (
        token.kind
        for token in TOKENS
        if token.literal in content
        and any(
            len(set(match[0])) >= LEAST_DISTINCT and not SHAM.search(match[0])
            for match in token.pattern.finditer(content)
        )
    )
    return list(dict.fromkeys(found))


def _settings(path: str, text: str) -> Iterator[str]:
    if CREDENTIALS_IN_URL.search(text):
        yield "a URL with a password"
    if SETTINGS_FILE.search(path):
        if AUTH_TOKEN.search(text):
            yield "a token of a registry"
    elif any(SECRET_NAME.search(match[1]) for match in ASSIGNED.finditer(text)):
        yield "the value of a secret variable"
