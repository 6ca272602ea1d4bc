"""Crop and augment: this project's kernel against other libraries, the same kind of views, one run.

The peers (benchmarks/peers.txt) are no part of the project and would move its pins: ``make elastogram-benchmark`` gives
them an environment of their own and runs this, after which

    PYTHONPATH=. .scratch/peers/bin/python benchmarks/augmentation.py

Every peer writes pictures of colours / 255 - 0.5 from 250 x 250 uint8 ones: float32, and then bfloat16, which is what
training on the CPU takes. OpenCV writes that at once, by a table of 16-bit numbers; the others cast what they made.
FFCV builds from source only (OpenCV's and TurboJPEG's headers); it is not among them.
"""

import argparse
import copy
import itertools
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import albumentations
import cv2
import kornia.augmentation
import numba
import numpy as np
import torch
from monai import transforms as monai

from dlre_core.augmentation.views import apply_transforms, draw_transforms
from dlre_core.foundation.study_terms import SQUARE_SIDE

VIEWS = {
    "flips, shifts of 8 pixels": {},
    "the same, 10 degrees, 10 % scale": {"rotation_degrees": 10.0, "scale": 0.1},
}
Job = Callable[[], object]


def jobs(view: dict[str, float], n: int, threads: int, *, half: bool) -> dict[str, Job]:
    """What is timed: one call makes ``n`` pictures, bfloat16 where ``half``."""
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (n, SQUARE_SIDE, SQUARE_SIDE, 3), dtype=np.uint8)
    matrices = draw_transforms(generator, n, shift_pixels=8, flip_horizontal=True, flip_vertical=True, **view)
    out = np.zeros((n, SQUARE_SIDE, SQUARE_SIDE, 3), np.uint16 if half else np.float32)
    indices = np.arange(n)
    other, pool = np.zeros_like(out), ThreadPoolExecutor(threads)

    def each(function: Callable[[int], object]) -> Job:
        if threads == 1:
            return lambda: [function(k) for k in range(n)]
        return lambda: list(pool.map(function, range(n), chunksize=max(1, n // threads)))

    def each_part(function: Callable[[slice], object]) -> Job:
        if threads == 1:
            return lambda: function(slice(None))
        ends = np.linspace(0, n, threads + 1).astype(int)
        parts = [slice(first, past) for first, past in itertools.pairwise(ends)]
        return lambda: list(pool.map(function, parts))

    return {
        "this project": each_part(lambda part: apply_transforms(images, indices[part], matrices[part], out[part])),
        "memory copy of the output": each(lambda k: np.copyto(other[k], out[k])),
        "OpenCV": each(opencv(images, matrices, out, exact=not view)),
        "albumentations": each(albumentation(images, out, view)),
        "torch grid_sample": cast(grid_sample(images, matrices), half=half),
        "kornia": cast(kornia_batch(images, view), half=half),
        "MONAI": each(monai_one(images, view, half=half)),
    }


def cast(job: Job, *, half: bool) -> Job:
    """The same, and its tensor as bfloat16."""
    return (lambda: job().bfloat16()) if half else job


def opencv(images: np.ndarray, matrices: np.ndarray, out: np.ndarray, *, exact: bool) -> Callable[[int], object]:
    """By hand: warp (or flip, pad and cut), and a table of floats."""
    table = (np.arange(256) / 255 - 0.5).astype(np.float32)
    if out.dtype == np.uint16:
        table = torch.from_numpy(table).bfloat16().view(torch.uint16).numpy()

    def warp(k: int) -> None:
        warped = cv2.warpAffine(
            images[k],
            matrices[k],
            (SQUARE_SIDE, SQUARE_SIDE),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        cv2.LUT(warped, table, dst=out[k])

    def cut(k: int) -> None:
        flips = (matrices[k, 0, 0] < 0, matrices[k, 1, 1] < 0)
        image = images[k]
        if any(flips):
            image = cv2.flip(image, -1 if all(flips) else (1 if flips[0] else 0))
        wide = cv2.copyMakeBorder(image, 8, 8, 8, 8, cv2.BORDER_REPLICATE)
        across, down = (
            int(matrices[k, axis, 2] - (SQUARE_SIDE - 1) * flips[axis]) * (-1 if flips[axis] else 1) + 8
            for axis in (0, 1)
        )
        cv2.LUT(wide[down : down + SQUARE_SIDE, across : across + SQUARE_SIDE], table, dst=out[k])

    return cut if exact else warp


def albumentation(images: np.ndarray, out: np.ndarray, view: dict) -> Callable[[int], object]:
    """The library's own flips, affine and normalisation; it draws the parameters."""
    turn, scale = view.get("rotation_degrees", 0.0), view.get("scale", 0.0)
    chain = albumentations.Compose(
        [
            albumentations.HorizontalFlip(p=0.5),
            albumentations.VerticalFlip(p=0.5),
            albumentations.Affine(
                translate_px=(-8, 8),
                rotate=(-turn, turn),
                scale=(1 - scale, 1 + scale),
                border_mode=cv2.BORDER_REPLICATE,
                p=1.0,
                interpolation=cv2.INTER_LINEAR if view else cv2.INTER_NEAREST,
            ),
            albumentations.Normalize(mean=(0.5,) * 3, std=(1.0,) * 3),
        ]
    )

    def one(k: int) -> None:
        made = chain(image=images[k])["image"]
        if out.dtype == np.uint16:
            made = torch.from_numpy(made).bfloat16().view(torch.uint16).numpy()
        out[k] = made

    return one


def grid_sample(images: np.ndarray, matrices: np.ndarray) -> Job:
    """PyTorch by hand, a batch at once."""
    source = torch.from_numpy(images).permute(0, 3, 1, 2)
    half = (SQUARE_SIDE - 1) / 2
    theta = torch.from_numpy(matrices.astype(np.float64))
    theta[:, :, 2] = (theta[:, :, :2].sum(dim=2) * half + theta[:, :, 2] - half) / half
    theta = theta.float()

    def batch() -> torch.Tensor:
        grid = torch.nn.functional.affine_grid(theta, list(source.shape), align_corners=True)
        return torch.nn.functional.grid_sample(
            source.float() / 255 - 0.5, grid, padding_mode="border", align_corners=True
        )

    return batch


def kornia_batch(images: np.ndarray, view: dict) -> Job:
    """Kornia's own flips and affine, a batch at once."""
    scale = view.get("scale", 0.0)
    chain = torch.nn.Sequential(
        kornia.augmentation.RandomHorizontalFlip(),
        kornia.augmentation.RandomVerticalFlip(),
        kornia.augmentation.RandomAffine(
            view.get("rotation_degrees", 0.0),
            translate=(8 / SQUARE_SIDE, 8 / SQUARE_SIDE),
            scale=(1 - scale, 1 + scale),
            p=1.0,
            padding_mode="border",
        ),
    )
    source = torch.from_numpy(images).permute(0, 3, 1, 2)
    return lambda: chain(source.float() / 255 - 0.5)


def monai_one(images: np.ndarray, view: dict, *, half: bool) -> Callable[[int], object]:
    """MONAI's own flips and affine, a picture at a time."""
    scale = view.get("scale", 0.0)
    chain = monai.Compose(
        [
            monai.RandFlip(prob=0.5, spatial_axis=0),
            monai.RandFlip(prob=0.5, spatial_axis=1),
            monai.RandAffine(
                prob=1.0,
                rotate_range=np.deg2rad(view.get("rotation_degrees", 0.0)),
                scale_range=scale,
                translate_range=8,
                padding_mode="border",
            ),
        ]
    )
    source = torch.from_numpy(images).permute(0, 3, 1, 2)
    # It keeps what it drew: no two threads may share one.
    chains = [copy.deepcopy(chain).set_random_state(k) for k in range(len(images))]
    kind = torch.bfloat16 if half else torch.float32
    return lambda k: chains[k](source[k].float() / 255 - 0.5).to(kind)


def microseconds(job: Job, n: int, repeats: int) -> float:
    """The best of several runs after one that compiles, per picture."""
    job()
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        job()
        seconds.append(time.perf_counter() - started)
    return min(seconds) / n * 1e6


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    print("\n| view | written | threads | what | µs per picture | ours is faster by | memory copy / it |")
    print("|---|---|---|---|---|---|---|")
    for (name, view), half in itertools.product(VIEWS.items(), (False, True)):
        for threads in sorted({1, numba.config.NUMBA_NUM_THREADS}):
            cv2.setNumThreads(1)
            torch.set_num_threads(threads)
            times = {
                what: microseconds(job, options.pictures, options.repeats)
                for what, job in jobs(view, options.pictures, threads, half=half).items()
            }
            ours, copy = times["this project"], times["memory copy of the output"]
            for what, value in times.items():
                kind = "bfloat16" if half else "float32"
                ratios = f"{value / ours:.2f} | {copy / value:.2f}"
                print(f"| {name} | {kind} | {threads} | {what} | {value:.0f} | {ratios} |", flush=True)


if __name__ == "__main__":
    main()
