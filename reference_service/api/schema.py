"""Request and response models: what they have in common, and what a manifest makes of it."""

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, create_model

from reference_service.model.manifest import Manifest

FLOAT32_MAX = float(np.finfo(np.float32).max)
Identifier = Annotated[str, Field(min_length=1, max_length=128)]


class Strict(BaseModel):
    """Refuses unknown fields, and conversions such as text or a boolean for a number."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, protected_namespaces=())


class RequestOptions(Strict):
    """What every prediction request may carry besides its values."""

    model_version: Identifier | None = Field(
        default=None, description="Refuse to answer (409) unless exactly this model version is served."
    )
    request_id: Identifier | None = Field(
        default=None,
        description="Returned in a prediction in place of the id in X-Request-ID, and logged beside it.",
    )


class Prediction(BaseModel):
    """The answer for one set of features."""

    label: str
    probabilities: dict[str, float]
    out_of_range: list[str]


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


@dataclass(frozen=True, kw_only=True)
class RequestModels:
    """The request models of one artifact: `predict` has `features`, `batch` has `instances`."""

    predict: type[RequestOptions]
    batch: type[RequestOptions]


@dataclass(frozen=True, kw_only=True)
class ResponseModels:
    """The response models of one artifact, which name its classes and features."""

    predict: type[PredictResponse]
    batch: type[BatchResponse]


def request_models(manifest: Manifest, *, max_batch: int) -> RequestModels:
    """Generate the request models: each feature required, finite and representable in its dtype.

    Fields are numbered and carry the feature's name as alias, so any name is possible.
    """
    fields: dict[str, Any] = {
        f"f{number}": (
            float,
            Field(
                alias=feature.name,
                ge=-FLOAT32_MAX,
                le=FLOAT32_MAX,
                allow_inf_nan=False,
                description=f"{feature.meaning} [{feature.unit}]",
            ),
        )
        for number, feature in enumerate(manifest.input.features)
    }
    features = create_model("Features", __base__=Strict, **fields)
    instances = Annotated[list[features], Field(min_length=1, max_length=max_batch)]
    return RequestModels(
        predict=create_model("PredictRequest", __base__=RequestOptions, features=(features, ...)),
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
        "items": {"type": "string", "enum": [feature.name for feature in manifest.input.features]},
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
            Field(description="Features outside the range seen in training."),
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


def row(features: BaseModel) -> list[float]:
    """Return the values in the order of the manifest, which is the order of the fields."""
    return list(features.__dict__.values())
