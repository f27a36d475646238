"""Which variables of the environment are refused, and how a wrong one is told."""

import re

import pytest
from pydantic import ValidationError

from reference_service.environment import UnknownSettingError, refuse_unknown, wrong_setting
from reference_service.settings import Settings


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_known_and_its_misspelling_is_told_with_the_right_name(name):
    right = f"SERVICE_{name.upper()}"
    refuse_unknown({right: "x"})
    with pytest.raises(
        UnknownSettingError, match=rf"^{right}X: there is no such setting; did you mean {right}\?$"
    ):
        refuse_unknown({f"{right}X": "x"})


def test_what_resembles_no_setting_is_refused_without_a_guess():
    with pytest.raises(UnknownSettingError, match=r"^SERVICE_QQQQ: .*the table of settings lists all"):
        refuse_unknown({"SERVICE_QQQQ": "x"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SERVICE_RATE_LIMITS", ""),
        ("MY_SERVICE_HOST", "x"),
        ("OTEL_SERVICE_NAME", "x"),
        *[
            (name, "10.0.0.1")
            for name in (
                "SERVICE_SERVICE_HOST",
                "SERVICE_SERVICE_PORT",
                "SERVICE_SERVICE_PORT_HTTP",
                "SERVICE_PORT_80_TCP_ADDR",
                "SERVICE_X_SERVICE_HOST",
                "SERVICE_X_SERVICE_PORT",
                "SERVICE_X_SERVICE_PORT_HTTP",
                "SERVICE_X_PORT_80_TCP",
                "SERVICE_X_PORT_80_TCP_PROTO",
            )
        ],
        ("SERVICE_X_PORT", "tcp://10.0.0.1:80"),
    ],
)
def test_empty_foreign_and_injected_variables_are_let_be(name, value):
    refuse_unknown({name: value})


@pytest.mark.parametrize("name", ["SERVICE_X_PORT", "SERVICE_X_HOST", "SERVICE_PORTS"])
def test_what_only_resembles_an_injected_one_is_refused(name):
    with pytest.raises(UnknownSettingError):
        refuse_unknown({name: "8000"})


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("SERVICE_PORT", "0", "SERVICE_PORT: "),
        (
            "SERVICE_RATE_LIMIT",
            "many",
            "SERVICE_RATE_LIMIT: .*'many' .*such as 100/second or 5 per 10 seconds",
        ),
        ("SERVICE_ARTIFACT", "ftp://store/x", "SERVICE_ARTIFACT: .*must start with one of"),
        ("SERVICE_ARTIFACT", "s3://store/x", "Value error, a URL in SERVICE_ARTIFACT needs"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "x", "Value error, OTEL_EXPORTER_OTLP_ENDPOINT is no URL"),
    ],
)
def test_a_wrong_setting_is_told_by_its_variable(monkeypatch, name, value, told):
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as caught:
        Settings()
    assert re.match(told, wrong_setting(caught.value))
