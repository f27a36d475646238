"""Why the pipeline writes nothing.

PipelineError
├── DeclarationError     what is declared can't be used
├── DataError            the data are not what was declared, or not what the audit demands
├── RejectedModelError   the trained model misses its acceptance bar
├── FoldingError         a split has no float32 threshold that decides as the trained model does
└── ParityError          the exported model answers differently from the trained one
"""


class PipelineError(Exception):
    """The pipeline stops, and has written nothing."""


class DeclarationError(PipelineError):
    """The declaration can't be used."""


class DataError(PipelineError):
    """The data are not what was declared, or not what the audit demands; training does not begin."""


class RejectedModelError(PipelineError):
    """The trained model misses its acceptance bar."""


class FoldingError(PipelineError):
    """A split has no float32 threshold that decides as the pipeline does."""


class ParityError(PipelineError):
    """The exported model and the trained one disagree."""
