"""What the checks of the lifecycle have in common: they start candidates, and ask them golden cases."""

from harness.checks.golden.payloads import payloads
from harness.checks.interface import CheckContext
from harness.checks.lifecycle.connection import Client, Connection, Ending, Reply
from harness.checks.patience import Patience
from harness.config.suite import Suite
from harness.credentials import Credentials
from harness.errors import InfrastructureError
from harness.http_request import Request
from harness.targets.interface import Target

TIMEOUT_S = 10.0
SUCCESS = range(200, 300)
MOST_CHARACTERS = 2000


def another(context: CheckContext, variant: str | None = None, *, until_ready: bool = True) -> Target:
    """Another candidate of this run, not started yet.

    Raises:
        InfrastructureError: for a URL; the check should need a container.
    """
    if context.start is None:
        raise InfrastructureError("a URL cannot be started again")
    return context.start(variant, until_ready=until_ready)


def require_golden(suite: Suite) -> None:
    """Build every request.

    Raises:
        ConfigError: there is no golden set, or a body cannot be filled.
    """
    payloads(suite, Credentials(suite.config.auth, {}))


def told(reply: Reply) -> str:
    """A reply in words."""
    return f"HTTP {reply.status}" if reply.ending is Ending.ANSWERED else f"no answer: {reply.ending}"


def succeeded(reply: Reply) -> bool:
    """Whether a whole 2xx answer came."""
    return reply.ending is Ending.ANSWERED and reply.status in SUCCESS


def last_words(logs: str) -> str:
    """The end of what was written."""
    return logs[-MOST_CHARACTERS:]


def ask_once(base_url: str, request: Request, timeout_s: float = TIMEOUT_S) -> Reply:
    """One request on a connection of its own."""
    try:
        with Connection(base_url, timeout_s) as connection:
            return connection.ask(request)
    except OSError:
        return Reply(Ending.REFUSED)


def ask_all(base_url: str, requests: list[Request]) -> list[Reply]:
    """One after another; those that the patience is over for have no answer either."""
    patience = Patience()
    replies = []
    with Client(base_url, TIMEOUT_S) as client:
        for request in requests:
            reply = Reply(Ending.SILENT) if patience.over else client.ask(request)
            patience.note(answered=reply.ending is Ending.ANSWERED)
            replies.append(reply)
    return replies
