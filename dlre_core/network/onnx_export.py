"""Any arm's networks as one ONNX graph, by PyTorch's exporter; the paper's is written by hand (serving.onnx_model)."""

import io
import warnings
from collections.abc import Mapping

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from dlre_core.foundation.study_terms import SQUARE_SIDE
from dlre_core.network.kinds import NetworkKind, make_network, network_of, takes_stiffness

# Opset 17 and format 8 are read by every onnxruntime from 1.13 on, so also by NVIDIA's containers.
OPSET = 17
FORMAT_VERSION = 8
IMAGE, STIFFNESS, PROBABILITIES = "IMAGE", "STIFFNESS", "PROBABILITIES"
NETWORKS = "networks"


class _Arm(nn.Module):
    """Bytes to probabilities of all questions."""

    def __init__(self, networks: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.networks = nn.ModuleDict(networks)

    def forward(self, images: Tensor, *stiffness_kpa: Tensor) -> Tensor:
        """Probabilities (n, questions) of images (n, 250, 250, channels) uint8 and stiffness (n, 1)."""
        scaled = images.permute(0, 3, 1, 2).float() / 255 - 0.5
        joined = [kpa[:, 0] for kpa in stiffness_kpa]
        return torch.sigmoid(torch.stack([network(scaled, *joined) for network in self.networks.values()], dim=1))


def exported_model(networks: Mapping[str, nn.Module], kind: NetworkKind) -> bytes:
    """The networks of one arm as one ONNX model.

    The input ``IMAGE`` is ``(n, 250, 250, channels)`` uint8, ``STIFFNESS``, where the networks take it, ``(n, 1)``
    float32 in kPa or NaN; the output ``PROBABILITIES`` ``(n, questions)`` float32 in the networks' order.

    Parameters
    ----------
    networks : mapping of question to nn.Module
        Trained, on the processor.
    kind : NetworkKind

    Returns
    -------
    bytes
        Equal weights give equal bytes.
    """
    arm = _Arm(networks).eval()
    given = [torch.zeros(2, SQUARE_SIDE, SQUARE_SIDE, kind.channels, dtype=torch.uint8)]
    names = [IMAGE]
    if any(takes_stiffness(network) for network in networks.values()):
        given.append(torch.full((2, 1), 5.0))
        names.append(STIFFNESS)
    written = io.BytesIO()
    with warnings.catch_warnings():
        # The newer exporter needs one more package and does the same.
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        torch.onnx.export(
            arm,
            tuple(given),
            written,
            input_names=names,
            output_names=[PROBABILITIES],
            dynamic_axes={name: {0: "n"} for name in (*names, PROBABILITIES)},
            opset_version=OPSET,
            do_constant_folding=False,
            dynamo=False,
        )
    model = onnx.load_from_string(written.getvalue())
    model.ir_version = FORMAT_VERSION
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def exported_networks(model: bytes, kind: NetworkKind) -> dict[str, nn.Module] | None:
    """The networks that `exported_model` wrote, by question; None where the graph no longer holds their own weights.

    The exporter melts some layers together, as convolutions and the batch normalisation behind them.
    """
    graph = onnx.load_from_string(model).graph
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    # Of equal weights, such as biases of zero, the exporter keeps one.
    weights |= {
        node.output[0]: weights[node.input[0]]
        for node in graph.node
        if node.input[:1] and node.input[0] in weights and node.op_type == "Identity"
    }
    found: dict[str, dict] = {}
    for place, value in weights.items():
        part, _, name = place.partition(".")
        question, _, name = name.partition(".")
        if part == NETWORKS:
            found.setdefault(question, {})[name] = value
    wanted = set(make_network(kind, 0).state_dict())
    if not found or any(set(own) != wanted for own in found.values()):
        return None
    return {question: network_of(own, kind) for question, own in found.items()}
