"""`python -m reference_service.pipeline MODEL`: data to artifact and golden set, in one reproducible run."""

import argparse
import sys
from collections.abc import Mapping
from datetime import date
from importlib import import_module
from pathlib import Path

from reference_service.pipeline import data
from reference_service.pipeline.acceptance import accept
from reference_service.pipeline.artifact import Build, write_artifact
from reference_service.pipeline.declaration import Declaration, declaration_of, read_declaration
from reference_service.pipeline.errors import PipelineError
from reference_service.pipeline.golden import write_golden
from reference_service.pipeline.parity import ATOL, check_parity
from reference_service.pipeline.recipe import Recipe

PACKAGE = Path(__file__).parents[1]
RECIPES: Mapping[str, tuple[str, str]] = {
    "breast-cancer": ("reference_service.pipeline.breast_cancer.recipe", "BreastCancer"),
    "digits": ("reference_service.pipeline.digits.recipe", "Digits"),
}
"""Module and class of each model, imported when asked for: one needs nothing of another's libraries."""


def main() -> int:
    """Run the pipeline; nothing is written unless audit, acceptance bar and parity all hold.

    Returns:
        0; 1 where the data, the model or a file are not as they should be, with one line that says which. A
        wrong argument ends the program with 2.
    """
    parser = argparse.ArgumentParser(prog="python -m reference_service.pipeline", description=__doc__)
    parser.add_argument("model", choices=RECIPES, help="what is built")
    parser.add_argument("--declaration", type=Path, help="its parameters and its bar, not those shipped")
    parser.add_argument("--date", type=day, help="date written into the manifest, not the declared one")
    parser.add_argument("--artifact", type=Path, help="folder to write the model and its manifest to")
    parser.add_argument("--golden", type=Path, help="folder to write the golden set to")
    arguments = parser.parse_args()
    try:
        declaration = read_declaration(arguments.declaration or declaration_of(arguments.model))
        module, name = RECIPES[arguments.model]
        sys.stdout.write(run(getattr(import_module(module), name)(), declaration, arguments))
    except (PipelineError, OSError) as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 1
    return 0


def day(text: str) -> date:
    """Read a date of the form YYYY-MM-DD; raise ValueError otherwise."""
    given = date.fromisoformat(text)
    if given.isoformat() != text:
        raise ValueError(text)
    return given


def run(recipe: Recipe, declaration: Declaration, arguments: argparse.Namespace) -> str:
    """Build, judge and write; return what to tell."""
    identity = declaration.model
    dataset = recipe.load()
    split = data.split(dataset, evaluation_share=identity.evaluation_share, seed=identity.seed)
    declared = recipe.describe(dataset, split.training, declaration)
    audit = data.audit(dataset, expected_sha256=declaration.dataset.sha256, dtype=declared.dtype)
    trained = recipe.fit(
        dataset.values[split.training],
        dataset.labels[split.training],
        declaration.parameters,
        identity.seed,
    )
    measured = recipe.measure(
        trained.classes,
        trained.answers(dataset.values[split.evaluation]),
        dataset.labels[split.evaluation],
    )
    acceptance = accept(measured, declaration.acceptance)
    model = trained.export(identity)
    compared, difference = check_parity(trained, model, dataset.values, declared.dtype)
    build = Build(
        recipe=recipe,
        declaration=declaration,
        created=arguments.date or identity.date,
        dataset=dataset,
        split=split,
        audit=audit,
        input=declared,
        classes=trained.classes,
        answers=trained.answers(dataset.values),
        acceptance=acceptance,
        model=model,
    )
    artifact = arguments.artifact or PACKAGE / "artifacts" / identity.name
    golden = arguments.golden or PACKAGE.parent / "golden" / identity.name
    manifest = write_artifact(artifact, build)
    cases = write_golden(golden, build, manifest)
    return (
        f"{manifest.name} {manifest.version}: "
        + ", ".join(f"{criterion.metric} {criterion.observed}" for criterion in acceptance)
        + f"\nexported model against trained one: largest difference {difference:.2e} on {compared} rows "
        f"(limit {ATOL})\nwrote {artifact} and {cases} cases to {golden}\n"
    )


if __name__ == "__main__":
    sys.exit(main())
