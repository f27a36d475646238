"""Runs the shell steps of an action or a job as a GitHub runner does: order, conditions, environment."""

import os
import re
import subprocess
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import yaml
from actions_expressions import Expressions

PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")
SHELL = ("bash", "--noprofile", "--norc", "-eo", "pipefail")
STEP_FILES = ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_ENV", "GITHUB_PATH")
TIMEOUT_S = 280


@dataclass
class Ran:
    """What became of an action or a job.

    Attributes:
        steps: Names of the steps that ran.
        used: Actions of others that would have run, with their inputs filled in.
        output: What all its steps printed.
    """

    code: int = 0
    outputs: dict[str, str] = field(default_factory=dict)
    steps: list[str] = field(default_factory=list)
    used: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    output: str = ""
    summary: str = ""


class Runner:
    """A runner with its workspace; of the environment here a step gets only what is named.

    Args:
        root: The checkout that ``$/`` means.
        tools: A folder before all others on the PATH: stand-ins for what a machine has.
    """

    def __init__(self, folder: Path, root: Path, tools: Path, **environ: str):
        self.root, self.workspace, self.temp = root, folder / "workspace", folder / "temp"
        for made in (self.workspace, self.temp):
            made.mkdir(parents=True, exist_ok=True)
        self._files = (self.temp / f"_step_{index}" for index in count())
        self._environ = {
            "PATH": f"{tools}:{os.environ['PATH']}",
            "HOME": str(folder),
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_WORKSPACE": str(self.workspace),
            "RUNNER_TEMP": str(self.temp),
            "RUNNER_OS": "Linux",
            **environ,
        }

    def action(self, folder: Path, inputs: dict[str, str]) -> Ran:
        """Run a composite action."""
        action = yaml.safe_load((folder / "action.yml").read_text())
        declared = action.get("inputs", {})
        assert set(inputs) <= set(declared), "inputs that the action has not"
        assert not {name for name, one in declared.items() if one.get("required")} - set(inputs)
        filled = {name: inputs.get(name, one.get("default", "")) for name, one in declared.items()}
        contexts = {"inputs": filled, "github": {"action_path": str(folder)}}
        for step in action["runs"]["steps"]:
            assert "uses" in step or step["shell"] == "bash"
        return self._steps(action["runs"]["steps"], contexts, action.get("outputs", {}))

    def job(self, workflow: Path, name: str, **contexts: dict) -> Ran:
        """Run the steps of a job of a workflow whose shell is bash."""
        content = yaml.safe_load(workflow.read_text())
        assert content["defaults"]["run"] == {"shell": "bash"}
        job = content["jobs"][name]
        contexts = {"github": {}, "env": {}, "runner": {"temp": str(self.temp)}, **contexts}
        expressions = Expressions(contexts)
        contexts["env"] = {key: expressions.text(value) for key, value in job.get("env", {}).items()}
        outputs = {key: {"value": value} for key, value in job.get("outputs", {}).items()}
        return self._steps(job["steps"], contexts, outputs)

    def _steps(self, steps, contexts, outputs) -> Ran:
        ran, contexts = Ran(), {**contexts, "steps": {}}
        functions = {
            "always": lambda: True,
            "success": lambda: ran.code == 0,
            "failure": lambda: ran.code != 0,
            "cancelled": lambda: False,
        }
        expressions = Expressions(contexts, functions)
        for step in steps:
            if not expressions.holds(step.get("if", "true")):
                continue
            one = self._step(step, contexts, expressions)
            ran.steps.append(step["name"])
            ran.used += one.used
            ran.output += one.output
            ran.summary += one.summary
            ran.code = ran.code or one.code
            if "id" in step:
                contexts["steps"][step["id"]] = {"outputs": one.outputs}
        ran.outputs = {name: expressions.text(one["value"]) for name, one in outputs.items()}
        return ran

    def _step(self, step, contexts, expressions) -> Ran:
        if "run" in step:
            environ = {
                **contexts.get("env", {}),
                **{name: expressions.text(value) for name, value in step.get("env", {}).items()},
            }
            return self._shell(step["run"], environ)
        filled = {name: expressions.text(value) for name, value in step.get("with", {}).items()}
        if step["uses"].startswith("$/"):
            return self.action(self.root / step["uses"].removeprefix("$/"), filled)
        assert PINNED.fullmatch(step["uses"]), "not pinned to a commit"
        return Ran(used=[(step["uses"].partition("@")[0], filled)])

    def _shell(self, script, environ) -> Ran:
        assert "${{" not in script, "text of others within a script; it belongs into env"
        place = next(self._files)
        place.mkdir()
        files = {name: place / name for name in STEP_FILES}
        for path in files.values():
            path.touch()
        (place / "script.sh").write_text(script)
        done = subprocess.run(
            [*SHELL, place / "script.sh"],
            cwd=self.workspace,
            env={**self._environ, **environ, **{name: str(path) for name, path in files.items()}},
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=TIMEOUT_S,
        )
        written = {name: path.read_text() for name, path in files.items()}
        assert written["GITHUB_ENV"] == written["GITHUB_PATH"] == ""
        lines = [line.split("=", 1) for line in written["GITHUB_OUTPUT"].splitlines()]
        assert all(re.fullmatch(r"[a-z-]+", name) for name, _ in lines)
        return Ran(
            code=done.returncode,
            outputs=dict(lines),
            output=done.stdout.decode(),
            summary=written["GITHUB_STEP_SUMMARY"],
        )
