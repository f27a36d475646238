"""Writes the trained network as an ONNX graph, operator by operator: equal weights give equal bytes."""

from collections.abc import Sequence
from typing import Any

import onnx
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from reference_service.pipeline.declaration import ModelIdentity
from reference_service.pipeline.errors import ParityError
from reference_service.pipeline.recipe import INPUT, PROBABILITIES

OPSET, IR_VERSION = 18, 8


def export(network: Any, classes: int, *, scale: float, identity: ModelIdentity) -> bytes:
    """Return a serialised ONNX model.

    Input `features`: uint8, [batch, 1, 32, 32]. Output `probabilities`: float32, [batch, classes]. There is
    no label: strings, and the largest of a row, would have to be found off the GPU.
    """
    weights = [helper.make_tensor("scale", TensorProto.FLOAT, [], [scale])]
    nodes = [
        helper.make_node("Cast", [INPUT], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["floats", "scale"], ["layer"]),
    ]
    for number, layer in enumerate(network):
        names = [f"{kind}_{number}" for kind, _ in layer.named_parameters()]
        weights += [
            numpy_helper.from_array(value.detach().numpy(), name)
            for name, value in zip(names, layer.parameters(), strict=True)
        ]
        after = f"layer_{number}"
        nodes.append(_node(layer, [nodes[-1].output[0], *names], after))
    nodes.append(helper.make_node("Softmax", [nodes[-1].output[0]], [PROBABILITIES], axis=1))
    graph = helper.make_graph(
        nodes,
        identity.name,
        [helper.make_tensor_value_info(INPUT, TensorProto.UINT8, ["batch", 1, 32, 32])],
        [helper.make_tensor_value_info(PROBABILITIES, TensorProto.FLOAT, ["batch", classes])],
        weights,
        doc_string=identity.description,
    )
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="reference_service.pipeline",
        producer_version=identity.version,
    )
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString(deterministic=True))


def _node(layer: Any, inputs: Sequence[str], output: str) -> Any:
    """Write one layer as one operator."""
    match layer:
        case nn.Conv2d():
            pads = [*layer.padding, *layer.padding]
            return helper.make_node("Conv", inputs, [output], kernel_shape=list(layer.kernel_size), pads=pads)
        case nn.ReLU():
            return helper.make_node("Relu", inputs, [output])
        case nn.MaxPool2d():
            sides = [layer.kernel_size] * 2
            return helper.make_node("MaxPool", inputs, [output], kernel_shape=sides, strides=sides)
        case nn.Flatten():
            return helper.make_node("Flatten", inputs, [output], axis=1)
        case nn.Linear():
            return helper.make_node("Gemm", inputs, [output], transB=1)
    raise ParityError(f"nothing says which operator is {type(layer).__name__}")
