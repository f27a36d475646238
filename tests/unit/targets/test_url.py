"""Which URLs are taken as a target."""

import pytest

from harness.errors import UsageError
from harness.targets.url import require_plain


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "https://host/models/a", "http://[::1]:80/"])
def test_a_plain_url_is_taken(url):
    require_plain(url)


@pytest.mark.parametrize(
    "url",
    [
        *("http://[::1", "http://", "http:///path", "http://host:99999", "http://host:port"),
        *("http://me:secret@host", "http://secret@host/", "http://host?key=secret", "http://host/#secret"),
    ],
)
def test_any_other_is_refused_without_showing_it(url):
    with pytest.raises(UsageError) as caught:
        require_plain(url)
    assert "secret" not in str(caught.value)
    assert caught.value.exit_code == 2
