"""What a dead run owns is recognised; what a living one owns is left alone."""

import subprocess
import sys
from dataclasses import replace

import pytest

from harness.owner import Owner


def test_this_process_is_not_gone():
    assert not Owner.parse(str(Owner.current())).is_gone()


def test_a_finished_process_is_gone():
    code = "from harness.owner import Owner; print(Owner.current())"
    text = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert Owner.parse(text.strip()).is_gone()


def test_a_reused_pid_is_gone():
    assert replace(Owner.current(), start="1").is_gone()


def test_an_earlier_boot_is_gone():
    assert replace(Owner.current(), boot="earlier").is_gone()


def test_another_machine_is_not_ours_to_judge():
    assert not replace(Owner.current(), machine="elsewhere", boot="x").is_gone()


@pytest.mark.parametrize("text", ["", "junk", "a|b|c|d", "|||"])
def test_an_unreadable_owner_is_left_alone(text):
    assert not Owner.parse(text).is_gone()
