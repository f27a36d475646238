"""What is dispatched is what is documented, and other methods are refused as the framework would."""

import pytest

from reference_service.api.dispatch import Dispatch
from reference_service.api.routes import SCOPES

DOCUMENT = "/openapi.json"
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"]


@pytest.fixture
def operations(shared):
    return Dispatch(shared.app.routes, shared.app.router).operations


def test_every_documented_operation_is_dispatched_and_no_other(shared, operations):
    documented = {
        path: {method.upper() for method in methods}
        for path, methods in shared.app.openapi()["paths"].items()
    }
    dispatched = {path: set(methods) for path, (methods, _) in operations.items()}
    assert dispatched.pop(DOCUMENT) == {"GET", "HEAD"}
    assert dispatched == documented


def test_every_path_with_a_scope_has_an_operation(operations):
    assert operations.keys() == SCOPES.keys()


@pytest.mark.parametrize("path", sorted(SCOPES))
@pytest.mark.parametrize("method", METHODS)
def test_a_method_that_an_operation_has_not_is_refused_with_those_it_has(client, operations, path, method):
    allowed, _ = operations[path]
    answer = client.request(method, path)
    if method in allowed:
        assert answer.status_code in {200, 415}
        return
    assert answer.status_code == 405
    assert answer.headers["allow"] == ", ".join(sorted(allowed))
    assert answer.headers["x-request-id"]
    if method != "HEAD":
        assert answer.json()["error"]["code"] == "method_not_allowed"
        assert answer.json()["error"]["message"] == "Method Not Allowed"


def test_a_request_does_not_pass_the_router(client, shared, monkeypatch):
    async def router(*_):
        raise AssertionError

    monkeypatch.setattr(shared.app.router, "app", router)
    assert client.get("/health").status_code == 200
