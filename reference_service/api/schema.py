"""Request and response models: what they have in common, and what a manifest makes of it."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, FailFast, Field, WithJsonSchema, create_model

from reference_service.api.instances import Strict, instance_of
from reference_service.model.manifest import Manifest
from reference_service.prediction import Prediction

OUT_OF_RANGE = {
    "features": "Features outside the range seen in training.",
    "tensor": "Summaries of the instance outside the range seen in training.",
}
Identifier = Annotated[str, Field(min_length=1, max_length=128)]


class RequestOptions(Strict):
    """What every prediction request may carry besides its values."""

    model_version: Identifier | None = Field(
        default=None, description="Refuse to answer (409) unless exactly this model version is served."
    )
    request_id: Identifier | None = Field(
        default=None,
        description="Returned in a prediction in place of the id in X-Request-ID, and logged beside it.",
    )


class PredictResponse(Prediction):
    """The answer of POST /predict."""

    model_config = ConfigDict(protected_namespaces=())

    model_version: str
    request_id: str


class BatchResponse(BaseModel):
    """The answer of POST /predict/batch, predictions in the order of the instances."""

    model_config = ConfigDict(protected_namespaces=())

    predictions: list[Prediction]
    model_version: str
    request_id: str


class HealthResponse(BaseModel):
    """The answer of /health and /ready: the sample was run and its answer is right."""

    model_config = ConfigDict(protected_namespaces=())

    status: str
    model: str
    model_version: str
    service_version: str
    execution_provider: str


class MetadataResponse(Manifest):
    """The answer of /metadata: the manifest of the served artifact, and what runs the model.

    `execution_providers` are those of the session in order of preference, and `nodes_by_provider` tells how
    many nodes of the model each of them ran for the sample when the service started.
    """

    execution_provider: str
    execution_providers: tuple[str, ...] = ()
    nodes_by_provider: dict[str, int] | None = None


@dataclass(frozen=True, kw_only=True)
class RequestModels:
    """The request models of one artifact: `predict` has one `instance`, `batch` has `instances`.

    In JSON the one instance is called `features` where it has names for its values.
    """

    predict: type[RequestOptions]
    batch: type[RequestOptions]


@dataclass(frozen=True, kw_only=True)
class ResponseModels:
    """The response models of one artifact, which name its classes and features."""

    predict: type[PredictResponse]
    batch: type[BatchResponse]


def request_models(manifest: Manifest, *, max_batch: int) -> RequestModels:
    """Generate the request models from the declared input; every value is checked against it.

    A batch is checked up to its first wrong instance: only one problem is told, and all would take seconds.
    """
    instance = instance_of(manifest.input)
    one = Field(alias=instance.member)
    bounds = Field(min_length=1, max_length=max_batch)
    instances = Annotated[list[instance.type], FailFast(), bounds]  # type: ignore[name-defined]
    return RequestModels(
        predict=create_model("PredictRequest", __base__=RequestOptions, instance=(instance.type, one)),
        batch=create_model("BatchRequest", __base__=RequestOptions, instances=(instances, ...)),
    )


def response_models(manifest: Manifest) -> ResponseModels:
    """Generate the response models that the OpenAPI document describes.

    They only narrow the JSON Schema of the classes above, which stay what is answered: checking every answer
    against the names it was just made from would cost time and find nothing.
    """
    classes = list(manifest.outputs.probabilities.classes)
    probability = {"type": "number", "minimum": 0, "maximum": 1}
    label = {"type": "string", "enum": classes}
    probabilities = {
        "type": "object",
        "properties": dict.fromkeys(classes, probability),
        "required": classes,
        "additionalProperties": False,
    }
    flagged = {
        "type": "array",
        "items": {"type": "string", "enum": [feature.name for feature in manifest.input.observed]},
        "uniqueItems": True,
    }
    narrowed: dict[str, Any] = {
        "label": (Annotated[str, WithJsonSchema(label)], Field(description="The predicted class.")),
        "probabilities": (
            Annotated[dict[str, float], WithJsonSchema(probabilities)],
            Field(description="Probability of each class."),
        ),
        "out_of_range": (
            Annotated[list[str], WithJsonSchema(flagged)],
            Field(description=OUT_OF_RANGE[manifest.input.kind]),
        ),
    }
    prediction = create_model("Prediction", __base__=Prediction, __doc__=Prediction.__doc__, **narrowed)
    return ResponseModels(
        predict=create_model(
            "PredictResponse", __base__=PredictResponse, __doc__=PredictResponse.__doc__, **narrowed
        ),
        batch=create_model(
            "BatchResponse",
            __base__=BatchResponse,
            __doc__=BatchResponse.__doc__,
            predictions=(list[prediction], ...),
        ),
    )
