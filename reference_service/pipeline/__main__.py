"""`python -m reference_service.pipeline`: data to artifact and golden set, in one reproducible run."""

import argparse
import sys
from pathlib import Path

from reference_service.pipeline import data, export, training
from reference_service.pipeline.artifact import write_artifact
from reference_service.pipeline.declaration import read_declaration
from reference_service.pipeline.folding import FoldingError
from reference_service.pipeline.golden import write_golden

PACKAGE = Path(__file__).parents[1]


def main() -> int:
    """Run the pipeline; nothing is written unless audit, acceptance bar and parity all hold."""
    declaration = read_declaration()
    identity = declaration.model
    parser = argparse.ArgumentParser(prog="python -m reference_service.pipeline", description=__doc__)
    parser.add_argument("--date", default=identity.date, help="date written into the manifest (YYYY-MM-DD)")
    parser.add_argument("--artifact", type=Path, default=PACKAGE / "artifacts" / identity.name)
    parser.add_argument("--golden", type=Path, default=PACKAGE.parent / "golden" / identity.name)
    arguments = parser.parse_args()
    try:
        dataset = data.load()
        audit = data.audit(dataset)
        split = data.split(dataset, evaluation_share=identity.evaluation_share, seed=identity.seed)
        pipeline = training.fit(
            dataset.values[split.training],
            dataset.labels[split.training],
            declaration.parameters,
            identity.seed,
        )
        measured = training.evaluate(
            pipeline, dataset.values[split.evaluation], dataset.labels[split.evaluation]
        )
        acceptance = training.accept(measured, declaration.acceptance)
        model = export.export(pipeline, identity)
        difference = export.check_parity(pipeline, model, dataset.values)
    except (data.DataError, training.RejectedModelError, FoldingError, export.ParityError) as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 1
    manifest = write_artifact(
        arguments.artifact,
        declaration=declaration,
        date=arguments.date,
        dataset=dataset,
        split=split,
        pipeline=pipeline,
        model=model,
        audit=audit,
        acceptance=acceptance,
    )
    cases = write_golden(arguments.golden, manifest=manifest, dataset=dataset, pipeline=pipeline)
    sys.stdout.write(
        f"{manifest.name} {manifest.version}: {measured}\n"
        f"exported model against pipeline: largest difference {difference:.2e} on {len(dataset.labels)} rows "
        f"and both sides of every split (limit {export.ATOL})\n"
        f"wrote {arguments.artifact} and {cases} cases to {arguments.golden}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
