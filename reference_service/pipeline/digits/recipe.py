"""Handwritten digits of 8 x 8 pixels, upscaled to 32 x 32, and the network that reads them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.metrics import precision_score, recall_score, roc_auc_score

from reference_service.model.inputs import Feature, TensorInput
from reference_service.model.tensors import encode, summarise
from reference_service.pipeline.acceptance import calibration_error
from reference_service.pipeline.data import digest
from reference_service.pipeline.declaration import Declaration
from reference_service.pipeline.digits.network import TrainedNetwork, fit
from reference_service.pipeline.recipe import INPUT, Answers, Dataset, Labels, Values, library_versions

SIDE, FACTOR = 8, 4
SOURCE_MAXIMUM, MAXIMUM = 16, 255


def upscale(images: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Upscale images of shape [rows, 8, 8], 0 to 16, to [rows, 1, 32, 32], 0 to 255, bilinearly.

    Every product and sum is a multiple of 2**-10 far below 2**53, hence exact whatever the order of the sums:
    each machine makes the same pixels.
    """
    centres = np.clip((np.arange(SIDE * FACTOR) + 0.5) / FACTOR - 0.5, 0, SIDE - 1)
    weights = np.maximum(0, 1 - np.abs(centres[:, None] - np.arange(SIDE)))
    scaled = weights @ images @ weights.T * MAXIMUM / SOURCE_MAXIMUM
    pixels: NDArray[np.uint8] = np.rint(scaled).astype(np.uint8)
    return pixels[:, None]


class Digits:
    """How the image classifier is made."""

    algorithm = "convolutional network: 3 x (3 x 3 convolution, ReLU, 2 x 2 maximum), linear, softmax; AdamW"
    preprocessing = (
        "the images of the source are upscaled to 32 x 32 bilinearly and their values from 0..16 to 0..255",
        "the model takes the bytes: conversion to float32 and division by 255 are part of its graph",
    )
    libraries = library_versions("torch")

    def load(self) -> Dataset:
        """Load the images, upscaled; the digest covers the bytes of the images, then the labels."""
        bunch = load_digits()
        images = upscale(bunch.images)
        labels = np.asarray([str(digit) for digit in bunch.target])
        return Dataset(
            name="optical-recognition-of-handwritten-digits",
            source="scikit-learn, load_digits",
            columns={"image": images},
            values=images,
            labels=labels,
            digest=digest([images.tobytes(), "\n".join(labels).encode()]),
        )

    def fit(
        self, values: Values, labels: Labels, parameters: dict[str, int | float], seed: int
    ) -> TrainedNetwork:
        """Train the network."""
        return fit(values, labels, parameters, seed)

    def measure(self, classes: tuple[str, ...], answers: Answers, labels: Labels) -> dict[str, float]:
        """Measure over all classes alike: each has the same weight, however many rows it has."""
        truth = labels[:, None] == np.asarray(classes)
        probabilities = answers.probabilities
        return {
            "accuracy": float((answers.labels == labels).mean()),
            "macro_precision": precision_score(labels, answers.labels, average="macro"),
            "macro_recall": recall_score(labels, answers.labels, average="macro"),
            "roc_auc_one_vs_rest": roc_auc_score(truth, probabilities, average="macro"),
            "brier_score": float(((probabilities - truth) ** 2).sum(axis=1).mean()),
            "calibration_error": calibration_error(probabilities, answers.labels == labels),
        }

    def describe(
        self, dataset: Dataset, training: NDArray[np.int64], declaration: Declaration
    ) -> TensorInput:
        """Describe the image; nothing of it is declared, for it has no named parts."""
        del declaration
        mean, std = summarise(dataset.values[training]).T
        return TensorInput(
            kind="tensor",
            name=INPUT,
            dtype="uint8",
            shape=("batch", *dataset.values.shape[1:]),
            minimum=0,
            maximum=MAXIMUM,
            meaning="a handwritten digit, channel by row by column, bright on dark",
            unit="grey level",
            summaries=(
                _summary("mean", "mean of the pixels of one image", mean),
                _summary("std", "standard deviation of the pixels of one image", std),
            ),
        )

    def encode(self, dataset: Dataset, row: int, *, compact: bool) -> Any:
        """Write the image as nested lists or, compactly, as base64."""
        image = dataset.values[row]
        return encode(image) if compact else image.tolist()


def _summary(name: str, meaning: str, values: NDArray[np.float32]) -> Feature:
    return Feature(
        name=name,
        meaning=meaning,
        unit="grey level",
        training_min=float(values.min()),
        training_max=float(values.max()),
    )
