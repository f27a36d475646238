"""The application most people write first: FastAPI, Pydantic models, one session, and nothing else."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from fastapi import FastAPI
from pydantic import BaseModel, create_model

ARTIFACT = Path(os.environ["ARTIFACT"])
MANIFEST = json.loads((ARTIFACT / "manifest.json").read_bytes())
CLASSES = MANIFEST["outputs"]["probabilities"]["classes"]

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(ARTIFACT / "model.onnx", options, providers=["CPUExecutionProvider"])
app = FastAPI()
names: dict[str, Any] = {feature["name"]: (float, ...) for feature in MANIFEST["input"]["features"]}
Features = create_model("Features", **names)


class PredictRequest(BaseModel):
    features: Features  # type: ignore[valid-type]


class PredictResponse(BaseModel):
    label: str
    probabilities: dict[str, float]


@app.post("/predict")
async def predict(body: PredictRequest) -> PredictResponse:
    row = [list(body.features.model_dump().values())]
    labels, probabilities = session.run(None, {"features": np.asarray(row, dtype=np.float32)})
    return PredictResponse(
        label=labels[0], probabilities=dict(zip(CLASSES, probabilities[0].tolist(), strict=True))
    )
