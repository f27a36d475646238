"""Trains the network, the same each time: seeded, in one thread, by deterministic algorithms."""

import copy
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import nn

from reference_service.pipeline.declaration import ModelIdentity
from reference_service.pipeline.digits.export import export
from reference_service.pipeline.errors import DeclarationError
from reference_service.pipeline.recipe import Answers, Labels, Values

PARAMETERS = {"channels", "epochs", "batch_rows", "learning_rate", "weight_decay"}
SCALE = 255.0
POOLED_SIDE = 4  # 32 pixels, halved three times


@dataclass(frozen=True)
class TrainedNetwork:
    """The trained network, which takes floats from 0 to 1 and answers logits."""

    network: Any
    classes: tuple[str, ...]

    def answers(self, values: Values) -> Answers:
        """Answer in double precision with the float32 weights, as exactly as this network can be asked."""
        with torch.no_grad():
            scaled = torch.from_numpy(values).double() / SCALE
            probabilities = torch.softmax(copy.deepcopy(self.network).double()(scaled), dim=1).numpy()
        return Answers(
            labels=np.asarray(self.classes)[probabilities.argmax(axis=1)], probabilities=probabilities
        )

    def export(self, identity: ModelIdentity) -> bytes:
        """Write the trained weights as a graph."""
        return export(self.network, len(self.classes), scale=SCALE, identity=identity)

    def parity_rows(self, values: Values) -> Values:
        """Every row there is."""
        return values


def fit(values: Values, labels: Labels, parameters: dict[str, int | float], seed: int) -> TrainedNetwork:
    """Train on images of shape [rows, 1, 32, 32], uint8.

    Raises:
        DeclarationError: The parameters are not exactly those that there are, or one has no such value.
    """
    if parameters.keys() != PARAMETERS:
        raise DeclarationError(f"parameters: exactly {sorted(PARAMETERS)} are declared")
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(mode=True)
    torch.manual_seed(seed)
    classes = tuple(str(name) for name in np.unique(labels))
    images = torch.from_numpy(values).float() / SCALE
    targets = torch.from_numpy(np.searchsorted(classes, labels))
    try:
        network = _network(int(parameters["channels"]), len(classes))
        optimiser = torch.optim.AdamW(
            network.parameters(), lr=parameters["learning_rate"], weight_decay=parameters["weight_decay"]
        )
        for _ in range(int(parameters["epochs"])):
            for rows in torch.randperm(len(images)).split(int(parameters["batch_rows"])):
                optimiser.zero_grad()
                nn.functional.cross_entropy(network(images[rows]), targets[rows]).backward()
                optimiser.step()
    except (ValueError, RuntimeError) as error:  # of the value of a parameter
        raise DeclarationError(f"parameters: {error}") from error
    return TrainedNetwork(network=network, classes=classes)


def _network(channels: int, classes: int) -> Any:
    """Three convolutions, each followed by half the resolution, and one linear layer."""
    widths = [1, channels, 2 * channels, 2 * channels]
    layers: list[Any] = []
    for before, after in pairwise(widths):
        layers += [nn.Conv2d(before, after, kernel_size=3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(widths[-1] * POOLED_SIDE**2, classes))
