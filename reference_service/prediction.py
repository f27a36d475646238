"""The answer for one instance: what the model gives, telemetry counts and the API sends."""

from pydantic import BaseModel


class Prediction(BaseModel):
    """The answer for one instance."""

    label: str
    probabilities: dict[str, float]
    out_of_range: list[str]
