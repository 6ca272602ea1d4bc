"""What the kernels over pixels share: Python twins, and LLVM vector code where they are compiled.

LLVM does not turn a loop over three interleaved channels into vector code by itself. The arithmetic has no
contraction (fused multiply-add), so that interpreted, compiled and accelerator code give the same bits.
"""

from collections.abc import Sequence

import numpy as np
from llvmlite import ir
from llvmlite.ir import Constant, VectorType
from numba import types
from numba.extending import intrinsic, overload
from numpy.typing import NDArray

# Pixels made at a time.
PIXELS = 16
# Coordinates are 64-bit integers with 32 fractional bits.
FRACTION_BITS = 32
ONE = 1 << FRACTION_BITS
# Gain, bias, low and high: min(max(colour * gain + bias, low), high) is what is written.
Tone = tuple[np.float32, np.float32, np.float32, np.float32]
_I8, _I16, _I32, _I64, _FLOAT = (*(ir.IntType(n) for n in (8, 16, 32, 64)), ir.FloatType())


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


def data_of(context, builder, kind, array):
    """Pointer to an array's first element."""
    return context.make_array(kind)(context, builder, array).data


def constant(kind: ir.Type, number: int) -> Constant:
    """A number as this type of integer, in every lane where it is a vector."""
    lanes = kind.count if isinstance(kind, VectorType) else None
    return Constant(kind, number if lanes is None else [number] * lanes)


def spread(builder: ir.IRBuilder, value: ir.Value, lanes: int) -> ir.Value:
    """The same value in every lane."""
    vector = Constant(VectorType(value.type, lanes), ir.Undefined)
    vector = builder.insert_element(vector, value, Constant(_I32, 0))
    return shuffled(builder, vector, (0,) * lanes)


def shuffled(builder: ir.IRBuilder, vector: ir.Value, chosen: Sequence[int]) -> ir.Value:
    """The chosen lanes of a vector, in this order."""
    mask = Constant(VectorType(_I32, len(chosen)), list(chosen))
    return builder.shuffle_vector(vector, Constant(vector.type, ir.Undefined), mask)


def prefetch(builder: ir.IRBuilder, place: ir.Value) -> None:
    """Read into every cache; a hint without effect on results, and no access outside an array."""
    kind = ir.FunctionType(ir.VoidType(), [place.type, _I32, _I32, _I32])
    function = builder.module.declare_intrinsic("llvm.prefetch", [place.type], kind)
    read, every_level, data = (Constant(_I32, number) for number in (0, 3, 1))
    builder.call(function, [place, read, every_level, data])


def write_pixels(
    builder: ir.IRBuilder,
    colours: ir.Value,
    lanes: int,
    tone: Sequence[ir.Value],
    kind: types.Type,
    target: ir.Value,
) -> None:
    """Write `PIXELS` pixels, toned and `encoded` for an array of this type.

    ``colours`` are unsigned bytes or 32-bit integers, so many ``lanes`` per pixel, its channels first.
    """
    together = [lanes * pixel + channel for pixel in range(PIXELS) for channel in range(3)]
    for first in range(0, 3 * PIXELS, PIXELS):
        place = builder.gep(target, [Constant(_I64, first)])
        part = shuffled(builder, colours, together[first : first + PIXELS])
        if part.type.element == _I8:
            part = builder.zext(part, VectorType(_I32, PIXELS))
        value = builder.sitofp(part, VectorType(_FLOAT, PIXELS))
        value = _encode(builder, _toned(builder, value, tone), kind)
        builder.store(value, builder.bitcast(place, value.type.as_pointer()), align=1)


def _toned(builder: ir.IRBuilder, value: ir.Value, tone: Sequence[ir.Value]) -> ir.Value:
    """min(max(value * gain + bias, low), high) in every lane."""
    gain, bias, low, high = (spread(builder, part, value.type.count) for part in tone)
    value = builder.fadd(builder.fmul(value, gain), bias)
    value = builder.select(builder.fcmp_ordered("<", value, low), low, value)
    return builder.select(builder.fcmp_ordered(">", value, high), high, value)


def _encode(builder: ir.IRBuilder, value: ir.Value, kind: types.Type) -> ir.Value:
    """`encoded` in every lane, for an array of this type."""
    lanes = value.type.count
    if kind == types.uint8:
        rounded = builder.fadd(value, Constant(value.type, [0.5] * lanes))
        return builder.trunc(builder.fptosi(rounded, VectorType(_I32, lanes)), VectorType(_I8, lanes))
    if kind == types.uint16:
        bits = _bfloat16_bits(builder, value, VectorType(_I32, lanes))
        return builder.trunc(bits, VectorType(_I16, lanes))
    return value


def _bfloat16_bits(builder: ir.IRBuilder, value: ir.Value, integer: ir.Type) -> ir.Value:
    """bfloat16's bits, nearest even, in the low half of an integer (or vector of them)."""
    bits = builder.bitcast(value, integer)
    odd = builder.and_(builder.lshr(bits, constant(integer, 16)), constant(integer, 1))
    return builder.lshr(builder.add(builder.add(bits, constant(integer, 0x7FFF)), odd), constant(integer, 16))
