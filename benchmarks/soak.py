"""Ten minutes of mixed requests from 16 clients: is anything lost or wrong, does memory grow?

Valid requests carry 1 to 8 pictures whose probabilities are known and must come back to 1e-6; invalid
ones (wrong shape, type, name, arm, too large a batch) must be refused. Everything on loopback.

    PYTHONPATH=. python benchmarks/soak.py [--model results/serving] [--seconds 600] [--clients 16]
"""

import argparse
import threading
import time
from collections import Counter
from pathlib import Path

import numpy as np
import onnxruntime
import psutil
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException

from dlre_core.serving.repository import read_manifest
from dlre_core.serving.server import TritonServer

VALID_SHARE = 0.8
POOL = 64


def known_answers(repository, arm):
    """Random pictures and their probabilities, computed in this process."""
    pictures = np.random.default_rng(0).integers(0, 256, (POOL, 250, 250, 3), dtype=np.uint8)
    session = onnxruntime.InferenceSession(repository / f"dlre/1/{arm}.onnx")
    answers = [session.run(None, {"IMAGE": pictures[i : i + 1]})[0][0] for i in range(POOL)]
    return pictures, np.array(answers)


def tensor(array, name="IMAGE", kind="UINT8"):
    """An input of a request."""
    value = triton.InferInput(name, array.shape, kind)
    value.set_data_from_numpy(array)
    return value


def invalid(rng, pictures, arm):
    """A request that must be refused: what is wrong, inputs and arm."""
    two = pictures[:2]
    return [
        ("shape", [tensor(np.ascontiguousarray(two[:, :200]))], arm),
        ("type", [tensor(two.astype(np.float32), kind="FP32")], arm),
        ("name", [tensor(two, name="PICTURE")], arm),
        (
            "arm",
            [
                tensor(two),
            ],
            "no_such_arm",
        ),
        ("batch", [tensor(np.zeros((129, 250, 250, 3), np.uint8))], arm),
    ][rng.integers(5)]


def client(number, url, pictures, answers, arm, until, counts, latencies):
    """Ask until the time is over; count what happens."""
    rng = np.random.default_rng(number)
    own = Counter()
    with triton.InferenceServerClient(url) as server:
        while time.monotonic() < until:
            if rng.random() < VALID_SHARE:
                chosen = rng.integers(0, POOL, rng.integers(1, 9))
                inputs = [tensor(pictures[chosen])]
                started = time.perf_counter()
                try:
                    reply = server.infer("dlre", inputs, parameters={"arm": arm}, client_timeout=60).as_numpy(
                        "PROBABILITIES"
                    )
                except InferenceServerException as error:
                    own[f"LOST ({error.status()})"] += 1
                    continue
                latencies.append(time.perf_counter() - started)
                right = reply.shape == (len(chosen), 3) and np.abs(reply - answers[chosen]).max() < 1e-6
                own["valid, right" if right else "valid, WRONG"] += 1
                own["pictures"] += len(chosen)
            else:
                what, inputs, asked = invalid(rng, pictures, arm)
                try:
                    server.infer("dlre", inputs, parameters={"arm": asked}, client_timeout=60)
                    own[f"invalid {what}, ANSWERED"] += 1
                except InferenceServerException as error:
                    refused = error.status() == "StatusCode.INVALID_ARGUMENT"
                    own["invalid, refused" if refused else f"invalid {what}: {error.status()}"] += 1
    counts.update(own)


def memory_mb(server):
    """Resident memory of the server and of the model's process, MB (shared pages divided: PSS)."""
    found = Counter()
    for process in psutil.Process(server._guard.pid).children(recursive=True):
        try:
            part = "model" if "stub" in process.name() else "server"
            found[part] += process.memory_full_info().pss / 1e6
        except psutil.Error:
            continue
    return found["server"], found["model"]


def main():
    """Run and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=Path("results/serving"))
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--memory", type=Path, help="a file for the course of the memory")
    parser.add_argument("--log", type=Path, default=Path("/tmp/dlre_soak.log"))
    given = parser.parse_args()
    repository = given.model / "model_repository"
    arm = read_manifest(repository)["default_arm"]
    pictures, answers = known_answers(repository, arm)
    counts, latencies, memory = Counter(), [], []
    with TritonServer(repository, log=given.log) as server:
        started = time.monotonic()
        until = started + given.seconds
        arguments = (server.grpc_url, pictures, answers, arm, until, counts, latencies)
        threads = [threading.Thread(target=client, args=(number, *arguments)) for number in range(given.clients)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            memory.append((time.monotonic() - started, *memory_mb(server)))
            if given.memory:
                np.savetxt(given.memory, memory, "%.1f", header="seconds, server MB, model MB")
            time.sleep(2)
    print(f"| {given.clients} clients, {given.seconds:g} s | |\n|---|---|")
    for name, number in sorted(counts.items()):
        print(f"| {name} | {number} |")
    middle = np.percentile(latencies, [50, 99]) * 1000
    print(f"| pictures/s | {counts['pictures'] / given.seconds:.0f} |")
    print(f"| latency of a valid request, p50 / p99 | {middle[0]:.0f} / {middle[1]:.0f} ms |")
    times, *parts = np.array(memory).T
    for tenth in (2, 5, 8, 10):
        within = np.ceil(10 * times / given.seconds) == tenth
        server, model = (np.median(part[within]) for part in parts)
        print(f"| memory of the server + the model's process, tenth {tenth} | {server:.0f} + {model:.0f} MB |")


if __name__ == "__main__":
    main()
