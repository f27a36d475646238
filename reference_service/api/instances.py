"""One instance in a request: the type that a declared input makes of it, and the row that the model takes."""

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import ArrayLike
from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema, create_model
from pydantic_core import PydanticCustomError

from reference_service.model.inputs import RANGES, FeaturesInput, TensorInput
from reference_service.model.tensors import TensorError, TensorReader, tensor_schema


class Strict(BaseModel):
    """Refuses unknown fields, and conversions such as text or a boolean for a number."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, protected_namespaces=())


@dataclass(frozen=True, kw_only=True)
class Instance:
    """The type of an instance, and the member of a single request's JSON that holds it."""

    type: Any
    member: str


def instance_of(declared: FeaturesInput | TensorInput) -> Instance:
    """Make the type of an instance of a declared input."""
    if isinstance(declared, TensorInput):
        return Instance(type=_tensor(declared), member="instance")
    return Instance(type=_features(declared), member="features")


def row(instance: BaseModel | np.ndarray) -> ArrayLike:
    """Return an instance as the model takes it: an array, or values in the order of fields and manifest."""
    return instance if isinstance(instance, np.ndarray) else list(instance.__dict__.values())


def _features(declared: FeaturesInput) -> Any:
    """Each feature is required, finite and representable in its dtype.

    Fields are numbered and carry the feature's name as alias, so any name is possible.
    """
    low, high = RANGES[declared.dtype]
    fields: dict[str, Any] = {
        f"f{number}": (
            float,
            Field(
                alias=feature.name,
                ge=low,
                le=high,
                allow_inf_nan=False,
                description=f"{feature.meaning} [{feature.unit}]; {feature.training_range}.",
            ),
        )
        for number, feature in enumerate(declared.features)
    }
    return create_model("Features", __base__=Strict, **fields)


def _tensor(declared: TensorInput) -> Any:
    """Validate to a numpy array of the declared shape and dtype."""
    reader = TensorReader(declared)

    def read(value: object) -> Any:
        try:
            return reader.read(value)
        except TensorError as error:
            # Braces in the text would be placeholders.
            raise PydanticCustomError(error.code, "{problem}", {"problem": str(error)}) from error

    return Annotated[Any, PlainValidator(read), WithJsonSchema(tensor_schema(declared))]
