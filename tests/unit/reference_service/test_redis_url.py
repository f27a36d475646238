import logging
import traceback

import pytest
from pydantic import ValidationError

from reference_service.access.redis_windows import RedisWindows
from reference_service.problems import first_problem
from reference_service.redis_url import RedisUrlError, check_redis_url, read_redis_url
from reference_service.settings import Settings

WRONG = [
    "",
    "http://redis.test:6379",
    "redis.test:6379",
    "redis://",
    "unix:///run/redis.sock",
    "redis://redis.test:0",
    "redis://redis.test:port",
    "redis://user:hun/ter2@redis.test:6379",
    "redis://[::1",
    "redis://redis.test:6379\nredis://other.test:6379",
    "redis://redis.test:6379 # comment",
    "redis://redis.test:6379#comment",
    "redis://redis.test/abc",
    "redis://redis.test/0/1",
    "redis://redis.test/-1",
    "redis://redis.test/0?db=1",
    "redis://redis.test?socket_timeout=abc",
    "redis://redis.test?foo=bar",
    "redis://redis.test?password=",
    "redis://redis.test?ssl_ca_certs=/run/ca.pem",
    "rediss://redis.test?ssl_cert_reqs=none",
]


@pytest.mark.parametrize(
    "url",
    [
        "redis://redis.test",
        "redis://:hunter2@redis.test:6379/0",
        "rediss://[::1]:6380/1",
        "redis://redis.test/",
        "redis://redis.test?username=user&password=hunter2",
        "rediss://redis.test/2?ssl_ca_certs=/run/ca.pem&ssl_certfile=/run/c.pem&ssl_keyfile=/run/c.key",
    ],
)
def test_urls_of_redis_are_read_from_a_file(tmp_path, url):
    file = tmp_path / "redis_url"
    file.write_text(f"{url}\n")
    assert read_redis_url(file) == url
    assert RedisWindows(url, 0.5)._redis.connection_pool.make_connection()


@pytest.mark.parametrize("url", WRONG)
def test_anything_else_is_refused_without_being_repeated(tmp_path, url):
    file = tmp_path / "redis_url"
    file.write_text(url)
    with pytest.raises(
        RedisUrlError, match="redis_url: this is no Redis URL; it must be like redis://"
    ) as caught:
        read_redis_url(file)
    told = "".join(traceback.format_exception(caught.value))
    assert "hun" not in told
    assert "ter2" not in told


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(RedisUrlError, match="nowhere: No such file"):
        read_redis_url(tmp_path / "nowhere")


@pytest.mark.parametrize("url", WRONG)
def test_wrong_urls_are_wrong(url):
    with pytest.raises(RedisUrlError):
        check_redis_url(url)


@pytest.mark.parametrize(
    "url",
    ["redis://:hunter2@redis.test", "redis://u:hunter2@redis.test", "redis://redis.test?password=hunter2"],
)
def test_a_password_belongs_into_a_file(monkeypatch, url):
    monkeypatch.setenv("SERVICE_RATE_LIMIT_REDIS_URL", url)
    with pytest.raises(ValidationError) as caught:
        Settings()
    told = first_problem(caught.value)
    assert told.startswith("rate_limit_redis_url: ")
    assert "SERVICE_RATE_LIMIT_REDIS_URL_FILE" in told
    assert "hunter2" not in told


def test_a_url_without_a_password_may_be_in_the_environment(monkeypatch):
    monkeypatch.setenv("SERVICE_RATE_LIMIT_REDIS_URL", "redis://redis.test:6379/0")
    assert Settings().rate_limit_redis_url == "redis://redis.test:6379/0"


def test_two_urls_are_one_too_many(tmp_path):
    with pytest.raises(ValidationError, match="both set: keep one"):
        Settings(rate_limit_redis_url="redis://a.test", rate_limit_redis_url_file=tmp_path)


def test_workers_do_not_multiply_a_quota_silently(tmp_path):
    with pytest.raises(ValidationError, match=r"SERVICE_WORKERS=2 each worker would count .*REDIS_URL_FILE"):
        Settings(workers=2)
    assert Settings(workers=2, rate_limit_redis_url="redis://a.test").workers == 2
    assert Settings(workers=2, rate_limit_redis_url_file=tmp_path / "url").workers == 2
    assert Settings(workers=2, rate_limit_without_redis="local").workers == 2


def test_the_service_does_not_start_with_a_wrong_file(settings, serve, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    file = tmp_path / "redis_url"
    file.write_text("hunter2")
    with pytest.raises(RedisUrlError, match="redis_url: this is no Redis URL"):
        serve(settings.model_copy(update={"rate_limit_redis_url_file": file}))
    assert "hunter2" not in caplog.text
