"""Small PyTorch programs. Each runs with wengert and with torch in the place of ``T``, and must do the same."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

PROGRAMS: list[Callable[[Any], Any]] = []


def program(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Add a program to the list."""
    PROGRAMS.append(function)
    return function


def numbers(T: Any, *shape: int, start: float = 0.1, step: float = 0.3, grad: bool = False) -> Any:
    """The same numbers in both libraries, in float64."""
    n = 1
    for s in shape:
        n *= s
    values = [((i * 7919) % 101) / 50.0 * step + start for i in range(n)]
    t = T.tensor(values, dtype=T.float64).reshape(shape)
    return t.requires_grad_() if grad else t


# ---------------------------------------------------------------------- leaves and accumulation


@program
def accumulates_over_two_backwards(T: Any) -> Any:
    x = numbers(T, 3, grad=True)
    (x * x).sum().backward()
    (x * 3).sum().backward()
    return x.grad


@program
def grad_of_leaf_used_twice(T: Any) -> Any:
    x = numbers(T, 2, 3, grad=True)
    y = x.sin() * x + x[0]
    y.sum().backward()
    return x.grad


@program
def leaf_is_its_own_root(T: Any) -> Any:
    x = T.tensor(2.0, requires_grad=True)
    x.backward()
    return x.grad


@program
def gradients_of_two_leaves_are_not_one_array(T: Any) -> Any:
    x, y = numbers(T, 3, grad=True), numbers(T, 3, grad=True)
    (x + y).sum().backward()
    with T.no_grad():
        x.grad += 1
    return x.grad, y.grad


@program
def zero_grad_by_hand(T: Any) -> Any:
    w = numbers(T, 3, grad=True)
    for _ in range(3):
        loss = ((w - 1) ** 2).sum()
        loss.backward()
        with T.no_grad():
            w -= 0.1 * w.grad
        w.grad.zero_()
    return w, w.grad, w.requires_grad, w.is_leaf


@program
def grad_api(T: Any) -> Any:
    x, y = numbers(T, 3, grad=True), numbers(T, 3, start=0.7, grad=True)
    z = (x * y).sum() + (x**2).sum()
    gx, gy = T.autograd.grad(z, [x, y])
    return gx, gy, x.grad is None


@program
def grad_unused_raises(T: Any) -> Any:
    x, y = numbers(T, 3, grad=True), numbers(T, 3, grad=True)
    return T.autograd.grad((x * 2).sum(), [x, y])


@program
def grad_allow_unused(T: Any) -> Any:
    x, y = numbers(T, 3, grad=True), numbers(T, 3, grad=True)
    gx, gy = T.autograd.grad((x * 2).sum(), [x, y], allow_unused=True)
    return gx, gy is None


@program
def grad_of_non_leaf(T: Any) -> Any:
    x = numbers(T, 3, grad=True)
    h = x * 2
    y = (h**3).sum()
    return T.autograd.grad(y, h)[0]


@program
def backward_with_inputs(T: Any) -> Any:
    x, y = numbers(T, 3, grad=True), numbers(T, 3, grad=True)
    (x * y).sum().backward(inputs=[x])
    return x.grad, y.grad is None


@program
def vector_backward(T: Any) -> Any:
    x = numbers(T, 3, grad=True)
    y = x * x
    y.backward(T.tensor([1.0, 0.1, 0.01], dtype=T.float64))
    return x.grad


@program
def vector_backward_without_gradient_raises(T: Any) -> Any:
    x = numbers(T, 3, grad=True)
    (x * x).backward()


@program
def backward_twice_raises(T: Any) -> Any:
    x = numbers(T, 3, grad=True)
    y = (x * x).sum()
    y.backward()
    y.backward()


@program
def backward_twice_through_addition_is_fine(T: Any) -> Any:
    x = numbers(T, 3, grad=True)
    y = (x + 1).sum()
    y.backward()
    y.backward()
    return x.grad


@program
def retain_graph(T: Any) -> Any:
    x = numbers(T, 3, grad=True)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    return x.grad


@program
def backward_without_grad_raises(T: Any) -> Any:
    numbers(T, 3).sum().backward()


@program
def integers_cannot_require_grad(T: Any) -> Any:
    T.tensor([1, 2], requires_grad=True)


@program
def requires_grad_false_on_non_leaf_raises(T: Any) -> Any:
    y = numbers(T, 3, grad=True) * 2
    y.requires_grad = False


@program
def second_derivative(T: Any) -> Any:
    x = numbers(T, 4, grad=True)
    y = (x.exp() * x.sin()).sum()
    (g,) = T.autograd.grad(y, x, create_graph=True)
    (h,) = T.autograd.grad(g.sum(), x, create_graph=True)
    (third,) = T.autograd.grad(h.sum(), x)
    return g, h, third


@program
def gradient_penalty(T: Any) -> Any:
    w = numbers(T, 3, 4, grad=True)
    x = numbers(T, 5, 3, grad=True)
    out = T.tanh(x @ w).sum(dim=1)
    (g,) = T.autograd.grad(out.sum(), x, create_graph=True)
    loss = ((g.norm(dim=1) - 1) ** 2).mean()
    loss.backward()
    return loss, w.grad


@program
def hessian_vector_product(T: Any) -> Any:
    x = numbers(T, 5, grad=True)
    v = numbers(T, 5, start=-0.4)
    y = (x**3).sum() + x.prod()
    (g,) = T.autograd.grad(y, x, create_graph=True)
    (hv,) = T.autograd.grad(g, x, grad_outputs=v)
    return hv


# ---------------------------------------------------------------------- in-place and views


@program
def inplace_on_leaf_raises(T: Any) -> Any:
    x = numbers(T, 3, grad=True)
    x += 1


@program
def inplace_on_view_of_leaf_raises(T: Any) -> Any:
    x = numbers(T, 3, grad=True)
    x[0] = 1.0


@program
def inplace_on_leaf_without_grad_mode(T: Any) -> Any:
    x = numbers(T, 3, grad=True)
    with T.no_grad():
        x.mul_(2)
        x[0] = 5.0
    (x * x).sum().backward()
    return x, x.grad, x.is_leaf


@program
def inplace_chain(T: Any) -> Any:
    x = numbers(T, 3, grad=True)
    y = x * 2
    y.add_(1).mul_(x).sin_()
    y.sum().backward()
    return y, x.grad


@program
def inplace_breaks_saved_input(T: Any) -> Any:
    x = numbers(T, 3, grad=True)
    y = x * 1
    z = y * y
    y.add_(1)
    z.sum().backward()


@program
def inplace_breaks_saved_output(T: Any) -> Any:
    x = numbers(T, 3, grad=True)
    y = x.exp()
    y.add_(1)
    y.sum().backward()


@program
def inplace_after_addition_is_fine(T: Any) -> Any:
    x = numbers(T, 3, grad=True)
    y = x + 1
    y.mul_(3)
    y.sum().backward()
    return x.grad


@program
def write_to_slice(T: Any) -> Any:
    x = numbers(T, 4, grad=True)
    y = T.zeros(6, dtype=T.float64)
    y[1:5] = x * x
    y[0] = x.sum()
    (y * y).sum().backward()
    return y, x.grad, y.requires_grad


@program
def write_through_view_changes_base_gradient(T: Any) -> Any:
    x = numbers(T, 2, 3, grad=True)
    base = x * 2
    row = base[0]
    row.mul_(x[1])
    base.sum().backward()
    return base, row, x.grad


@program
def write_to_base_changes_view_gradient(T: Any) -> Any:
    x = numbers(T, 4, grad=True)
    base = x * 2
    view = base.view(2, 2)
    base.mul_(3)
    (view * view).sum().backward()
    return view, x.grad


@program
def view_of_view_written(T: Any) -> Any:
    x = numbers(T, 2, 6, grad=True)
    base = x.clone()
    view = base.view(2, 2, 3).transpose(0, 2)[1]
    view.copy_(view.detach() ** 2)
    view.add_(x[:, 0:2].sum())
    (base**2).sum().backward()
    return base, x.grad


@program
def sibling_view_joins_late(T: Any) -> Any:
    b = T.zeros(3, dtype=T.float64)
    w = T.tensor(2.0, dtype=T.float64, requires_grad=True)
    rest = b[1:]
    b[1] = w * 3
    out = (rest * rest).sum()
    out.backward()
    return rest.requires_grad, w.grad


@program
def write_to_unbind_output_raises(T: Any) -> Any:
    x = numbers(T, 2, 3, grad=True) * 1
    a, _ = x.unbind()
    a.add_(1)


@program
def write_to_split_output_raises(T: Any) -> Any:
    x = numbers(T, 4, grad=True) * 1
    a, _ = x.split(2)
    a.mul_(2)


@program
def write_to_expanded_raises(T: Any) -> Any:
    x = T.zeros(1, 3).expand(2, 3)
    x.add_(1)


@program
def view_made_without_grad_written_with_it_raises(T: Any) -> Any:
    x = numbers(T, 4, grad=True) * 1
    with T.no_grad():
        v = x[:2]
    v.add_(1)


@program
def inplace_shape_grows_raises(T: Any) -> Any:
    x = T.zeros(3)
    x.add_(T.zeros(2, 3))


@program
def inplace_dtype_falls_raises(T: Any) -> Any:
    x = T.zeros(3, dtype=T.int64)
    x.add_(0.5)


@program
def detach_shares_memory_and_version(T: Any) -> Any:
    x = numbers(T, 3, grad=True)
    y = x * 2
    d = y.detach()
    before = y._version
    d.zero_()
    return y, y._version - before, d.requires_grad


@program
def data_does_not_share_version(T: Any) -> Any:
    x = numbers(T, 3, grad=True)
    z = x * x
    x.data.fill_(7.0)
    z.sum().backward()
    return x, x.grad


@program
def masked_fill_and_where(T: Any) -> Any:
    x = numbers(T, 2, 3, start=-0.3, grad=True)
    y = x.masked_fill(x > 0.2, -1.0)
    z = T.where(x > 0, x * x, T.zeros_like(x))
    (y * z).sum().backward()
    return y, z, x.grad


@program
def boolean_and_integer_assignment(T: Any) -> Any:
    x = numbers(T, 3, 4, grad=True)
    y = x.clone()
    y[y > 0.4] = 0.0
    y[T.tensor([0, 2]), T.tensor([1, 3])] = x[1, :2] * 2
    y.sum().backward()
    return y, x.grad


@program
def zero_keeps_requires_grad(T: Any) -> Any:
    x = numbers(T, 3, grad=True)
    y = x * 2
    y.zero_()
    y.sum().backward()
    return y.requires_grad, x.grad


@program
def iadd_of_slice(T: Any) -> Any:
    x = numbers(T, 3, grad=True)
    y = T.zeros(3, 3, dtype=T.float64)
    for i in range(3):
        y[i] += x * i
        y[:, i] *= 2
    y.sum().backward()
    return y, x.grad


@program
def copy_between_tensors(T: Any) -> Any:
    x = numbers(T, 3, grad=True)
    y = T.empty(2, 3, dtype=T.float64)
    y.copy_(x)
    (y * T.tensor([[1.0], [2.0]], dtype=T.float64)).sum().backward()
    return y, x.grad


# ---------------------------------------------------------------------- hooks


@program
def tensor_hooks(T: Any) -> Any:
    seen: list[Any] = []
    x = numbers(T, 3, grad=True)
    h = x * 2
    h.register_hook(lambda g: seen.append(g.clone()))
    h.register_hook(lambda g: g * 10)
    handle = x.register_hook(lambda g: g + 1)
    (h * h).sum().backward(retain_graph=True)
    first = x.grad.clone()
    handle.remove()
    (h * h).sum().backward()
    return first, x.grad, seen


@program
def retain_grad(T: Any) -> Any:
    x = numbers(T, 3, grad=True)
    h = x * 2
    h.retain_grad()
    (h * h).sum().backward()
    return h.grad, h.retains_grad, h.is_leaf


@program
def post_accumulate_hook(T: Any) -> Any:
    x = numbers(T, 3, grad=True)
    log: list[Any] = []
    x.register_post_accumulate_grad_hook(lambda p: log.append(p.grad.clone()))
    (x * x + x).sum().backward()
    return log


@program
def node_hooks(T: Any) -> Any:
    x = numbers(T, 3, grad=True)
    y = (x * 2).exp()
    log: list[Any] = []
    y.grad_fn.register_hook(lambda gi, go: log.append((gi[0].clone(), go[0].clone())))
    y.grad_fn.register_prehook(lambda go: (go[0] * 2,))
    y.sum().backward()
    return log, x.grad


@program
def names_of_nodes(T: Any) -> Any:
    x = numbers(T, 2, 3, grad=True)
    y = ((x + 1) * x).exp().sum()
    fn, names = y.grad_fn, []
    while fn is not None and fn.next_functions:
        names.append(type(fn).__name__)
        fn = fn.next_functions[0][0]
    return names


# ---------------------------------------------------------------------- modes


@program
def modes(T: Any) -> Any:
    x = numbers(T, 2, grad=True)
    out = [T.is_grad_enabled()]
    with T.no_grad():
        out.append((x * 2).requires_grad)
        with T.enable_grad():
            out.append((x * 2).requires_grad)
    with T.set_grad_enabled(False):
        out.append((x * 2).requires_grad)

    @T.no_grad()
    def f(v: Any) -> Any:
        return v * 2

    out.append(f(x).requires_grad)
    with T.inference_mode():
        y = x * 2
    out += [y.requires_grad, y.is_inference(), T.is_grad_enabled()]
    return out


@program
def inference_tensor_cannot_be_saved(T: Any) -> Any:
    x = numbers(T, 2, grad=True)
    with T.inference_mode():
        y = T.ones(2, dtype=T.float64)
    (x * y).sum().backward()


@program
def inference_tensor_cannot_be_written(T: Any) -> Any:
    with T.inference_mode():
        y = T.ones(2)
    y.add_(1)


# ---------------------------------------------------------------------- Function


@program
def custom_function(T: Any) -> Any:
    class Cube(T.autograd.Function):  # type: ignore[name-defined, misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return g * 3 * x**2

    x = numbers(T, 3, grad=True)
    (g,) = T.autograd.grad(Cube.apply(x).sum(), x, create_graph=True)
    (h,) = T.autograd.grad(g.sum(), x)
    return g, h, T.autograd.gradcheck(Cube.apply, (x,)), T.autograd.gradgradcheck(Cube.apply, (x,))


@program
def straight_through(T: Any) -> Any:
    class Round(T.autograd.Function):  # type: ignore[name-defined, misc]
        @staticmethod
        def forward(ctx: Any, x: Any, scale: float) -> Any:
            ctx.scale = scale
            return (x * scale).round() / scale

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g, None

    x = numbers(T, 5, grad=True)
    y = Round.apply(x, 4.0)
    (y * y).sum().backward()
    return y, x.grad


@program
def function_with_two_outputs(T: Any) -> Any:
    class SinCos(T.autograd.Function):  # type: ignore[name-defined, misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            s, c = x.sin(), x.cos()
            ctx.save_for_backward(s, c)
            return s, c

        @staticmethod
        def backward(ctx: Any, gs: Any, gc: Any) -> Any:
            s, c = ctx.saved_tensors
            return gs * c - gc * s

    x = numbers(T, 3, grad=True)
    s, _ = SinCos.apply(x)
    s.sum().backward()
    return x.grad


@program
def function_returns_too_many_gradients(T: Any) -> Any:
    class Bad(T.autograd.Function):  # type: ignore[name-defined, misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g, g

    x = numbers(T, 3, grad=True)
    Bad.apply(x).sum().backward()


# ---------------------------------------------------------------------- copies and types


@program
def deepcopy_and_pickle(T: Any) -> Any:
    x = numbers(T, 3, grad=True)
    (x * x).sum().backward()
    y = copy.deepcopy(x)
    z = pickle.loads(pickle.dumps(x.detach()))
    return y, y.grad, y.requires_grad, z


@program
def deepcopy_of_non_leaf_raises(T: Any) -> Any:
    copy.deepcopy(numbers(T, 3, grad=True) * 2)


@program
def numpy_of_tensor_with_grad_raises(T: Any) -> Any:
    numbers(T, 3, grad=True).numpy()


@program
def numpy_shares_memory(T: Any) -> Any:
    x = T.zeros(3)
    x.numpy()[1] = 5
    return x


@program
def promotion_table(T: Any) -> Any:
    kinds = (T.bool, T.uint8, T.int32, T.int64, T.float16, T.bfloat16, T.float32, T.float64)
    out = []
    for a in kinds:
        for b in kinds:
            x, y = T.ones(2, dtype=a), T.ones(2, dtype=b)
            out.append(str((x + y).dtype) + str((x * y[0]).dtype))
        for scalar in (True, 2, 2.5):
            out.append(str((T.ones(2, dtype=a) * scalar).dtype) + str((T.ones((), dtype=a) * scalar).dtype))
    return [o.replace("torch.", "").replace("wengert.", "") for o in out]


@program
def mixed_dtype_gradients(T: Any) -> Any:
    x = T.tensor([1.0, 2.0], dtype=T.float32, requires_grad=True)
    y = T.tensor([1.0, 2.0], dtype=T.float64, requires_grad=True)
    (x * y).sum().backward()
    return x.grad, y.grad


@program
def truth_of_many_raises(T: Any) -> Any:
    bool(T.ones(2))


@program
def comparisons_and_conversions(T: Any) -> Any:
    x = T.tensor([1.0, 2.0, 3.0])
    return [(x > 2).tolist(), float(x[0]), int(x[1]), bool(x[2]), x.tolist(), len(x), 2.0 in x, x.sum().item()]


@program
def accumulate_loss_in_a_loop(T: Any) -> Any:
    w = numbers(T, 3, grad=True)
    total = 0
    for i in range(5):
        total = total + (w * i).sum() / (i + 1)
    total.backward()
    return total, w.grad


@program
def rnn_by_hand(T: Any) -> Any:
    w, u = numbers(T, 4, 4, grad=True), numbers(T, 3, 4, start=-0.2, grad=True)
    h = T.zeros(2, 4, dtype=T.float64)
    for t in range(6):
        x = numbers(T, 2, 3, start=0.05 * t)
        h = T.tanh(h @ w * 0.1 + x @ u)
    h.pow(2).mean().backward()
    return h, w.grad, u.grad


@program
def attention_by_hand(T: Any) -> Any:
    x = numbers(T, 2, 5, 8, grad=True)
    heads = x.view(2, 5, 2, 4)
    q, k, v = heads.transpose(1, 2), heads.permute(0, 2, 3, 1), heads.transpose(1, 2)
    scores = q @ k / 2.0
    mask = T.tril(T.ones(5, 5, dtype=T.bool))
    scores = scores.masked_fill(~mask, float("-inf"))
    out = (T.softmax(scores, dim=-1) @ v).transpose(1, 2).contiguous().view(2, 5, 8)
    (out**2).sum().backward()
    return out, x.grad


@program
def advanced_indexing(T: Any) -> Any:
    x = numbers(T, 3, 4, 5, grad=True)
    i, j = T.tensor([0, 2, 2]), T.tensor([[1], [3]])
    parts = [x[i], x[:, i], x[i, 1:3], x[..., j, i], x[x > 0.5], x[None, -1, ::2], x[[0, 1], [1, 1]], x[1, ..., 2]]
    total = sum((p * p).sum() for p in parts)
    total.backward()
    return parts, x.grad


@program
def index_out_of_range_raises(T: Any) -> Any:
    return T.zeros(3)[T.tensor([0, 5])]


@program
def basic_index_out_of_range_raises(T: Any) -> Any:
    return T.zeros(3)[5]


@program
def too_many_indices_raises(T: Any) -> Any:
    return T.zeros(3)[0, 0]


@program
def view_of_transposed_raises(T: Any) -> Any:
    return T.zeros(2, 3).t().view(6)


@program
def matmul_shapes_raise(T: Any) -> Any:
    return T.zeros(2, 3) @ T.zeros(2, 3)


@program
def broadcast_shapes_raise(T: Any) -> Any:
    return T.zeros(2, 3) + T.zeros(2, 4)
