"""``harness golden``: make, hold, change and measure golden sets."""

import typer

from harness.cli import golden_bless, golden_calibrate, golden_import, golden_record, golden_verify

app = typer.Typer(no_args_is_help=True, help="Make and review golden sets.")


@app.callback()
def golden() -> None:
    """Make and review golden sets: recorded inputs and the answers expected to them."""


app.command("record")(golden_record.record)
app.command("verify")(golden_verify.verify)
app.command("bless")(golden_bless.bless)
app.command("import")(golden_import.import_)
app.command("calibrate")(golden_calibrate.calibrate)
