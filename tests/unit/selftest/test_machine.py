"""Trials share a machine, but for one that has it alone."""

import fcntl

import pytest

from harness.selftest.machine import machine


def is_free(folder, how):
    with (folder / ".machine").open("wb") as lock:
        try:
            fcntl.flock(lock, how | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@pytest.mark.parametrize("alone", [False, True])
def test_one_that_is_alone_keeps_the_others_out(tmp_path, alone):
    with machine(tmp_path, alone=alone):
        assert is_free(tmp_path, fcntl.LOCK_SH) == (not alone)
        assert not is_free(tmp_path, fcntl.LOCK_EX)
    assert is_free(tmp_path, fcntl.LOCK_EX)
