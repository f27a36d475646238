"""Print the reference of a Python 3.11 base image that the engine at ``DOCKER_HOST`` has.

The official slim image where it is present or can be pulled, by digest where it has one; else a local
image of Debian bookworm made with mmdebstrap. The local one carries what pip needs behind this machine's
network: the effective CA bundle and the ``PIP_*`` index settings. Progress goes to stderr.
"""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import docker
import requests
from docker.errors import DockerException, ImageNotFound
from docker.models.images import Image

OFFICIAL = "python:3.11-slim-bookworm"
LOCAL = "harness-base:py311-bookworm"
INPUTS_LABEL = "harness.base.inputs"
PROBE_TIMEOUT_S = 15
PULL_TIMEOUT_S = 300
IMPORT_TIMEOUT_S = 600
BOOTSTRAP_PACKAGES = ("mmdebstrap", "debian-archive-keyring")
PACKAGES = "python3,python3-venv,ca-certificates"
BUNDLE_IN_IMAGE = "/etc/ssl/certs/ca-certificates.crt"
PIP_SETTINGS = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST")


def say(message: str) -> None:
    """Report progress."""
    print(f"base image: {message}", file=sys.stderr, flush=True)


def reference(image: Image, tag: str) -> str:
    """Return ``name@digest`` for an image that came from a registry, else its tag."""
    digests: list[str] = image.attrs.get("RepoDigests") or []
    return digests[0] if digests else tag


def pull(client: docker.DockerClient) -> bool:
    """Pull the official image; False when no registry answers in time."""
    try:
        docker.from_env(timeout=PROBE_TIMEOUT_S).images.get_registry_data(OFFICIAL)
        say(f"pulling {OFFICIAL}")
        deadline = time.monotonic() + PULL_TIMEOUT_S
        for event in client.api.pull(OFFICIAL, stream=True, decode=True):
            if "error" in event or time.monotonic() > deadline:
                say(f"pull given up: {event.get('error', 'it takes too long')}")
                return False
    except (DockerException, requests.RequestException) as error:
        say(f"{OFFICIAL} cannot be pulled ({type(error).__name__}); a local base takes its place")
        return False
    return True


def ca_bundle() -> Path | None:
    """Return the CA bundle this machine's clients use."""
    named = [os.environ.get(name) for name in ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")]
    system = [BUNDLE_IN_IMAGE, "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"]
    return next((Path(path) for path in [*named, *system] if path and Path(path).is_file()), None)


def pip_settings() -> dict[str, str]:
    """Return the pip settings to carry into the image; exit when one holds a credential."""
    settings = {name: os.environ[name] for name in PIP_SETTINGS if os.environ.get(name)}
    for name, value in settings.items():
        if any("@" in urlsplit(word).netloc for word in value.split()):
            sys.exit(
                f"base image: {name} holds a credential, and an image keeps what it is built with. "
                f"Make {OFFICIAL} available to the engine, or point {name} at an index that needs none."
            )
    return settings


def apt_get(*arguments: str) -> bool:
    """Run apt-get without questions or output; return whether it succeeded."""
    command = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=120", *arguments]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        command, check=False, env=environment, stdin=subprocess.DEVNULL, capture_output=True
    )
    return done.returncode == 0


def require_mmdebstrap() -> None:
    """Install mmdebstrap where it is missing, as root on Debian or Ubuntu; else exit."""
    if shutil.which("mmdebstrap"):
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        sys.exit(
            f"base image: {OFFICIAL} is neither present nor can it be pulled, and mmdebstrap, which makes a "
            f"local base, is not installed (Debian, Ubuntu: apt-get install {' '.join(BOOTSTRAP_PACKAGES)})"
        )
    say(f"installing {' and '.join(BOOTSTRAP_PACKAGES)} system-wide (apt-get) to make a local base")
    install = ("install", "-y", "--no-install-recommends", *BOOTSTRAP_PACKAGES)
    if not (apt_get(*install) or (apt_get("update") and apt_get(*install))):
        sys.exit("base image: mmdebstrap could not be installed; run apt-get install mmdebstrap to see why")


def bootstrap(tarball: Path, bundle: Path | None) -> None:
    """Write the root file system to ``tarball``, whole or not at all."""
    require_mmdebstrap()
    say(f"making {tarball.name} with mmdebstrap, which takes about a minute")
    partial = tarball.with_suffix(".partial")
    log = tarball.with_suffix(".log")
    hooks = [f"--customize-hook=upload {bundle} {BUNDLE_IN_IMAGE}"] if bundle else []
    command = ["mmdebstrap", "--variant=minbase", "--format=tar", f"--include={PACKAGES}", *hooks]
    with partial.open("wb") as output, log.open("wb") as progress:
        code = subprocess.run(
            [*command, "bookworm", "-"], check=False, stdin=subprocess.DEVNULL, stdout=output, stderr=progress
        ).returncode
    if code:
        partial.unlink()
        sys.exit(f"base image: mmdebstrap failed:\n{log.read_text(errors='replace')[-2000:]}")
    partial.replace(tarball)


def import_local(
    client: docker.DockerClient, tarball: Path, inputs: str, settings: Mapping[str, str]
) -> None:
    """Import ``tarball`` as the local base."""
    say(f"importing {LOCAL}")
    environment = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG": "C.UTF-8",
        "PIP_CERT": BUNDLE_IN_IMAGE,
        **settings,
    }
    changes = [f'ENV {name}="{value}"' for name, value in environment.items()]
    repository, tag = LOCAL.split(":")
    client.api.import_image_from_file(
        str(tarball), repository=repository, tag=tag, changes=[*changes, f"LABEL {INPUTS_LABEL}={inputs}"]
    )


def find(client: docker.DockerClient, tag: str) -> Image | None:
    """Return the image ``tag`` if the engine has it."""
    try:
        return client.images.get(tag)
    except ImageNotFound:
        return None


def base_image(client: docker.DockerClient, cache: Path) -> str:
    """Return the reference of the base image, made if need be."""
    if official := find(client, OFFICIAL):
        return reference(official, OFFICIAL)
    bundle, settings = ca_bundle(), pip_settings()
    certificates = bundle.read_bytes() if bundle else b""
    root = hashlib.sha256(repr((PACKAGES, platform.machine())).encode() + certificates).hexdigest()[:16]
    inputs = hashlib.sha256(repr((root, sorted(settings.items()))).encode()).hexdigest()[:16]
    local = find(client, LOCAL)
    if local and (local.labels or {}).get(INPUTS_LABEL) == inputs:
        return LOCAL
    if pull(client):
        return reference(client.images.get(OFFICIAL), OFFICIAL)
    tarball = cache / f"base-{root}.tar"
    if not tarball.exists():
        bootstrap(tarball, bundle)
    import_local(client, tarball, inputs, settings)
    return LOCAL


if __name__ == "__main__":
    try:
        print(base_image(docker.from_env(timeout=IMPORT_TIMEOUT_S), Path(sys.argv[1])))
    except (DockerException, requests.RequestException) as problem:
        sys.exit(f"base image: the engine fails: {problem}")
