"""Serves every ONNX model below the folder ``ONNX_MODELS`` on the CPU: ``POST /models/{name}/infer``.

The request is ``{"inputs": {name: tensor}}``, the answer ``{"outputs": {name: tensor}}``; a tensor is nested
lists, and a float that is no number one of the strings ``NaN``, ``Infinity`` and ``-Infinity``.
"""

import os
from functools import lru_cache
from pathlib import Path

import numpy as np
import onnxruntime
import uvicorn
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

ROOT = Path(os.environ["ONNX_MODELS"])
MODELS = {path.parent.name: path for path in ROOT.rglob("model.onnx")}
DTYPES = {
    "tensor(string)": np.object_,
    "tensor(bool)": np.bool_,
    "tensor(float16)": np.float16,
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    **{
        f"tensor({sign}int{bits})": np.dtype(f"{sign}int{bits}")
        for bits in (8, 16, 32, 64)
        for sign in ("", "u")
    },
}
NUMBERS = {"NaN": np.nan, "Infinity": np.inf, "-Infinity": -np.inf}

app = FastAPI()


class Question(BaseModel):
    inputs: dict[str, object]


@app.get("/ready")
def ready():
    return {"models": len(MODELS)}


@app.get("/models/{name}")
def describe(name: str):
    model = session(name)
    return {
        "inputs": {value.name: value.type for value in model.get_inputs()},
        "outputs": {value.name: value.type for value in model.get_outputs()},
        "execution_provider": model.get_providers()[0],
    }


@app.post("/models/{name}/infer")
def infer(name: str, question: Question):
    model = session(name)
    types = {value.name: value.type for value in model.get_inputs()}
    feed = {key: to_array(value, types[key]) for key, value in question.inputs.items()}
    answers = model.run(None, feed)
    names = [value.name for value in model.get_outputs()]
    return {"outputs": {key: to_json(value) for key, value in zip(names, answers, strict=True)}}


@lru_cache(maxsize=4)
def session(name):
    """One model; 501 when this runtime does not run it on the CPU, with its reason."""
    if name not in MODELS:
        raise HTTPException(404, f"no model {name}")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    try:
        model = onnxruntime.InferenceSession(MODELS[name], options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise HTTPException(501, f"{type(error).__name__}: {error}") from error
    for value in (*model.get_inputs(), *model.get_outputs()):
        if value.type not in DTYPES:
            raise HTTPException(501, f"this service has no {value.type}")
    return model


def to_array(value, kind):
    dtype = DTYPES[kind]
    return np.asarray(value if kind == "tensor(string)" else numbers(value), dtype=dtype)


def numbers(value):
    if isinstance(value, list):
        return [numbers(item) for item in value]
    return NUMBERS[value] if isinstance(value, str) else value


def to_json(array):
    values = np.asarray(array)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        return written(values.tolist())
    return values.tolist()


def written(value):
    if isinstance(value, list):
        return [written(item) for item in value]
    if np.isnan(value):
        return "NaN"
    return value if np.isfinite(value) else ("Infinity" if value > 0 else "-Infinity")


if __name__ == "__main__":
    uvicorn.run(app, host=os.environ["ONNX_HOST"], port=int(os.environ["ONNX_PORT"]), log_level="warning")
