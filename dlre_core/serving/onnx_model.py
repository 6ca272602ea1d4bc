"""The three networks of an arm as one ONNX graph: the same weights give the same bytes."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from dlre_core.foundation.design import study_questions
from dlre_core.foundation.errors import DlreError
from dlre_core.foundation.study_terms import SQUARE_SHAPE
from dlre_core.network.onnx_export import FORMAT_VERSION, IMAGE, OPSET, PROBABILITIES, STIFFNESS

INPUT_NAME, STIFFNESS_NAME, OUTPUT_NAME = IMAGE, STIFFNESS, PROBABILITIES
FEATURE_MAPS = (16, 32, 32, 32)
HIDDEN_NODES = 32


class ModelRepositoryError(DlreError):
    """Weights or a model repository are missing, damaged or not the network of this study."""


@dataclass(frozen=True)
class _Graph:
    nodes: list[onnx.NodeProto]
    weights: list[onnx.TensorProto]

    def add(self, operator: str, inputs: list[str], output: str, **attributes: object) -> str:
        """Append one node, named like its only output."""
        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def constant(self, name: str, array: np.ndarray) -> str:
        """Append one stored tensor."""
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name


def weight_shapes(channels: int = 3) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the float32 weights of one network, as `FibrosisNetwork` stores them."""
    shapes: dict[str, tuple[int, ...]] = {}
    before = channels
    for block, maps in enumerate(FEATURE_MAPS):
        shapes[f"convolutions.{block}.weight"] = (maps, before, 3, 3)
        shapes[f"convolutions.{block}.bias"] = (maps,)
        before = maps
    side = SQUARE_SHAPE[0] // 2 ** len(FEATURE_MAPS)
    shapes["hidden.weight"] = (HIDDEN_NODES, before * side * side)
    shapes["hidden.bias"] = (HIDDEN_NODES,)
    shapes["output.weight"] = (1, HIDDEN_NODES)
    shapes["output.bias"] = (1,)
    return shapes


def check_weights(
    weights: Mapping[str, np.ndarray], source: str, shapes: Mapping[str, tuple[int, ...]] | None = None
) -> None:
    """Refuse weights that are not those of one trained network.

    Parameters
    ----------
    weights : mapping of str to array
        State of one network.
    source : str
        Where it comes from, for the message.
    shapes : mapping of str to tuple, optional
        What it should hold; `weight_shapes` unless given.

    Raises
    ------
    ModelRepositoryError
        If a name, shape or type differs, or a value is not finite.
    """
    remedy = "Delete the file and train again."
    expected = weight_shapes() if shapes is None else shapes
    if set(weights) != set(expected):
        difference = ", ".join(sorted(set(weights) ^ set(expected)))
        raise ModelRepositoryError(f"{source}: missing or unknown weights: {difference}.", remedy)
    for name, shape in expected.items():
        found = weights[name]
        if found.shape != tuple(shape) or found.dtype not in (np.float32, np.int64):
            raise ModelRepositoryError(
                f"{source}: {name} should be float32 {shape}, is {found.dtype} {found.shape}.",
                remedy,
            )
        if not np.isfinite(found).all():
            raise ModelRepositoryError(f"{source}: {name} holds NaN or infinity.", remedy)


def build_arm_model(networks: Mapping[str, Mapping[str, np.ndarray]], channels: int = 3) -> bytes:
    """Write the paper's networks of one arm as one ONNX model.

    The input ``IMAGE`` is ``(n, 250, 250, channels)`` uint8, the output ``PROBABILITIES`` ``(n, 3)``
    float32 in the order f4, ge_f3, ge_f2. Scaling to ``value / 255 - 0.5`` is part of the graph.

    Parameters
    ----------
    networks : mapping
        For each of f4, ge_f3, ge_f2 the float32 weights named as in `weight_shapes`.
    channels : int
        Of the pictures.

    Returns
    -------
    bytes
        Serialised model; equal weights give equal bytes.

    Raises
    ------
    ModelRepositoryError
        If the weights are not those of the three networks.
    """
    if set(networks) != set(study_questions()):
        raise ModelRepositoryError(f"Expected networks {study_questions()}, found {tuple(networks)}.")
    graph = _Graph([], [])
    scaled = _add_scaling(graph)
    logits = [_add_network(graph, scaled, stage, networks[stage], channels) for stage in study_questions()]
    graph.add("Concat", logits, "logits", axis=1)
    graph.add("Sigmoid", ["logits"], OUTPUT_NAME)
    images = helper.make_tensor_value_info(INPUT_NAME, TensorProto.UINT8, ["n", *SQUARE_SHAPE[:2], channels])
    answer = helper.make_tensor_value_info(OUTPUT_NAME, TensorProto.FLOAT, ["n", len(study_questions())])
    model = helper.make_model(
        helper.make_graph(graph.nodes, "dlre", [images], [answer], graph.weights),
        producer_name="dlre",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=FORMAT_VERSION,
    )
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def read_arm_model(model: bytes, channels: int = 3) -> dict[str, dict[str, np.ndarray]]:
    """The weights of the networks that `build_arm_model` wrote.

    Raises
    ------
    ModelRepositoryError
        If they are not those of three networks.
    """
    networks: dict[str, dict[str, np.ndarray]] = {stage: {} for stage in study_questions()}
    for tensor in onnx.load_from_string(model).graph.initializer:
        stage, _, name = tensor.name.partition(".")
        if name:
            networks[stage][name] = numpy_helper.to_array(tensor)
    for stage, weights in networks.items():
        check_weights(weights, stage, weight_shapes(channels))
    return networks


def _add_scaling(graph: _Graph) -> str:
    # Transposing bytes moves a quarter of what transposing floats would.
    planes = graph.add("Transpose", [INPUT_NAME], "planes", perm=[0, 3, 1, 2])
    values = graph.add("Cast", [planes], "values", to=TensorProto.FLOAT)
    full_scale = graph.constant("full_scale", np.float32(255))
    middle = graph.constant("middle", np.float32(0.5))
    fractions = graph.add("Div", [values, full_scale], "fractions")
    return graph.add("Sub", [fractions, middle], "scaled")


def _add_network(graph: _Graph, scaled: str, stage: str, weights: Mapping[str, np.ndarray], channels: int) -> str:
    check_weights(weights, stage, weight_shapes(channels))
    for name in weight_shapes(channels):
        graph.constant(f"{stage}.{name}", weights[name])
    maps = scaled
    for block in range(len(FEATURE_MAPS)):
        layer = f"{stage}.convolutions.{block}"
        inputs = [maps, f"{layer}.weight", f"{layer}.bias"]
        maps = graph.add("Conv", inputs, f"{layer}.sum", kernel_shape=[3, 3], pads=[1, 1, 1, 1])
        maps = graph.add("Relu", [maps], f"{layer}.active")
        maps = graph.add("MaxPool", [maps], f"{layer}.pooled", kernel_shape=[2, 2], strides=[2, 2])
    features = graph.add("Flatten", [maps], f"{stage}.features", axis=1)
    hidden = _add_linear(graph, features, f"{stage}.hidden")
    active = graph.add("Relu", [hidden], f"{stage}.hidden.active")
    return _add_linear(graph, active, f"{stage}.output")


def _add_linear(graph: _Graph, values: str, layer: str) -> str:
    return graph.add("Gemm", [values, f"{layer}.weight", f"{layer}.bias"], f"{layer}.sum", transB=1)
