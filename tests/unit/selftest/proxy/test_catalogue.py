"""The table of faults is whole, and its page says what it says."""

import asyncio
import subprocess
import sys

import pytest
from hatchling.builders.wheel import WheelBuilder
from pages import ROOT, read_page

from harness.errors import UsageError
from harness.model import Family, Scope, TargetDescription
from harness.selftest.proxy import built_in_faults, injected, pass_through
from harness.selftest.proxy.effect import Effect
from harness.selftest.proxy.effects.table import EFFECTS, effect_of
from harness.selftest.proxy.exchange import Delivery, Exchange, Service
from harness.selftest.proxy.fault import ProxyFault
from harness.selftest.proxy.message import Message
from harness.selftest.proxy.target import cores_in
from harness.targets.launch import Launch

PAGE = read_page("docs/selftest-proxy.md")
LEAST = 30


def test_every_fault_has_an_effect_of_its_own():
    faults = [fault.name for fault in built_in_faults()]
    assert faults[0] == pass_through().name == "none"
    assert sorted(faults) == sorted(EFFECTS)
    assert len(set(EFFECTS.values())) == len(EFFECTS) > LEAST
    assert all(issubclass(effect, Effect) for effect in EFFECTS.values())


@pytest.mark.parametrize("fault", built_in_faults(), ids=lambda fault: fault.name)
def test_a_fault_is_described_and_can_be_made(fault):
    assert fault.does
    assert fault.mechanism
    assert bool(fault.families) == (fault != pass_through())
    assert len(set(fault.families)) == len(fault.families)
    again = ProxyFault.model_validate_json(fault.model_dump_json())
    assert again == fault
    effect_of(again)


@pytest.mark.parametrize("fault", built_in_faults(), ids=lambda fault: fault.name)
def test_an_idle_one_holds_what_the_fault_holds_and_does_nothing(fault, asking):
    idle = effect_of(fault, idle=True)
    assert idle.holds == effect_of(fault).holds
    exchange = Exchange(asking(), Service(host="127.0.0.1", port=9))
    asked = exchange.request
    asyncio.run(idle.opened())
    asyncio.run(idle.asked(exchange))
    answer = Message.answer(200, b'{"y": 1.23456}')
    assert asyncio.run(idle.answered(exchange, answer)) is answer
    assert (exchange.request, exchange.answer, exchange.delivery) == (asked, None, Delivery.WHOLE)
    assert (idle.applied, idle.stands_in) == (0, False)


def test_every_family_that_asks_over_http_has_faults():
    told = {family for fault in built_in_faults() for family in fault.families}
    assert told >= set(Family) - {Family.IMAGE, Family.ARTIFACT}


def test_the_page_has_every_fault():
    rows = {cells[0].strip("`"): cells[1:] for cells in PAGE.table_rows() if cells[0].startswith("`")}
    told = {fault.name: [fault.does, ", ".join(fault.families) or "none"] for fault in built_in_faults()}
    assert {name: rows[name] for name in told if name in rows} == told


def test_the_proxys_process_does_not_import_what_starts_containers():
    code = "import sys, harness.selftest.proxy.process as _; sys.exit('docker' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_url_gets_no_proxy():
    launch = Launch(TargetDescription(kind=Scope.URL), lambda _cpus: None)
    with pytest.raises(UsageError, match="a URL runs already"):
        injected(launch, pass_through())


@pytest.mark.parametrize(("cpuset", "cores"), [("0", (0,)), ("0-2", (0, 1, 2)), ("1,3-4,7", (1, 3, 4, 7))])
def test_cores(cpuset, cores):
    assert cores_in(cpuset) == cores


def test_the_table_is_installed_with_the_package():
    included = {each.distribution_path for each in WheelBuilder(str(ROOT)).recurse_included_files()}
    assert "harness/selftest/proxy/faults.toml" in included
