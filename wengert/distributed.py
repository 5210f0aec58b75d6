"""Groups of processes. There is no communication here, so a group has one member, and it is told what it said itself.

A program that asks first learns that this is not available. One that starts a group of one process, as programs do
to run the same lines on a laptop and on a cluster, gets one, and its collective operations are what they are for one.
"""

from __future__ import annotations

import os
from enum import Enum
from typing import Any

from .autograd.grad_mode import no_grad as _no_grad
from .autograd.ops import stack as _stack
from .backends.errors import BackendUnavailableError as _Unavailable
from .backends.paths import add_path as _add_path
from .backends.processes import ProcessGroup as ProcessGroup
from .backends.processes import default_group as _default_group
from .backends.processes import is_initialized as is_initialized
from .backends.processes import join as _join
from .backends.processes import leave as _leave

__all__ = [
    "Backend",
    "GroupMember",
    "ProcessGroup",
    "ReduceOp",
    "Work",
    "all_gather",
    "all_gather_into_tensor",
    "all_gather_object",
    "all_reduce",
    "all_to_all",
    "barrier",
    "broadcast",
    "broadcast_object_list",
    "destroy_process_group",
    "gather",
    "gather_object",
    "get_backend",
    "get_rank",
    "get_world_size",
    "group",
    "init_process_group",
    "is_available",
    "is_gloo_available",
    "is_initialized",
    "is_mpi_available",
    "is_nccl_available",
    "is_torchelastic_launched",
    "monitored_barrier",
    "new_group",
    "reduce",
    "reduce_scatter",
    "scatter",
    "scatter_object_list",
]


class ReduceOp(Enum):
    """How the values of all processes become one."""

    SUM = 0
    AVG = 1
    PRODUCT = 2
    MIN = 3
    MAX = 4
    BAND = 5
    BOR = 6
    BXOR = 7


class Backend(str):
    """The name of what carries messages."""

    GLOO, NCCL, MPI, UNDEFINED = "gloo", "nccl", "mpi", "undefined"

    def __new__(cls, name: str) -> Backend:
        return str.__new__(cls, name.lower())


class GroupMember:
    """The group that was joined, and what stands for none."""

    WORLD: Any = None
    NON_GROUP_MEMBER = -100


group = GroupMember


__path__: list[str] = []  # a package, since it has something below it


class Work:
    """A message on its way, which has always arrived."""

    def wait(self, timeout: Any = None) -> bool:
        """True: it has arrived."""
        return True

    def is_completed(self) -> bool:
        """True."""
        return True

    is_success = is_completed


def is_available() -> bool:
    """False: there is no communication between processes."""
    return False


def is_nccl_available() -> bool:
    """False."""
    return False


is_mpi_available = is_gloo_available = is_torchelastic_launched = is_nccl_available


def init_process_group(
    backend: str | None = None,
    init_method: str | None = None,
    timeout: Any = None,
    world_size: int = -1,
    rank: int = -1,
    **others: Any,
) -> None:
    """Join a group of processes, of which this must be the only one.

    Args:
        backend: a name, which `get_backend` gives back.
        init_method: for PyTorch's sake, as ``timeout`` and ``others``.
        timeout: as ``init_method``.
        world_size: how many processes there are; what the environment's ``WORLD_SIZE`` says unless told.
        rank: the number of this one, or ``RANK``.
        others: as ``init_method``.

    Raises:
        ValueError: a group was joined before. RuntimeError: there should be other processes in it.

    Example:
        >>> import wengert as wg
        >>> wg.distributed.init_process_group("gloo", rank=0, world_size=1)
        >>> wg.distributed.get_world_size()
        1
        >>> wg.distributed.destroy_process_group()
    """
    size = int(os.environ.get("WORLD_SIZE", 1)) if world_size == -1 else world_size
    number = int(os.environ.get("RANK", 0)) if rank == -1 else rank
    _join(str(backend or "gloo").lower(), size, number)
    GroupMember.WORLD = _default_group()


def destroy_process_group(group: Any = None) -> None:
    """Leave the group."""
    if group is None or group is GroupMember.WORLD:
        _leave()
        GroupMember.WORLD = None


def new_group(ranks: Any = None, *args: Any, **kwargs: Any) -> ProcessGroup:
    """A group of some of the processes: of this one."""
    return ProcessGroup(_default_group().backend)


def get_rank(group: Any = None) -> int:
    """The number of this process in its group: 0.

    Raises:
        ValueError: there is no group; ask `is_initialized` first.
    """
    return _default_group().rank()


def get_world_size(group: Any = None) -> int:
    """The number of processes in the group: 1.

    Raises:
        ValueError: there is no group; ask `is_initialized` first.
    """
    return _default_group().size()


def get_backend(group: Any = None) -> str:
    """The name that the group was asked for by.

    Raises:
        ValueError: there is no group.
    """
    return Backend(_default_group().backend)


def _done(async_op: bool) -> Work | None:
    _default_group()
    return Work() if async_op else None


def barrier(group: Any = None, async_op: bool = False, device_ids: Any = None) -> Work | None:
    """Wait for the other processes, of which there are none."""
    return _done(async_op)


def monitored_barrier(group: Any = None, timeout: Any = None, wait_all_ranks: bool = False) -> None:
    """As `barrier`."""
    _done(False)


def all_reduce(tensor: Any, op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False) -> Work | None:
    """The sum, or another reduction, of every process's tensor, in place: of one, that is what it was."""
    return _done(async_op)


def reduce(tensor: Any, dst: Any = None, op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False) -> Any:
    """As `all_reduce`."""
    return _done(async_op)


def broadcast(tensor: Any, src: Any = None, group: Any = None, async_op: bool = False, **others: Any) -> Work | None:
    """Send a tensor to the other processes, of which there are none."""
    return _done(async_op)


def broadcast_object_list(object_list: list[Any], src: Any = None, group: Any = None, **others: Any) -> None:
    """As `broadcast`, for any objects."""
    _done(False)


def _into(outputs: Any, tensor: Any) -> None:
    with _no_grad():
        for output in outputs:
            output.copy_(tensor)


def all_gather(tensor_list: list[Any], tensor: Any, group: Any = None, async_op: bool = False) -> Work | None:
    """Every process's tensor, into the tensors of a list."""
    _into(tensor_list, tensor)
    return _done(async_op)


def all_gather_into_tensor(output_tensor: Any, input_tensor: Any, group: Any = None, async_op: bool = False) -> Any:
    """Every process's tensor, one after another, into one tensor."""
    _into([output_tensor], _stack([input_tensor]).reshape(output_tensor.shape))
    return _done(async_op)


def gather(tensor: Any, gather_list: Any = None, dst: Any = None, group: Any = None, async_op: bool = False) -> Any:
    """As `all_gather`, at one process."""
    _into(gather_list or (), tensor)
    return _done(async_op)


def scatter(tensor: Any, scatter_list: Any = None, src: Any = None, group: Any = None, async_op: bool = False) -> Any:
    """Give each process one tensor of a list."""
    if scatter_list:
        _into([tensor], scatter_list[0])
    return _done(async_op)


def reduce_scatter(
    output: Any, input_list: list[Any], op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False
) -> Work | None:
    """Reduce lists of tensors, and give each process one result."""
    _into([output], input_list[0])
    return _done(async_op)


def all_to_all(outputs: list[Any], inputs: list[Any], group: Any = None, async_op: bool = False) -> Work | None:
    """Give each process one tensor of a list, and get one of each."""
    _into(outputs, inputs[0])
    return _done(async_op)


def all_gather_object(object_list: list[Any], obj: Any, group: Any = None) -> None:
    """As `all_gather`, for any objects."""
    _done(False)
    object_list[0] = obj


def gather_object(obj: Any, object_gather_list: Any = None, dst: Any = None, group: Any = None, **others: Any) -> None:
    """As `gather`, for any objects."""
    _done(False)
    if object_gather_list is not None:
        object_gather_list[0] = obj


def scatter_object_list(outputs: list[Any], inputs: Any = None, src: Any = None, group: Any = None, **o: Any) -> None:
    """As `scatter`, for any objects."""
    _done(False)
    outputs[0] = inputs[0]


class _Absent:
    """What wants more than one process. There is none of it, but programs ask whether something is one.

    Raises:
        RuntimeError: one is made.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise _Unavailable(
            f"distributed.{type(self).__name__}: there is no communication between processes here; "
            "distributed.is_available() says so"
        )


def _absent(path: str, *names: str) -> Any:
    """A module of classes of which there are no objects."""
    full = f"{__name__}.{path}"
    made = {name: type(name, (_Absent,), {"__module__": full, "__doc__": _Absent.__doc__}) for name in names}
    return _add_path(full, made)


tensor = _absent("tensor", "DTensor", "Shard", "Replicate", "Placement")
device_mesh = _absent("device_mesh", "DeviceMesh")
fsdp = _absent("fsdp", "FullyShardedDataParallel", "MixedPrecision", "CPUOffload", "FSDPModule")
optim = _absent("optim", "ZeroRedundancyOptimizer")
rpc = _absent("rpc", "RRef", "WorkerInfo")
rpc.is_available = is_available
_differentiable = {
    "all_reduce": lambda tensor, op=ReduceOp.SUM, group=None: tensor.clone(),
    "all_gather": lambda tensor, group=None: (tensor.clone(),),
    "broadcast": lambda tensor, src=0, group=None: tensor.clone(),
}
nn = _add_path(
    f"{__name__}.nn", {**_differentiable, "functional": _add_path(f"{__name__}.nn.functional", _differentiable)}
)
vars(nn)["__path__"] = []
distributed_c10d = _add_path(
    f"{__name__}.distributed_c10d",
    {name: globals()[name] for name in __all__} | {"_get_default_group": _default_group},
)
