"""Which execution provider runs the model: the one that was asked for, or none at all."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import onnxruntime

from reference_service.model.artifact import ArtifactError

ProviderName = Literal["cpu", "cuda"]
RUNTIME_NAMES: dict[ProviderName, str] = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
CUDA_OPTIONS = {"device_id": "0", "use_tf32": "0"}
"""The first GPU that the process sees; TF32 keeps 10 bits of a float32's 23, which goldens would notice."""


class ProviderError(ArtifactError):
    """The execution provider that was asked for can't run this artifact here."""


def open_session(
    model: bytes, provider: ProviderName, *, intra_op_threads: int, profile: Path | None = None
) -> Any:
    """Open a sequential session on exactly one provider: one request must not take every core.

    On CUDA every operator must have a CUDA kernel. The runtime would otherwise put the rest on the CPU, copy
    tensors to and fro, and still name CUDA first.

    Args:
        model: As its file has it.
        provider: What runs it.
        intra_op_threads: For one operator.
        profile: A folder for a profile of every run until `end_profiling()`, which names the file.

    Raises:
        ProviderError: The provider is missing from the runtime, or not the one that the session got.
        ArtifactError: The model can't be loaded.
    """
    require_available(provider, onnxruntime.get_available_providers())
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = intra_op_threads
    options.inter_op_num_threads = 1
    if profile is not None:
        options.enable_profiling = True
        options.profile_file_prefix = str(profile / "run")
    wanted: list[Any] = [RUNTIME_NAMES[provider]]
    if provider == "cuda":
        onnxruntime.preload_dlls(directory="")  # from the CUDA wheels, if those are installed
        options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
        wanted = [(RUNTIME_NAMES[provider], CUDA_OPTIONS)]
    try:
        session = onnxruntime.InferenceSession(model, options, providers=wanted, enable_fallback=0)
    except Exception as error:  # the runtime's errors have no base class of their own
        problem = ArtifactError if provider == "cpu" else ProviderError
        raise problem(f"model can't be loaded on {RUNTIME_NAMES[provider]}: {error}") from error
    require_first(provider, session.get_providers())
    return session


def require_available(provider: ProviderName, available: Sequence[str]) -> None:
    """Refuse a provider that this build of ONNX Runtime does not have."""
    if RUNTIME_NAMES[provider] not in available:
        raise ProviderError(
            f"SERVICE_EXECUTION_PROVIDER={provider}: this ONNX Runtime has only {', '.join(available)}; "
            "use an image built with onnxruntime-gpu, or set SERVICE_EXECUTION_PROVIDER=cpu"
        )


def require_first(provider: ProviderName, created: Sequence[str]) -> None:
    """Refuse a session that the runtime has silently put on another provider."""
    if not created or created[0] != RUNTIME_NAMES[provider]:
        raise ProviderError(
            f"SERVICE_EXECUTION_PROVIDER={provider}: the session got {', '.join(created) or 'no provider'}; "
            "check the driver, the CUDA and cuDNN libraries, and that the container was given a GPU"
        )
