"""``harness golden import``: golden sets from ONNX test data."""

import json
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from harness.cli.golden_options import AsJson, Compress, Force
from harness.cli.progress import Progress
from harness.errors import ExitCode, UsageError
from harness.events import CheckProgress, CheckStarted
from harness.golden.onnx_data import model_folders, onnx_package
from harness.golden.onnx_import import OUTPUTS_FILE, Imported, import_all

DOING = "importing"


def import_(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            help="A model's folder with test_data_set_N in it, or one with many such folders below.",
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the golden sets go.")],
    compress: Compress = False,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Make golden sets of ONNX test data (test_data_set_N/input_K.pb, output_K.pb).

    The input of a case is an object of tensors by name, as nested lists. Beside each golden.toml lies
    outputs.toml: what gate.toml has to say of the outputs. Sequences, maps, optionals and elements of a type
    that no output can declare are listed as not supported. Exits 3 when nothing could be imported.

    Example: harness golden import resnet50/ --out golden/resnet50

    Example: harness golden import model-zoo/ --out golden/zoo --json
    """
    onnx_package()
    if not source.is_dir():
        raise UsageError(f"{source} is no folder", fix="name a folder with test_data_set_0 in it or below")
    console = Console(stderr=True)
    folders = model_folders(source)
    done: list[Imported] = []
    with Progress(console) as progress:
        progress.handle(CheckStarted(DOING))
        today = datetime.now(UTC).date()
        for imported in import_all(folders, source, out, force=force, compress=compress, today=today):
            done.append(imported)
            progress.handle(CheckProgress(DOING, len(done), len(folders)))
    made = [imported for imported in done if not imported.problem]
    problems = Counter(imported.problem for imported in done if imported.problem)
    cases = sum(imported.cases for imported in made)
    console.print(f"  {cases} cases of {len(made)} models in {out}", highlight=False, soft_wrap=True)
    for problem, count in problems.most_common():
        console.print(f"  not supported: {escape(problem)}: {count} models", highlight=False, soft_wrap=True)
    if len(made) == 1:
        console.print(
            f"  {made[0].folder / OUTPUTS_FILE} says what gate.toml needs", highlight=False, soft_wrap=True
        )
    if as_json:
        document = {
            "imported": [
                {"source": str(each.source), "path": str(each.folder), "cases": each.cases} for each in made
            ],
            "not_supported": [
                {"source": str(each.source), "reason": each.problem} for each in done if each.problem
            ],
        }
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
    raise typer.Exit(ExitCode.PROMOTE if made else ExitCode.REJECT)
