"""The network's flow chart, drawn from the layers that it really has."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Circle, Rectangle
from numpy.typing import NDArray
from torch import fx, nn
from torch.fx.passes.shape_prop import ShapeProp

from dlre_core.foundation.study_terms import SQUARE_SIDE
from dlre_core.network.pooling import pool_relu

# Of the chart, in units of its axis.
WIDTH, HEIGHT = 11.0, 2.25
MIDDLE = 1.12
LARGEST, SMALLEST = 1.12, 0.3
MOST_SHEETS, MOST_NODES = 5, 7
COLOURS = ("#D6E6F2", "#FBE3D0")
EDGE, TEXT = "#0B5C8F", "#1F2A36"


@dataclass(frozen=True)
class Block:
    """A layer with weights and what follows it; ``size`` is that of its output for one picture.

    ``size`` is (maps, height, width), or (nodes,) behind the feature maps; ``parameters`` are
    weights and biases. The first block is the picture itself.
    """

    name: str
    steps: tuple[str, ...]
    size: tuple[int, ...]
    parameters: int


def network_blocks(network: nn.Module) -> list[Block]:
    """What a network does, in order, as `torch.fx` traces it with one blank picture.

    Parameters
    ----------
    network : nn.Module
        Takes ``(n, 3, 250, 250)`` float32.

    Returns
    -------
    list of Block
        Operations that the chart has no words for appear under their own names.
    """
    # A leaf: what it does depends on the memory of its input, which a traced picture has not.
    graph = fx.Tracer(autowrap_functions=(pool_relu,)).trace(network)
    traced = fx.GraphModule(network, graph)
    ShapeProp(traced).propagate(torch.zeros(1, 3, SQUARE_SIDE, SQUARE_SIDE))
    modules = dict(network.named_modules())
    return [_block(nodes, modules) for nodes in _groups(traced.graph)]


def draw_network(axis: Axes, blocks: list[Block], picture: NDArray[np.uint8]) -> None:
    """Draw blocks from left to right: maps as sheets, nodes as dots, steps above, sizes below.

    Parameters
    ----------
    axis : Axes
        Given limits, equal scales and no frame.
    blocks : list of Block
    picture : (250, 250, 3) uint8
        Drawn as the first block.
    """
    axis.set(xlim=(0, WIDTH), ylim=(0, HEIGHT), aspect="equal")
    axis.axis("off")
    step = WIDTH / len(blocks)
    largest = blocks[0].size[-1]
    edge = 0.0
    for number, block in enumerate(blocks):
        centre = (number + 0.5) * step
        half = _draw_block(axis, block, centre, largest, picture if number == 0 else None)
        if number:
            axis.annotate(
                "",
                (centre - half - 0.04, MIDDLE),
                (edge + 0.04, MIDDLE),
                arrowprops={"arrowstyle": "-|>", "color": "#51606F"},
            )
        edge = centre + half
        axis.text(centre, HEIGHT, "\n".join(block.steps), ha="center", va="top", fontsize=7, color=TEXT)
        axis.text(
            centre,
            0.3,
            " × ".join(map(str, block.size)),
            ha="center",
            va="center",
            fontsize=8,
            fontweight="bold",
            color=TEXT,
        )
        note = f"{block.parameters:,} parameters" if block.parameters else "picture"
        axis.text(centre, 0.1, note, ha="center", va="center", fontsize=7, color="#51606F")


def _groups(graph: fx.Graph) -> Iterator[list[fx.Node]]:
    """Nodes of the graph, cut before every layer with weights and before the flattening."""
    group: list[fx.Node] = []
    for node in graph.nodes:
        if node.op == "output":
            continue
        flattened = bool(group) and _operation(group[-1]) == "flatten"
        if _operation(node) == "flatten" or (node.op == "call_module" and not flattened):
            if group:
                yield group
            group = []
        group.append(node)
    yield group


def _block(nodes: list[fx.Node], modules: dict[str, nn.Module]) -> Block:
    layers = [modules[str(node.target)] for node in nodes if node.op == "call_module"]
    names = [str(node.target) for node in nodes if node.op == "call_module"]
    shape = tuple(nodes[-1].meta["tensor_meta"].shape[1:])
    return Block(
        name=names[0] if names else nodes[0].name,
        steps=tuple(word for node in nodes for word in _words(node, modules)),
        size=shape or (1,),
        parameters=sum(weight.numel() for layer in layers for weight in layer.parameters()),
    )


def _words(node: fx.Node, modules: dict[str, nn.Module]) -> list[str]:
    """What a node does, in words; nothing for those that only change the shape's notation."""
    if node.op == "call_module":
        layer = modules[str(node.target)]
        if isinstance(layer, nn.Conv2d):
            return [f"{' × '.join(map(str, layer.kernel_size))} convolution"]
        return ["fully connected" if isinstance(layer, nn.Linear) else type(layer).__name__]
    operation = _operation(node)
    if operation == "max_pool2d":
        side = node.args[1] if len(node.args) > 1 else node.kwargs.get("kernel_size")
        return [f"{side} × {side} max pooling"]
    if operation == "flatten":
        return [f"flattened to {prod(node.meta['tensor_meta'].shape):,}"]
    known = {
        "pool_relu": ["2 × 2 max pooling", "ReLU"],
        "relu": ["ReLU"],
        "squeeze": [],
        "images": [],
    }
    return known.get(operation, [operation])


def _operation(node: fx.Node) -> str:
    return re.sub(r"_\d+$", "", node.name)


def _draw_block(axis: Axes, block: Block, centre: float, largest: int, picture: NDArray[np.uint8] | None) -> float:
    """Draw maps or nodes around ``centre``; return half of the width used."""
    if len(block.size) == 1:
        shown = min(block.size[0], MOST_NODES)
        for number in range(shown):
            height = MIDDLE + 0.13 * (number - (shown - 1) / 2)
            axis.add_patch(Circle((centre, height), 0.05, facecolor=COLOURS[1], edgecolor="#9A3B00"))
        return 0.1
    # By the root, else the last maps could not be seen.
    side = max(LARGEST * (block.size[-1] / largest) ** 0.5, SMALLEST)
    sheets = 1 if picture is not None else min(block.size[0], MOST_SHEETS)
    spread = 0.04 * (sheets - 1)
    for number in range(sheets):
        left = centre - side / 2 - spread / 2 + 0.04 * number
        bottom = MIDDLE - side / 2 + spread / 2 - 0.04 * number
        axis.add_patch(Rectangle((left, bottom), side, side, facecolor=COLOURS[0], edgecolor=EDGE, linewidth=0.8))
        if picture is not None:
            axis.imshow(picture, extent=(left, left + side, bottom, bottom + side), zorder=2)
            axis.set(xlim=(0, WIDTH), ylim=(0, HEIGHT))
    return (side + spread) / 2
