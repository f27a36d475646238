"""The smallest real suite there is, with a catalogue: two faults and a benign change."""

import json
from pathlib import Path

from selftest_samples import write_entry

PLAIN = Path(__file__).resolve().parents[1] / "suites" / "plain"
ROW = json.loads((PLAIN / "golden" / "cases.jsonl").read_text().splitlines()[0])["input"]
ASKING = f"""
import json
import sys

import httpx

told = json.load(sys.stdin)


def ask(url):
    return httpx.post(
        url + "/v2/score", headers=told["headers"]["default"], json={ROW}, timeout=10, trust_env=False
    )


def differs(on_entry, on_healthy, what):
    if on_entry and not on_healthy:
        sys.exit(0)
    print(what + " is not there, or on the healthy one too")
    sys.exit(1)
"""
WEIGHT = """
does = "has another weight"
family = "golden"
image = ["USER 0:0", "RUN sed -i 's/2\\\\.1/2.1000001/' /srv/weights.json", "USER 10001:10001"]
caught_by = { "golden.single" = ["golden.single.score"], "golden.batch" = ["golden.batch.score"] }
"""
HEADER = """
does = "answers with a further header, which no golden case looks at"
family = "golden"
caught_by = { "golden.single" = ["golden.single.score"] }
"""
ADDS_A_HEADER = """
import service

reply = service.Handler.reply


def with_header(self, status, content, headers):
    reply(self, status, content, {**headers, "X-Debug": "1"})


service.Handler.reply = with_header
service.main()
"""
LABEL = """
does = "has a further label"
family = "golden"
image = ["LABEL further=label"]
near = ["golden.single"]
"""
WEIGHT_SHOWN = """
from asking import ask, differs, told

known = 0.060425551774299535
off = [abs(ask(told[url]).json()["result"]["score"] - known) > 1e-9 for url in ("base_url", "healthy_url")]
differs(*off, "another score")
"""
HEADER_SHOWN = """
from asking import ask, differs, told

differs(*("X-Debug" in ask(told[url]).headers for url in ("base_url", "healthy_url")), "the header")
"""
LABEL_SHOWN = """
import docker
from asking import differs, told

images = docker.from_env().images
differs(*("further" in images.get(told[key]).labels for key in ("image_id", "healthy_image_id")), "the label")
"""
NAMES = ("another_weight", "further_header", "further_label")


def selftest_suite(folder):
    """Write the suite into a folder that is made, golden and contract alone; give its gate.toml."""
    folder.mkdir()
    for beside in PLAIN.iterdir():
        if beside.name != "gate.toml":
            (folder / beside.name).symlink_to(beside)
    whole = (PLAIN / "gate.toml").read_text()
    text = whole[: whole.index("[fuzz]")].replace(
        'required = ["contract", "golden", "fuzz", "scenarios", "latency"]',
        'required = ["contract", "golden"]',
    )
    assert "scenarios" not in text
    config = folder / "gate.toml"
    config.write_text(f'{text}\n[selftest]\ncatalogue = "catalogue"\n')
    catalogue = folder / "catalogue"
    write_entry(catalogue, "fault", "another_weight", WEIGHT, probe=WEIGHT_SHOWN)
    write_entry(catalogue, "fault", "further_header", HEADER, fault=ADDS_A_HEADER, probe=HEADER_SHOWN)
    write_entry(catalogue, "benign", "further_label", LABEL, probe=LABEL_SHOWN)
    (catalogue / "asking.py").write_text(ASKING)
    return config
