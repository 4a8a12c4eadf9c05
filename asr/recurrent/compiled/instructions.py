"""Building blocks of the matrix products, written for LLVM as vector operations.

A tile is a part of the result, some rows by a few vectors of columns, that stays in registers during the loop over the
inner dimension (Goto and van de Geijn 2008, "Anatomy of high-performance matrix multiplication"). Each element is one
chain of fused multiply-adds along the inner dimension, and does not depend on the other elements.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from llvmlite import binding, ir
from numba import njit, types
from numba.core import cgutils
from numba.core.registry import cpu_target
from numba.extending import intrinsic

_Function = TypeVar("_Function", bound=Callable[..., Any])


def compiled(function: _Function) -> _Function:
    """Compile a function to run without the GIL. A product and a sum may be fused; sums keep their order.

    Which of them are fused depends on the surrounding code. Therefore everything is inlined into one function:
    otherwise a process that compiles and a process that reads from the cache could get different bits.
    """
    result: _Function = njit(nogil=True, fastmath={"contract"}, error_model="numpy", forceinline=True)(function)
    return result


def inlined(function: _Function) -> _Function:
    """Compile like `compiled`, but inline into the callers, so that their loops become vector operations."""
    result: _Function = njit(nogil=True, fastmath={"contract"}, error_model="numpy", inline="always")(function)
    return result


def instruction(function: Callable[..., Any]) -> Any:
    """Make an instruction from a function that takes types and returns a signature and a writer of LLVM code."""
    return intrinsic(function)


def _tile_shape() -> tuple[int, int, int]:
    """Return the rows, vectors and lanes of a tile, so that all sums fit into the registers beside the operands."""
    features = binding.get_host_cpu_features()
    if features.get("avx512f"):
        return 12, 2, 16
    if features.get("avx2"):
        return 6, 2, 8
    return 12, 2, 4


ROWS, VECTORS, LANES = _tile_shape()
WIDTH = VECTORS * LANES  # columns of a tile
PANELS = 4  # adjacent tiles computed together for a single row, because one tile does not keep the core busy

_INT = ir.IntType(64)
_VECTOR = ir.VectorType(ir.FloatType(), LANES)
_PLACES = ir.VectorType(ir.IntType(32), LANES)
_POINTER = types.CPointer(types.float32)


def multiplies_pairs() -> bool:
    """Return whether numba's target processor has products of pairs in bfloat16."""
    _, _, features = cpu_target.target_context.codegen().magic_tuple()
    return "+avx512bf16" in features.split(",")


class _Bfloat16(ir.Type):  # type: ignore[misc]
    """The type bfloat, which llvmlite lacks."""

    def _to_string(self) -> str:
        return "bfloat"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Bfloat16)

    def __hash__(self) -> int:
        return hash(_Bfloat16)


_PAIRS = ir.VectorType(_Bfloat16(), 2 * LANES)


@instruction
def address(_typing: Any, array: Any, offset: Any) -> Any:
    """Return the address of element `offset`, counted along the memory of a contiguous float32 array."""

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        struct = context.make_array(signature.args[0])(context, builder, arguments[0])
        return builder.gep(struct.data, [arguments[1]])

    return _POINTER(array, types.intp), write


@instruction
def move(_typing: Any, source: Any, target: Any) -> Any:
    """Copy WIDTH adjacent elements from one address to another."""

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        for v in range(VECTORS):
            come, go = (_vector(builder, pointer, _INT(v * LANES)) for pointer in arguments)
            builder.store(builder.load(come, align=4), go, align=4)
        return context.get_dummy_value()

    return types.void(_POINTER, _POINTER), write


@instruction
def transpose(_typing: Any, source: Any, stride: Any, target: Any) -> Any:
    """Copy a square of LANES rows and columns to its transpose, from rows `stride` apart to rows WIDTH apart."""

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, stride, target = arguments
        rows = [builder.load(_vector(builder, source, builder.mul(stride, _INT(r))), align=4) for r in range(LANES)]
        distance = 1
        while distance < LANES:  # rows that are 1, 2, 4, ... apart exchange their off-diagonal elements
            upper = [i if not i & distance else LANES + (i ^ distance) for i in range(LANES)]
            lower = [i | distance if not i & distance else LANES + i for i in range(LANES)]
            for r in (r for r in range(LANES) if not r & distance):
                one, other = rows[r], rows[r | distance]
                rows[r] = builder.shuffle_vector(one, other, ir.Constant(_PLACES, upper))
                rows[r | distance] = builder.shuffle_vector(one, other, ir.Constant(_PLACES, lower))
            distance *= 2
        for r in range(LANES):
            builder.store(rows[r], _vector(builder, target, _INT(r * WIDTH)), align=4)
        return context.get_dummy_value()

    return types.void(_POINTER, types.intp, _POINTER), write


def _tile_instruction(a_transposed: bool = False, panels: int = 1, pairs: bool = False) -> Any:
    """Return an instruction that computes adjacent tiles of a product.

    It computes out[r, :] = start[r, :] + sum over k < inner of a[r, k] * b[k, :], for r < rows.

    The arguments are addresses, each followed by its stride; the stride of b is WIDTH, and `b_panel` from panel to
    panel. With `a_transposed`, a[r, k] is at row k and column r. With `pairs`, each element of a and b is two numbers
    in bfloat16, and their product is the sum of both products. Requires inner >= 1, and 1 <= rows <= ROWS for one panel
    or rows = 1 for several panels.
    """
    most = ROWS if panels == 1 else 1

    def tile(
        _typing: Any,
        a: Any,
        a_stride: Any,
        b: Any,
        b_panel: Any,
        inner: Any,
        start: Any,
        start_stride: Any,
        out: Any,
        out_stride: Any,
        rows: Any,
    ) -> Any:
        def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            *operands, n_rows = arguments
            end = builder.append_basic_block("end")
            switch = builder.switch(n_rows, end)
            for count in range(1, most + 1):
                block = builder.append_basic_block(f"rows{count}")
                switch.add_case(_INT(count), block)
                builder.position_at_end(block)
                _write_tile(builder, a_transposed, pairs, count, panels, *operands)
                builder.branch(end)
            builder.position_at_end(end)
            return context.get_dummy_value()

        size = types.intp
        return types.void(_POINTER, size, _POINTER, size, size, _POINTER, size, _POINTER, size, size), write

    return instruction(tile)


multiply_tile = _tile_instruction()
multiply_tile_of_transposed = _tile_instruction(a_transposed=True)
multiply_row = _tile_instruction(panels=PANELS)
multiply_tile_of_pairs = _tile_instruction(pairs=True)
multiply_row_of_pairs = _tile_instruction(pairs=True, panels=PANELS)


def _write_tile(
    builder: Any,
    a_transposed: bool,
    pairs: bool,
    rows: int,
    panels: int,
    a: Any,
    a_stride: Any,
    b: Any,
    b_panel: Any,
    inner: Any,
    start: Any,
    start_stride: Any,
    out: Any,
    out_stride: Any,
) -> None:
    """Write a tile instruction for a fixed number of rows: one sum per row and vector, all of them in registers."""

    def vector(pointer: Any, stride: Any, row: int, number: int) -> Any:
        return _vector(builder, pointer, builder.add(builder.mul(stride, _INT(row)), _INT(number * LANES)))

    n_vectors = panels * VECTORS
    cells = [(r, v) for r in range(rows) for v in range(n_vectors)]
    first = [builder.load(vector(start, start_stride, r, v), align=4) for r, v in cells]
    b_panels = [builder.gep(b, [builder.mul(b_panel, _INT(panel))]) for panel in range(panels)]
    a_rows = [builder.gep(a, [_INT(r) if a_transposed else builder.mul(a_stride, _INT(r))]) for r in range(rows)]
    before, loop, after = builder.block, builder.append_basic_block("inner"), builder.append_basic_block("store")
    builder.branch(loop)

    builder.position_at_end(loop)
    k = builder.phi(_INT)
    sums = [builder.phi(_VECTOR) for _ in cells]
    b_rows = [builder.gep(panel, [builder.mul(k, _INT(WIDTH))]) for panel in b_panels]
    b_vectors = [_vector(builder, row, _INT(v * LANES)) for row in b_rows for v in range(VECTORS)]
    b_values = [builder.load(pointer, align=4) for pointer in b_vectors]
    a_offset = builder.mul(k, a_stride) if a_transposed else k
    a_values = [_splat(builder, builder.load(builder.gep(pointer, [a_offset]))) for pointer in a_rows]
    multiply_add = _multiply_add_pairs if pairs else _multiply_add
    added = [multiply_add(builder, a_values[r], b_values[v], sums[i]) for i, (r, v) in enumerate(cells)]
    k_next = builder.add(k, _INT(1))
    for phi, initial, following in zip([k, *sums], [_INT(0), *first], [k_next, *added], strict=True):
        phi.add_incoming(initial, before)
        phi.add_incoming(following, loop)
    builder.cbranch(builder.icmp_signed("<", k_next, inner), loop, after)

    builder.position_at_end(after)
    for (r, v), total in zip(cells, added, strict=True):
        builder.store(total, vector(out, out_stride, r, v), align=4)


def _multiply_add(builder: Any, a: Any, b: Any, total: Any) -> Any:
    """Write total + a * b, rounded once."""
    of = ir.FunctionType(_VECTOR, [_VECTOR] * 3)
    return builder.call(cgutils.get_or_insert_function(builder.module, of, f"llvm.fma.v{LANES}f32"), [a, b, total])


def _multiply_add_pairs(builder: Any, a: Any, b: Any, total: Any) -> Any:
    """Write total + the products of both numbers of each pair, summed in float32."""
    of = ir.FunctionType(_VECTOR, [_VECTOR, _PAIRS, _PAIRS])
    dot = cgutils.get_or_insert_function(builder.module, of, "llvm.x86.avx512bf16.dpbf16ps.512")
    return builder.call(dot, [total, builder.bitcast(a, _PAIRS), builder.bitcast(b, _PAIRS)])


def _vector(builder: Any, pointer: Any, offset: Any) -> Any:
    """Return the address of the vector that begins `offset` elements after `pointer`."""
    return builder.bitcast(builder.gep(pointer, [offset]), _VECTOR.as_pointer())


def _splat(builder: Any, value: Any) -> Any:
    """Return a vector with the scalar in every lane."""
    undefined = ir.Constant(_VECTOR, ir.Undefined)
    single = builder.insert_element(undefined, value, ir.IntType(32)(0))
    return builder.shuffle_vector(single, undefined, ir.Constant(_PLACES, [0] * LANES))
