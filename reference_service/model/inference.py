"""One ONNX Runtime session, and the check that it answers its manifest's sample."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reference_service.model.artifact import Artifact, ArtifactError
from reference_service.model.inputs import FeaturesInput, TensorInput
from reference_service.model.manifest import EncodedTensor, Manifest
from reference_service.model.placement import profile_folder, read_profile
from reference_service.model.providers import ProviderName, open_session
from reference_service.model.tensors import TensorReader, summarise
from reference_service.prediction import Prediction

ONNX_TYPES = {
    "float32": "tensor(float)",
    "uint8": "tensor(uint8)",
    "int64": "tensor(int64)",
    "string": "tensor(string)",
}


class RunObserver(Protocol):
    """Is told of each run of the session."""

    def __call__(self, *, rows: int, duration_s: float) -> None:
        """Take note of one."""


class Model:
    """A loaded model. Safe to share: the session is stateless between runs.

    Attributes:
        manifest: What it says of itself.
        nodes_by_provider: How many nodes each execution provider ran for the sample; None if nobody knows.

    Raises:
        ArtifactError: The model can't be loaded, its tensors are not those of the manifest, or the sample's
            answer differs.
        ProviderError: The execution provider can't run it here.
    """

    def __init__(
        self,
        artifact: Artifact,
        *,
        provider: ProviderName,
        intra_op_threads: int,
        observe_run: RunObserver,
    ) -> None:
        self._observe_run = observe_run
        self.manifest = artifact.manifest
        observed = self.manifest.input.observed
        self._names = [feature.name for feature in observed]
        self._low = np.asarray([feature.training_min for feature in observed], dtype=np.float32)
        self._high = np.asarray([feature.training_max for feature in observed], dtype=np.float32)
        self._input = self.manifest.input.name
        self._dtype = np.dtype(self.manifest.input.dtype)
        self._summarised = isinstance(self.manifest.input, TensorInput)
        outputs = self.manifest.outputs
        self._outputs = [output.name for output in (outputs.probabilities, outputs.label) if output]
        self._classes = outputs.probabilities.classes
        with profile_folder() as folder:
            self._session = open_session(
                artifact.model, provider, intra_op_threads=intra_op_threads, profile=folder
            )
            self._check_tensors()
            self.verify_sample()
            self.nodes_by_provider = read_profile(Path(self._session.end_profiling())) if folder else None

    @property
    def execution_providers(self) -> list[str]:
        """What ONNX Runtime has for this session, in order of preference; the CPU is always the last."""
        return [str(name) for name in self._session.get_providers()]

    @property
    def execution_provider(self) -> str:
        """The provider that ONNX Runtime prefers for this session."""
        return self.execution_providers[0]

    def tensor(self, rows: Sequence[ArrayLike] | NDArray[Any]) -> NDArray[Any]:
        """Return n rows as the model takes them, from values in the order of the features, or from arrays.

        A float is rounded to the nearest float32; an integer stays what it is.
        """
        return np.asarray(rows, dtype=self._dtype)

    def predict(self, rows: Sequence[ArrayLike] | NDArray[Any]) -> list[Prediction]:
        """Answer rows, as `tensor` takes or returns them."""
        predictions, duration_s = self._answer(rows)
        self._observe_run(rows=len(predictions), duration_s=duration_s)
        return predictions

    def _answer(self, rows: Sequence[ArrayLike] | NDArray[Any]) -> tuple[list[Prediction], float]:
        """Answer rows; return also how long the session ran, in seconds."""
        values = self.tensor(rows)
        started = time.perf_counter()
        probabilities, *labelled = self._session.run(self._outputs, {self._input: values})
        duration_s = time.perf_counter() - started
        labels = labelled[0] if labelled else [self._classes[most] for most in probabilities.argmax(axis=1)]
        predictions = [
            Prediction(
                label=str(label),
                probabilities=dict(zip(self._classes, row, strict=True)),
                out_of_range=flagged,
            )
            for label, row, flagged in zip(
                labels, probabilities.tolist(), self._out_of_range(self.observe(values)), strict=True
            )
        ]
        return predictions, duration_s

    def observe(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Return what is compared with training, `[n, len(observed)]`: features, or a tensor's summaries."""
        return summarise(values) if self._summarised else values

    def verify_sample(self) -> None:
        """Run the manifest's sample; nobody asked for the answer, so the run is not observed.

        Raises:
            ArtifactError: The label differs, a probability by more than the sample's tolerance, or the model
                can't answer at all.
        """
        sample = self.manifest.sample
        try:
            (answer,), _duration_s = self._answer([sample_row(self.manifest)])
        except Exception as error:  # the runtime's errors have no base class of their own
            raise ArtifactError(f"{self.manifest.model_file}: sample not answered: {error}") from error
        expected = sample.expected
        agrees = answer.label == expected.label and all(
            abs(answer.probabilities[name] - value) <= sample.atol
            for name, value in expected.probabilities.items()
        )
        if not agrees:
            raise ArtifactError(
                f"{self.manifest.model_file}: sample answered {answer.label} {answer.probabilities}, "
                f"the manifest says {expected.label} {expected.probabilities}"
            )

    def _out_of_range(self, values: NDArray[np.float32]) -> list[list[str]]:
        """Name, for each row, the features outside their training range."""
        flagged: list[list[str]] = [[] for _ in values]
        outside = (values < self._low) | (values > self._high)
        if np.count_nonzero(outside):  # most often there is none, and this finds out faster
            for row, column in np.argwhere(outside):
                flagged[row].append(self._names[column])
        return flagged

    def _check_tensors(self) -> None:
        """Hold names, dtypes and shapes of the model's inputs and outputs against the manifest."""
        outputs = self.manifest.outputs
        declared = (self.manifest.input, outputs.probabilities, *([outputs.label] if outputs.label else []))
        found = {
            tensor.name: tensor for tensor in (*self._session.get_inputs(), *self._session.get_outputs())
        }
        extra = {tensor.name for tensor in self._session.get_inputs()} - {self._input}
        if extra:
            raise ArtifactError(f"{self.manifest.model_file}: model has inputs of its own: {sorted(extra)}")
        for tensor in declared:
            model = found.get(tensor.name)
            if model is None:
                raise ArtifactError(f"{self.manifest.model_file}: model has no tensor {tensor.name!r}")
            if model.type != ONNX_TYPES[tensor.dtype] or not _fits(model.shape, tensor.shape):
                raise ArtifactError(
                    f"{self.manifest.model_file}: {tensor.name} is {model.type} {model.shape}, "
                    f"the manifest says {tensor.dtype} {list(tensor.shape)}"
                )


def sample_row(manifest: Manifest) -> ArrayLike:
    """Return the sample's input as a row that `Model.predict` takes."""
    match manifest.input, manifest.sample.input:
        case TensorInput() as declared, EncodedTensor() as encoded:
            return TensorReader(declared).read(encoded.model_dump())
        case FeaturesInput(features=features), dict() as named:
            return [named[feature.name] for feature in features]
    raise ArtifactError("the sample's input is of another kind than the model's")


def _fits(found: Sequence[int | str | None], declared: Sequence[int | str]) -> bool:
    """Tell whether a model's dimensions are the declared ones; `batch` is any that is not fixed."""
    return len(found) == len(declared) and all(
        not isinstance(size, int) if expected == "batch" else size == expected
        for size, expected in zip(found, declared, strict=True)
    )
