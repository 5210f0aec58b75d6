"""What programs ask of PyTorch around tensors: operations of their own, modes, groups of one process, rare types."""

from __future__ import annotations

import pytest

import wengert as wg
from wengert.nn.attention.flex_attention import and_masks, create_block_mask, flex_attention
from wengert.overrides import TorchFunctionMode
from wengert.utils import _pytree
from wengert.utils.flop_counter import FlopCounterMode


def test_an_operation_of_the_users_own_with_and_without_a_gradient():
    @wg.library.custom_op("tests::scaled", mutates_args=())
    def scaled(x: wg.Tensor, by: float = 2.0) -> wg.Tensor:
        return x * by

    x = wg.ones(2, requires_grad=True)
    y = wg.ops.tests.scaled(x, by=3.0)
    assert y.tolist() == [3.0, 3.0]
    with pytest.raises(RuntimeError, match="no autograd formula was registered"):
        y.sum().backward()

    def keep(ctx, inputs, output):
        ctx.by = inputs[1]

    wg.library.register_autograd("tests::scaled", lambda ctx, g: (g * ctx.by, None), setup_context=keep)
    wg.ops.tests.scaled.default(x, 3.0).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]
    assert not hasattr(wg.ops.tests, "other")


def test_a_library_defines_and_implements():
    lib = wg.library.Library("tests_lib", "DEF")
    lib.define("twice(Tensor x) -> Tensor")
    with pytest.raises(NotImplementedError, match="impl"):
        wg.ops.tests_lib.twice(wg.ones(1))
    lib.impl("twice", lambda x: x * 2, "CompositeImplicitAutograd")
    x = wg.ones(1, requires_grad=True)
    wg.ops.tests_lib.twice(x).backward()
    assert x.grad.item() == 2
    assert wg.ops.aten.add.Tensor(wg.ones(1), 2).item() == 3
    assert wg.ops.aten.add is wg.ops.aten.add
    with pytest.raises(OSError, match="Could not load this library"):
        wg.ops.load_library("somewhere.so")


def test_a_mode_sees_functions_methods_and_operators():
    class Seen(TorchFunctionMode):
        def __init__(self):
            self.names = []

        def __torch_function__(self, func, types, args=(), kwargs=None):
            self.names.append(func.__name__)
            return func(*args, **(kwargs or {}))

    with Seen() as outer, Seen() as inner:
        x = wg.ones(2)
        assert (wg.exp(x) + x.sin()).shape == (2,)
    assert inner.names == outer.names
    assert {"ones", "exp", "sin", "add"} <= set(inner.names)
    count = len(inner.names)
    assert wg.exp(x).sum().item() > 0
    assert len(inner.names) == count


def test_a_group_of_one_process():
    dist = wg.distributed
    with pytest.raises(ValueError, match="init_process_group"):
        dist.get_rank()
    with pytest.raises(RuntimeError, match="world_size=1"):
        dist.init_process_group("gloo", rank=0, world_size=2)
    dist.init_process_group("gloo", rank=0, world_size=1)
    try:
        model = wg.nn.parallel.DistributedDataParallel(wg.nn.Linear(2, 3))
        assert list(model.state_dict()) == ["module.weight", "module.bias"]
        assert not isinstance(model, wg.nn.DataParallel)
        x, parts = wg.ones(2), [wg.zeros(2)]
        assert dist.all_reduce(x, op=dist.ReduceOp.SUM, async_op=True).wait()
        dist.all_gather(parts, x)
        assert parts[0].tolist() == x.tolist() == [1.0, 1.0]
        assert (dist.get_rank(), dist.get_world_size(), dist.get_backend()) == (0, 1, "gloo")
        assert dist.group.WORLD.size() == 1
    finally:
        dist.destroy_process_group()
    assert not dist.is_initialized()


def test_wide_unsigned_and_eight_bit_types():
    x = wg.tensor([1, 60_000], dtype=wg.uint16)
    assert (x * 1).dtype is wg.uint16
    assert x.float().tolist() == [1.0, 60_000.0]
    assert wg.iinfo(wg.uint32).max == 2**32 - 1
    small = wg.tensor([0.1, 300.0]).to(wg.float8_e5m2)
    assert small.element_size() == 1
    assert small.float().tolist() == [0.09375, 320.0]
    with pytest.raises(RuntimeError, match="Promotion for uint16"):
        wg.promote_types(wg.uint16, wg.int32)
    assert wg.complex32 not in {wg.float32: 1, wg.complex64: 2}
    assert wg.complex32.is_complex
    with pytest.raises(RuntimeError, match="NumPy has no such"):
        wg.zeros(2, dtype=wg.complex32)
    with pytest.raises(RuntimeError, match="Promotion for Float8"):
        wg.promote_types(wg.float8_e5m2, wg.float32)


def test_attention_with_scores_and_masks_of_the_users_own():
    wg.manual_seed(0)
    q, k, v = wg.randn(3, 2, 4, 6, 8, dtype=wg.float64).unbind(0)
    mask = create_block_mask(and_masks(lambda b, h, i, j: i >= j, lambda b, h, i, j: i - j < 3), 2, 4, 6, 6)
    slopes = wg.tensor([0.5, 0.25, 0.125, 0.0625], dtype=wg.float64)
    out = flex_attention(q, k, v, lambda s, b, h, i, j: s + slopes[h] * (j - i), mask)
    i, j = wg.arange(6).unsqueeze(1), wg.arange(6)
    bias = (slopes[:, None, None] * (j - i)).masked_fill((i < j) | (i - j >= 3), -float("inf"))
    assert wg.allclose(out, wg.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=bias))


def test_arithmetic_is_counted():
    model = wg.nn.Sequential(wg.nn.Conv2d(3, 4, 3), wg.nn.Flatten(), wg.nn.Linear(4 * 6 * 6, 5))
    x = wg.ones(2, 3, 8, 8, requires_grad=True)
    with FlopCounterMode(display=False) as forward:
        y = model(x)
    assert forward.get_total_flops() == 2 * (2 * 4 * 36 * 27 + 2 * 144 * 5)
    with FlopCounterMode(display=False) as both:
        y.sum().backward()
    assert both.get_total_flops() == 2 * forward.get_total_flops()


def test_results_that_come_later():
    later = wg.futures.Future()
    chained = later.then(lambda f: f.value() + 1)
    assert not chained.done()
    later.set_result(1)
    assert chained.wait() == 2
    assert wg.futures.wait_all([later, chained]) == [1, 2]


def test_paths_to_leaves():
    tree = {"a": [1, 2], "b": (3,)}
    found, _ = _pytree.tree_flatten_with_path(tree)
    assert [_pytree.keystr(path) for path, _ in found] == ["['a'][0]", "['a'][1]", "['b'][0]"]
    assert _pytree.tree_map_with_path(lambda path, x: x * len(path), tree) == {"a": [2, 4], "b": (6,)}


def test_annotations_with_typed_tensors():
    annotation = wg.FloatTensor | None
    assert wg.FloatTensor in annotation.__args__


@pytest.mark.parametrize(
    "call",
    [
        lambda: wg.fx.symbolic_trace(wg.nn.Linear(1, 1)),
        lambda: wg.jit.load("model.pt"),
        lambda: wg.export.export(wg.nn.Linear(1, 1), ()),
        lambda: wg.ao.quantization.quantize_dynamic(wg.nn.Linear(1, 1)),
    ],
)
def test_what_needs_a_compiler_says_so(call):
    with pytest.raises(NotImplementedError):
        call()
    assert not isinstance(wg.nn.Linear(1, 1), wg.fx.GraphModule)
    assert not wg.onnx.is_in_onnx_export()


def test_loops_and_branches_as_functions():
    x = wg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    associative_scan = wg._higher_order_ops.associative_scan.associative_scan
    y = associative_scan(lambda a, b: a * b, x, 0, reverse=True)
    assert y.tolist() == [6.0, 6.0, 3.0]
    y.sum().backward()
    assert x.grad.tolist() == [6.0, 6.0, 5.0]
    assert wg.cond(wg.tensor(True), lambda a: a, lambda a: -a, (3,)) == 3
    assert wg.while_loop(lambda i: i < 5, lambda i: (i + 2,), (wg.tensor(0),))[0].item() == 6
    carry, steps = wg._higher_order_ops.scan.scan(lambda c, v: (c + v, c * v), wg.tensor(0.0), wg.ones(3))
    assert (carry.item(), steps.tolist()) == (3.0, [0.0, 1.0, 2.0])


def test_sizes_by_name():
    x = wg.ones(2, dtype=wg.float64)
    for new in (x.new_ones, x.new_zeros, x.new_empty):
        assert new(size=(2, 3)).shape == (2, 3)


def test_what_a_lerp_starts_from_and_tables_of_members_backwards():
    a, b = wg.tensor([1.0, -float("inf")]), wg.tensor([-float("inf"), 2.0])
    assert wg.lerp(a, b, 0.25).tolist()[0] == -float("inf")
    assert wg.lerp(b, a, 0.5).isnan().tolist() == [False, True]
    assert wg.lerp(wg.tensor(1e30), wg.tensor(1.0), 1.0).item() == 1  # exactly the end
    w = wg.tensor([0.25, 0.75], requires_grad=True)
    wg.lerp(wg.zeros(2), wg.tensor([2.0, 4.0]), w).sum().backward()
    assert w.grad.tolist() == [2.0, 4.0]
    model = wg.nn.Sequential(wg.nn.ReLU(), wg.nn.Tanh())
    assert [name for name, _ in reversed(model._modules.items())] == ["1", "0"]
    assert not isinstance(model, wg.jit.ScriptModule)


def test_kinds_of_device_that_are_only_asked_about():
    assert not wg.is_autocast_enabled("mps")
    assert wg.get_autocast_dtype("xpu") is wg.float16
    assert wg.autograd.forward_ad.unpack_dual(wg.ones(1)).tangent is None
