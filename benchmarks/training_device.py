"""All 18 networks at the paper's size on an accelerator, and the plain loop on it, in one run.

    PYTHONPATH=. python benchmarks/training_device.py [--device cuda] [--steps 200] [--arms 6] [--variants]

Six arms train their three networks in one pass with the settings of config.yaml, 266 patients with five pictures each
(noise, which costs what pictures cost). Utilisation is what nvidia-smi samples of that GPU meanwhile, sending the
pictures there included, as the seconds include it. The peer is that of
benchmarks/training.py, one network at a time; what 18 would take is its rate times the same number of steps.
"""

import argparse
import shutil
import statistics
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from unittest.mock import patch

import numpy as np
import torch
import yaml
from numpy.typing import NDArray

from benchmarks.training import BATCH, plain
from dlre_core.network.fibrosis_network import FibrosisNetwork
from dlre_core.training.network_training import train_networks
from dlre_core.training.settings import Question, TrainingSettings, compute_repeatably

PATIENTS, PICTURES, NETWORKS = 266, 1330, 3
SAMPLING = ("nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "-lms", "250")


def each_alone(networks: Sequence[FibrosisNetwork], images: Sequence[torch.Tensor]) -> torch.Tensor:
    """Logits as of `dlre_core.network.joint_pass.joint_logits`, by convolutions of each network's own."""
    return torch.stack([network(own) for network, own in zip(networks, images, strict=True)])


VARIANTS = {
    "steps not recorded": ("dlre_core.training.recorded_steps.STEPS_BEFORE_RECORDING", 10**9),
    "a convolution each": ("dlre_core.training.epoch_loops.joint_logits", each_alone),
}


def settings_of_the_project(device: str, steps: int | None) -> TrainingSettings:
    """The section training of config.yaml, cut to ``steps`` where given."""
    with open("config.yaml") as file:
        section = yaml.safe_load(file)["training"]
    del section["permute_labels"]
    settings = TrainingSettings(**section | {"device": device})
    return replace(settings, minimum_steps=1, maximum_steps=steps) if steps else settings


def noise() -> NDArray[np.uint8]:
    """As many pictures as the paper's training cohort has."""
    generator = np.random.default_rng(0)
    return generator.integers(0, 256, (PICTURES, 250, 250, 3), dtype=np.uint8)


def train_arms(pictures: NDArray[np.uint8], settings: TrainingSettings, arms: int) -> tuple[float, float]:
    """Seconds of all arms together, and images a second of the last epochs, all networks counted."""
    labels, stopping = np.arange(PICTURES) % 2, np.arange(PICTURES) < PICTURES // 20
    rates, started = [], time.perf_counter()
    for arm in range(arms):
        questions = [
            Question(f"arm {arm}", labels, NETWORKS * arm + number, np.ones(PICTURES)) for number in range(NETWORKS)
        ]
        networks = train_networks(pictures, questions, stopping, settings, patients=PATIENTS)
        rates.append(sum(network.history[-1]["images_per_second"] for network in networks))
    return time.perf_counter() - started, statistics.median(rates)


@contextmanager
def sampled_utilisation(device: str) -> Iterator[list[int]]:
    """A list that holds, after the context, what nvidia-smi sampled; empty where it does not tell."""
    samples: list[int] = []
    if device == "cpu" or shutil.which(SAMPLING[0]) is None:
        yield samples
        return
    which = f"GPU-{torch.cuda.get_device_properties(device).uuid}"
    with subprocess.Popen([*SAMPLING, "-i", which], stdout=subprocess.PIPE, text=True) as sampler:
        try:
            yield samples
        finally:
            sampler.terminate()
            samples += [int(word) for word in sampler.communicate()[0].split() if word.isdigit()]


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--steps", type=int, help="of a network; the project's own number if left out")
    parser.add_argument("--arms", type=int, default=6)
    parser.add_argument("--variants", action="store_true")
    given = parser.parse_args()
    name = "the processor" if given.device == "cpu" else torch.cuda.get_device_name(given.device)
    settings = settings_of_the_project(given.device, given.steps)
    steps = settings.epochs * settings.steps_per_epoch(PATIENTS)
    peer = plain(min(steps, 200), given.device)
    number = NETWORKS * given.arms
    print(f"{number} networks of {steps} steps on {name}, PyTorch {torch.__version__}\n")
    print("| | images a second | seconds for all | utilisation |\n|---|---|---|---|")
    print(f"| plain PyTorch | {peer:.0f} | {number * steps * BATCH / peer:.0f} (at its rate) | |", flush=True)
    compute_repeatably()
    pictures = noise()
    with sampled_utilisation(given.device) as samples:
        seconds, rate = train_arms(pictures, settings, given.arms)
    used = f"{statistics.mean(samples):.0f} %" if samples else "not measured"
    print(f"| this project | {rate:.0f} | {seconds:.1f} | {used} |", flush=True)
    for name, (place, other) in VARIANTS.items() if given.variants else ():
        with patch(place, other):
            seconds, rate = train_arms(pictures, settings, 1)
        print(f"| {name}, one arm | {rate:.0f} | {seconds:.1f} | |", flush=True)


if __name__ == "__main__":
    main()
