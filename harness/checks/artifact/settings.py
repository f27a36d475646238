"""``[artifact]``: where the artifact lies in the image, what its manifest tells, and what is allowed."""

import posixpath
from typing import Annotated, Self

from pydantic import AfterValidator, Field, PositiveInt, model_validator

from harness.config.section import FamilySettings, Limits, Section
from harness.config.service import Pointer


def _folder(path: str) -> str:
    if not path.startswith("/") or path == "/" or posixpath.normpath(path) != path:
        raise ValueError("must be an absolute path without '..' or a slash at its end")
    return path


def _file_name(name: str) -> str:
    if name in {"", ".", ".."} or "/" in name:
        raise ValueError("must be the name of a file, without a path")
    return name


Folder = Annotated[str, AfterValidator(_folder)]
FileName = Annotated[str, AfterValidator(_file_name)]
DEFAULT_DOMAIN = "ai.onnx"


class TensorPointers(Section):
    """Where the manifest tells of one input or output of the model; what has no pointer is not compared."""

    name: Pointer
    dtype: Pointer | None = None
    shape: Pointer | None = None


class OnnxSettings(Section):
    """``[artifact.onnx]``: the model is an ONNX file.

    Attributes:
        opset: Where the manifest tells the version of the default operator set.
        inputs: All inputs of the graph; empty compares none. ``outputs`` likewise.
        timeout_s: For the ONNX checker, which has a process of its own.
    """

    opset: Pointer | None = None
    inputs: tuple[TensorPointers, ...] = ()
    outputs: tuple[TensorPointers, ...] = ()
    timeout_s: Annotated[float, Field(gt=0, le=600)] = 60


class OpsetRange(Section):
    """Versions of an operator set, both ends included; None for any newer."""

    least: PositiveInt = 1
    most: PositiveInt | None = None

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.most is not None and self.most < self.least:
            raise ValueError(f"most is {self.most}, and least is {self.least}")
        return self


class ArtifactLimits(Limits):
    """``[artifact.limits]``.

    Attributes:
        unlisted: Files that may lie in the folder though the manifest does not list them.
        opsets: The operator sets that the model may use, by domain; those of ONNX itself by default.
    """

    unlisted: tuple[FileName, ...] = ()
    opsets: dict[str, OpsetRange] = {DEFAULT_DOMAIN: OpsetRange(), "ai.onnx.ml": OpsetRange()}


class ArtifactSettings(FamilySettings):
    """``[artifact]``; pointers are into the manifest.

    Attributes:
        folder: Where the artifact lies in the image; no part of it a link.
        manifest: Name of the manifest in it, a JSON object.
        manifest_schema: JSON Schema of the manifest, a file of the suite.
        files: An object of the names of all files, relative to the folder, with the SHA-256 of each.
        model: The name of the model's file.
        largest_mib: All files together; more are not read.
    """

    folder: Folder
    manifest: FileName = "manifest.json"
    manifest_schema: str | None = None
    name: Pointer | None = None
    version: Pointer | None = None
    files: Pointer
    model: Pointer | None = None
    largest_mib: PositiveInt = 2048
    onnx: OnnxSettings | None = None
    limits: ArtifactLimits = ArtifactLimits()

    @model_validator(mode="after")
    def _onnx_is_a_model(self) -> Self:
        if self.onnx is not None and self.model is None:
            raise ValueError("onnx is given, and model does not say which file it is about")
        return self

    def not_declared(self) -> tuple[str, ...]:
        """What could be held against the manifest, and is not."""
        aspects = [("artifact.manifest: its JSON Schema", self.manifest_schema is not None)]
        if self.onnx is not None:
            aspects += [
                ("artifact.model: the opset that the manifest tells", self.onnx.opset is not None),
                ("artifact.model: inputs", bool(self.onnx.inputs)),
                ("artifact.model: outputs", bool(self.onnx.outputs)),
            ]
        return tuple(aspect for aspect, declared in aspects if not declared)
