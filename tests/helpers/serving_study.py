"""A tiny study with random networks, shared by the serving tests."""

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch.nn import functional

from dlre_core.network.fibrosis_network import new_network

STAGES = ("f4", "ge_f3", "ge_f2")
ARMS = ("overall", "combination_1")


def write_networks(folder: Path, seed: int = 0, scale: float = 1.0) -> dict:
    """Random networks of both arms as safetensors files; returns their weights."""
    weights = {}
    for number, arm in enumerate(ARMS):
        (folder / arm).mkdir(parents=True, exist_ok=True)
        for column, stage in enumerate(STAGES):
            state = new_network(1000 * seed + 10 * number + column).state_dict()
            generator = torch.Generator().manual_seed(column)
            for name, value in state.items():
                if name.endswith("bias"):
                    value.normal_(0, 0.1, generator=generator)
            state = {name: (scale * value).contiguous() for name, value in state.items()}
            save_file(state, folder / arm / f"{stage}.safetensors", metadata={"provenance": "{}"})
            weights[arm, stage] = state
    return weights


def expected_probabilities(weights: dict, arm: str, images: np.ndarray) -> np.ndarray:
    """The network as the paper describes it, written apart from `dlre_core.network.fibrosis_network`."""
    columns = []
    for stage in STAGES:
        state = weights[arm, stage]
        maps = torch.from_numpy(images.transpose(0, 3, 1, 2).astype(np.float32)) / 255 - 0.5
        for block in range(4):
            prefix = f"convolutions.{block}"
            maps = functional.conv2d(maps, state[f"{prefix}.weight"], state[f"{prefix}.bias"], padding=1)
            maps = functional.max_pool2d(functional.relu(maps), 2)
        features = maps.reshape(len(images), 32 * 15 * 15)
        nodes = functional.relu(features @ state["hidden.weight"].T + state["hidden.bias"])
        columns.append(torch.sigmoid(nodes @ state["output.weight"].T + state["output.bias"]))
    return torch.cat(columns, 1).numpy()


def random_images(n: int, seed: int = 0) -> np.ndarray:
    """Noise pictures, ``(n, 250, 250, 3)`` uint8."""
    return np.random.default_rng(seed).integers(0, 256, (n, 250, 250, 3), dtype=np.uint8)
