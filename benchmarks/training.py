"""Training images per second: this project's loop against plain PyTorch, in one run on one machine.

Use: ``PYTHONPATH=. python benchmarks/training.py [--steps 20] [--threads 1 2]``. Each row is a process of its own,
since malloc is set in the environment before Python starts. The peer is what one would write first:
float32, contiguous memory, a Dataset with the same augmentation (flips and whole-pixel shifts, by
slicing) in a DataLoader, eager mode.
"""

import argparse
import json
import os
import subprocess
import sys
import time

import numpy as np

from dlre_core.foundation.processes import KEEP_MEMORY

BATCH = 16


def data() -> tuple[np.ndarray, np.ndarray]:
    """300 random images and balanced labels."""
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (300, 250, 250, 3), dtype=np.uint8)
    return images, np.arange(300) % 2


def plain(steps: int, device: str = "cpu") -> float:
    """The peer's loop; images per second."""
    import torch
    from torch.utils.data import DataLoader, Dataset

    from dlre_core.network.fibrosis_network import FibrosisNetwork

    images, labels = data()

    class Pictures(Dataset):
        def __len__(self) -> int:
            return len(images)

        def __getitem__(self, index: int) -> tuple[torch.Tensor, float]:
            generator = np.random.default_rng(index)
            image = images[index]
            if generator.random() < 0.5:
                image = image[::-1]
            if generator.random() < 0.5:
                image = image[:, ::-1]
            padded = np.pad(image, ((8, 8), (8, 8), (0, 0)), mode="edge")
            row, column = generator.integers(0, 17, 2)
            image = padded[row : row + 250, column : column + 250].astype(np.float32) / 255 - 0.5
            return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))), float(labels[index])

    network = FibrosisNetwork().to(device)
    optimiser = torch.optim.AdamW(network.parameters(), 1e-3)
    loss_function = torch.nn.BCEWithLogitsLoss()
    done, started = 0, None
    while True:
        for batch, target in DataLoader(Pictures(), BATCH, shuffle=True, drop_last=True):
            if done == 3:
                started = time.perf_counter()
            optimiser.zero_grad()
            loss = loss_function(network(batch.to(device)), target.float().to(device))
            loss.backward()
            optimiser.step()
            done += 1
            if done == steps + 3 and started is not None:
                loss.item()  # Waits for the device.
                return steps * BATCH / (time.perf_counter() - started)


def ours(steps: int) -> float:
    """This project's loop, the second of two epochs; images per second."""
    from dlre_core.training.network_training import train_networks
    from dlre_core.training.settings import Question, TrainingSettings, compute_repeatably

    compute_repeatably()
    images, labels = data()
    settings = TrainingSettings(
        device="cpu",
        batch_size=BATCH,
        epochs=2,
        minimum_epochs=2,
        minimum_steps=2 * steps,
        maximum_steps=2 * steps,
        augmentation={
            "shift_pixels": 8,
            "rotation_degrees": 0,
            "scale": 0.0,
            "flip_horizontal": True,
            "flip_vertical": True,
        },
    )
    stopping = np.arange(300) >= 290
    question = Question("benchmark", labels, stream=1, drawn=np.ones(len(labels)))
    (network,) = train_networks(images, [question], stopping, settings, patients=290)
    return network.history[-1]["images_per_second"]


def measure(name: str, threads: int, tuned: bool, steps: int) -> float:
    """Run one of the loops in a process of its own."""
    environment = dict(os.environ) | (KEEP_MEMORY if tuned else {})
    command = [
        sys.executable,
        __file__,
        "--one",
        name,
        "--threads",
        str(threads),
        "--steps",
        str(steps),
    ]
    output = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return float(json.loads(output.stdout.splitlines()[-1]))


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--one", choices=["plain", "ours"])
    options = parser.parse_args()
    if options.one:
        import torch

        torch.set_num_threads(options.threads[0])
        print(json.dumps({"plain": plain, "ours": ours}[options.one](options.steps)))
        return
    print("| threads | plain PyTorch | plain, tuned malloc | ours, plain malloc | ours | ours / plain |")
    print("|---|---|---|---|---|---|")
    for threads in options.threads:
        rows = [measure(name, threads, tuned, options.steps) for name in ("plain", "ours") for tuned in (False, True)]
        cells = " | ".join(f"{value:.0f}" for value in rows)
        print(f"| {threads} | {cells} | {rows[3] / rows[0]:.1f} |", flush=True)


if __name__ == "__main__":
    main()
