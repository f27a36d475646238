"""``[image]``: what the candidate's image has to be like."""

from typing import Annotated

from pydantic import Field, PositiveInt, StringConstraints, field_validator

from harness.config.section import FamilySettings, Limits
from harness.template import PLACEHOLDER

SERVED = ("model.name", "model.version")
AbsolutePath = Annotated[str, StringConstraints(pattern=r"^/.")]


class ImageLimits(Limits):
    """``[image.limits]``. What is left out is not asked for; a secret in an image never passes.

    Attributes:
        non_root: Whether its user has to be another than root.
        healthcheck: Whether it has to have one.
        labels: Labels that must be there; in a value ``${model.name}`` and ``${model.version}`` stand for
            what the running service says it serves, and an empty value for any but the empty one.
        max_size_mib: The engine's size of it, all layers together.
        max_gpu_size_mib: In its place with ``--device gpu``: CUDA's libraries take gigabytes. None keeps it.
        size_margin: Largest excess over the size of the reference's image, as a share; None compares none.
        setuid: Files that may have the setuid or setgid bit; None allows every one.
        public_secrets: Files whose secret everybody knows, such as the key that a package has for its tests.
    """

    non_root: bool = True
    healthcheck: bool = False
    labels: dict[Annotated[str, Field(min_length=1)], str] = {}
    max_size_mib: PositiveInt | None = None
    max_gpu_size_mib: PositiveInt | None = None
    size_margin: Annotated[float, Field(gt=0, le=100)] | None = None
    setuid: tuple[AbsolutePath, ...] | None = None
    public_secrets: tuple[AbsolutePath, ...] = ()

    @field_validator("labels")
    @classmethod
    def _placeholders_are_known(cls, labels: dict[str, str]) -> dict[str, str]:
        for label, wanted in labels.items():
            for name in PLACEHOLDER.findall(wanted):
                if name not in SERVED:
                    raise ValueError(f"{label}: no ${{{name}}}; there is {' and '.join(SERVED)}")
        return labels


class ImageSettings(FamilySettings):
    """``[image]``.

    Attributes:
        largest_searched_kib: Larger files are not searched for private keys.
    """

    largest_searched_kib: Annotated[int, Field(ge=1, le=65536)] = 1024
    limits: ImageLimits = ImageLimits()
