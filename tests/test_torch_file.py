"""Reading what PyTorch saved, in both of its forms; nothing in a file is executed, and damaged files are refused."""

from __future__ import annotations

import base64
import io
import pickle
import random
import zipfile
import zlib
from collections import OrderedDict
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.utils.torch_file import DTYPES

try:
    import torch
except ImportError:
    torch = None  # type: ignore[assignment]

parity = [
    pytest.mark.parity,
    pytest.mark.skipif(torch is None, reason="PyTorch is not installed: make parity installs it"),
]

# torch.save({"w": torch.arange(6.).reshape(2, 3).t(), "step": 3}, file), by PyTorch 2.13, in both forms.
SAVED = {
    "zip": (
        "c-o~@O>fgM7<Q62DFM0<A$9DqD@8z;rr$%*DS}*bpeq7ZT%s&7C0g3liQ5Szq)LcM+~5yP{0Jm|0!IXAZXAFUM>t|9EK5?g+rWx#"
        "#qsmJk6%A;IvSS&AeRF(Z5gZr!!w`Q6S!#^*eH$m997AKM~OCNpCeH0F$A!W7!$h$QPRiQc6?Fy;O^LVEFHt4?|S+~77<%4_5`xo"
        "Cp(QkL|h0FRmU~({cur4nSfA2*&at`b2LW0#$zPxXh7pM_5kHHM&l09xmTv?Iu10k?GAnMo@YT1T6b&{i%7iMMdvZP&_x$}nIIw@"
        "p}fY8OC3$f$-nwr@5n0cow+$E03pgj>9Ok#46IL}=aXov!qHTeDcSp<UtUnb%tEqt&^RXhdw$(;?EY{7hgelAsnnjT)vHuMdmsH^"
        "NeFhKfECb=1nfS=(52~8m7D((_oz8G#tx(!Uf%k8nI}>Bg&OkUcEVMglB#U|hk%fE+9ty`c}Sm<{&t%xD!l&oW{rGUTc~IWT#FP%"
        "cYEcuk}4vN^y#qw;N<*o0QuMe!Qp-A*~9_Q4C-Iqwp68b#$1$Z4Y^rvwQA*ZvsSHFE0SE7s$`HWje1q8H!4!A(Ue+L<=w+egCfyU"
        "3{)~yY@{<@56d&k)Bk}qI$i*U1Tw>bc@>l<iJN#mL9!DknW>yKPuz$r37*d}o~QuQ@VIO83HU=6q`aHP#(l7qz<!Tm=bS%&JsSyd"
        "mjfplr=#)w^&^{cHzK5vnm;n({F@7Bf(t%<$cFFXA1up<7$Mjn?)?K=$54X"
    ),
    "stream": (
        "c-n1GJ4*vW5WZIuT}`mHvpkzXJdva_g``=0#bz5h&buX9S#C4Ca}kBWRYCm?7MA`se}Z7)Btfunm>HOFzIl9g@XGY}+vw}y{^M%D"
        "TL<T#A>{>lvDouGZ)Ode+~{;Jty881p9rE&9jy?xOl4W9tc2iMFaq&$CR3-Lq=Rq)Q7jq+x~Z`U4IYS)Dpevhc_gCM4pUB`#iOeF"
        "z3CJB0Dg|f=F@Ikq0)|}R^C-g7b(ip8Jo_J7zA-FTC3&6%q9}T%?KN5li|$<WDtoCaR$f9V2~uelU~yA_o1==BcE0DNAm)qb<I5<"
        "@?Z&D+~?sEwqJ6RtYwa**s)7nNGppol_LXoIEEdB-7&P+5**4Iba=Q@a0}jl_x!Be^!{3XN@++=QB%ARe*nmqX|4"
    ),
}


def saved(form: str) -> bytes:
    return zlib.decompress(base64.b85decode(SAVED[form]))


@pytest.mark.parametrize("form", SAVED)
def test_both_forms(form: str):
    found = wg.load(io.BytesIO(saved(form)))
    assert list(found) == ["w", "step"]
    assert found["step"] == 3
    assert found["w"].tolist() == [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]
    assert found["w"].stride() == (1, 3)


def zipped(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("x/data.pkl", content)
    return file.getvalue()


class Calls:
    """Pickles as a call of a function with arguments."""

    def __init__(self, function: Any, *args: Any) -> None:
        self.call = function, args

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize(
    ("function", "args"),
    [(exec, ("raise SystemExit",)), (getattr, ("a", "upper")), (np.zeros, (3,)), (OrderedDict.fromkeys, ([],))],
)
@pytest.mark.parametrize("wrap", [zipped, bytes], ids=["zip", "stream"])
def test_nothing_is_executed(function: Any, args: Any, wrap: Any):
    content = wrap(pickle.dumps(Calls(function, *args), protocol=2))
    with pytest.raises(RuntimeError, match=r"The file asks for .* may run code"):
        wg.load(io.BytesIO(content))


@pytest.mark.parametrize("form", SAVED)
def test_damaged_files_are_refused(form: str):
    content = saved(form)
    for end in range(4, len(content) - 1, 37):
        with pytest.raises(RuntimeError, match="cannot load"):
            wg.load(io.BytesIO(content[:end]))


def test_noise_in_the_older_form_is_refused_or_read():
    rng = random.Random(0)
    content = saved("stream")
    refused = 0
    for _ in range(300):
        noisy = bytearray(content)
        for _ in range(3):
            noisy[rng.randrange(len(noisy))] = rng.randrange(256)
        try:
            wg.load(io.BytesIO(bytes(noisy)))
        except RuntimeError:
            refused += 1
    assert refused > 100


def test_other_pickles_and_archives_are_refused():
    with pytest.raises(RuntimeError, match="could run any code"):
        wg.load(io.BytesIO(pickle.dumps({})))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("notes.txt", "")
    file.seek(0)
    with pytest.raises(RuntimeError, match=r"without data\.pkl"):
        wg.load(file)


class TestWithPyTorch:
    pytestmark = parity

    @pytest.fixture(params=[True, False], ids=["zip", "stream"])
    def through(self, request: pytest.FixtureRequest) -> Any:
        def move(value: Any) -> Any:
            file = io.BytesIO()
            torch.save(value, file, _use_new_zipfile_serialization=request.param)
            file.seek(0)
            return wg.load(file)

        return move

    @pytest.mark.parametrize("dtype", sorted(DTYPES))
    def test_types(self, through: Any, dtype: str):
        x = torch.arange(6).reshape(2, 3).to(getattr(torch, dtype))
        y = through(x)
        assert str(y.dtype) == f"wengert.{dtype}"
        np.testing.assert_array_equal(y.to(wg.complex128).numpy(), x.to(torch.complex128).numpy())

    def test_values_beside_tensors(self, through: Any):
        value = {
            "numbers": [1, 2.5, True, None, 1 + 2j, "text", b"bytes"],
            "tuple": (torch.ones(2), {3, 4}),
            "size": torch.Size([2, 3]),
            "dtype": torch.float16,
            "device": torch.device("cpu"),
            "ordered": OrderedDict(a=torch.zeros(0), b=torch.tensor(7)),
        }
        found = through(value)
        assert found["numbers"] == value["numbers"]
        assert found["tuple"][0].tolist() == [1.0, 1.0]
        assert found["tuple"][1] == {3, 4}
        assert found["size"] == wg.Size([2, 3])
        assert found["dtype"] is wg.float16
        assert found["device"] == wg.device("cpu")
        assert isinstance(found["ordered"], OrderedDict)
        assert found["ordered"]["a"].shape == (0,)
        assert found["ordered"]["b"].item() == 7

    def test_memory_is_shared_as_it_was(self, through: Any):
        x = torch.zeros(4, 4)
        found = through({"all": x, "row": x[1], "column": x[:, 2], "again": x})
        assert found["again"] is found["all"]
        found["row"].fill_(5)
        assert found["all"][1].tolist() == [5.0] * 4
        assert found["column"].tolist() == [0.0, 5.0, 0.0, 0.0]

    def test_parameters_and_gradients(self, through: Any):
        found = through({"p": torch.nn.Parameter(torch.ones(2)), "x": torch.ones(2, requires_grad=True)})
        assert isinstance(found["p"], wg.nn.Parameter)
        assert found["p"].requires_grad
        assert found["x"].requires_grad

    def test_a_model_and_its_optimizer_go_on_here(self, through: Any):
        def model(T: Any) -> Any:
            return T.nn.Sequential(T.nn.Conv2d(1, 4, 3), T.nn.BatchNorm2d(4), T.nn.Flatten(), T.nn.Linear(4 * 16, 3))

        theirs, ours = model(torch).double(), model(wg).double()
        x = np.random.default_rng(0).standard_normal((5, 1, 6, 6))
        y = np.arange(5) % 3
        optimizers = [torch.optim.Adam(theirs.parameters()), wg.optim.Adam(ours.parameters())]

        def step(T: Any, net: Any, optimizer: Any) -> float:
            optimizer.zero_grad()
            loss = T.nn.functional.cross_entropy(net(T.tensor(x)), T.tensor(y))
            loss.backward()
            optimizer.step()
            return float(loss.item())

        for _ in range(3):
            step(torch, theirs, optimizers[0])
        checkpoint = through({"model": theirs.state_dict(), "optimizer": optimizers[0].state_dict()})
        assert ours.load_state_dict(checkpoint["model"]) is not None
        optimizers[1].load_state_dict(checkpoint["optimizer"])
        for _ in range(3):
            assert step(wg, ours, optimizers[1]) == pytest.approx(step(torch, theirs, optimizers[0]), rel=1e-9)

    def test_a_whole_module_is_refused_by_name(self, through: Any):
        with pytest.raises(RuntimeError, match=r"asks for torch\.nn\.modules\.linear\.Linear"):
            through(torch.nn.Linear(2, 2))
