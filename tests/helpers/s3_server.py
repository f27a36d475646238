"""An S3-compatible server (moto's, as a process or in a container) that checks every signature."""

import json
import os
import re
import secrets
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import httpx
from local_processes import free_port

REGION = "us-east-1"
SETUP_CALLS = 3
READY_TIMEOUT_S = 40
SETTINGS = {"INITIAL_NO_AUTH_ACTION_COUNT": str(SETUP_CALLS)}
"""As many calls need no signature: those that make the one user whose signature all others need."""
DOCKERFILE = """FROM ${BASE}
COPY constraints.txt /
RUN python3 -m venv /opt/s3 && /opt/s3/bin/pip install --no-cache-dir \\
    -c /constraints.txt 'moto[s3]' flask flask-cors
CMD ["/opt/s3/bin/python", "-m", "moto.server", "-H", "0.0.0.0", "-p", "9000"]
"""
PORT_INSIDE = 9000


def constraints(lock):
    """The versions of a lock file, without hashes: pip wants those for what it is asked for by name, too."""
    return "\n".join(re.findall(r"^[\w.-]+==[^\\\n]+", lock, re.MULTILINE))


@dataclass(frozen=True)
class S3Server:
    """A server's address, the credentials that it takes, and a client that has them."""

    endpoint: str
    credentials: dict[str, str]
    client: Any

    def put(self, bucket, prefix, contents):
        for name, content in contents.items():
            self.client.put_object(Bucket=bucket, Key=f"{prefix}/{name}", Body=content)


@contextmanager
def s3_process(log):
    """Run the server as a process of this machine."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=os.environ | SETTINGS, stdout=output, stderr=output)
    try:
        yield set_up(f"http://127.0.0.1:{port}")
    finally:
        process.kill()
        process.wait()


def set_up(endpoint):
    """Wait for a server that has just started, and make the user."""
    deadline = time.monotonic() + READY_TIMEOUT_S
    while not answers(f"{endpoint}/moto-api/data.json"):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    iam = client_of(
        "iam", endpoint, {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": secrets.token_hex()}
    )
    allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    iam.create_user(UserName="service")
    iam.put_user_policy(UserName="service", PolicyName="s3", PolicyDocument=json.dumps(allow))
    key = iam.create_access_key(UserName="service")["AccessKey"]
    credentials = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    return S3Server(endpoint, credentials, client_of("s3", endpoint, credentials))


def answers(url):
    try:
        return httpx.get(url).is_success
    except httpx.HTTPError:
        return False


def client_of(service, endpoint, credentials):
    names = {name.lower(): value for name, value in credentials.items()}
    return boto3.client(service, endpoint_url=endpoint, region_name=REGION, **names)
