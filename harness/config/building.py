"""Images that are built and files that are handed over, of the service and of what stands beside it."""

from typing import Annotated

from pydantic import AfterValidator, Field

from harness.config.section import Section


def absolute(path: str) -> str:
    """The path, if it is one from the root; raises ValueError else."""
    if not path.startswith("/"):
        raise ValueError("must start with /")
    return path


ContainerPath = Annotated[str, AfterValidator(absolute)]
Memory = Annotated[str, Field(pattern=r"^[1-9][0-9]*[kmg]$")]


class BuildSettings(Section):
    """How to build the image of this checkout, for a candidate that is a folder or not named at all.

    Attributes:
        context: Build context, relative to gate.toml.
        dockerfile: Relative to the context.
        args: Build arguments.
        base_image_arg: Build argument that receives ``HARNESS_BASE_IMAGE`` where that is set, for machines
            that cannot pull the Dockerfile's own base.
    """

    context: str = "."
    dockerfile: str = "Dockerfile"
    args: dict[str, str] = {}
    base_image_arg: str | None = None


class FileSettings(Section):
    """A file handed to the service, read-only; its content is a template (docs/gate-toml.md).

    Attributes:
        private: Whether only the service and its group may read it, as some demand of a private key.
    """

    path: ContainerPath
    content: str
    private: bool = False
