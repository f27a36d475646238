"""Presents credentials: valid ones, forged ones, and the secrets that a step writes out."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from harness.checks.scenarios.forge import forge_token
from harness.checks.scenarios.loading import KEY, TOKEN
from harness.checks.scenarios.scenario import Step
from harness.config.auth import SignerSettings
from harness.credentials import Credentials, Signer
from harness.template import fill


class Presenter:
    """Turns a step's credential and forging into headers."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._others: dict[str, Signer] = {}

    def headers(self, step: Step, values: Mapping[str, Any]) -> dict[str, str]:
        """Headers that present the credential of ``step``; every token in them is kept secret.

        Args:
            step: Names the credential.
            values: Of the variables in a forged token.
        """
        if step.credential is None or step.forge is None:
            return self._credentials.headers(step.credential)
        settings = self._credentials.settings(step.credential)
        if settings.token is None or step.forge.secret is not None:
            text = step.forge.secret or ""
            texts = dict.fromkeys([*self._credentials.template_values(), "token"], text)
            # h11 refuses a value that ends in a space, as "Bearer " would.
            return {header: fill(value, texts).strip() for header, value in settings.headers.items()}
        now = int(time.time())
        signer = self._credentials.signer(settings.token.signer)
        other = signer
        if step.forge.key == "other":
            other = self._other(settings.token.signer)
        claims = self._credentials.claims(settings.token, now=now)
        token = forge_token(step.forge, claims, now=now, signer=signer, other=other, values=values)
        return self._credentials.fill_headers(settings, token=token)

    def secrets(self, names: Iterable[str]) -> dict[str, str]:
        """The values of those variables that are secrets."""
        values = {}
        for name in names:
            if name.startswith(KEY):
                values[name] = self._credentials.key(name.removeprefix(KEY))
            elif name.startswith(TOKEN):
                values[name] = self._credentials.token(name.removeprefix(TOKEN))
        return values

    def _other(self, name: str) -> Signer:
        """A key pair like that of signer ``name``, under the same key id, that no service knows."""
        if name not in self._others:
            like = self._credentials.signer(name)
            self._others[name] = Signer(SignerSettings(algorithm=like.algorithm, kid=like.kid))
        return self._others[name]
