"""One pixel of a sampled image: Python twins, and LLVM vector code where they are compiled.

LLVM does not turn a loop over three interleaved channels into vector code by itself. Here a pixel's
channels and its right neighbour's are read at once (eight bytes a row) and blended side by side. The
arithmetic has no contraction (fused multiply-add), so that interpreted, compiled and accelerator code
give the same bits.
"""

from collections.abc import Sequence

import numpy as np
from llvmlite import ir
from llvmlite.ir import Constant, VectorType
from numba import types
from numba.extending import intrinsic, overload, register_jitable
from numpy.typing import NDArray

# Coordinates are 64-bit integers with 32 fractional bits; the weight of the next pixel has 23.
FRACTION_BITS = 32
ONE = 1 << FRACTION_BITS
WEIGHT_BITS = 23
_I8, _I16, _I32, _I64, _FLOAT = (*(ir.IntType(n) for n in (8, 16, 32, 64)), ir.FloatType())


@register_jitable
def weight(coordinate: int) -> np.float32:
    """Weight, 0 to below 1, of the pixel after a coordinate's whole part."""
    bits = (coordinate >> (FRACTION_BITS - WEIGHT_BITS)) & ((1 << WEIGHT_BITS) - 1)
    return np.float32(bits) * np.float32(2.0**-WEIGHT_BITS)


def encoded(value: np.float32, out: NDArray) -> np.float32 | np.uint16 | np.uint8:
    """A value as ``out`` holds it: float32; bfloat16's bits in uint16, nearest even; uint8, rounded."""
    if out.dtype == np.uint8:
        return np.uint8(value + np.float32(0.5))
    if out.dtype == np.uint16:
        bits = int(np.float32(value).view(np.uint32))
        return np.uint16((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16)
    return value


@overload(encoded, inline="always")
def _encoded(value, out):
    if out.dtype == types.uint8:
        return lambda value, out: np.uint8(np.int32(value + np.float32(0.5)))
    if out.dtype == types.uint16:
        return lambda value, out: _bfloat16(value)
    return lambda value, out: value


@intrinsic
def _bfloat16(typing_context, value):
    def generate(context, builder, signature, arguments):
        return builder.trunc(_bfloat16_bits(builder, arguments[0], _I32), _I16)

    return types.uint16(types.float32), generate


def blend(
    image: NDArray[np.uint8],
    upper: int,
    lower: int,
    x: int,
    y: int,
    tone: tuple[np.float32, np.float32, np.float32, np.float32],
    out: NDArray,
    first: int,
    step: int,
) -> None:
    """Write one bilinear pixel of three channels into ``out`` (mutated).

    Parameters
    ----------
    image : (n,) uint8
        Contiguous pixels of three channels.
    upper, lower : int
        Where the pixels at the whole part of (x, y), and below it, begin. Both are followed by
        another pixel and two more bytes at least.
    x, y : int
        Source coordinates, 32 fractional bits.
    tone : gain, bias, low, high
        Written is ``min(max(value * gain + bias, low), high)``, `encoded`.
    out : (n,) float32, uint16 or uint8
        Contiguous.
    first, step : int
        Where the first channel goes, and from it to the next. With step 1 the element after the
        third is written too, with anything: write pixels in rising order, and the last otherwise.
    """
    gain, bias, low, high = tone
    across, down = weight(x), weight(y)
    for channel in range(3):
        left, right = (
            np.float32(image[upper + c])
            + down * (np.float32(image[lower + c]) - np.float32(image[upper + c]))
            for c in (channel, channel + 3)
        )
        value = (left + across * (right - left)) * gain + bias
        out[first + channel * step] = encoded(min(max(value, low), high), out)


@overload(blend, inline="always")
def _blend(image, upper, lower, x, y, tone, out, first, step):
    return lambda image, upper, lower, x, y, tone, out, first, step: _blend_vector(
        image, upper, lower, x, y, tone[0], tone[1], tone[2], tone[3], out, first, step
    )


@intrinsic
def _blend_vector(
    typing_context, image, upper, lower, x, y, gain, bias, low, high, out, first, step
):
    integer, real = types.int64, types.float32
    signature = types.void(
        image, *[integer] * 4, *[real] * 4, out, integer, integer
    )  # fmt: skip
    return signature, _generate_blend


def _generate_blend(context, builder, signature, arguments):
    image, upper, lower, x, y, gain, bias, low, high, out, first, step = arguments
    pixels = data_of(context, builder, signature.args[0], image)
    above, below = (_eight_bytes(builder, pixels, offset) for offset in (upper, lower))
    mixed = _lerp(builder, above, below, _weights(builder, y, 8))
    left, right = (shuffled(builder, mixed, chosen) for chosen in ((0, 1, 2, 2), (3, 4, 5, 5)))
    value = _lerp(builder, left, right, _weights(builder, x, 4))
    value = toned_vector(builder, value, (gain, bias, low, high))
    value = encode_vector(builder, value, signature.args[9].dtype)
    target = builder.gep(data_of(context, builder, signature.args[9], out), [first])
    packed = builder.icmp_signed("==", step, Constant(_I64, 1))
    with builder.if_else(packed, likely=True) as (together, apart):
        with together:
            builder.store(value, builder.bitcast(target, value.type.as_pointer()), align=1)
        with apart:
            for channel in range(3):
                place = builder.gep(target, [builder.mul(step, Constant(_I64, channel))])
                builder.store(builder.extract_element(value, Constant(_I32, channel)), place)
    return context.get_dummy_value()


def data_of(context, builder, kind, array):
    """Pointer to an array's first element."""
    return context.make_array(kind)(context, builder, array).data


def _eight_bytes(builder: ir.IRBuilder, pixels: ir.Value, offset: ir.Value) -> ir.Value:
    """Eight bytes from anywhere as eight floats."""
    place = builder.bitcast(builder.gep(pixels, [offset]), VectorType(_I8, 8).as_pointer())
    wide = builder.zext(builder.load(place, align=1), VectorType(_I32, 8))
    return builder.sitofp(wide, VectorType(_FLOAT, 8))


def _weights(builder: ir.IRBuilder, coordinate: ir.Value, lanes: int) -> ir.Value:
    """`weight` in every lane: the fraction's bits below an exponent of 0 are 1 + weight."""
    bits = builder.trunc(
        builder.lshr(coordinate, Constant(_I64, FRACTION_BITS - WEIGHT_BITS)), _I32
    )
    bits = builder.and_(bits, Constant(_I32, (1 << WEIGHT_BITS) - 1))
    bits = builder.or_(bits, Constant(_I32, 0x3F800000))
    one_more = builder.bitcast(_spread(builder, bits, lanes), VectorType(_FLOAT, lanes))
    return builder.fsub(one_more, Constant(VectorType(_FLOAT, lanes), [1.0] * lanes))


def _lerp(builder: ir.IRBuilder, start: ir.Value, end: ir.Value, share: ir.Value) -> ir.Value:
    return builder.fadd(start, builder.fmul(share, builder.fsub(end, start)))


def _spread(builder: ir.IRBuilder, value: ir.Value, lanes: int) -> ir.Value:
    vector = Constant(VectorType(value.type, lanes), ir.Undefined)
    vector = builder.insert_element(vector, value, Constant(_I32, 0))
    return shuffled(builder, vector, (0,) * lanes)


def toned_vector(
    builder: ir.IRBuilder, value: ir.Value, tone: tuple[ir.Value, ir.Value, ir.Value, ir.Value]
) -> ir.Value:
    """min(max(value * gain + bias, low), high) in every lane."""
    gain, bias, low, high = (_spread(builder, part, value.type.count) for part in tone)
    value = builder.fadd(builder.fmul(value, gain), bias)
    value = builder.select(builder.fcmp_ordered("<", value, low), low, value)
    return builder.select(builder.fcmp_ordered(">", value, high), high, value)


def shuffled(builder: ir.IRBuilder, vector: ir.Value, chosen: Sequence[int]) -> ir.Value:
    """The chosen lanes of a vector, in this order."""
    mask = Constant(VectorType(_I32, len(chosen)), list(chosen))
    return builder.shuffle_vector(vector, Constant(vector.type, ir.Undefined), mask)


def encode_vector(builder: ir.IRBuilder, value: ir.Value, kind: types.Type) -> ir.Value:
    """`encoded` in every lane, for an array of this type."""
    lanes = value.type.count
    if kind == types.uint8:
        rounded = builder.fadd(value, Constant(value.type, [0.5] * lanes))
        return builder.trunc(
            builder.fptosi(rounded, VectorType(_I32, lanes)), VectorType(_I8, lanes)
        )
    if kind == types.uint16:
        bits = _bfloat16_bits(builder, value, VectorType(_I32, lanes))
        return builder.trunc(bits, VectorType(_I16, lanes))
    return value


def _bfloat16_bits(builder: ir.IRBuilder, value: ir.Value, integer: ir.Type) -> ir.Value:
    """bfloat16's bits, nearest even, in the low half of an integer (or vector of them)."""

    def constant(number: int) -> Constant:
        lanes = integer.count if isinstance(integer, VectorType) else None
        return Constant(integer, number if lanes is None else [number] * lanes)

    bits = builder.bitcast(value, integer)
    odd = builder.and_(builder.lshr(bits, constant(16)), constant(1))
    return builder.lshr(builder.add(builder.add(bits, constant(0x7FFF)), odd), constant(16))
