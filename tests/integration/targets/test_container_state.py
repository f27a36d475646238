"""What the engine and the kernel say of a container while it starts, runs and ends."""

import time

import httpx
import pytest

pytestmark = pytest.mark.engine

BOUND_S = 10


def ended(endpoint):
    """Its exit code, once it has one."""
    give_up = time.monotonic() + BOUND_S
    while (code := endpoint.exit_code()) is None and time.monotonic() < give_up:
        time.sleep(0.02)
    return code


def test_one_that_is_not_waited_for_is_there_before_it_is_ready(target):
    with target("never-ready", until_ready=False) as endpoint:
        assert endpoint.alive()
        assert endpoint.exit_code() is None
        assert endpoint.description.startup_s is None
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"{endpoint.base_url}/ready", timeout=1)


def test_one_that_refuses_to_start_tells_its_exit_code_and_why(target):
    with target("exit", until_ready=False) as endpoint:
        assert ended(endpoint) == 3
        assert "no model file" in endpoint.logs()


def test_one_that_ends_before_its_port_is_known_has_an_address_that_nobody_answers(target, build_image):
    image = build_image("at-once", 'FROM ${BASE}\nENTRYPOINT []\nCMD ["/bin/false"]\n')
    with target(image=image, until_ready=False) as endpoint:
        assert ended(endpoint) == 1
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"{endpoint.base_url}/ready", timeout=1)


def test_it_is_asked_to_end_and_not_killed(target):
    delivered = []
    with target() as endpoint:
        assert (
            endpoint.terminate(0.3, lambda: delivered.append(endpoint.alive())) is None
        )  # without a handler, signals do not end the first process
        assert endpoint.alive()
        assert delivered == [True]
    with target("deaf") as endpoint:
        assert endpoint.terminate(0.3, list) is None


@pytest.mark.parametrize(("line", "user"), [("USER 10001", 10001), ("USER root", 0)])
def test_its_processes_are_those_that_the_kernel_runs(target, build_image, tiny_image, line, user):
    image = build_image("as-user", f"FROM ${{BASE}}\n{line}\n", base=tiny_image)
    with target(image=image) as endpoint:
        (process,) = endpoint.processes()
    assert (process.command, process.uids, process.capabilities) == ("python3", (user,) * 4, 0)


def test_who_measures_it_asks_its_own_address_past_the_engines_proxy(target):
    with target() as endpoint:
        network = next(iter(endpoint._container.attrs["NetworkSettings"]["Networks"].values()))
        assert httpx.URL(endpoint.load_url).host == network["IPAddress"]
        direct, published = (httpx.get(url) for url in (endpoint.load_url, endpoint.base_url))
        assert direct.status_code == published.status_code


def test_one_whose_network_is_not_this_machines_is_measured_through_its_published_port(target):
    with target() as endpoint:
        network = next(iter(endpoint._container.attrs["NetworkSettings"]["Networks"].values()))
        # Its address still answers, as a container of another engine on this machine would.
        network["NetworkID"] = "0" * 64
        assert endpoint.load_url == endpoint.base_url


def test_the_images_own_probe_does_not_run(target, engine):
    with target() as endpoint:
        config = engine.containers.get(endpoint.container_id).attrs["Config"]
        assert config["Healthcheck"]["Test"] == ["NONE"]
