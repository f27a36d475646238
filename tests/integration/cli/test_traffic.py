"""`harness traffic record` before a service: what callers get, what is written, what never is."""

import http.client
import json
import signal
import subprocess
import sys
import time

import httpx
import pytest
from local_processes import free_port

from harness.traffic.recording import read_recording


@pytest.fixture
def record(serve_tiny, tmp_path):
    """Starts the recorder; gives the process and the URL to ask."""
    processes = []

    def start(*options):
        port = free_port()
        command = [sys.executable, "-m", "harness", "traffic", "record", serve_tiny()]
        process = subprocess.Popen(
            [*command, "--out", tmp_path / "traffic.jsonl", "--listen", f"127.0.0.1:{port}", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        assert "Ctrl-C end it" in process.stderr.readline()
        return process, f"http://127.0.0.1:{port}"

    yield start
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_callers_get_the_services_answers_and_the_recording_no_credential(record, tmp_path):
    process, url = record("--most", "3", "--drop", "/name")
    with httpx.Client(base_url=url, headers={"Authorization": "Bearer s3cret", "Cookie": "s3cret"}) as client:
        assert client.get("/none").status_code == 404
        for number in range(3):
            answer = client.post("/predict?key=s3cret", json={"x": number, "name": "Ana"})
            assert answer.status_code == 200, answer.text
    stdout, stderr = process.communicate(timeout=10)
    assert "3 of 3 requests that were answered 2xx are recorded" in stderr
    assert (process.returncode, stdout) == (0, f"{tmp_path / 'traffic.jsonl'}\n")
    text = (tmp_path / "traffic.jsonl").read_text()
    assert "s3cret" not in text
    assert "Ana" not in text
    assert [json.loads(line)["body"]["x"] for line in text.splitlines()] == [0, 1, 2]


def test_an_interruption_keeps_what_there_is(record, tmp_path):
    process, url = record()
    httpx.post(f"{url}/predict", json={"x": 1}).raise_for_status()
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    assert process.returncode == 0
    assert len(list(read_recording(tmp_path / "traffic.jsonl"))) == 1


def test_without_a_request_nothing_is_written(record, tmp_path):
    process, _ = record("--seconds", "0.3")
    _, stderr = process.communicate(timeout=10)
    assert process.returncode == 4
    assert "nothing is written" in stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", ["--drop", "--path"])
def test_a_pointer_and_a_path_begin_with_a_slash(run_main, tmp_path, option):
    result = run_main(
        "traffic", "record", "http://127.0.0.1:9", "--out", tmp_path / "t.jsonl", option, "name"
    )
    assert result.returncode == 2
    assert f"{option} name: begins with no slash" in result.stderr


def test_a_file_below_a_file_is_refused(run_main, tmp_path):
    (tmp_path / "file").touch()
    result = run_main("traffic", "record", "http://127.0.0.1:9", "--out", tmp_path / "file" / "t.jsonl")
    assert result.returncode == 2
    assert "t.jsonl: File exists" in result.stderr


@pytest.mark.parametrize("target", ["@127.0.0.1:9/secret", "http://127.0.0.1:9/secret", "*"])
def test_the_recorder_passes_nothing_on_to_other_hosts(record, target):
    _, url = record()
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=5)
    connection.putrequest("GET", target)
    connection.endheaders()
    assert connection.getresponse().status == 400
    connection.close()


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (("Transfer-Encoding", "chunked"), 411),
        (("Content-Length", str(9 * 1024 * 1024)), 413),
        (("Content-Length", "-1"), 413),
    ],
)
def test_what_the_recorder_does_not_take_is_refused_by_it(record, header, status):
    _, url = record()
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=5)
    connection.putrequest("POST", "/predict")
    connection.putheader(*header)
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == status
    assert "recorder" in json.loads(answer.read())
    connection.close()
