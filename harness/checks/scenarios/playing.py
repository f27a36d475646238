"""Plays scenarios against the candidate."""

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from harness.checks.interface import CheckContext
from harness.checks.scenarios.counting import Counters
from harness.checks.scenarios.evidence import Exchange, ScenarioRecord, StepRecord
from harness.checks.scenarios.listening import Listener
from harness.checks.scenarios.loading import LISTENER, Plan, PlannedScenario, PlannedStep
from harness.checks.scenarios.presenting import Presenter
from harness.checks.scenarios.scenario import Step
from harness.checks.scenarios.sending import CURRENT, Sender
from harness.checks.scenarios.settings import REPEAT_VARIABLE, ScenariosSettings
from harness.errors import TargetError
from harness.http_request import Request, build
from harness.model import Scope
from harness.reproduce import curl, redacted
from harness.targets.interface import CompanionAction
from harness.template import fill

SUCCESS = range(200, 300)
WHOLE_SECONDS = re.compile(r"[0-9]{1,9}")


class BudgetSpentError(Exception):
    """The time for the whole check is over; the scenario that was being played tells nothing."""


class Player:
    """Plays scenarios on one candidate, one after the other.

    Args:
        context: Of the check; its candidate is the one that they are played on.
        settings: ``[scenarios]``.
        plan: Values of the variables.
        sender: Sends to the candidate.
        counters: Of the candidate.
        give_up_s: ``time.perf_counter()`` at which the time for the whole check is over.
    """

    def __init__(
        self,
        context: CheckContext,
        settings: ScenariosSettings,
        plan: Plan,
        sender: Sender,
        counters: Counters,
        *,
        give_up_s: float,
    ) -> None:
        self._context = context
        self._settings = settings
        self._variables = plan.variables
        self._sender = sender
        self._counters = counters
        self._presenter = Presenter(context.credentials)
        self._give_up_s = give_up_s
        self._listeners: dict[str, Listener] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def play(self, scenario: PlannedScenario) -> ScenarioRecord:
        """Send all steps in order; a step whose wait is impossible is the last.

        Raises:
            BudgetSpentError: before a request or a wait for which there is no time left.
            TargetError: when the candidate died.
        """
        if not scenario.listens:
            return self._play(scenario, None)
        host = self._context.candidate.host_address()
        ours = self._context.candidate.description.kind is not Scope.URL
        if host is None:
            reason = "nothing tells by which address the service could reach this machine"
            return unplayable(scenario, reason, applicable=ours)
        try:
            listener = Listener(host)
        except OSError as error:
            reason = f"this machine cannot listen on {host}: {error}"
            return unplayable(scenario, reason, applicable=ours)
        # It goes on listening: a service may call later than it answers.
        self._stack.enter_context(listener)
        if scenario.lets_nobody_call:
            self._listeners[scenario.id] = listener
        return self._play(scenario, listener)

    def with_late_connections(self, records: Sequence[ScenarioRecord]) -> list[ScenarioRecord]:
        """The records, with the connections to the listeners of scenarios since these were played."""
        return [
            record.model_copy(update={"late_connections": self._listeners[record.id].connections()})
            if record.id in self._listeners
            else record
            for record in records
        ]

    def _play(self, scenario: PlannedScenario, listener: Listener | None) -> ScenarioRecord:
        records: list[StepRecord] = []
        started_s = time.perf_counter()
        for planned in scenario.steps:
            last = records[-1].exchanges[-1] if records else None
            record = self._step(planned, started_s, last, listener)
            records.append(record)
            if any(exchange.error for exchange in record.exchanges):
                self._require_alive(scenario, record)
            if record.not_sent:
                break
        return ScenarioRecord(
            id=scenario.id, title=scenario.title, service=scenario.service, steps=tuple(records)
        )

    def _step(
        self, planned: PlannedStep, started_s: float, last: Exchange | None, listener: Listener | None
    ) -> StepRecord:
        step = planned.step
        values = {**self._variables, **self._presenter.secrets(planned.placeholders)}
        if listener is not None:
            values[LISTENER] = listener.url
        credential = self._presenter.headers(step, values)
        record = StepRecord(
            request=_in_words(planned),
            expect=step.expect,
            # The key that signs a forged token is gone with the run: only a run can forge it again.
            reproduce=""
            if step.forge and step.forge.of_token
            else self._reproduce(planned, values, credential),
            within_s=step.within_s,
            policy=planned.policy,
        )
        try:
            due_s = _due_s(step, last, self._settings.max_wait_s)
        except ValueError as error:
            return record.model_copy(update={"not_sent": str(error)})
        self._act(step.companion)
        self._counters.before(planned.rules(0).keys())
        # Whole Retry-After from when the answer that carries it was there; sleep never returns early.
        waited_s = max(0.0, started_s + due_s - time.perf_counter()) if due_s else 0.0
        self._require_budget(waited_s)
        time.sleep(waited_s)

        exchanges: list[Exchange] = []
        while len(exchanges) < step.repeat:
            self._require_budget()
            first = len(exchanges) + 1
            together = range(first, min(first + step.at_once, step.repeat + 1))
            requests = [
                self._request(planned, {**values, REPEAT_VARIABLE: number}, credential) for number in together
            ]
            exchanges += self._sender.send(
                requests,
                started_s=started_s,
                offer=step.tls or CURRENT,
                replicas=self._asked(step, together),
            )
        answered = sum(exchange.status in SUCCESS for exchange in exchanges)
        rises = self._counters.after(planned.rules(answered), refused=step.expect.refuses)
        return record.model_copy(
            update={
                "waited_s": waited_s,
                "exchanges": tuple(exchanges),
                "rises": rises,
                "connections": listener.connections() if listener else 0,
            }
        )

    def _asked(self, step: Step, numbers: Iterable[int]) -> list[int]:
        """Which replica gets each request."""
        replicas = len(self._context.candidate.base_urls)
        return [(number - 1) % replicas if step.replica == "each" else step.replica for number in numbers]

    def _act(self, actions: Mapping[str, CompanionAction]) -> None:
        for name, action in actions.items():
            self._context.candidate.companions[name].act(action)

    def _request(
        self, planned: PlannedStep, values: Mapping[str, Any], credential: Mapping[str, str]
    ) -> Request:
        template = planned.template.model_copy(
            update={
                "path": fill(planned.template.path, values),
                "headers": {name: fill(value, values) for name, value in planned.template.headers.items()},
            }
        )
        further = tuple((name, fill(value, values)) for name, value in planned.further_headers)
        return replace(build(template, values, credential), further_headers=further)

    def _reproduce(
        self, planned: PlannedStep, values: Mapping[str, Any], credential: Mapping[str, str]
    ) -> str:
        redact = self._context.credentials.redact
        base_url = self._context.candidate.base_url
        repeat = planned.step.repeat
        number = 1 if repeat == 1 else f"${{{REPEAT_VARIABLE}}}"
        request = redacted(self._request(planned, {**values, REPEAT_VARIABLE: number}, credential), redact)
        if repeat == 1:
            return curl(request, base_url)
        command = curl(request, base_url, loop_variable=REPEAT_VARIABLE)
        return f"for {REPEAT_VARIABLE} in $(seq {repeat}); do {command}; done"

    def _require_budget(self, seconds: float = 0.0) -> None:
        if time.perf_counter() + seconds > self._give_up_s:
            raise BudgetSpentError

    def _require_alive(self, scenario: PlannedScenario, record: StepRecord) -> None:
        candidate = self._context.candidate
        if not candidate.alive():
            raise TargetError(
                f"died during scenario {scenario.id!r}, after {record.request}", logs=candidate.logs()
            )


def unplayable(scenario: PlannedScenario, reason: str, *, applicable: bool) -> ScenarioRecord:
    """The record of a scenario that cannot be played on this candidate."""
    return ScenarioRecord(
        id=scenario.id,
        title=scenario.title,
        service=scenario.service,
        unplayable=reason,
        applicable=applicable,
        steps=(),
    )


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
