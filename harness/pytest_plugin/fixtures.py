"""The candidate and its reference for people's own tests.

Started when a test first asks for them, once a session (once a worker under xdist), and removed at its end.
"""

import atexit
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from harness.credentials import Credentials
    from harness.preparation import Prepared
    from harness.targets.interface import Endpoint
    from harness.targets.launch import Launch

CREDENTIALS = pytest.StashKey["Credentials"]()
"""The secrets of this session, to be taken out of what it reports."""

NO_CANDIDATE = "needs --gate-candidate=IMAGE, a URL or a folder"
LOG_LINES = 20


@pytest.fixture(scope="session")
def gate_prepared(pytestconfig: pytest.Config) -> "Prepared":
    """What both targets share, nothing of it started yet; tests want the other fixtures."""
    if not pytestconfig.getoption("gate_candidate"):
        pytest.skip(NO_CANDIDATE)
    from harness.config.suite import load_suite  # noqa: PLC0415 - see the module docstring of the plugin
    from harness.preparation import prepare, sides  # noqa: PLC0415

    gpu = pytestconfig.getoption("gate_device") == "gpu"
    with _told():
        suite = load_suite(Path(pytestconfig.getoption("gate_config"))).on("gpu" if gpu else "cpu")
        prepared = prepare(
            suite,
            *sides(pytestconfig.getoption("gate_candidate"), pytestconfig.getoption("gate_reference")),
            gpu=gpu,
            environ=os.environ,
            emit=lambda _event: None,
        )
        if gpu:
            prepared.require_gpus()
    pytestconfig.stash[CREDENTIALS] = prepared.credentials
    return prepared


@pytest.fixture(scope="session")
def gate_credentials(gate_prepared: "Prepared") -> "Credentials":
    """The secrets of ``[auth]``: ``headers(name)`` present one of its credentials, ``key(name)`` is a key.

    They are the same for candidate and reference. Failed tests show them as the variables of ``[auth]``.
    """
    return gate_prepared.credentials


@pytest.fixture(scope="session")
def gate_candidate(gate_prepared: "Prepared", pytestconfig: pytest.Config) -> "Iterator[Endpoint]":
    """The candidate, ready to answer: ``base_url``, ``logs()``, ``alive()``, ``description``."""
    with _told():
        launch = gate_prepared.launcher.resolve(pytestconfig.getoption("gate_candidate"))
    with _running(launch, gate_prepared, "candidate") as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def gate_reference(gate_prepared: "Prepared", pytestconfig: pytest.Config) -> "Iterator[Endpoint]":
    """The reference, likewise: that of ``--gate-reference``, or else the suite's own service."""
    from harness.preparation import reference_launch, require_reference  # noqa: PLC0415

    named = pytestconfig.getoption("gate_reference")
    with _told():
        require_reference(pytestconfig.getoption("gate_candidate"), named)
        launch = reference_launch(gate_prepared.launcher, named)
    if launch is None:
        pytest.skip(f"--gate-reference {named}")
    with _running(launch, gate_prepared, "reference") as endpoint:
        yield endpoint


@contextmanager
def _running(launch: "Launch", prepared: "Prepared", role: str) -> "Iterator[Endpoint]":
    from harness.errors import TargetError  # noqa: PLC0415
    from harness.model import Scope  # noqa: PLC0415
    from harness.pytest_plugin.interruption import ended_by_sigterm  # noqa: PLC0415

    credentials = prepared.credentials
    with ExitStack() as stack:
        atexit.register(stack.close)  # a second Ctrl-C makes pytest leave its teardown
        stack.callback(atexit.unregister, stack.close)
        stack.enter_context(ended_by_sigterm())
        try:
            with _told():
                endpoint = stack.enter_context(launch.start())
        except TargetError as error:
            log = "\n".join(credentials.redact(error.logs).splitlines()[-LOG_LINES:])
            problem = credentials.redact(str(error))
            text = f"the {role} did not get ready: {problem}\n{log}".strip()
            raise pytest.fail.Exception(text, pytrace=False) from None
        yield _url_for_tests(endpoint, role) if launch.scope is Scope.URL else endpoint


def _url_for_tests(endpoint: "Endpoint", role: str) -> "Endpoint":
    """The endpoint with a log that skips: a test that looks for something in none would pass, whatever."""

    def logs() -> NoReturn:
        pytest.skip(f"the {role} is a URL, whose log is not there to read")

    endpoint.logs = logs  # type: ignore[method-assign]  # all else stays the URL's own
    return endpoint


@contextmanager
def _told() -> Iterator[None]:
    """Within, an error on purpose is told with its fix instead of a traceback."""
    from harness.errors import HarnessError, TargetError  # noqa: PLC0415
    from harness.pytest_plugin.asked import told  # noqa: PLC0415

    try:
        yield
    except TargetError:
        raise
    except HarnessError as error:
        raise pytest.fail.Exception(told(error), pytrace=False) from None
