"""``nn.Module``: members, modes, conversion, hooks, state_dicts, copies, containers, how it prints."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from collections import OrderedDict
from typing import Any

import pytest

import wengert as wg
from wengert import nn


class Scale(nn.Module):
    """A small module with everything a module can have."""

    def __init__(self, n: int = 2) -> None:
        super().__init__()
        self.weight = nn.Parameter(wg.arange(1.0, n + 1))
        self.register_parameter("none", None)
        self.register_buffer("mean", wg.zeros(n))
        self.register_buffer("scratch", wg.ones(n), persistent=False)
        self.register_buffer("count", wg.zeros((), dtype=wg.int64))
        self.n = n

    def forward(self, x: Any, factor: float = 1.0) -> Any:
        return x * self.weight * factor

    def extra_repr(self) -> str:
        return f"n={self.n}"


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a = Scale()
        self.b = nn.Sequential(Scale(), Scale(3))
        self.again = self.a
        self.top = nn.Parameter(wg.ones(1))

    def forward(self, x: Any) -> Any:
        return self.b[0](self.a(x))


# ---------------------------------------------------------------------- members


def test_members_are_listed_once_in_order():
    net = Net()
    names = [name for name, _ in net.named_parameters()]
    assert names == ["top", "a.weight", "b.0.weight", "b.1.weight"]
    assert [name for name, _ in net.named_buffers()][:4] == ["a.mean", "a.scratch", "a.count", "b.0.mean"]
    assert [name for name, _ in net.named_modules()] == ["", "a", "b", "b.0", "b.1"]
    assert [name for name, _ in net.named_children()] == ["a", "b"]
    every = [name for name, _ in net.named_parameters(remove_duplicate=False)]
    assert every == ["top", "a.weight", "b.0.weight", "b.1.weight", "again.weight"]
    assert [name for name, _ in net.named_parameters("p", recurse=False)] == ["p.top"]
    assert len(list(net.parameters())) == 4
    assert len(list(net.modules())) == 5


def test_a_shared_parameter_is_listed_once():
    a, b = nn.Linear(2, 2), nn.Linear(2, 2)
    b.weight = a.weight
    model = nn.Sequential(a, b)
    assert [name for name, _ in model.named_parameters()] == ["0.weight", "0.bias", "1.bias"]
    assert list(model.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]


def test_live_views_of_the_members():
    module = Scale()
    assert list(module._parameters) == ["weight", "none"]
    assert list(module._buffers) == ["mean", "scratch", "count"]
    assert module._non_persistent_buffers_set == {"scratch"}
    module._parameters["weight"] = replaced = nn.Parameter(wg.zeros(2))
    assert module.weight is replaced
    del module._buffers["mean"]
    assert not hasattr(module, "mean")
    net = Net()
    assert net._modules["a"] is net.a
    net._modules["new"] = module
    assert net.new is module
    assert len(net._modules) == 4


def test_assignment_moves_a_name_between_kinds():
    module = Scale()
    module.x = 1
    module.x = nn.Parameter(wg.ones(1))
    assert "x" in module._parameters
    module.x = None
    assert module.x is None
    assert "x" in module._parameters
    del module.x
    assert not hasattr(module, "x")
    module.mean = nn.Parameter(wg.ones(2))  # a parameter takes a buffer's name
    assert "mean" not in module._buffers
    assert "mean" in module._parameters
    module.count = wg.ones(())  # a plain tensor replaces a buffer
    assert module._buffers["count"].item() == 1.0
    module.extra = nn.Buffer(wg.ones(1), persistent=False)
    assert "extra" in module._non_persistent_buffers_set
    assert isinstance(module.extra, nn.Buffer)
    module.tensor = wg.ones(1)  # a plain tensor is no member
    assert "tensor" not in module._buffers


WRONG_ASSIGNMENTS = {
    "module": (lambda m: setattr(m, "a", 3), "cannot assign 'int' as child module 'a'"),
    "parameter": (lambda m: setattr(m, "top", wg.ones(1)), "as parameter 'top'"),
    "buffer": (lambda m: setattr(m.a, "mean", "text"), "cannot assign 'str' as buffer 'mean'"),
    "register": (lambda m: m.register_parameter("q", wg.ones(1)), "object to parameter 'q'"),
    "register buffer": (lambda m: m.register_buffer("q", 3), "cannot assign 'int' object to buffer 'q'"),
    "register module": (lambda m: m.add_module("q", 3), "int is not a Module subclass"),
    "name": (lambda m: m.register_parameter(3, None), "parameter name should be a string. Got int"),
    "append": (lambda m: m.b.append(3), "int is not a Module subclass"),
}


@pytest.mark.parametrize("what", WRONG_ASSIGNMENTS)
def test_wrong_types_are_refused(what: str):
    change, message = WRONG_ASSIGNMENTS[what]
    net = Net()
    before = repr(net), list(net.state_dict())
    with pytest.raises(TypeError, match=message):
        change(net)
    assert (repr(net), list(net.state_dict())) == before


WRONG_NAMES = {
    "dot": (lambda m: m.register_parameter("a.b", None), "contain"),
    "empty": (lambda m: m.register_buffer("", None), "be empty string"),
    "taken by a module": (lambda m: m.register_parameter("a", None), "attribute 'a' already exists"),
    "taken by a method": (lambda m: m.register_buffer("forward", None), "attribute 'forward' already exists"),
    "taken by a parameter": (lambda m: m.add_module("top", nn.Identity()), "attribute 'top' already exists"),
    "in a dict": (lambda m: nn.ModuleDict({"keys": m}), "attribute 'keys' already exists"),
}


@pytest.mark.parametrize("what", WRONG_NAMES)
def test_wrong_names_are_refused(what: str):
    change, message = WRONG_NAMES[what]
    with pytest.raises(KeyError, match=message):
        change(Net())


@pytest.mark.parametrize(
    ("value", "what"), [(nn.Identity(), "module"), (nn.Parameter(wg.ones(1)), "parameters"), (nn.Buffer(), "buffer")]
)
def test_assignment_before_init_is_refused(value: Any, what: str):
    class Early(nn.Module):
        def __init__(self) -> None:
            self.plain = 1  # allowed
            self.x = value

    with pytest.raises(AttributeError, match=rf"cannot assign {what} before Module.__init__\(\) call"):
        Early()


def test_use_before_init_says_so():
    class Forgot(nn.Module):
        def __init__(self) -> None:
            self.plain = 1

    with pytest.raises(AttributeError, match=r"super\(\).__init__\(\)"):
        list(Forgot().parameters())


def test_missing_attributes():
    with pytest.raises(AttributeError, match="'Net' object has no attribute 'x'"):
        Net().x  # noqa: B018
    with pytest.raises(AttributeError):
        del Net().x


def test_getattr_of_a_wrapper():
    class Wrapper(nn.Module):
        def __init__(self, module: nn.Module) -> None:
            super().__init__()
            self.module = module

        def __getattr__(self, name: str) -> Any:
            try:
                return super().__getattr__(name)
            except AttributeError:
                return getattr(super().__getattr__("module"), name)

    assert Wrapper(Scale(5)).n == 5


def test_non_leaf_parameters_are_refused():
    p = nn.Parameter(wg.ones(1))
    derived = nn.Parameter(wg.ones(1))
    derived._edge = (p * 2)._edge
    with pytest.raises(ValueError, match="non-leaf"):
        nn.Module().register_parameter("q", derived)


def test_look_up_by_path():
    net = Net()
    assert net.get_submodule("b.1") is net.b[1]
    assert net.get_submodule("") is net
    assert net.get_parameter("b.1.weight") is net.b[1].weight
    assert net.get_buffer("a.mean") is net.a.mean
    for call, message in (
        (lambda: net.get_submodule("b.7"), "Sequential has no attribute `7`"),
        (lambda: net.get_submodule("top"), "`top` is not an nn.Module"),
        (lambda: net.get_parameter("a.mean"), "`mean` is not an nn.Parameter"),
        (lambda: net.get_buffer("a.weight"), "`weight` is not a buffer"),
    ):
        with pytest.raises(AttributeError, match=message):
            call()
    net.set_submodule("b.0", nn.Identity())
    assert isinstance(net.b[0], nn.Identity)
    with pytest.raises(ValueError, match="without a target name"):
        net.set_submodule("", nn.Identity())
    with pytest.raises(AttributeError):
        net.set_submodule("b.9", nn.Identity(), strict=True)


# ---------------------------------------------------------------------- modes and conversion


def test_train_and_eval_reach_everything():
    net = Net()
    assert net.training
    assert net.eval() is net
    assert not any(module.training for module in net.modules())
    net.b.train()
    assert net.b[1].training
    assert not net.a.training
    with pytest.raises(ValueError, match="expected to be boolean"):
        net.train(1)


def test_conversion_keeps_parameters_and_converts_gradients():
    net = Net()
    p = net.a.weight
    net(wg.ones(2)).sum().backward()
    assert net.to(wg.float64) is net
    assert net.a.weight is p
    assert p.dtype == wg.float64
    assert p.grad.dtype == wg.float64
    assert net.a.mean.dtype == wg.float64
    assert net.a.count.dtype == wg.int64  # only floating tensors are converted
    assert [net.half().top.dtype, net.bfloat16().top.dtype, net.float().top.dtype, net.double().top.dtype] == [
        wg.float16,
        wg.bfloat16,
        wg.float32,
        wg.float64,
    ]
    assert net.type(wg.float32).a.count.dtype == wg.float32
    assert p.is_leaf
    assert p.requires_grad


def test_to_takes_all_forms():
    net = Net()
    for arguments in (("cpu",), (wg.device("cpu"),), ("cpu", wg.float64), (wg.ones(1).double(),), (None, wg.float32)):
        net.to(*arguments)
    assert net.to(dtype=wg.float16, device="cpu", non_blocking=True).top.dtype == wg.float16
    assert net.cpu() is net
    with pytest.raises(TypeError, match="only accepts floating point or complex dtypes"):
        net.to(wg.int32)
    with pytest.raises(RuntimeError, match="nowhere"):
        net.to("nowhere")
    with pytest.raises(TypeError, match="invalid combination of arguments"):
        net.to(dtyp=wg.float32)


def test_apply_runs_from_the_leaves_up():
    seen: list[str] = []
    Net().apply(lambda module: seen.append(type(module).__name__))
    assert seen == ["Scale", "Scale", "Scale", "Sequential", "Net"]


def test_requires_grad_and_zero_grad():
    net = Net()
    net(wg.ones(2)).sum().backward()
    net.zero_grad(set_to_none=False)
    assert net.a.weight.grad.tolist() == [0.0, 0.0]
    net.zero_grad()
    assert net.a.weight.grad is None
    net.requires_grad_(False)
    assert not any(p.requires_grad for p in net.parameters())
    assert not net(wg.ones(2)).requires_grad


def test_forward_is_required():
    with pytest.raises(NotImplementedError, match=r'Module \[Module\] is missing the required "forward" function'):
        nn.Module()(1)
    with pytest.raises(TypeError):
        nn.Module(3)


# ---------------------------------------------------------------------- hooks


def test_forward_hooks_see_and_replace():
    module, log = Scale(), []
    pre = module.register_forward_pre_hook(lambda m, args: log.append("pre") or (args[0] * 2,))
    post = module.register_forward_hook(lambda m, args, out: log.append("post") or out + 1)
    assert module(wg.ones(2)).tolist() == [3.0, 5.0]
    assert log == ["pre", "post"]
    pre.remove()
    post.remove()
    assert module(wg.ones(2)).tolist() == [1.0, 2.0]


def test_hooks_with_keywords_and_order():
    module, log = Scale(), []
    module.register_forward_pre_hook(lambda m, args, kw: (args, {"factor": kw["factor"] * 10}), with_kwargs=True)
    module.register_forward_hook(lambda m, args, kw, out: log.append(kw["factor"]), with_kwargs=True)
    module.register_forward_hook(lambda m, args, out: log.append("first"), prepend=True)
    assert module(wg.ones(2), factor=2.0).tolist() == [20.0, 40.0]
    assert log == ["first", 20.0]
    module.register_forward_pre_hook(lambda m, args, kw: 3, with_kwargs=True)
    with pytest.raises(RuntimeError, match="must return None or a tuple"):
        module(wg.ones(2), factor=1.0)


def test_always_called_hooks_run_after_an_error():
    class Fails(nn.Module):
        def forward(self, x: Any) -> Any:
            raise ValueError("from forward")

    module, log = Fails(), []
    module.register_forward_hook(lambda m, args, out: log.append("normal"))
    module.register_forward_hook(lambda m, args, out: log.append("always"), always_call=True)
    with pytest.raises(ValueError, match="from forward"):
        module(1)
    assert log == ["always"]


def test_full_backward_hooks():
    module, seen = Scale(), []
    module.register_full_backward_hook(lambda m, gi, go: seen.append((gi[0].tolist(), go[0].tolist())))
    x = wg.ones(2, requires_grad=True)
    (module(x) * wg.tensor([1.0, 10.0])).sum().backward()
    assert seen == [([1.0, 20.0], [1.0, 10.0])]
    assert x.grad.tolist() == [1.0, 20.0]
    assert module.weight.grad.tolist() == [1.0, 10.0]


def test_backward_hooks_replace_gradients():
    module = Scale()
    pre = module.register_full_backward_pre_hook(lambda m, go: (go[0] * 2,))
    post = module.register_full_backward_hook(lambda m, gi, go: (gi[0] * 100,))
    x = wg.ones(2, requires_grad=True)
    module(x).sum().backward()
    assert x.grad.tolist() == [200.0, 400.0]
    assert module.weight.grad.tolist() == [2.0, 2.0]
    pre.remove()
    post.remove()
    x.grad = None
    module(x).sum().backward()
    assert x.grad.tolist() == [1.0, 2.0]


@pytest.mark.filterwarnings("ignore:Full backward hook is firing:UserWarning")
def test_backward_hooks_without_input_gradients_and_with_several_tensors():
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = nn.Parameter(wg.ones(2))

        def forward(self, a: Any, n: int, b: Any) -> Any:
            return a * self.w, {"not": "a tensor"}, b + self.w

    module, seen = Two(), []
    module.register_full_backward_hook(lambda m, gi, go: seen.append((gi, go)))
    a, b = wg.ones(2), wg.ones(2)
    out = module(a, 3, b)
    out[0].sum().backward()
    gi, go = seen[0]
    assert gi == (None, None, None)
    assert go[0].tolist() == [1.0, 1.0]
    b.requires_grad_()
    seen.clear()
    out = module(a, 3, b)
    (out[0] + out[2]).sum().backward()
    gi, go = seen[0]
    assert gi[0] is None
    assert gi[2].tolist() == [1.0, 1.0]


def test_backward_hooks_refuse_in_place_writes_which_would_go_around_them():
    module = nn.Sequential(nn.Sigmoid())
    module[0].register_full_backward_hook(lambda m, gi, go: None)
    y = module(wg.zeros(2, requires_grad=True))
    with pytest.raises(RuntimeError, match="Output 0 of BackwardHookFunction is a view and is being modified inplace"):
        y.mul_(2)


@pytest.mark.filterwarnings("ignore:Using a non-full backward hook:FutureWarning")
def test_plain_backward_hooks_see_the_last_operation():
    seen: list[Any] = []
    module = nn.Linear(2, 2)
    handle = module.register_backward_hook(lambda m, gi, go: seen.append((len(gi), go[0].shape)))
    module(wg.ones(1, 2)).sum().backward()
    assert seen == [(3, (1, 2))]
    with pytest.raises(RuntimeError, match="both regular backward hooks and full backward hooks"):
        module.register_full_backward_hook(lambda m, gi, go: None)
    handle.remove()
    module.register_full_backward_hook(lambda m, gi, go: None)
    with pytest.raises(RuntimeError, match="both regular backward hooks and full backward hooks"):
        module.register_backward_hook(lambda m, gi, go: None)


def test_second_derivatives_through_backward_hooks():
    module = Scale()
    module.register_full_backward_hook(lambda m, gi, go: None)
    x = wg.tensor([2.0, 3.0], requires_grad=True)
    (g,) = wg.autograd.grad((module(x) ** 2).sum(), x, create_graph=True)
    (gg,) = wg.autograd.grad(g.sum(), x)
    assert gg.tolist() == [2.0, 8.0]


@pytest.mark.filterwarnings("ignore:Full backward hook is firing:UserWarning")
def test_hooks_of_every_module():
    from wengert.nn import hooks

    seen: list[str] = []
    handles = [
        hooks.register_module_forward_pre_hook(lambda m, args: seen.append("pre " + type(m).__name__)),
        hooks.register_module_forward_hook(lambda m, args, out: seen.append("post " + type(m).__name__)),
        hooks.register_module_full_backward_hook(lambda m, gi, go: seen.append("backward " + type(m).__name__)),
    ]
    nn.Sequential(Scale())(wg.ones(2)).sum().backward()
    for handle in handles:
        handle.remove()
    assert seen[:4] == ["pre Sequential", "pre Scale", "post Scale", "post Sequential"]
    assert set(seen[4:]) == {"backward Scale", "backward Sequential"}
    seen.clear()
    Scale()(wg.ones(2))
    assert seen == []


# ---------------------------------------------------------------------- state_dict


def test_state_dict_shares_memory_and_leaves_out_what_is_not_persistent():
    net = Net()
    state = net.state_dict()
    assert list(state)[:4] == ["top", "a.weight", "a.mean", "a.count"]
    assert not state["top"].requires_grad
    assert net.state_dict(keep_vars=True)["top"] is net.top
    net.top.data.fill_(5.0)
    assert state["top"].item() == 5.0
    assert state._metadata["b.1"] == {"version": 1}
    assert next(iter(net.a.state_dict(prefix="x."))) == "x.weight"
    destination: dict[str, Any] = {}
    assert net.a.state_dict(destination=destination) is destination


def test_load_copies_in_place():
    net, other = Net(), Net()
    with wg.no_grad():
        for p in other.parameters():
            p.fill_(7.0)
    p = net.a.weight
    result = net.load_state_dict(other.state_dict())
    assert repr(result) == "<All keys matched successfully>"
    assert net.a.weight is p
    assert p.tolist() == [7.0, 7.0]
    assert p._data is not other.a.weight._data


def test_load_collects_every_error_and_changes_nothing():
    net = Net()
    state = net.state_dict()
    wrong = OrderedDict((k, v + 1) for k, v in state.items())
    wrong["a.weight"] = wg.zeros(5)
    wrong["b.0.mean"] = "text"
    del wrong["top"]
    wrong["topp"] = wg.zeros(1)
    before = {k: v.tolist() for k, v in state.items()}
    with pytest.raises(RuntimeError) as caught:
        net.load_state_dict(wrong)
    text = str(caught.value)
    assert text.startswith("Error(s) in loading state_dict for Net:\n\t")
    assert 'Missing key(s) in state_dict: "top".' in text
    assert 'Unexpected key(s) in state_dict: "topp".' in text
    assert "size mismatch for a.weight: copying a param with shape wengert.Size([5]) from checkpoint" in text
    assert 'While copying the parameter named "b.0.mean"' in text
    assert '"topp" may be "top"' in text
    assert {k: v.tolist() for k, v in net.state_dict().items()} == before
    with pytest.raises(RuntimeError, match="size mismatch"):
        net.load_state_dict(wrong, strict=False)
    assert {k: v.tolist() for k, v in net.state_dict().items()} == before


def test_load_that_is_not_strict():
    net = Net()
    keys = net.load_state_dict({"top": wg.zeros(1), "other": wg.zeros(1)}, strict=False)
    assert keys.unexpected_keys == ["other"]
    assert "a.weight" in keys.missing_keys
    assert net.top.item() == 0.0
    with pytest.raises(TypeError, match="dict-like"):
        net.load_state_dict([1])


def test_load_hints_at_prefixes():
    net = Scale()
    wrapped = {"module." + k: v for k, v in net.state_dict().items()}
    with pytest.raises(RuntimeError, match=r"begins with 'module\.'"):
        net.load_state_dict(wrapped)
    with pytest.raises(RuntimeError, match=r"lack 'module\.'"):
        nn.ModuleDict({"module": net}).load_state_dict(net.state_dict())


def test_load_casts_and_assigns():
    net = Scale()
    state = {k: v.double() for k, v in net.state_dict().items()}
    net.load_state_dict(state)
    assert net.weight.dtype == wg.float32
    net.weight.requires_grad_(False)
    net.load_state_dict(state, assign=True)
    assert net.weight.dtype == wg.float64
    assert isinstance(net.weight, nn.Parameter)
    assert not net.weight.requires_grad
    assert net.mean is state["mean"]


def test_state_dict_hooks():
    net, log = Scale(), []
    net.register_state_dict_pre_hook(lambda m, prefix, keep_vars: log.append("pre"))
    net.register_state_dict_post_hook(lambda m, state, prefix, metadata: state.__delitem__(prefix + "count"))
    net._register_state_dict_hook(lambda m, state, prefix, metadata: None)
    assert list(net.state_dict()) == ["weight", "mean"]
    assert log == ["pre"]

    def rename(module: Any, state: dict[str, Any], prefix: str, *rest: Any) -> None:
        if prefix + "old" in state:
            state[prefix + "weight"] = state.pop(prefix + "old")

    fresh = Scale()
    fresh.register_load_state_dict_pre_hook(rename)
    given = {"old": wg.zeros(2), "mean": wg.zeros(2), "count": wg.zeros((), dtype=wg.int64)}
    fresh.load_state_dict(given)
    assert fresh.weight.tolist() == [0.0, 0.0]
    assert "old" in given  # the hook worked on a copy


def test_load_post_hooks_may_forgive_or_not():
    net = Scale()
    handle = net.register_load_state_dict_post_hook(lambda module, keys: keys.missing_keys.clear())
    net.load_state_dict({"weight": wg.zeros(2)})
    assert net.weight.tolist() == [0.0, 0.0]
    handle.remove()
    net.register_load_state_dict_post_hook(lambda module, keys: None)
    with pytest.raises(RuntimeError, match="Missing"):
        net.load_state_dict({"weight": wg.ones(2)})
    assert net.weight.tolist() == [0.0, 0.0]


def test_extra_state():
    class Counts(Scale):
        seen = 3

        def get_extra_state(self) -> Any:
            return {"seen": self.seen}

        def set_extra_state(self, state: Any) -> None:
            self.seen = state["seen"]

    state = Counts().state_dict()
    assert state["_extra_state"] == {"seen": 3}
    other = Counts()
    state["_extra_state"] = {"seen": 9}
    state["weight"] = wg.zeros(7)
    with pytest.raises(RuntimeError, match="size mismatch"):
        other.load_state_dict(state)
    assert other.seen == 3
    state["weight"] = wg.zeros(2)
    other.load_state_dict(state)
    assert other.seen == 9
    with pytest.raises(RuntimeError, match="_extra_state"):
        Scale().load_state_dict(state)


def test_overridden_load_sees_the_same_arguments():
    class Old(Scale):
        _version = 2

        def _load_from_state_dict(self, state_dict: Any, prefix: str, local_metadata: Any, *args: Any) -> None:
            if local_metadata.get("version", 1) < 2:
                state_dict[prefix + "weight"] = state_dict.pop(prefix + "scale")
            super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)

    module = nn.Sequential(Old())
    zero = wg.zeros(2)
    module.load_state_dict({"0.scale": zero, "0.mean": zero, "0.count": wg.zeros((), dtype=wg.int64)})
    assert module[0].weight.tolist() == [0.0, 0.0]


# ---------------------------------------------------------------------- copies


def test_deepcopy_is_independent_and_keeps_sharing():
    net = Net()
    net.b[1].weight = net.a.weight
    net(wg.ones(2)).sum().backward()
    other = copy.deepcopy(net)
    assert other.b[1].weight is other.a.weight
    assert other.again is other.a
    assert other.a.weight is not net.a.weight
    other.a.weight.data.fill_(9.0)
    assert net.a.weight.tolist() == [1.0, 2.0]
    other.new = nn.Identity()
    assert not hasattr(net, "new")


def test_shallow_copy_registers_members_of_its_own():
    net = Net()
    other = copy.copy(net)
    assert other.a is net.a
    other.new = nn.Identity()
    assert "new" not in net._modules


def test_pickle():
    net = Net()
    net.eval()
    net.a.register_forward_hook(double_output)
    other = pickle.loads(pickle.dumps(net))
    assert repr(other) == repr(net)
    assert not other.training
    assert isinstance(other.a.weight, nn.Parameter)
    assert other.again is other.a
    assert other.a(wg.ones(2)).tolist() == [2.0, 4.0]
    assert all(wg.equal(a, b) for a, b in zip(net.state_dict().values(), other.state_dict().values(), strict=True))


def double_output(module: nn.Module, args: Any, out: Any) -> Any:
    return out * 2


def test_a_module_is_freed_without_the_garbage_collector():
    gc.disable()
    try:
        net = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
        net.register_forward_hook(double_output)
        net(wg.ones(1, 2)).sum().backward()
        ref = weakref.ref(net)
        del net
        assert ref() is None
    finally:
        gc.enable()


# ---------------------------------------------------------------------- parameters


def test_parameter():
    data = wg.ones(2)
    p = nn.Parameter(data)
    assert p.requires_grad
    assert p.is_leaf
    assert repr(p) == "Parameter containing:\ntensor([1., 1.], requires_grad=True)"
    p.data[0] = 5.0
    assert data.tolist() == [5.0, 1.0]  # they share memory
    assert type(p * 2) is wg.Tensor
    assert nn.Parameter(p * 2).is_leaf
    assert not nn.Parameter(wg.arange(3), requires_grad=False).requires_grad
    with pytest.raises(RuntimeError, match="floating point"):
        nn.Parameter(wg.arange(3))
    with pytest.raises(TypeError, match="takes a Tensor"):
        nn.Parameter([1.0])
    q = copy.deepcopy(p)
    assert type(q) is nn.Parameter
    assert q.requires_grad
    assert q.data_ptr() != p.data_ptr()
    assert nn.Parameter().shape == (0,)


def test_a_parameter_and_its_data_share_their_version():
    data = wg.ones(2)
    p = nn.Parameter(data)
    y = (p * p).sum()
    data.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


# ---------------------------------------------------------------------- containers


def test_sequential():
    model = nn.Sequential(OrderedDict(a=nn.Identity(), b=Scale(), c=nn.Identity()))
    assert model.b is model[1]
    assert list(model[1:]._modules) == ["b", "c"]
    assert model(wg.ones(2)).tolist() == [1.0, 2.0]
    assert [type(m).__name__ for m in model] == ["Identity", "Scale", "Identity"]
    model[0] = Scale()
    assert model(wg.ones(2)).tolist() == [1.0, 4.0]
    del model[-1]
    assert list(model._modules) == ["0", "1"]
    model.append(nn.Identity()).extend([nn.Identity()]).insert(0, nn.Identity())
    assert len(model) == 5
    assert isinstance(model.pop(0), nn.Identity)
    assert len(model + model) == 8
    assert len(model * 2) == len(2 * model) == 8
    model *= 2
    assert len(model) == 8
    assert model[0] in model
    for call, error in (
        (lambda: model[99], IndexError),
        (lambda: model["a"], TypeError),
        (lambda: model.insert(99, nn.Identity()), IndexError),
        (lambda: model.insert(0, 3), AssertionError),
        (lambda: model + 3, ValueError),
        (lambda: model * 0, ValueError),
        (lambda: nn.Sequential(3), TypeError),
    ):
        with pytest.raises(error):
            call()


def test_module_list():
    layers = nn.ModuleList([Scale(), Scale()])
    layers.append(Scale())
    layers += [nn.Identity()]
    layers.insert(-1, nn.Identity())
    assert len(layers) == 5
    assert len(layers[1:3]) == 2
    assert isinstance(layers[-1], nn.Identity)
    assert list(layers.state_dict())[3] == "1.weight"
    del layers[0]
    assert list(layers._modules) == ["0", "1", "2", "3"]
    assert len(layers + layers) == 8
    layers.pop(1)
    assert len(list(layers)) == 3
    with pytest.raises(TypeError, match="iterable"):
        layers.extend(3)
    with pytest.raises(NotImplementedError):
        layers(1)


def test_module_dict():
    modules = nn.ModuleDict([("a", Scale()), ("b", nn.Identity())])
    modules["c"] = Scale()
    modules.update({"d": nn.Identity()})
    assert list(modules) == list(modules.keys()) == ["a", "b", "c", "d"]
    assert "a" in modules
    assert isinstance(modules.pop("d"), nn.Identity)
    assert len(modules) == 3
    assert [key for key, _ in modules.items()] == ["a", "b", "c"]
    assert len(list(modules.values())) == 3
    del modules["a"]
    assert next(iter(modules.state_dict())) == "c.weight"
    modules.clear()
    assert len(modules) == 0
    for wrong, error in ((3, TypeError), ([1], TypeError), ([(1, 2, 3)], ValueError)):
        with pytest.raises(error):
            modules.update(wrong)


def test_parameter_list():
    values = nn.ParameterList([wg.ones(2), nn.Parameter(wg.zeros(1)), "text"])
    values.append(wg.ones(3))
    values += [wg.ones(4)]
    assert len(values) == 5
    assert [name for name, _ in values.named_parameters()] == ["0", "1", "3", "4"]
    values[2] = wg.ones(1)
    assert isinstance(values[-1], nn.Parameter)
    assert len(values[1:3]) == 2
    assert "Object of type: str" in repr(nn.ParameterList(["text"]))
    with pytest.raises(IndexError):
        values[9]
    with pytest.raises(RuntimeError, match="should not be called"):
        values()


def test_parameter_dict():
    values = nn.ParameterDict({"a": wg.ones(2)})
    values["b"] = wg.zeros(1)
    values["text"] = "kept"
    assert list(values) == ["a", "b", "text"]
    assert [name for name, _ in values.named_parameters()] == ["a", "b"]
    assert values.get("x") is None
    assert values.setdefault("c", wg.ones(1)) is values["c"]
    assert values.popitem()[0] == "c"
    assert list(reversed(values)) == ["text", "b", "a"]
    merged = values | {"d": wg.ones(1)}
    assert list(merged) == ["a", "b", "text", "d"]
    assert merged["a"] is values["a"]
    values.update({"e": wg.ones(1)})
    assert list(values.copy().keys()) == ["a", "b", "text", "e"]
    assert len(values.values()) == 4
    assert list(values.fromkeys(["x", "y"], 1)) == ["x", "y"]
    with pytest.raises(KeyError):
        values["nothing"]
    with pytest.raises(TypeError, match="not a string"):
        values[3]
    with pytest.raises(KeyError, match="already exists"):
        values["keys"] = 1
    values.clear()
    assert len(values) == 0


# ---------------------------------------------------------------------- how it prints


def build_printable(T: Any) -> list[Any]:
    n = T.nn
    inner = n.Sequential(n.Linear(2, 3), n.Sequential(n.ReLU()), n.Identity())
    named = n.Sequential(OrderedDict(first=n.Linear(1, 1, bias=False), last=n.Sequential()))
    listed = n.ModuleList([n.ReLU(), n.ReLU(), n.Linear(1, 2), n.Sequential(n.Tanh()), n.Sequential(n.Tanh())])
    return [inner, named, listed, n.ModuleDict({"a": listed, "b": n.Module()}), n.Module(), n.ModuleList()]


def test_repr():
    assert repr(nn.Sequential(Scale(), nn.Sequential(Scale()))) == (
        "Sequential(\n  (0): Scale(n=2)\n  (1): Sequential(\n    (0): Scale(n=2)\n  )\n)"
    )
    assert "weight" in dir(Scale())
    assert "0" not in dir(nn.Sequential(Scale()))


@pytest.mark.parity
def test_repr_is_that_of_torch():
    torch = pytest.importorskip("torch")
    for mine, theirs in zip(build_printable(wg), build_printable(torch), strict=True):
        assert repr(mine) == repr(theirs)
    values = [wg.ones(2, 3), 3], [torch.ones(2, 3), 3]
    mine, theirs = (repr(T.nn.ParameterList(v)) for T, v in zip((wg, torch), values, strict=True))
    assert mine == theirs.replace("torch.", "wengert.")


def test_type_takes_classes_of_tensors():
    layer = wg.nn.BatchNorm1d(2).type(wg.DoubleTensor)
    assert {v.dtype for v in layer.state_dict().values()} == {wg.float64}
    assert layer.type(wg.float16).weight.dtype == wg.float16


def test_a_state_dict_with_something_else_than_tensors():
    layer = wg.nn.Linear(2, 2)
    with pytest.raises(RuntimeError, match=r"expected torch\.Tensor or Tensor-like object"):
        layer.load_state_dict({"weight": "x", "bias": layer.bias})


def test_a_backward_hook_where_no_input_wants_a_gradient_returns_none():
    layer = wg.nn.Linear(2, 3)
    layer.register_full_backward_hook(lambda m, grad_input, grad_output: wg.ones(1, 2))
    with (
        pytest.warns(UserWarning, match="no inputs require gradients"),
        pytest.raises(RuntimeError, match="where no input requires gradient"),
    ):
        layer(wg.ones(1, 2)).sum().backward()


def test_a_handle_leads_to_the_hooks():
    layer = wg.nn.Linear(2, 3)
    handle = layer.register_forward_hook(lambda *args: None)
    assert handle.id in handle.hooks_dict_ref()
    handle.remove()
    assert not handle.hooks_dict_ref()


def test_casts_of_a_packed_sequence():
    packed = wg.nn.utils.rnn.pack_padded_sequence(wg.ones(4, 2), [4, 2])
    for name in ("half", "bfloat16", "long", "int", "short", "char", "byte"):
        assert getattr(packed, name)().data.dtype == getattr(wg.ones(1), name)().dtype
    assert packed.float() is packed


def test_tables_of_hooks_hold_the_functions():
    layer = wg.nn.Linear(2, 2)

    def doubled(module, args):
        return (args[0] * 2,)

    handle = layer.register_forward_pre_hook(doubled)
    assert list(layer._forward_pre_hooks.values()) == [doubled]
    layer._forward_pre_hooks = layer._forward_pre_hooks
    assert len(layer._forward_pre_hooks) == 1
    for key, hook in list(layer._forward_pre_hooks.items()):
        assert (key, hook) == (handle.id, doubled)
        del layer._forward_pre_hooks[key]
    assert not layer._forward_pre_hooks


@pytest.mark.filterwarnings("ignore:Using a non-full backward hook:FutureWarning")
def test_plain_backward_hooks_of_every_module():
    x = wg.ones(2, requires_grad=True)
    with wg.nn.modules.module.register_module_backward_hook(lambda m, gi, go: tuple(g * 2 for g in gi)):
        wg.nn.Tanh()(x).sum().backward()
    expected = 2 * (1 - wg.ones(2).tanh() ** 2)
    assert wg.allclose(x.grad, expected)


def test_a_buffer_may_be_of_any_class_that_functions_dispatch_to():
    class Like:
        @classmethod
        def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            raise NotImplementedError

    module, first, second = nn.Module(), Like(), Like()
    module.register_buffer("b", first)  # type: ignore[arg-type]
    assert module.get_buffer("b") is first
    module.b = second
    assert module._buffers["b"] is second


def test_an_assigned_buffer_is_registered_by_the_modules_own_method():
    class Older(nn.Linear):
        def register_buffer(self, name: str, tensor: Any) -> None:  # type: ignore[override]  # without persistent
            super().register_buffer(name, tensor)

    module = Older(2, 2)
    module.b = nn.Buffer(wg.ones(1), persistent=False)
    assert "b" in module.state_dict()
    module.plain = None
    with pytest.raises(KeyError, match="already exists"):
        module.plain = nn.Buffer(wg.ones(1))


def test_names_of_buffers_that_are_not_persistent_are_a_live_set():
    module = Scale()
    assert module._non_persistent_buffers_set == {"scratch"}
    module._non_persistent_buffers_set.add("mean")
    module._non_persistent_buffers_set.discard("scratch")
    assert "scratch" in module.state_dict()
    assert "mean" not in module.state_dict()
    del module._non_persistent_buffers_set
    assert {"mean", "scratch"} <= set(module.state_dict())
    module._non_persistent_buffers_set = {"count"}
    assert list(module._non_persistent_buffers_set) == ["count"]


def test_hooks_can_be_deleted_by_kind():
    module = Scale()
    seen: list[Any] = []
    module.register_forward_pre_hook(lambda *args: seen.append(args))
    del module._forward_pre_hooks, module._state_dict_hooks
    module(wg.ones(2))
    assert not seen


@pytest.mark.parametrize(
    "arguments", [("cpu", True), (None, True), (1.5,), ([],), ("cpu", wg.float64, 1), ("cpu", wg.tensor(3))], ids=str
)
def test_to_refuses_arguments_of_other_kinds(arguments: Any):
    with pytest.raises(TypeError, match="invalid combination of arguments"):
        Scale().to(*arguments)


def test_to_refuses_a_copy():
    with pytest.raises(RuntimeError, match="does not accept copy"):
        Scale().to("cpu", copy=True)


def test_conversion_to_another_layout_makes_new_parameters():
    module = nn.Linear(3, 2)
    weight = module.weight
    module._apply(lambda t: t.to_sparse())
    assert module.weight is not weight
    assert isinstance(module.weight, nn.Parameter)
    assert module.weight.layout == wg.sparse_coo
    assert weight.layout == wg.strided


def test_conversion_keeps_the_gradient_or_all_is_new():
    module = nn.Linear(3, 2)
    module.weight.grad = wg.ones(2, 3)
    weight, grad = module.weight, module.weight.grad
    module.double()
    assert module.weight is weight
    assert module.weight.grad is grad
    assert grad.dtype == wg.float64
    wg.__future__.set_overwrite_module_params_on_conversion(True)
    try:
        module.float()
    finally:
        wg.__future__.set_overwrite_module_params_on_conversion(False)
    assert (weight.dtype, grad.dtype) == (wg.float64, wg.float64)
    assert module.weight.dtype == module.weight.grad.dtype == wg.float32


def test_a_replica_has_no_parameters_until_they_are_set():
    pair = nn.ParameterDict({"a": wg.ones(2), "b": wg.zeros(2)})
    replica = pair._replicate_for_data_parallel()
    assert not list(replica.parameters())
    for name, parameter in pair.named_parameters():
        setattr(replica, name, parameter.view_as(parameter))
    assert replica["a"]._base is pair["a"]
    assert len(list(pair.parameters())) == 2


def test_a_parameter_dict_sorts_what_a_plain_dict_brings():
    one, two = nn.Parameter(wg.ones(1)), nn.Parameter(wg.ones(1))
    assert list(nn.ParameterDict({"b": one, "a": two})) == ["a", "b"]
    assert list(nn.ParameterDict(OrderedDict(b=one, a=two))) == ["b", "a"]
    assert list(nn.ParameterDict([("b", one), ("a", two)])) == ["b", "a"]


def test_a_state_dict_by_position_warns():
    given: dict[str, Any] = {}
    with pytest.warns(FutureWarning, match="Positional args"):
        Scale().state_dict(given, "x.")
    assert "x.weight" in given


def test_extra_state_may_bring_children():
    class Holder(nn.Module):
        def __init__(self, held: Any) -> None:
            super().__init__()
            self.held = held

        def get_extra_state(self) -> Any:
            return self.held

        def set_extra_state(self, state: Any) -> None:
            self.held = state

    inner = Holder(3)
    other = Holder("nothing")
    other.load_state_dict(Holder(inner).state_dict())
    assert other.held is inner


def test_a_memory_format_is_for_what_has_the_dimensions_of_images():
    layer = nn.Conv2d(2, 3, 2).to(memory_format=wg.channels_last)
    assert layer.weight.is_contiguous(memory_format=wg.channels_last)
    assert layer.bias.shape == (3,)


def test_assigned_parameters_take_requires_grad_from_the_module():
    layer, given = nn.Linear(2, 2), nn.Linear(2, 2).requires_grad_(False).state_dict(keep_vars=True)
    layer.load_state_dict(given, assign=True)
    assert layer.weight is given["weight"]
    assert layer.weight.requires_grad


@pytest.mark.parametrize("name", ["ReLU6", "ZeroPad1d", "ZeroPad2d", "ZeroPad3d"])
def test_special_cases_are_of_the_general_class(name: str):
    general = nn.Hardtanh if name == "ReLU6" else getattr(nn, name.replace("Zero", "Constant"))
    layer = nn.ReLU6(inplace=True) if name == "ReLU6" else getattr(nn, name)(1)
    assert isinstance(layer, general)
    assert (layer.min_val, layer.max_val) == (0.0, 6.0) if name == "ReLU6" else layer.value == 0.0


def test_compiling_a_module_changes_nothing():
    module = Scale()
    assert module.compile(mode="max-autotune") is None  # type: ignore[func-returns-value]
    assert module(wg.ones(2)).tolist() == [1.0, 2.0]


def test_what_older_files_hold_for_numbers():
    """One element goes into a number, as in files older than 0-d tensors; a number does not go into one element."""
    number, element = nn.Module(), nn.Module()
    number.p, element.p = nn.Parameter(wg.zeros(())), nn.Parameter(wg.zeros(1))
    assert str(number.load_state_dict({"p": wg.ones(1)})) == "<All keys matched successfully>"
    assert number.p.shape == ()
    assert number.p.item() == 1
    with pytest.raises(RuntimeError, match=r"copying a param with shape wengert.Size\(\[\]\)"):
        element.load_state_dict({"p": wg.ones(())})


def test_names_that_programs_of_torch_use():
    layer = nn.Linear(2, 3)
    x = wg.ones(1, 2)
    assert layer._call_impl(x).tolist() == layer._wrapped_call_impl(x).tolist() == layer(x).tolist()
    assert layer.dump_patches is False
    with pytest.raises(RuntimeError, match="not linked with support for ipu devices"):
        layer.ipu()
    with pytest.raises(AssertionError, match="not compiled with XPU"):
        layer.xpu()
    assert repr(layer.load_state_dict({}, strict=False)).startswith("_IncompatibleKeys(missing_keys=['weight', ")


def test_containers_of_parameters_print_as_in_torch():
    one, two = [nn.Parameter(wg.zeros(2))], [nn.Parameter(wg.zeros(2)), nn.Parameter(wg.zeros(1))]
    line = "Parameter containing: [wengert.float32 of size"
    assert repr(nn.ParameterList(one)) == f"ParameterList(  (0): {line} 2])"
    assert repr(nn.ParameterList(two)) == f"ParameterList(\n    (0): {line} 2]\n    (1): {line} 1]\n)"
    assert repr(nn.ParameterList()) == "ParameterList()"
