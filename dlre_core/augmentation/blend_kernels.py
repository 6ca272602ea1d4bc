"""Bilinear pixels between whole ones: Python twins, and LLVM vector code for sixteen at a time.

All arithmetic is in integers, so that interpreted, compiled and accelerator code give the same bits:
a source position counts to the nearest 1/128 pixel (OpenCV: 1/32), and the blend of four colours with weights
of 7 bits each way is exact.
"""

import numpy as np
from llvmlite import ir
from llvmlite.ir import Constant, VectorType
from numba import types
from numba.core.cgutils import unpack_tuple
from numba.extending import intrinsic, overload, register_jitable
from numpy.typing import NDArray

from dlre_core.augmentation.pixel_kernels import (
    FRACTION_BITS,
    PIXELS,
    Tone,
    constant,
    data_of,
    encoded,
    prefetch,
    shuffled,
    spread,
    write_pixels,
)

WEIGHT_BITS = 7
WHOLE = 1 << WEIGHT_BITS
# Half of the smallest weight, in a coordinate: added, it rounds.
ROUNDING = 1 << (FRACTION_BITS - WEIGHT_BITS - 1)
# What turns a blend of four colours into a colour again.
BLEND_SCALE = np.float32(1 / WHOLE**2)
_I8, _I16, _I32, _I64, _FLOAT = (*(ir.IntType(n) for n in (8, 16, 32, 64)), ir.FloatType())
# Pixels blended in one vector, and each one's lanes of 32 bits, of which three are channels.
_GROUP, _LANES = 4, 4


@register_jitable
def neighbours(coordinate: int, size: int) -> tuple[int, int]:
    """Where between which pixels of a row (or column) of ``size`` a coordinate lies.

    Returns
    -------
    first : int
        The pixel before it, at most the last but one; the border repeats.
    share : int
        Weight of the next one, 0 to `WHOLE`.
    """
    at = min(max(coordinate + ROUNDING, 0), (size - 1) << FRACTION_BITS)
    first = min(at >> FRACTION_BITS, max(size - 2, 0))
    return first, (at >> (FRACTION_BITS - WEIGHT_BITS)) - (first << WEIGHT_BITS)


@register_jitable
def blend_pixel(
    pixels: NDArray[np.uint8],
    size: tuple[int, int],
    x: int,
    y: int,
    tone: Tone,
    out: NDArray,
    first: int,
) -> None:
    """Write one bilinear pixel of three channels into ``out`` (mutated).

    Parameters
    ----------
    pixels : (height * width * 3,) uint8
        Contiguous pixels of three channels.
    size : height, width
    x, y : int
        Source coordinates, 32 fractional bits; outside, the border pixel repeats.
    tone : gain, bias, low, high
        Written is ``min(max(value * gain + bias, low), high)``, `encoded`.
    out : (n,) float32, uint16 or uint8
        Contiguous.
    first : int
        Where the first channel goes.
    """
    height, width = size
    left, across = neighbours(x, width)
    top, down = neighbours(y, height)
    upper = 3 * (width * top + left)
    below, beside = 3 * width * min(1, height - 1), 3 * min(1, width - 1)
    gain, bias, low, high = tone
    for channel in range(upper, upper + 3):
        a, b = np.int64(pixels[channel]), np.int64(pixels[channel + beside])
        c, d = np.int64(pixels[channel + below]), np.int64(pixels[channel + below + beside])
        before, after = WHOLE * a + down * (c - a), WHOLE * b + down * (d - b)
        blended = WHOLE * before + across * (after - before)
        value = np.float32(blended) * (gain * BLEND_SCALE) + bias
        out[first + channel - upper] = encoded(min(max(value, low), high), out)


def blend_pixels(
    pixels: NDArray[np.uint8],
    size: tuple[int, int],
    track: tuple[int, int, int, int],
    ahead: int,
    tone: Tone,
    out: NDArray,
    first: int,
) -> None:
    """Write `PIXELS` bilinear pixels as `blend_pixel` does, the source moving along ``track``.

    Parameters
    ----------
    pixels, tone, out
        As `blend_pixel` takes them; at most 2**31 bytes of pixels.
    size : height, width
        At least 2 both.
    track : x, y, step in x, step in y
        Source coordinates of the first pixel, and from one pixel to the next; 32 fractional bits.
    ahead : int
        So many bytes further lies what is wanted soon (`dlre_core.augmentation.row_kernels.copy_pixels`).
    first : int
        Where the first pixel's first channel goes.
    """
    x, y, step_x, step_y = track
    for k in range(PIXELS):
        blend_pixel(pixels, size, x + step_x * k, y + step_y * k, tone, out, first + 3 * k)


@overload(blend_pixels, inline="always")
def _blend(pixels, size, track, ahead, tone, out, first):
    return lambda pixels, size, track, ahead, tone, out, first: _blend_vector(
        pixels, size, track, ahead, tone, out, first
    )


@intrinsic
def _blend_vector(typing_context, pixels, size, track, ahead, tone, out, first):
    integer, real = types.int64, types.float32
    pair, four, tones = (types.UniTuple(kind, n) for kind, n in ((integer, 2), (integer, 4), (real, 4)))
    return types.void(pixels, pair, four, integer, tones, out, integer), _generate


def _generate(context, builder, signature, arguments):
    pixels, size, track, ahead, tone, out, first = arguments
    height, width = unpack_tuple(builder, size)
    x, y, step_x, step_y = unpack_tuple(builder, track)
    tone = unpack_tuple(builder, tone)
    data = data_of(context, builder, signature.args[0], pixels)
    left, across = _vector_neighbours(builder, x, step_x, width)
    top, down = _vector_neighbours(builder, y, step_y, height)
    stride = builder.mul(width, Constant(_I64, 3))
    rows = builder.mul(top, spread(builder, builder.trunc(stride, _I32), PIXELS))
    offsets = builder.add(rows, builder.mul(left, constant(left.type, 3)))
    begin = builder.zext(builder.extract_element(offsets, Constant(_I32, 0)), _I64)
    prefetch(builder, builder.gep(data, [builder.add(begin, ahead)]))
    groups = [
        _four_pixels(builder, data, stride, offsets, across, down, range(k, k + _GROUP))
        for k in range(0, PIXELS, _GROUP)
    ]
    halves = [_joined(builder, *groups[:2]), _joined(builder, *groups[2:])]
    blended = _joined(builder, *halves)
    tone[0] = builder.fmul(tone[0], Constant(_FLOAT, float(BLEND_SCALE)))
    kind = signature.args[5].dtype
    target = builder.gep(data_of(context, builder, signature.args[5], out), [first])
    write_pixels(builder, blended, _LANES, tone, kind, target)
    return context.get_dummy_value()


def _vector_neighbours(
    builder: ir.IRBuilder, start: ir.Value, step: ir.Value, size: ir.Value
) -> tuple[ir.Value, ir.Value]:
    """`neighbours` of start + k * step in lane k, as 32-bit integers."""
    wide, narrow = VectorType(_I64, PIXELS), VectorType(_I32, PIXELS)
    start = builder.add(start, Constant(_I64, ROUNDING))
    moved = builder.mul(spread(builder, step, PIXELS), Constant(wide, list(range(PIXELS))))
    at = builder.add(spread(builder, start, PIXELS), moved)
    last = builder.shl(builder.sub(size, Constant(_I64, 1)), Constant(_I64, FRACTION_BITS))
    at = _smaller(builder, at, spread(builder, last, PIXELS))
    at = builder.select(builder.icmp_signed(">", at, constant(wide, 0)), at, constant(wide, 0))
    first = builder.trunc(builder.lshr(at, constant(wide, FRACTION_BITS)), narrow)
    last_but_one = builder.trunc(builder.sub(size, Constant(_I64, 2)), _I32)
    first = _smaller(builder, first, spread(builder, last_but_one, PIXELS))
    fine = builder.lshr(at, constant(wide, FRACTION_BITS - WEIGHT_BITS))
    begun = builder.shl(first, constant(narrow, WEIGHT_BITS))
    return first, builder.sub(builder.trunc(fine, narrow), begun)


def _smaller(builder: ir.IRBuilder, one: ir.Value, other: ir.Value) -> ir.Value:
    return builder.select(builder.icmp_signed("<", one, other), one, other)


def _four_pixels(
    builder: ir.IRBuilder,
    data: ir.Value,
    stride: ir.Value,
    offsets: ir.Value,
    across: ir.Value,
    down: ir.Value,
    lanes: range,
) -> ir.Value:
    """Blends of four pixels, four lanes of 32 bits each: three channels, and one that means nothing.

    A pixel, its right neighbour and what is below both are two loads of eight bytes. The upper one begins
    with the pixel and the lower one ends with its neighbour, so none reaches beyond the picture.
    """
    loaded = Constant(VectorType(_I64, 2 * _GROUP), ir.Undefined)
    lower = builder.gep(data, [builder.sub(stride, Constant(_I64, 2))])
    for k, lane in enumerate(lanes):
        offset = builder.zext(builder.extract_element(offsets, Constant(_I32, lane)), _I64)
        for row, begin in enumerate((data, lower)):
            place = builder.bitcast(builder.gep(begin, [offset]), _I64.as_pointer())
            part = builder.load(place, align=1)
            loaded = builder.insert_element(loaded, part, Constant(_I32, 2 * k + row))
    colours = builder.bitcast(loaded, VectorType(_I8, 16 * _GROUP))
    above, below = (_left_and_right(builder, colours, first) for first in (0, 8 + 2))
    of_pixel = [lane for lane in lanes for _ in range(_LANES)]
    pairs = builder.or_(down, builder.shl(down, constant(down.type, 16)))
    weights = builder.bitcast(shuffled(builder, pairs, of_pixel), above.type)
    mixed = _weighted(builder, above, below, weights)
    mixed = builder.bitcast(mixed, VectorType(_I32, _LANES * _GROUP))
    left = builder.and_(mixed, constant(mixed.type, 0xFFFF))
    right = builder.lshr(mixed, constant(mixed.type, 16))
    return _weighted(builder, left, right, shuffled(builder, across, of_pixel))


def _left_and_right(builder: ir.IRBuilder, colours: ir.Value, first: int) -> ir.Value:
    """Of every pixel the channels beside its neighbour's, as integers of 16 bits."""
    zero = colours.type.count
    chosen = []
    for begin in range(first, zero, 16):
        for channel in range(begin, begin + 3):
            chosen += [channel, zero, channel + 3, zero]
        chosen += [zero] * 4
    mask = Constant(VectorType(_I32, len(chosen)), chosen)
    spaced = builder.shuffle_vector(colours, constant(colours.type, 0), mask)
    return builder.bitcast(spaced, VectorType(_I16, len(chosen) // 2))


def _weighted(builder: ir.IRBuilder, one: ir.Value, other: ir.Value, share: ir.Value) -> ir.Value:
    """WHOLE * one + share * (other - one); up to 255 * 128 fits 16 bits, signed."""
    whole = builder.shl(one, constant(one.type, WEIGHT_BITS))
    return builder.add(whole, builder.mul(builder.sub(other, one), share))


def _joined(builder: ir.IRBuilder, one: ir.Value, other: ir.Value) -> ir.Value:
    lanes = 2 * one.type.count
    return builder.shuffle_vector(one, other, Constant(VectorType(_I32, lanes), list(range(lanes))))
