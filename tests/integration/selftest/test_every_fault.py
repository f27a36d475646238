"""Each fault is seen by a client that asks through the proxy, and not by one that asks directly.

Nothing of the checks is used: what is proven is that the fault is there, and not that a suite notices it.
"""

import gzip
import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import pytest
from proxied_service import KEYS

from harness.selftest.proxy import built_in_faults

JSON = {"Content-Type": "application/json", "X-API-Key": KEYS[0]}


# What each of the others does is proven in tests/unit/selftest/proxy, and here by the slow tests.
ONE_OF_EACH_WAY = {
    "none": "holds nothing",
    "path_normalised": "changes the head of a request",
    "null_taken_for_zero": "changes the body of a request",
    "numbers_biased": "changes the body of an answer",
    "metrics_frozen": "changes what is asked with GET",
    "compressed_unasked": "changes head and body",
    "anonymous_let_in": "remembers what came before",
    "cached_for_anybody": "answers itself",
    "charged_twice": "asks on a connection of its own",
    "mixed_up_under_concurrency": "looks at others in flight",
    "one_at_a_time": "lets requests wait for each other",
    "stalled": "holds answers back",
    "connections_slow": "holds a connection back",
    "connection_dropped": "resets",
    "body_cut": "cuts",
    "byte_by_byte": "writes in pieces",
    "closed_unannounced": "closes",
    "ready_too_early": "stands in",
}


def cases():
    faults = {fault.name: fault for fault in built_in_faults()}
    assert ONE_OF_EACH_WAY.keys() <= faults.keys()
    for name in faults:
        yield pytest.param(name, marks=() if name in ONE_OF_EACH_WAY else pytest.mark.slow)


@pytest.mark.parametrize("name", list(cases()))
def test_it_is_there_and_only_through_the_proxy(name, behind):
    globals()[f"prove_{name}"](behind)


def test_an_idle_one_does_nothing(behind):
    with behind("numbers_biased", idle=True) as asked:
        through, directly = both(asked)
        assert through == directly
    assert asked.applied == [0]


def both(asked, *numbers, **how):
    """The documents of one prediction through the proxy and directly."""
    return tuple(
        asked.predict(*numbers, client=client, **how).json() for client in (asked.through, asked.directly)
    )


def but(document, **members):
    return {**document, **members}


def prove_none(behind):
    with behind("none") as asked:
        for method, path in (("GET", "/ready"), ("GET", "/none"), ("HEAD", "/ready"), ("OPTIONS", "/")):
            through, directly = (client.request(method, path) for client in (asked.through, asked.directly))
            assert (through.status_code, through.content) == (directly.status_code, directly.content)
        assert asked.predict().content == asked.predict(client=asked.directly).content
    assert asked.applied == [0]


def prove_numbers_biased(behind):
    with behind("numbers_biased") as asked:
        through, directly = both(asked)
        assert through["p"] == [0.25 + 0.001, 0.75 + 0.001]
        assert (through["sum"], directly["p"]) == (6, [0.25, 0.75])
    assert asked.applied == [1]


def prove_numbers_rounded(behind):
    with behind("numbers_rounded") as asked:
        through, directly = both(asked)
        assert [row["y"] for row in through["rows"]] == [round(row["y"], 4) for row in directly["rows"]]
        assert through != directly


def prove_numbers_through_float16(behind):
    with behind("numbers_through_float16") as asked:
        through, directly = both(asked, 1000)
        assert (through["rows"][0]["y"], directly["rows"][0]["y"]) == (2000.0, 2000.123456789)


def prove_one_kind_of_request_biased(behind):
    with behind("one_kind_of_request_biased") as asked:
        biased = [number for number in range(100) if len(set(map(str, both(asked, number)))) > 1]
        assert 0 < len(biased) < 25
        again = [number for number in range(100) if len(set(map(str, both(asked, number)))) > 1]
        assert again == biased


def prove_array_items_swapped(behind):
    with behind("array_items_swapped") as asked:
        through, directly = both(asked)
        assert through == but(directly, p=[0.75, 0.25])


def prove_members_swapped(behind):
    with behind("members_swapped") as asked:
        through, directly = both(asked)
        assert through == but(directly, scores={"a": 0.9, "b": 0.1})


def prove_batch_rotated(behind):
    with behind("batch_rotated") as asked:
        through, directly = both(asked)
        rows = directly["rows"]
        assert through == but(directly, rows=[rows[-1], *rows[:-1]])
        through, directly = both(asked, 7)
        assert through == directly


def prove_batch_cut_short(behind):
    with behind("batch_cut_short") as asked:
        through, directly = both(asked)
        assert through == but(directly, rows=directly["rows"][:-1])


def prove_null_to_zero(behind):
    with behind("null_to_zero") as asked:
        through, directly = both(asked)
        assert through == but(directly, none=0)
        assert directly["none"] is None


def prove_not_a_number_answered(behind):
    with behind("not_a_number_answered", one_in=5) as asked:
        contents = [asked.predict().text for _ in range(10)]
        assert sum("NaN" in content for content in contents) == 2


def prove_large_integers_rounded(behind):
    with behind("large_integers_rounded") as asked:
        through, directly = both(asked, 2**53 + 1)
        assert (through["sum"], directly["sum"]) == (2**53, 2**53 + 1)


def prove_number_as_text(behind):
    with behind("number_as_text") as asked:
        through, directly = both(asked)
        assert through == but(directly, sum="6")


def prove_member_dropped(behind):
    with behind("member_dropped") as asked:
        through, directly = both(asked)
        assert {**through, "none": None} == directly
        assert "none" not in through


def prove_member_added(behind):
    with behind("member_added") as asked:
        through, directly = both(asked)
        assert {**directly, "added_by_the_proxy": True} == through


def prove_member_renamed(behind):
    with behind("member_renamed") as asked:
        through, directly = both(asked)
        assert (next(iter(through)), next(iter(directly))) == ("sum_", "sum")
        assert list(through.values()) == list(directly.values())


def prove_label_replaced(behind):
    with behind("label_replaced", one_in=4) as asked:
        wrong = [number for number in range(40) if len(set(map(str, both(asked, number)))) > 1]
        assert 8 <= len(wrong) <= 10


def prove_null_taken_for_zero(behind):
    with behind("null_taken_for_zero") as asked:
        content = b'{"x": [NaN, null, 2]}'
        assert asked.through.post("/predict", content=content, headers=JSON).json()["sum"] == 2
        assert asked.directly.post("/predict", content=content, headers=JSON).status_code == 422


def prove_text_taken_for_number(behind):
    with behind("text_taken_for_number") as asked:
        assert asked.predict("1.5", 2).json()["sum"] == 3.5
        assert asked.predict("1.5", 2, client=asked.directly).status_code == 422


def prove_path_normalised(behind):
    with behind("path_normalised") as asked:
        assert asked.predict(path="/predict/").status_code == 200
        assert asked.predict(path="/predict/", client=asked.directly).status_code == 404


def prove_error_told_as_success(behind):
    with behind("error_told_as_success", one_in=5) as asked:
        answers = [asked.predict() for _ in range(10)]
        assert {answer.status_code for answer in answers} == {200}
        assert sum("error" in answer.json() for answer in answers) == 2


def statuses(asked, *, numbers=("a",), **how):
    """Through the proxy and directly."""
    clients = (asked.through, asked.directly)
    return tuple(asked.predict(*numbers, client=client, **how).status_code for client in clients)


def prove_refusal_as_server_error(behind):
    with behind("refusal_as_server_error") as asked:
        assert statuses(asked) == (500, 422)
        assert statuses(asked, key=None) == (401, 401)


def prove_refusal_as_success(behind):
    with behind("refusal_as_success") as asked:
        assert statuses(asked) == (200, 422)
        assert asked.predict("a").json() == {"error": "x: numbers"}


def prove_undocumented_status(behind):
    with behind("undocumented_status") as asked:
        assert statuses(asked, numbers=(1,)) == (202, 200)


def prove_unauthorized_as_forbidden(behind):
    with behind("unauthorized_as_forbidden") as asked:
        assert statuses(asked, key=None) == (403, 401)


def prove_refusals_as_html(behind):
    with behind("refusals_as_html") as asked:
        answer = asked.predict("a")
        assert (answer.status_code, answer.headers["Content-Type"]) == (422, "text/html")
        assert asked.predict().json()["sum"] == 6


def prove_other_content_type(behind):
    with behind("other_content_type") as asked:
        through, directly = asked.predict(), asked.predict(client=asked.directly)
        assert (through.headers["Content-Type"], through.content) == ("text/plain", directly.content)


def prove_other_charset(behind):
    with behind("other_charset") as asked:
        answer = asked.predict()
        assert answer.headers["Content-Type"] == "application/json; charset=utf-16"
        assert answer.content.decode("utf-16") == asked.predict(client=asked.directly).text


def prove_compressed_unasked(behind):
    with behind("compressed_unasked") as asked:
        with asked.through.stream(
            "POST", "/predict", json={"x": [1]}, headers={"X-API-Key": KEYS[0]}
        ) as answer:
            packed = b"".join(answer.iter_raw())
        assert answer.headers["Content-Encoding"] == "gzip"
        assert json.loads(gzip.decompress(packed)) == asked.predict(1, client=asked.directly).json()


def prove_echoed_header_lost(behind):
    with behind("echoed_header_lost") as asked:
        assert "X-Request-ID" not in asked.predict(X_Request_ID="r-1").headers
        assert asked.predict(X_Request_ID="r-1", client=asked.directly).headers["X-Request-ID"] == "r-1"


def prove_challenge_lost(behind):
    with behind("challenge_lost") as asked:
        assert "WWW-Authenticate" not in asked.predict(key=None).headers
        assert "WWW-Authenticate" in asked.predict(key=None, client=asked.directly).headers


def exhausted(asked):
    """The refusal for now, through the proxy."""
    for _ in range(3):
        asked.predict(path="/limited", client=asked.directly)
    return asked.predict(path="/limited")


def prove_retry_after_zero(behind):
    with behind("retry_after_zero") as asked:
        answer = exhausted(asked)
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "0")


def prove_retry_after_missing(behind):
    with behind("retry_after_missing") as asked:
        answer = exhausted(asked)
        assert answer.status_code == 429
        assert "Retry-After" not in answer.headers


def prove_remaining_overstated(behind):
    with behind("remaining_overstated") as asked:
        assert exhausted(asked).headers["X-RateLimit-Remaining"] == "1"


def prove_credentials_stripped(behind):
    with behind("credentials_stripped") as asked:
        assert statuses(asked, numbers=(1,)) == (401, 200)


def prove_anonymous_let_in(behind):
    with behind("anonymous_let_in") as asked:
        assert statuses(asked, numbers=(1,), key=None) == (401, 401)
        assert asked.predict().status_code == 200
        assert statuses(asked, numbers=(1,), key=None) == (200, 401)
        assert statuses(asked, numbers=(1,), key="wrong") == (401, 401)


def prove_any_credential_accepted(behind):
    with behind("any_credential_accepted") as asked:
        assert asked.predict().status_code == 200
        assert statuses(asked, numbers=(1,), key="wrong") == (200, 401)
        assert statuses(asked, numbers=(1,), key=None) == (401, 401)


def prove_credential_prefix_accepted(behind):
    with behind("credential_prefix_accepted") as asked:
        assert asked.predict().status_code == 200
        assert statuses(asked, numbers=(1,), key=KEYS[0][:-2] + "xx") == (200, 401)
        assert statuses(asked, numbers=(1,), key="wrong") == (401, 401)


def prove_quota_not_enforced(behind):
    with behind("quota_not_enforced") as asked:
        answers = [asked.predict(path="/limited").status_code for _ in range(5)]
        assert answers == [200] * 5
        assert asked.predict(path="/limited", client=asked.directly).status_code == 429


def prove_throttled_at_random(behind):
    with behind("throttled_at_random", one_in=5) as asked:
        assert [asked.predict().status_code for _ in range(10)].count(429) == 2


def prove_charged_twice(behind):
    with behind("charged_twice") as asked:
        answers = [asked.predict(path="/limited").status_code for _ in range(2)]
        assert answers == [200, 429]
        assert asked.service.asked["/limited"] == 4


def prove_stale_answer(behind):
    with behind("stale_answer", one_in=5) as asked:
        sums = [asked.predict(number).json()["sum"] for number in range(20)]
        wrong = [number for number, told in enumerate(sums) if told != number]
        assert 3 <= len(wrong) <= 4  # the very first has none before it
        assert all(sums[number] == number - 1 for number in wrong)


def prove_cached_for_anybody(behind):
    with behind("cached_for_anybody") as asked:
        first = asked.predict()
        assert asked.predict(key=None).content == first.content
        assert asked.service.asked["/predict"] == 1
        assert asked.predict(key=None, client=asked.directly).status_code == 401


def at_once(asked, count, client):
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda number: asked.predict(number, path="/slow", client=client), range(count)))


def prove_mixed_up_under_concurrency(behind):
    with behind("mixed_up_under_concurrency") as asked:
        sums = [answer.json()["sum"] for answer in at_once(asked, 8, asked.through)]
        assert sums != list(range(8))
        assert set(sums) <= set(range(8))
        assert [answer.json()["sum"] for answer in at_once(asked, 8, asked.directly)] == list(range(8))
        assert [asked.predict(number).json()["sum"] for number in range(4)] == list(range(4))


def applied(behind, name, count, **parameters):
    """How often a fault was that changes nothing but the time."""
    with behind(name, **parameters) as asked:
        for number in range(count):
            through, directly = both(asked, number)
            assert through == directly
    return asked.applied


def prove_stalled(behind):
    assert applied(behind, "stalled", 10, one_in=5, stall_ms=1) == [2]


def prove_slower(behind):
    assert applied(behind, "slower", 10) == [10]


def prove_slower_with_use(behind):
    assert applied(behind, "slower_with_use", 10, requests=4) == [6]


def prove_first_request_slow(behind):
    assert applied(behind, "first_request_slow", 10, late_s=0.01) == [1]


def prove_connections_slow(behind):
    # One connection, which is kept.
    assert applied(behind, "connections_slow", 3, late_ms=1) == [1]


def prove_large_requests_slow(behind):
    with behind("large_requests_slow", late_ms=1) as asked:
        for count in (1, 2, 50):
            through, directly = both(asked, *range(count))
            assert through == directly
    assert asked.applied == [1]


def prove_one_at_a_time(behind):
    with behind("one_at_a_time") as asked:
        assert [answer.json()["sum"] for answer in at_once(asked, 4, asked.through)] == list(range(4))
        assert asked.service.most_at_once == 1
        at_once(asked, 4, asked.directly)
        assert asked.service.most_at_once > 1


def failures(asked, count):
    """The errors of so many predictions, each on a connection that is there."""
    errors = []
    for number in range(count):
        try:
            assert asked.predict(number).json()["sum"] == number
        except httpx.TransportError as error:
            errors.append(type(error))
    return errors


def prove_connection_dropped(behind):
    with behind("connection_dropped", one_in=5) as asked:
        assert failures(asked, 10) == [httpx.ReadError] * 2


def prove_body_cut(behind):
    with behind("body_cut", one_in=5) as asked:
        assert failures(asked, 10) == [httpx.RemoteProtocolError] * 2


def raw(asked, *, count=1):
    """The pieces in which an answer arrives on a connection, and whether that ends after it."""
    address = urlsplit(asked.endpoint.base_url)
    body = b'{"x": [1]}'
    request = (
        f"POST /predict HTTP/1.1\r\nHost: x\r\nX-API-Key: {KEYS[0]}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        connection.sendall(request * count)
        connection.shutdown(socket.SHUT_WR)
        pieces = []
        while piece := connection.recv(1):
            pieces.append(piece)
        return b"".join(pieces)


def prove_byte_by_byte(behind):
    with behind("byte_by_byte") as asked:
        through, directly = both(asked)
        assert through == directly
    assert asked.applied == [1]


def prove_closed_unannounced(behind):
    with behind("closed_unannounced", one_in=1) as asked:
        answers = raw(asked, count=2)
        assert answers.count(b"HTTP/1.1 200") == 1
        assert b"connection: close" not in answers.lower()


def prove_ready_too_early(behind):
    with behind("ready_too_early") as asked:
        asked.service.ready = False
        assert asked.through.get("/ready").status_code == 200
        assert asked.directly.get("/ready").status_code == 503
        assert asked.predict().status_code == 200


def prove_unready_under_load(behind):
    with behind("unready_under_load", requests=1) as asked:
        assert asked.through.get("/ready").status_code == 200
        stop, seen = threading.Event(), []

        def watch():
            with httpx.Client(base_url=asked.endpoint.base_url, trust_env=False) as client:
                while not stop.is_set():
                    seen.append(client.get("/ready").status_code)

        watching = threading.Thread(target=watch)
        watching.start()
        for _ in range(5):
            asked.predict(path="/slow")
        stop.set()
        watching.join()
        assert 503 in seen
        assert asked.through.get("/ready").status_code == 200


def prove_metrics_frozen(behind):
    with behind("metrics_frozen") as asked:
        first = asked.through.get("/metrics").text
        asked.predict()
        assert asked.through.get("/metrics").text == first
        assert asked.directly.get("/metrics").text != first


def prove_counters_halved(behind):
    with behind("counters_halved") as asked:
        for _ in range(6):
            asked.predict()
        assert "asked_total 3.0\n" in asked.through.get("/metrics").text
        assert "asked_total 6.0\n" in asked.directly.get("/metrics").text


def prove_seconds_in_milliseconds(behind):
    with behind("seconds_in_milliseconds") as asked:
        assert "asked_seconds_sum 500.0\n" in asked.through.get("/metrics").text


def prove_another_version_told(behind):
    with behind("another_version_told") as asked:
        assert asked.through.get("/model").json() == {"name": "double", "version": "1.0.1"}
        assert asked.directly.get("/model").json() == {"name": "double", "version": "1.0"}


def prove_document_without_a_path(behind):
    with behind("document_without_a_path") as asked:
        assert list(asked.through.get("/openapi.json").json()["paths"]) == ["/predict"]
        assert list(asked.directly.get("/openapi.json").json()["paths"]) == ["/predict", "/ready"]
