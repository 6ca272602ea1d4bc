"""Sixteen whole pixels at a time: a Python twin, and LLVM vector code where it is compiled.

A flip reverses pixels but not their channels, which does not become vector code by itself. It is one shuffle of
48 bytes, before these are widened, toned and written.
"""

import numpy as np
from llvmlite import ir
from llvmlite.ir import Constant, VectorType
from numba import types
from numba.core.cgutils import unpack_tuple
from numba.extending import intrinsic, overload
from numpy.typing import NDArray

from dlre_core.augmentation.pixel_kernels import (
    PIXELS,
    Tone,
    data_of,
    encoded,
    prefetch,
    shuffled,
    write_pixels,
)

_BYTES = 3 * PIXELS
_I8, _I64 = ir.IntType(8), ir.IntType(64)


def copy_pixels(
    image: NDArray[np.uint8],
    source: int,
    step: int,
    ahead: int,
    tone: Tone,
    out: NDArray,
    first: int,
) -> None:
    """Write `PIXELS` pixels of three channels into ``out`` (mutated).

    Parameters
    ----------
    image : (n,) uint8
        Contiguous pixels of three channels.
    source : int
        Where the pixel for the first one written begins.
    step : int
        3 takes the pixels after it, -3 those before it.
    ahead : int
        So many bytes further lies what is wanted soon: the processor is told to fetch it, which it does
        not by itself where rows run against columns. May be outside the image.
    tone : gain, bias, low, high
        Written is ``min(max(value * gain + bias, low), high)``, `encoded`.
    out : (n,) float32, uint16 or uint8
        Contiguous.
    first : int
        Where the first pixel's first channel goes.
    """
    gain, bias, low, high = tone
    for k in range(PIXELS):
        for channel in range(3):
            value = np.float32(image[source + step * k + channel]) * gain + bias
            out[first + 3 * k + channel] = encoded(min(max(value, low), high), out)


@overload(copy_pixels, inline="always")
def _copy(image, source, step, ahead, tone, out, first):
    return lambda image, source, step, ahead, tone, out, first: _copy_vector(
        image, source, step, ahead, tone, out, first
    )


@intrinsic
def _copy_vector(typing_context, image, source, step, ahead, tone, out, first):
    integer, tones = types.int64, types.UniTuple(types.float32, 4)
    return types.void(image, *[integer] * 3, tones, out, integer), _generate


def _generate(context, builder, signature, arguments):
    image, source, step, ahead, tone, out, first = arguments
    pixels = data_of(context, builder, signature.args[0], image)
    target = builder.gep(data_of(context, builder, signature.args[5], out), [first])
    kind, tone = signature.args[5].dtype, unpack_tuple(builder, tone)
    forward = builder.icmp_signed(">", step, Constant(_I64, 0))
    back = builder.sub(source, Constant(_I64, _BYTES - 3))
    begin = builder.gep(pixels, [builder.select(forward, source, back)])
    prefetch(builder, builder.gep(begin, [ahead]))
    loaded = builder.load(builder.bitcast(begin, VectorType(_I8, _BYTES).as_pointer()), align=1)
    turned = shuffled(builder, loaded, [3 * (PIXELS - 1 - k // 3) + k % 3 for k in range(_BYTES)])
    loaded = builder.select(forward, loaded, turned)
    write_pixels(builder, loaded, 3, tone, kind, target)
    return context.get_dummy_value()
