import signal
import threading

import pytest

from harness.cli.signals import interruptible
from harness.errors import Interrupted
from harness.targets.uninterrupted import SIGNALS, uninterrupted


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_waits_until_the_end(number):
    done = []

    def work():
        with uninterrupted():
            signal.raise_signal(number)
            done.append("all of it")
        done.append("never")

    with pytest.raises(Interrupted, match=signal.Signals(number).name), interruptible():
        work()
    assert done == ["all of it"]


def test_the_first_of_several_counts():
    def work():
        with uninterrupted():
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(Interrupted, match="SIGTERM"), interruptible():
        work()


def test_it_comes_though_the_body_failed():
    def work():
        with uninterrupted():
            signal.raise_signal(signal.SIGINT)
            raise ZeroDivisionError

    with pytest.raises(Interrupted) as caught, interruptible():
        work()
    assert isinstance(caught.value.__context__, ZeroDivisionError)


def test_handlers_are_as_before():
    before = [signal.getsignal(number) for number in SIGNALS]
    with uninterrupted():
        assert [signal.getsignal(number) for number in SIGNALS] != before
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_a_signal_that_was_ignored_stays_ignored():
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with uninterrupted():
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_another_thread_may_use_it():
    done = []

    def work():
        with uninterrupted():
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]
