"""A fault of inductor's C++ that corrupts the heap, mended.

Sums into places that may coincide (the gradient of patches that were cut out, images put together
from patches) are written as atomic additions where there is more than one thread. Inside a tile of
two axes, torch 2.13 moves their index along the inner axis twice and writes past the end: it is
moved before it is handed to the vector kernel's `store`, and there again by `index_expr`.
"""

from __future__ import annotations

import inspect
from typing import Any

from torch._inductor.codegen import cpp

FAULT = "super().store(name, new_index, value, mode)"


def mend() -> None:
    """Move the index once; a torch that is written otherwise is left as it is."""
    faulty = cpp.CppTile2DKernel.store
    if FAULT not in inspect.getsource(faulty):
        return

    def store(self: Any, name: str, index: Any, value: Any, mode: str | None = None) -> None:
        if mode == "atomic_add" and self.num_threads > 1 and not self.need_vec_transpose(index):
            cpp.CppVecKernel.store(self, name, index, value, mode)
        else:
            faulty(self, name, index, value, mode)  # type: ignore[no-untyped-call]

    cpp.CppTile2DKernel.store = store  # type: ignore[method-assign]
