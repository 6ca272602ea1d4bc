"""Throughput and latency of the bundled Triton server against the same networks in this process.

    python benchmarks/serving.py [images] [rounds]

Every round times all ways one after the other, so that they meet the same machine; the table gives
medians over rounds, and ratios within rounds.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
import torch
import tritonclient.grpc as triton
from safetensors.torch import save_file

sys.path.insert(0, str(Path(__file__).parent.parent))

from dlre_core.foundation.design import study_questions
from dlre_core.network.fibrosis_network import new_network
from dlre_core.serving.client import predict_images
from dlre_core.serving.repository import write_model_repository
from dlre_core.serving.server import TritonServer

THREADS = 2
BATCH = 32
LATENCY_REQUESTS = 300


def run_torch(images: np.ndarray, networks: list[torch.nn.Module]) -> np.ndarray:
    """PyTorch in this process, in batches."""
    answers = []
    with torch.inference_mode():
        for start in range(0, len(images), BATCH):
            batch = torch.from_numpy(images[start : start + BATCH]).permute(0, 3, 1, 2)
            scaled = batch.float() / 255 - 0.5
            answers.append(torch.stack([torch.sigmoid(n(scaled)) for n in networks], 1))
    return torch.cat(answers).numpy()


def run_batches(images: np.ndarray, session: onnxruntime.InferenceSession) -> np.ndarray:
    """onnxruntime in this process as one would call it first: batches, its own threads."""
    parts = [images[i : i + BATCH] for i in range(0, len(images), BATCH)]
    return np.concatenate([session.run(None, {"IMAGE": part})[0] for part in parts])


def run_single(images: np.ndarray, session: onnxruntime.InferenceSession, pool: ThreadPoolExecutor) -> np.ndarray:
    """onnxruntime in this process as the server calls it: an image per thread."""
    parts = (images[i : i + 1] for i in range(len(images)))
    return np.concatenate(list(pool.map(lambda part: session.run(None, {"IMAGE": part})[0], parts)))


def open_session(model: Path, threads: int) -> onnxruntime.InferenceSession:
    """A session with a given number of threads."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def time_rounds(ways: dict[str, Callable[[], np.ndarray]], n: int, rounds: int) -> dict:
    """Images per second of each way, by round; all must agree to 1e-5."""
    rates = {name: [] for name in ways}
    reference = next(iter(ways.values()))()
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.perf_counter()
            answer = way()
            rates[name].append(n / (time.perf_counter() - start))
            np.testing.assert_allclose(answer, reference, atol=1e-5)
    return rates


def time_latency(call: Callable[[], object]) -> tuple[float, float]:
    """Median and 99th percentile of a call, milliseconds."""
    call()
    seconds = []
    for _ in range(LATENCY_REQUESTS):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return tuple(1000 * np.percentile(seconds, [50, 99]))


def print_tables(rates: dict, latencies: dict) -> None:
    """Markdown."""
    served, peer = rates["Triton, shared memory"], "onnxruntime in process, an image per thread"
    print("| way | images/s (3 networks each) | Triton with shared memory is |")
    print("|---|---|---|")
    for name, values in rates.items():
        ratio = statistics.median(s / v for s, v in zip(served, values, strict=True))
        mark = "**" if name == peer else ""
        print(f"| {name} | {statistics.median(values):.0f} | {mark}{ratio:.2f}x{mark} |")
    print("\n| one image | p50 ms | p99 ms |\n|---|---|---|")
    for name, (middle, high) in latencies.items():
        print(f"| {name} | {middle:.1f} | {high:.1f} |")


def main(n: int = 512, rounds: int = 7) -> None:
    """Build a study of random networks, serve it, time it."""
    torch.set_num_threads(THREADS)
    images = np.random.default_rng(0).integers(0, 256, (n, 250, 250, 3), dtype=np.uint8)
    networks = [new_network(seed).eval() for seed in range(len(study_questions()))]
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(THREADS) as pool:
        folder = Path(name)
        (folder / "models/overall").mkdir(parents=True)
        for stage, network in zip(study_questions(), networks, strict=True):
            save_file(network.state_dict(), folder / "models/overall" / f"{stage}.safetensors")
        write_model_repository(folder / "models", ["overall"], folder / "served", simulated=True, provenance={})
        model = folder / "served/dlre/1/overall.onnx"
        single, several = open_session(model, 1), open_session(model, THREADS)
        with (
            TritonServer(folder / "served", log=folder / "server.log", threads=THREADS) as server,
            triton.InferenceServerClient(server.grpc_url) as client,
        ):
            url = server.grpc_url
            ways = {
                "PyTorch in process, batches of 32": lambda: run_torch(images, networks),
                "onnxruntime in process, batches of 32": lambda: run_batches(images, several),
                "onnxruntime in process, an image per thread": lambda: run_single(images, single, pool),
                "Triton, shared memory": lambda: predict_images(url, images),
                "Triton, images in the request": lambda: predict_images(f"ipv4:{url}", images),
            }
            tensor = triton.InferInput("IMAGE", [1, 250, 250, 3], "UINT8")
            tensor.set_data_from_numpy(images[:1])
            rates = time_rounds(ways, n, rounds)
            latencies = {
                "in process": time_latency(lambda: single.run(None, {"IMAGE": images[:1]})),
                "Triton, open connection": time_latency(lambda: client.infer("dlre", [tensor])),
                "Triton, `predict_images`": time_latency(lambda: predict_images(url, images[:1])),
            }
    print_tables(rates, latencies)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
