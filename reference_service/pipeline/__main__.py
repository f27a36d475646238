"""`python -m reference_service.pipeline`: data to artifact and golden set, in one reproducible run."""

import argparse
import sys
from datetime import date
from pathlib import Path

from reference_service.pipeline import data, export, training
from reference_service.pipeline.artifact import write_artifact
from reference_service.pipeline.declaration import (
    DECLARATION,
    Declaration,
    DeclarationError,
    read_declaration,
)
from reference_service.pipeline.folding import FoldingError
from reference_service.pipeline.golden import write_golden

PACKAGE = Path(__file__).parents[1]


def main() -> int:
    """Run the pipeline; nothing is written unless audit, acceptance bar and parity all hold.

    Returns:
        0; 1 where the data, the model or a file are not as they should be, with one line that says which. A
        wrong argument ends the program with 2.
    """
    parser = argparse.ArgumentParser(prog="python -m reference_service.pipeline", description=__doc__)
    parser.add_argument("--declaration", type=Path, default=DECLARATION, help="what is built, and its bar")
    parser.add_argument("--date", type=day, help="date written into the manifest, not the declared one")
    parser.add_argument("--artifact", type=Path, help="folder to write the model and its manifest to")
    parser.add_argument("--golden", type=Path, help="folder to write the golden set to")
    arguments = parser.parse_args()
    try:
        sys.stdout.write(run(read_declaration(arguments.declaration), arguments))
    except (
        DeclarationError,
        data.DataError,
        training.RejectedModelError,
        FoldingError,
        export.ParityError,
        OSError,
    ) as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 1
    return 0


def day(text: str) -> date:
    """Read a date of the form YYYY-MM-DD; raise ValueError otherwise."""
    given = date.fromisoformat(text)
    if given.isoformat() != text:
        raise ValueError(text)
    return given


def run(declaration: Declaration, arguments: argparse.Namespace) -> str:
    """Build, judge and write; return what to tell."""
    identity = declaration.model
    dataset = data.load(declaration.dataset.sha256)
    audit = data.audit(dataset)
    split = data.split(dataset, evaluation_share=identity.evaluation_share, seed=identity.seed)
    pipeline = training.fit(
        dataset.values[split.training],
        dataset.labels[split.training],
        declaration.parameters,
        identity.seed,
    )
    measured = training.evaluate(pipeline, dataset.values[split.evaluation], dataset.labels[split.evaluation])
    acceptance = training.accept(measured, declaration.acceptance)
    model = export.export(pipeline, identity)
    difference = export.check_parity(pipeline, model, dataset.values)
    artifact = arguments.artifact or PACKAGE / "artifacts" / identity.name
    golden = arguments.golden or PACKAGE.parent / "golden" / identity.name
    manifest = write_artifact(
        artifact,
        declaration=declaration,
        created=arguments.date or identity.date,
        dataset=dataset,
        split=split,
        pipeline=pipeline,
        model=model,
        audit=audit,
        acceptance=acceptance,
    )
    cases = write_golden(golden, manifest=manifest, dataset=dataset, pipeline=pipeline)
    return (
        f"{manifest.name} {manifest.version}: {measured}\n"
        f"exported model against pipeline: largest difference {difference:.2e} on {len(dataset.labels)} rows "
        f"and both sides of every split (limit {export.ATOL})\n"
        f"wrote {artifact} and {cases} cases to {golden}\n"
    )


if __name__ == "__main__":
    sys.exit(main())
