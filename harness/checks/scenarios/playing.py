"""Plays scenarios against the candidate."""

import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace

from harness.checks.interface import CheckContext
from harness.checks.scenarios.evidence import Exchange, ScenarioRecord, StepRecord
from harness.checks.scenarios.forge import forge_token
from harness.checks.scenarios.loading import KEY, TOKEN, Plan, PlannedScenario, PlannedStep
from harness.checks.scenarios.scenario import Step
from harness.checks.scenarios.sending import Sender
from harness.checks.scenarios.settings import REPEAT_VARIABLE, ScenariosSettings
from harness.config.auth import SignerSettings
from harness.credentials import Credentials, Signer
from harness.errors import TargetError
from harness.http_request import Request, build
from harness.reproduce import curl, redacted
from harness.template import fill

WHOLE_SECONDS = re.compile(r"[0-9]{1,9}")


class BudgetSpentError(Exception):
    """The time for the whole check is over; the scenario that was being played tells nothing."""


class Player:
    """Plays the scenarios of one plan, one after the other.

    Args:
        context: Of the check.
        settings: ``[scenarios]``.
        plan: Values of the variables.
        sender: Sends to the candidate.
    """

    def __init__(
        self, context: CheckContext, settings: ScenariosSettings, plan: Plan, sender: Sender
    ) -> None:
        self._context = context
        self._settings = settings
        self._variables = plan.variables
        self._sender = sender
        self._presenter = Presenter(context.credentials)
        self._give_up_s = time.perf_counter() + settings.budget_s

    def play(self, scenario: PlannedScenario) -> ScenarioRecord:
        """Send all steps in order; a step whose wait is impossible is the last.

        Raises:
            BudgetSpentError: before a request or a wait for which there is no time left.
            TargetError: when the candidate died.
        """
        records: list[StepRecord] = []
        started_s = time.perf_counter()
        for planned in scenario.steps:
            last = records[-1].exchanges[-1] if records else None
            record = self._step(planned, started_s, last)
            records.append(record)
            if any(exchange.error for exchange in record.exchanges):
                self._require_alive(scenario, record)
            if record.not_sent:
                break
        return ScenarioRecord(id=scenario.id, title=scenario.title, steps=tuple(records))

    def _step(self, planned: PlannedStep, started_s: float, last: Exchange | None) -> StepRecord:
        step = planned.step
        credential = self._presenter.headers(step)
        record = StepRecord(
            request=_in_words(planned),
            expect=step.expect,
            # The key that signs a forged token is gone with the run: only a run can forge it again.
            reproduce="" if step.forge and step.forge.of_token else self._reproduce(planned, credential),
            within_s=step.within_s,
            policy=planned.policy,
        )
        try:
            due_s = _due_s(step, last, self._settings.max_wait_s)
        except ValueError as error:
            return record.model_copy(update={"not_sent": str(error)})
        # Whole Retry-After from when the answer that carries it was there; sleep never returns early.
        waited_s = max(0.0, started_s + due_s - time.perf_counter()) if due_s else 0.0
        self._require_budget(waited_s)
        time.sleep(waited_s)

        exchanges: list[Exchange] = []
        while len(exchanges) < step.repeat:
            self._require_budget()
            first = len(exchanges) + 1
            together = range(first, min(first + step.at_once, step.repeat + 1))
            requests = [self._request(planned, number, credential) for number in together]
            exchanges += self._sender.send(requests, started_s=started_s)
        return record.model_copy(update={"waited_s": waited_s, "exchanges": tuple(exchanges)})

    def _request(self, planned: PlannedStep, number: object, credential: Mapping[str, str]) -> Request:
        secrets = self._presenter.secrets(planned.placeholders)
        values = {**self._variables, **secrets, REPEAT_VARIABLE: number}
        template = planned.template.model_copy(
            update={
                "path": fill(planned.template.path, values),
                "headers": {name: fill(value, values) for name, value in planned.template.headers.items()},
            }
        )
        further = tuple((name, fill(value, values)) for name, value in planned.further_headers)
        return replace(build(template, values, credential), further_headers=further)

    def _reproduce(self, planned: PlannedStep, credential: Mapping[str, str]) -> str:
        redact = self._context.credentials.redact
        base_url = self._context.candidate.base_url
        if planned.step.repeat == 1:
            return curl(redacted(self._request(planned, 1, credential), redact), base_url)
        looped = self._request(planned, f"${{{REPEAT_VARIABLE}}}", credential)
        command = curl(redacted(looped, redact), base_url, loop_variable=REPEAT_VARIABLE)
        return f"for {REPEAT_VARIABLE} in $(seq {planned.step.repeat}); do {command}; done"

    def _require_budget(self, seconds: float = 0.0) -> None:
        if time.perf_counter() + seconds > self._give_up_s:
            raise BudgetSpentError

    def _require_alive(self, scenario: PlannedScenario, record: StepRecord) -> None:
        candidate = self._context.candidate
        if not candidate.alive():
            raise TargetError(
                f"died during scenario {scenario.id!r}, after {record.request}", logs=candidate.logs()
            )


class Presenter:
    """Turns a step's credential and forging into headers."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._others: dict[str, Signer] = {}

    def headers(self, step: Step) -> dict[str, str]:
        """Headers that present the credential of ``step``; every token in them is kept secret."""
        if step.credential is None or step.forge is None:
            return self._credentials.headers(step.credential)
        settings = self._credentials.settings(step.credential)
        if settings.token is None or step.forge.secret is not None:
            text = step.forge.secret or ""
            values = {"token": text}
            for name in self._credentials.template_values():
                values[name] = text
            # h11 refuses a value that ends in a space, as "Bearer " would.
            return {header: fill(value, values).strip() for header, value in settings.headers.items()}
        now = int(time.time())
        signer = self._credentials.signer(settings.token.signer)
        other = signer
        if step.forge.key == "other":
            other = self._other(settings.token.signer)
        claims = self._credentials.claims(settings.token, now=now)
        token = forge_token(step.forge, claims, now=now, signer=signer, other=other)
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


def _due_s(step: Step, last: Exchange | None, most_s: float) -> float:
    """When to send at the earliest, in seconds from the scenario's start.

    Raises:
        ValueError: when the previous answer does not say, or says more than is waited for.
    """
    if step.wait is None:
        return step.at_s or 0.0
    told = None if last is None else last.headers.get("retry-after")
    if last is None or told is None:
        raise ValueError("the answer before it has no Retry-After to wait for")
    if not WHOLE_SECONDS.fullmatch(told):
        raise ValueError(f"Retry-After of the answer before it is no whole number of seconds: {told[:40]!r}")
    if int(told) > most_s:
        raise ValueError(f"Retry-After of the answer before it is {told} s, the most waited is {most_s:g} s")
    less_s = float(step.wait.removeprefix("retry_after").removeprefix("-") or 0)
    return last.sent_s + last.elapsed_s + max(0.0, int(told) - less_s)


def _in_words(planned: PlannedStep) -> str:
    step = planned.step
    words = f"{planned.template.method} {planned.template.path}"
    if step.credential is None:
        words += " without a credential"
    elif step.forge is None:
        words += f" as {step.credential}"
    else:
        forged = step.forge.model_dump_json(exclude_defaults=True)
        words += f" as {step.credential}, forged by {forged}"
    return words if step.repeat == 1 else f"{words}, {step.repeat} times"
