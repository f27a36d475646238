"""Reads scenario files; whatever is wrong in them is found here, before the first request."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.checks.scenarios.rate_policy import RatePolicy
from harness.checks.scenarios.scenario import Rule, Scenario, ScenarioFile, Step
from harness.checks.scenarios.settings import REPEAT_VARIABLE, ScenariosSettings, VariableSettings
from harness.config.problems import config_error
from harness.config.suite import Suite
from harness.config.toml import parse_toml
from harness.errors import ConfigError
from harness.http_request import RequestTemplate
from harness.pointer import PointerError, resolve
from harness.template import PLACEHOLDER

KEY, TOKEN = "key.", "token."
"""How variables that are secrets begin."""
LISTENER = "listener.url"
OF_FORGED = "jwk"
"""Only in the header of a forged token."""


@dataclass(frozen=True)
class PlannedStep:
    """A step with the request that it names put in, and what is expected of each counter.

    Attributes:
        inferences: Counters that may rise only with answers.
    """

    step: Step
    template: RequestTemplate
    further_headers: tuple[tuple[str, str], ...] = ()
    policy: RatePolicy | None = None
    counters: Mapping[str, Rule] = field(default_factory=dict)
    inferences: frozenset[str] = frozenset()

    def rules(self, answered: int) -> dict[str, Rule]:
        """What is expected of each counter after so many answers 2xx."""
        cost = self.step.expect.quota.cost if self.step.expect.quota else 1
        return {**dict.fromkeys(self.inferences, Rule(at_most=answered * cost)), **self.counters}

    @property
    def placeholders(self) -> frozenset[str]:
        """The variables that it uses."""
        template = self.template
        forge = self.step.forge
        forged = (forge.header, forge.payload) if forge else ()
        parts = (template.path, template.headers, template.body, self.further_headers, forged)
        return frozenset(_placeholders(parts))


@dataclass(frozen=True)
class PlannedScenario:
    """A scenario that is ready to be played."""

    id: str
    title: str
    service: str | None
    steps: tuple[PlannedStep, ...]

    @property
    def listens(self) -> bool:
        """Whether it names the address of a listener, which then has to be there."""
        return any(LISTENER in step.placeholders for step in self.steps)

    @property
    def lets_nobody_call(self) -> bool:
        """Whether no step that names the listener lets the service connect to it."""
        naming = (step for step in self.steps if LISTENER in step.placeholders)
        return all(step.step.expect.no_connection for step in naming)


@dataclass(frozen=True)
class Plan:
    """The scenarios of one check, and the values of their variables."""

    scenarios: tuple[PlannedScenario, ...]
    variables: Mapping[str, Any]


def load_plan(suite: Suite, settings: ScenariosSettings, files: Sequence[str], *, key: str) -> Plan:
    """Read the scenario files of one check; those of a quota without an algorithm are left out.

    Args:
        suite: Resolves paths, and knows the credentials.
        settings: ``[scenarios]``.
        files: Relative to gate.toml.
        key: Where gate.toml lists them (``scenarios.auth``).

    Raises:
        ConfigError: naming the file, the scenario and step, the value and what is allowed.
    """
    variables = {
        name: _variable(suite, variable, f"scenarios.variables.{name}")
        for name, variable in settings.variables.items()
    }
    known = (*variables, *_secret_variables(suite), REPEAT_VARIABLE, LISTENER)
    for name, request in settings.requests.items():
        parts = request.model_dump(include={"path", "headers", "body"})
        _require_variables(parts, known, suite.path, f"scenarios.requests.{name}")
    planner = _StepPlanner(suite, settings, known)
    planned: dict[str, PlannedScenario] = {}
    for index, relative in enumerate(files):
        path = suite.resolve(relative, key=f"{key}.{index}")
        for scenario in _read(path, relative):
            if scenario.id in planned:
                raise ConfigError(
                    file=relative,
                    key=f"scenario.{scenario.id}.id",
                    value=scenario.id,
                    problem="a second scenario with this id",
                    allowed=f"an id of its own among the files of {key}",
                )
            steps = tuple(
                planner.plan(step, relative, f"scenario.{scenario.id}.step{number}")
                for number, step in enumerate(scenario.steps, start=1)
            )
            _require_variant(suite, scenario, relative)
            _require_listener(scenario, steps, relative)
            _require_tls(suite, scenario, relative)
            planned[scenario.id] = PlannedScenario(
                id=scenario.id, title=scenario.title, service=scenario.service, steps=steps
            )
    playable = (scenario for scenario in planned.values() if not _lacks_an_algorithm(scenario))
    return Plan(scenarios=tuple(playable), variables=variables)


def _lacks_an_algorithm(scenario: PlannedScenario) -> bool:
    return any(step.policy is not None and step.policy.algorithm is None for step in scenario.steps)


def _read(path: Path, shown: str) -> tuple[Scenario, ...]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(file=shown, problem=f"cannot be read: {error}", allowed="a TOML file") from error
    document = parse_toml(text, shown)
    _name_the_step(document, shown)
    try:
        return ScenarioFile.model_validate(document).scenario
    except ValidationError as error:
        raise config_error(error, ScenarioFile, shown) from error


def _name_the_step(document: Mapping[str, Any], shown: str) -> None:
    """Validate scenario by scenario and step by step: their ids and numbers say more than list indices."""
    for position, scenario in enumerate(_tables(document.get("scenario"))):
        name = scenario.get("id")
        key = f"scenario.{name if isinstance(name, str) else position}"
        for number, step in enumerate(_tables(scenario.get("steps")), start=1):
            try:
                Step.model_validate(step)
            except ValidationError as error:
                raise config_error(error, Step, shown, key=f"{key}.step{number}") from error
        try:
            Scenario.model_validate(scenario)
        except ValidationError as error:
            raise config_error(error, Scenario, shown, key=key) from error


def _tables(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


@dataclass(frozen=True)
class _StepPlanner:
    """Puts into steps what they name in gate.toml."""

    suite: Suite
    settings: ScenariosSettings
    known: Sequence[str]

    def plan(self, step: Step, file: str, key: str) -> PlannedStep:
        """The step with its request; ``key`` is its place in ``file``.

        Raises:
            ConfigError: for a name that gate.toml does not have.
        """
        requests = self.settings.requests
        if step.request is not None and step.request not in requests:
            raise ConfigError(
                file=file,
                key=f"{key}.request",
                value=step.request,
                problem="no such request",
                allowed=f"a name under [scenarios.requests] of {self.suite.path}: {_names(requests)}",
            )
        self._require_credential(step, file, key)
        named = requests[step.request] if step.request is not None else None
        single = {name: text for name, text in step.headers.items() if isinstance(text, str)}
        further = tuple(
            (name, text) for name, texts in step.headers.items() if name not in single for text in texts
        )
        template = RequestTemplate(
            method=step.method or (named.method if named else ""),
            path=step.path or (named.path if named else ""),
            headers={**(named.headers if named else {}), **single},
            body=step.body if step.body is not None else (named.body if named else None),
        )
        parts = {"path": template.path, "headers": (template.headers, further), "body": template.body}
        _require_variables(parts, self.known, file, key)
        if step.forge is not None:
            parts = {"header": step.forge.header, "payload": step.forge.payload}
            _require_variables(parts, (*self.known, OF_FORGED), file, f"{key}.forge")
        counters = self._counters(step, file, key)
        counted = {name for name, counter in self.settings.counters.items() if counter.inferences}
        return PlannedStep(
            step=_with_a_holder(step),
            template=template,
            further_headers=further,
            policy=self._policy(step, file, key),
            counters=counters,
            inferences=frozenset(counted - counters.keys() if step.expect.may_refuse else ()),
        )

    def _counters(self, step: Step, file: str, key: str) -> dict[str, Rule]:
        """What the step says of counters, and that a refused one causes no inference."""
        declared = self.settings.counters
        for name in step.expect.counters:
            if name not in declared:
                raise ConfigError(
                    file=file,
                    key=f"{key}.expect.counters.{name}",
                    value=name,
                    problem="no such counter",
                    allowed=f"a name under [scenarios.counters] of {self.suite.path}: {_names(declared)}",
                )
        none = {name: Rule(equals=0) for name, counter in declared.items() if counter.inferences}
        return {**(none if step.expect.refuses else {}), **step.expect.counters}

    def _policy(self, step: Step, file: str, key: str) -> RatePolicy | None:
        if step.expect.quota is None:
            return None
        policies = self.settings.rate_policies
        if step.expect.quota.policy not in policies:
            raise ConfigError(
                file=file,
                key=f"{key}.expect.quota",
                value=step.expect.quota.policy,
                problem="no such policy",
                allowed=f"a name under [scenarios.rate_policies] of {self.suite.path}: {_names(policies)}",
            )
        return policies[step.expect.quota.policy]

    def _require_credential(self, step: Step, file: str, key: str) -> None:
        if step.credential is None:
            return
        credentials = self.suite.config.auth.credentials
        if step.credential not in credentials:
            raise ConfigError(
                file=file,
                key=f"{key}.credential",
                value=step.credential,
                problem="no such credential",
                allowed=f"a name under [auth.credentials] of {self.suite.path}: {_names(credentials)}",
            )
        if step.forge is not None and step.forge.of_token and credentials[step.credential].token is None:
            raise ConfigError(
                file=file,
                key=f"{key}.forge",
                value=step.forge.model_dump(exclude_defaults=True),
                problem=f"credential {step.credential!r} has no token to forge",
                allowed="secret, or a credential with a token",
            )


def _with_a_holder(step: Step) -> Step:
    """The step whose quota is its credential's where it names no holder."""
    quota = step.expect.quota
    if quota is None or quota.holder or step.credential is None:
        return step
    held = quota.model_copy(update={"holder": step.credential})
    return step.model_copy(update={"expect": step.expect.model_copy(update={"quota": held})})


def _require_variant(suite: Suite, scenario: Scenario, file: str) -> None:
    variants = suite.config.service.variants
    if scenario.service is not None and scenario.service not in variants:
        raise ConfigError(
            file=file,
            key=f"scenario.{scenario.id}.service",
            value=scenario.service,
            problem="no such variant",
            allowed=f"a name under [service.variants] of {suite.path}: {_names(variants)}",
        )
    service = suite.config.service.as_variant(scenario.service)
    for number, step in enumerate(scenario.steps, start=1):
        key = f"scenario.{scenario.id}.step{number}"
        if step.replica != "each" and step.replica >= service.replicas:
            raise ConfigError(
                file=file,
                key=f"{key}.replica",
                value=step.replica,
                problem="no such replica",
                allowed=f"0 to {service.replicas - 1}, or each",
            )
        for companion in step.companion:
            if companion not in service.start_with:
                raise ConfigError(
                    file=file,
                    key=f"{key}.companion",
                    value=companion,
                    problem="the service is not started with it",
                    allowed=f"one of start_with in {suite.path}: {_names(service.start_with)}",
                )


def _require_tls(suite: Suite, scenario: Scenario, file: str) -> None:
    variants = suite.config.service.variants
    speaking = {name: variant for name, variant in variants.items() if variant.scheme == "https"}
    for number, step in enumerate(scenario.steps, start=1):
        if step.tls is not None and scenario.service not in speaking:
            raise ConfigError(
                file=file,
                key=f"scenario.{scenario.id}.step{number}.tls",
                value=step.tls.model_dump(exclude_defaults=True),
                problem="the service of this scenario does not speak TLS",
                allowed=f'service = a variant of {suite.path} with scheme = "https": {_names(speaking)}',
            )


def _require_listener(scenario: Scenario, steps: Sequence[PlannedStep], file: str) -> None:
    for number, step in enumerate(steps, start=1):
        if step.step.expect.no_connection and LISTENER not in step.placeholders:
            raise ConfigError(
                file=file,
                key=f"scenario.{scenario.id}.step{number}.expect.no_connection",
                value=True,
                problem="the step names no address that the service could connect to",
                allowed=f"${{{LISTENER}}} in its path, headers, body or forged token",
            )


def _secret_variables(suite: Suite) -> tuple[str, ...]:
    auth = suite.config.auth
    tokens = (name for name, credential in auth.credentials.items() if credential.token is not None)
    return (*(f"{KEY}{name}" for name in auth.keys), *(f"{TOKEN}{name}" for name in tokens))


def _require_variables(parts: Mapping[str, Any], known: Sequence[str], file: object, key: str) -> None:
    for part, value in parts.items():
        for name in _placeholders(value):
            if name not in known:
                raise ConfigError(
                    file=file,
                    key=f"{key}.{part}",
                    value=f"${{{name}}}",
                    problem="no such variable",
                    allowed="key.NAME of [auth] keys, token.NAME of [auth.credentials], a name under "
                    "[scenarios.variables] of gate.toml, or i: "
                    + _names([each for each in known if "." not in each]),
                )


def _placeholders(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield from PLACEHOLDER.findall(value)
        case dict():
            for name, item in value.items():
                yield from _placeholders(name)
                yield from _placeholders(item)
        case list() | tuple():
            for item in value:
                yield from _placeholders(item)
        case _:
            return


def _variable(suite: Suite, variable: VariableSettings, key: str) -> Any:
    path = suite.resolve(variable.file, key=f"{key}.file")
    try:
        text = path.read_text(encoding="utf-8")
        if variable.line is not None:
            lines = text.splitlines()
            if variable.line > len(lines):
                raise ConfigError(
                    file=suite.path,
                    key=f"{key}.line",
                    value=variable.line,
                    problem=f"{variable.file} has no such line",
                    allowed=f"1 to {len(lines)}",
                )
            text = lines[variable.line - 1]
        return resolve(json.loads(text), variable.pointer)
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(
            file=suite.path, key=key, value=variable.file, problem=f"not JSON: {error}", allowed="a JSON file"
        ) from error
    except PointerError as error:
        raise ConfigError(
            file=suite.path,
            key=f"{key}.pointer",
            value=variable.pointer,
            problem=str(error),
            allowed=f"a JSON pointer into {variable.file}",
        ) from error


def _names(known: Mapping[str, Any] | Sequence[str]) -> str:
    return ", ".join(known) or "none is declared"
