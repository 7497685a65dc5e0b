"""NIR's linear nodes as sparse matrices over flat arrays, and the shapes that go in and out.

Arrays of several dimensions are flat in C order, the last index fastest, as NumPy's and PyTorch's are.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.sparse

from neuromorph.errors import InputError
from neuromorph.nir.graph import Node
from neuromorph.recording import FloatArray, IntArray

Shape = tuple[int, ...]
Matrix = Any  # scipy.sparse.csr_matrix, which has no types

_WINDOWS = ("Conv1d", "Conv2d", "SumPool2d", "AvgPool2d")


def window_map(
    weight: FloatArray, shape: Shape, *, stride: Any, padding: Any, dilation: Any, groups: int
) -> tuple[Matrix, Shape]:
    r"""A convolution (cross-correlation, as in PyTorch) over an array of ``shape`` (channels, space ...) as a matrix.

    With kernel size K, stride s, dilation d and padding p, in every dimension of space::

        y[c, o] = sum_{i, k} weight[c, i, k] x[group(c) + i, s o - p + d k]
        size_out = floor((size_in + p_left + p_right - d (K - 1) - 1) / s) + 1

    ``weight`` has shape (channels out, channels in / groups, K ...). Padding ``"same"`` keeps the size, with the odd
    zero after the end, and needs stride 1; ``"valid"`` is no padding.

    Raises :class:`InputError` where sizes do not fit.

    >>> matrix, shape = window_map(np.array([[[1.0, 2.0]]]), (1, 3), stride=1, padding=0, dilation=1, groups=1)
    >>> matrix.toarray().tolist(), shape
    ([[1.0, 2.0, 0.0], [0.0, 1.0, 2.0]], (1, 2))
    """
    space, kernel = shape[1:], weight.shape[2:]
    outs, ins = weight.shape[:2]
    sizes, steps, gaps, before = _geometry(weight.shape, shape, stride, padding, dilation, groups)
    out, read, tap = _windows(space, sizes, kernel, steps, gaps, before)
    channel_out = np.arange(outs)
    channel_in = (channel_out // (outs // groups) * ins)[:, np.newaxis] + np.arange(ins)
    values = weight.reshape(outs, ins, -1)[:, :, tap]
    rows = np.broadcast_to((channel_out * math.prod(sizes))[:, np.newaxis, np.newaxis] + out, values.shape)
    columns = channel_in[:, :, np.newaxis] * math.prod(space) + read
    size = (outs * math.prod(sizes), math.prod(shape))
    matrix = scipy.sparse.coo_matrix((values.ravel(), (rows.ravel(), columns.ravel())), shape=size).tocsr()
    return matrix, (outs, *sizes)


def _geometry(
    weight: Shape, shape: Shape, stride: Any, padding: Any, dilation: Any, groups: int
) -> tuple[Shape, Shape, Shape, Shape]:
    """(sizes out, stride, dilation, padding before) in every dimension of space, after checking that they fit."""
    space, kernel = shape[1:], weight[2:]
    if len(space) != len(kernel):
        raise InputError(f"it reads an array of shape (channels, {len(kernel)} dimensions of space), got shape {shape}")
    outs, ins = weight[:2]
    if groups < 1 or outs % groups or shape[0] != ins * groups:
        raise InputError(
            f"its weight of shape {weight} in {groups} groups reads {ins * groups} channels, got {shape[0]}"
        )
    steps, gaps = per_dimension(stride, len(space), "stride"), per_dimension(dilation, len(space), "dilation")
    if min(*steps, *gaps) < 1:
        raise InputError(f"its stride and dilation must be at least 1, got {steps} and {gaps}")
    before, after = _padding(padding, kernel, steps, gaps)
    sizes = tuple(
        (space[k] + before[k] + after[k] - gaps[k] * (kernel[k] - 1) - 1) // steps[k] + 1 for k in range(len(space))
    )
    if min(sizes) < 1:
        raise InputError(f"its kernel of size {kernel} does not fit into its input of shape {shape}")
    return sizes, steps, gaps, before


def _windows(
    space: Shape, sizes: Shape, kernel: Shape, stride: Shape, dilation: Shape, before: Shape
) -> tuple[IntArray, IntArray, IntArray]:
    """Flat indices (place out, place in, place in the kernel) of every product of one channel, padding left out."""
    count = len(space)
    inside: Any = True
    read: Any = 0
    for k in range(count):
        place = np.arange(sizes[k])[:, np.newaxis] * stride[k] - before[k] + np.arange(kernel[k]) * dilation[k]
        axes = [1] * (2 * count)
        axes[k], axes[count + k] = sizes[k], kernel[k]
        place = place.reshape(axes)
        inside = inside & (place >= 0) & (place < space[k])
        read = read * space[k] + place
    whole = np.broadcast_to(read, sizes + kernel).reshape(math.prod(sizes), math.prod(kernel))
    out, tap = np.nonzero(np.broadcast_to(inside, sizes + kernel).reshape(whole.shape))
    return out, whole[out, tap], tap


def _padding(padding: Any, kernel: Shape, stride: Shape, dilation: Shape) -> tuple[Shape, Shape]:
    """Zeros before and after, in every dimension."""
    if isinstance(padding, np.ndarray) and padding.ndim == 0 and padding.dtype.kind in "OUS":
        padding = padding.item()
    if isinstance(padding, bytes):
        padding = padding.decode("utf8")
    if not isinstance(padding, str):
        zeros = per_dimension(padding, len(kernel), "padding")
        if min(zeros) < 0:
            raise InputError(f"its padding must be at least 0, got {zeros}")
        return zeros, zeros
    if padding == "valid":
        return (0,) * len(kernel), (0,) * len(kernel)
    if padding != "same":
        raise InputError(f"its padding must be whole numbers, 'same' or 'valid', got {padding!r}")
    if max(stride) > 1:
        raise InputError(f"its padding 'same' needs stride 1, got {stride}")
    total = tuple(gap * (size - 1) for gap, size in zip(dilation, kernel, strict=True))
    return tuple(zeros // 2 for zeros in total), tuple(zeros - zeros // 2 for zeros in total)


def per_dimension(value: Any, count: int, name: str) -> Shape:
    """One whole number for each dimension, from one number or one for each.

    >>> per_dimension(np.array(2), 2, "stride"), per_dimension((1, 3), 2, "stride")
    ((2, 2), (1, 3))
    """
    array = np.asarray(value)
    if array.dtype.kind not in "iuf" or array.size not in (1, count) or np.any(array != np.rint(array)):
        raise InputError(f"its {name} must be one whole number or {count}, got {value!r}")
    return tuple(int(number) for number in np.broadcast_to(array.ravel(), (count,)))


def shape_out(node: Node, arriving: Shape | None) -> Shape | None:
    """The shape that leaves a linear node when ``arriving`` arrives; None where that says nothing yet."""
    shape = shape_in(node) or arriving
    if node.kind in ("Linear", "Affine"):
        return _matrices(node).shape[:-1]
    if shape is None:
        return None
    if node.kind in _WINDOWS:
        weight, settings = _window_settings(node, shape)
        return (weight.shape[0], *_geometry(weight.shape, shape, **settings)[0])
    return _flattened(node, shape) if node.kind == "Flatten" else shape


def shape_in(node: Node) -> Shape | None:
    """The shape that a node asks for; None where it takes any."""
    if node.kind in ("Linear", "Affine"):
        weight = _matrices(node)
        return (*weight.shape[:-2], weight.shape[-1])
    if node.kind in ("Conv1d", "Conv2d"):
        return _declared(node)
    declared = {"Flatten": "input_type", "Output": "shape"}.get(node.kind)
    if declared is not None and node.has(declared):
        return tuple(int(size) for size in node.array(declared).ravel())
    return None


def _declared(node: Node) -> Shape | None:
    if not node.has("input_shape"):
        return None
    space = tuple(int(size) for size in node.array("input_shape").ravel())
    return (_kernel(node).shape[1] * _whole(node, "groups"), *space)


def linear_map(node: Node, shape: Shape) -> tuple[Matrix, FloatArray, Shape]:
    """``y = matrix x + constant`` over flat arrays, for an input of ``shape``, and the shape of y.

    Raises :class:`InputError`, without the node's name, where parameters and shape do not fit.
    """
    size = math.prod(shape)
    if node.kind in ("Linear", "Affine"):
        weight = _matrices(node)
        out = weight.shape[:-1]
        if weight.ndim == 2:
            matrix = scipy.sparse.csr_matrix(weight)
        else:
            blocks = [scipy.sparse.coo_matrix(block) for block in weight.reshape(-1, *weight.shape[-2:])]
            matrix = scipy.sparse.block_diag(blocks, format="csr")
        constant = _spread(node, "bias", out) if node.kind == "Affine" else np.zeros(math.prod(out))
        return matrix, constant, out
    if node.kind == "Scale":
        return scipy.sparse.diags(_spread(node, "scale", shape), format="csr"), np.zeros(size), shape
    if node.kind in _WINDOWS:
        weight, settings = _window_settings(node, shape)
        matrix, out = window_map(weight, shape, **settings)
        bias = _spread(node, "bias", out[:1]) if node.has("bias") else np.zeros(out[0])
        return matrix, np.repeat(bias, math.prod(out[1:])), out
    out = _flattened(node, shape) if node.kind == "Flatten" else shape
    return scipy.sparse.identity(size, format="csr"), np.zeros(size), out


def _window_settings(node: Node, shape: Shape) -> tuple[FloatArray, dict[str, Any]]:
    """The kernel of a convolution or of pooling, which is one without mixing of channels, and its settings."""
    settings = {"stride": node.values["stride"], "padding": node.values["padding"]}
    if node.kind in ("Conv1d", "Conv2d"):
        return _kernel(node), {**settings, "dilation": node.values["dilation"], "groups": _whole(node, "groups")}
    if len(shape) != 3:
        raise InputError(f"it reads an array of shape (channels, height, width), got shape {shape}")
    kernel = per_dimension(node.values["kernel_size"], 2, "kernel_size")
    if min(kernel) < 1:
        raise InputError(f"its kernel_size must be at least 1, got {kernel}")
    each = 1.0 if node.kind == "SumPool2d" else 1.0 / math.prod(kernel)
    return np.full((shape[0], 1, *kernel), each), {**settings, "dilation": 1, "groups": shape[0]}


def _matrices(node: Node) -> FloatArray:
    weight = _finite(node, "weight")
    if weight.ndim < 2 or 0 in weight.shape:
        raise InputError(f"its weight must have shape (..., out, in), got {weight.shape}")
    return weight


def _kernel(node: Node) -> FloatArray:
    weight = _finite(node, "weight")
    wanted = 3 if node.kind == "Conv1d" else 4
    if weight.ndim != wanted or 0 in weight.shape:
        raise InputError(
            f"its weight must have {wanted} dimensions, (channels out, channels in, ...), got {weight.shape}"
        )
    return weight


def _finite(node: Node, key: str) -> FloatArray:
    array = node.array(key)
    if not np.all(np.isfinite(array)):
        raise InputError(f"its {key} must be finite")
    return array


def _whole(node: Node, key: str) -> int:
    return per_dimension(node.values[key], 1, key)[0]


def _spread(node: Node, key: str, shape: Shape) -> FloatArray:
    """A parameter for every element of ``shape``, flat."""
    return spread(_finite(node, key), shape, key)


def spread(array: FloatArray, shape: Shape, key: str) -> FloatArray:
    """One value, or one for each element, along whole dimensions where there are as many; flat.

    >>> spread(np.array([[1.0], [2.0]]), (2, 2), "tau").tolist()
    [1.0, 1.0, 2.0, 2.0]
    """
    if array.size == math.prod(shape):
        return array.ravel()
    if array.size == 1:
        return np.full(math.prod(shape), array.item())
    if array.ndim != len(shape) or any(own not in (1, size) for own, size in zip(array.shape, shape, strict=True)):
        raise InputError(f"its {key} of shape {array.shape} does not fit what arrives, of shape {shape}")
    return np.broadcast_to(array, shape).ravel()


def _flattened(node: Node, shape: Shape) -> Shape:
    first, last = (_whole(node, key) for key in ("start_dim", "end_dim"))
    count = len(shape)
    first, last = first + count * (first < 0), last + count * (last < 0)
    if not 0 <= first <= last < count:
        raise InputError(f"its start_dim and end_dim, {first} and {last}, do not lie in its input of shape {shape}")
    return (*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :])
