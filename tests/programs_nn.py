"""Training programs as people write them for PyTorch; see ``tests/programs.py``."""

from __future__ import annotations

import math
from typing import Any

from .programs import numbers, program


def fill(T: Any, model: Any) -> Any:
    """Give a model parameters that do not depend on the library's random numbers, in float64."""
    model = model.double()
    with T.no_grad():
        for i, p in enumerate(model.parameters()):
            n = p.numel()
            values = [math.sin(1.7 * j + i) * 0.3 for j in range(n)]
            p.copy_(T.tensor(values, dtype=T.float64).view_as(p))
    return model


def classes(T: Any, n: int, k: int) -> Any:
    return T.tensor([(i * 3 + i // 2) % k for i in range(n)])


@program
def mlp_with_sgd(T: Any) -> Any:
    nn = T.nn
    model = fill(T, nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3)))
    optimizer = T.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-3)
    criterion = nn.CrossEntropyLoss()
    x, y, losses = numbers(T, 12, 6), classes(T, 12, 3), []
    for _ in range(10):
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, list(model.parameters()), list(model.state_dict())


@program
def convolutional_net_with_adam(T: Any) -> Any:
    nn, F = T.nn, T.nn.functional

    class Net(nn.Module):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(1, 4, 3, padding=1)
            self.bn1 = nn.BatchNorm2d(4)
            self.conv2 = nn.Conv2d(4, 6, kernel_size=(3, 3), stride=2, bias=False)
            self.pool = nn.MaxPool2d(2)
            self.drop = nn.Dropout(0.0)
            self.fc = nn.Linear(6, 3)

        def forward(self, x: Any) -> Any:
            x = self.pool(F.relu(self.bn1(self.conv1(x))))
            x = F.relu(self.conv2(x))
            x = F.adaptive_avg_pool2d(x, 1).flatten(1)
            return F.log_softmax(self.fc(self.drop(x)), dim=1)

    model = fill(T, Net())
    optimizer = T.optim.Adam(model.parameters(), lr=0.01)
    scheduler = T.optim.lr_scheduler.StepLR(optimizer, 2, gamma=0.5)
    x, y, losses = numbers(T, 5, 1, 8, 8), classes(T, 5, 3), []
    for _ in range(5):
        model.train()
        optimizer.zero_grad()
        loss = F.nll_loss(model(x), y)
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    model.eval()
    with T.no_grad():
        out = model(x)
    return losses, out, model.bn1.running_mean, model.bn1.running_var, model.bn1.num_batches_tracked, out.argmax(1)


@program
def residual_block(T: Any) -> Any:
    nn = T.nn

    class Block(nn.Module):  # type: ignore[name-defined, misc]
        def __init__(self, i: int, o: int, stride: int = 1) -> None:
            super().__init__()
            self.body = nn.Sequential(
                nn.Conv2d(i, o, 3, stride, 1, bias=False),
                nn.BatchNorm2d(o),
                nn.ReLU(inplace=True),
                nn.Conv2d(o, o, 3, 1, 1, bias=False),
                nn.BatchNorm2d(o),
            )
            self.short = (
                nn.Identity()
                if i == o and stride == 1
                else nn.Sequential(nn.Conv2d(i, o, 1, stride, bias=False), nn.BatchNorm2d(o))
            )

        def forward(self, x: Any) -> Any:
            out = self.body(x)
            out += self.short(x)
            return T.relu(out)

    model = fill(T, nn.Sequential(Block(3, 4, 2), Block(4, 4)))
    x = numbers(T, 2, 3, 8, 8, grad=True)
    out = model(x)
    out.mean().backward()
    return out, x.grad, [p.grad for p in model.parameters()], [n for n, _ in model.named_modules()]


@program
def adversarial_training(T: Any) -> Any:
    nn = T.nn
    g = fill(T, nn.Sequential(nn.Linear(2, 8), nn.LeakyReLU(0.2), nn.Linear(8, 4), nn.Tanh()))
    d = fill(T, nn.Sequential(nn.Linear(4, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1)))
    og = T.optim.Adam(g.parameters(), lr=2e-3, betas=(0.5, 0.999))
    od = T.optim.Adam(d.parameters(), lr=2e-3, betas=(0.5, 0.999))
    criterion = nn.BCEWithLogitsLoss()
    real, z = numbers(T, 6, 4), numbers(T, 6, 2, start=-0.3)
    ones, zeros, log = T.ones(6, 1, dtype=T.float64), T.zeros(6, 1, dtype=T.float64), []
    for _ in range(4):
        od.zero_grad()
        fake = g(z)
        loss_d = criterion(d(real), ones) + criterion(d(fake.detach()), zeros)
        loss_d.backward()
        od.step()
        og.zero_grad()
        loss_g = criterion(d(fake), ones)
        loss_g.backward()
        og.step()
        log.append((loss_d.item(), loss_g.item()))
    return log


@program
def small_gpt(T: Any) -> Any:
    nn, F = T.nn, T.nn.functional

    class Attention(nn.Module):  # type: ignore[name-defined, misc]
        def __init__(self, d: int, heads: int, t: int) -> None:
            super().__init__()
            self.qkv, self.proj, self.heads = nn.Linear(d, 3 * d), nn.Linear(d, d), heads
            self.register_buffer("mask", T.tril(T.ones(t, t)).view(1, 1, t, t))

        def forward(self, x: Any) -> Any:
            b, t, c = x.size()
            q, k, v = self.qkv(x).split(c, dim=2)
            q, k, v = (a.view(b, t, self.heads, c // self.heads).transpose(1, 2) for a in (q, k, v))
            att = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.size(-1)))
            att = att.masked_fill(self.mask[:, :, :t, :t] == 0, float("-inf"))
            y = F.softmax(att, dim=-1) @ v
            return self.proj(y.transpose(1, 2).contiguous().view(b, t, c))

    class GPT(nn.Module):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            super().__init__()
            self.tok, self.pos = nn.Embedding(11, 8), nn.Embedding(6, 8)
            self.blocks = nn.ModuleList(
                [
                    nn.ModuleDict(
                        {
                            "ln1": nn.LayerNorm(8),
                            "att": Attention(8, 2, 6),
                            "ln2": nn.LayerNorm(8),
                            "mlp": nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 8)),
                        }
                    )
                    for _ in range(2)
                ]
            )
            self.ln, self.head = nn.LayerNorm(8), nn.Linear(8, 11, bias=False)
            self.head.weight = self.tok.weight

        def forward(self, idx: Any, targets: Any) -> Any:
            x = self.tok(idx) + self.pos(T.arange(idx.size(1), device=idx.device))
            for b in self.blocks:
                x = x + b["att"](b["ln1"](x))
                x = x + b["mlp"](b["ln2"](x))
            logits = self.head(self.ln(x))
            return logits, F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1))

    model = fill(T, GPT())
    decay = [p for p in model.parameters() if p.dim() >= 2]
    rest = [p for p in model.parameters() if p.dim() < 2]
    optimizer = T.optim.AdamW([{"params": decay, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}], lr=3e-3)
    idx = T.tensor([[1, 4, 2, 8, 5, 7], [0, 3, 3, 10, 9, 6]])
    losses = []
    for _ in range(4):
        logits, loss = model(idx, idx.roll(-1, dims=1))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = T.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses += [loss.item(), float(norm)]
    return losses, logits, len(list(model.parameters())), sorted(model.state_dict())


@program
def character_rnn_by_modules(T: Any) -> Any:
    nn = T.nn

    class Cell(nn.Module):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            super().__init__()
            self.x2h, self.h2h, self.out = nn.Linear(5, 7), nn.Linear(7, 7, bias=False), nn.Linear(7, 5)

        def forward(self, x: Any, h: Any) -> Any:
            h = T.tanh(self.x2h(x) + self.h2h(h))
            return self.out(h), h

    model = fill(T, Cell())
    x = T.eye(5, dtype=T.float64)[T.tensor([0, 3, 1, 4, 2])]
    h = T.zeros(1, 7, dtype=T.float64)
    loss = 0.0
    for t in range(4):
        y, h = model(x[t : t + 1], h)
        loss = loss + nn.functional.cross_entropy(y, T.tensor([(t * 2) % 5]))
    loss.backward()
    for p in model.parameters():
        p.data.add_(p.grad.data, alpha=-0.1)
    return loss, list(model.parameters())


@program
def variational_autoencoder_loss(T: Any) -> Any:
    nn, F = T.nn, T.nn.functional
    enc, dec = fill(T, nn.Linear(6, 4)), fill(T, nn.Sequential(nn.Linear(2, 6), nn.Sigmoid()))
    x, eps = numbers(T, 3, 6), numbers(T, 3, 2, start=-0.5)
    mu, logvar = enc(x).chunk(2, dim=1)
    z = mu + eps * T.exp(0.5 * logvar)
    bce = F.binary_cross_entropy(dec(z), x, reduction="sum")
    kld = -0.5 * T.sum(1 + logvar - mu.pow(2) - logvar.exp())
    (bce + kld).backward()
    return bce, kld, enc.weight.grad, dec[0].bias.grad


@program
def state_dict_round_trip(T: Any) -> Any:
    nn = T.nn

    def make() -> Any:
        return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))

    a, b = fill(T, make()), make().double()
    a(numbers(T, 5, 3))
    result = b.load_state_dict(a.state_dict())
    a.eval()
    b.eval()
    x = numbers(T, 5, 3)
    return a(x), b(x), list(a.state_dict()), str(result)


@program
def load_state_dict_missing_key_raises(T: Any) -> Any:
    T.nn.Linear(3, 4).load_state_dict({"weight": T.zeros(4, 3)})


@program
def load_state_dict_wrong_shape_raises(T: Any) -> Any:
    T.nn.Linear(3, 4).load_state_dict({"weight": T.zeros(4, 4), "bias": T.zeros(4)})


@program
def module_repr(T: Any) -> Any:
    nn = T.nn
    net = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.BatchNorm2d(6), nn.ReLU(inplace=True), nn.MaxPool2d(2, stride=2),
        nn.Sequential(nn.Flatten(), nn.Linear(10, 3), nn.Dropout(0.3), nn.Softmax(dim=1)), nn.Embedding(3, 4),
        nn.LayerNorm(4), nn.GELU(), nn.AvgPool2d(3),
    )  # fmt: skip
    return repr(net)


@program
def frozen_trunk(T: Any) -> Any:
    nn = T.nn
    trunk, head = fill(T, nn.Linear(4, 4)), fill(T, nn.Linear(4, 2))
    for p in trunk.parameters():
        p.requires_grad = False
    optimizer = T.optim.SGD(filter(lambda p: p.requires_grad, [*trunk.parameters(), *head.parameters()]), lr=0.1)
    before = trunk.weight.clone()
    loss = head(trunk(numbers(T, 3, 4)).relu()).pow(2).mean()
    loss.backward()
    optimizer.step()
    return trunk.weight.grad is None, (before == trunk.weight).all().item(), head.weight


@program
def every_loss(T: Any) -> Any:
    F = T.nn.functional
    out = []
    for reduction in ("mean", "sum", "none"):
        x, t = numbers(T, 4, 3, start=-0.2, grad=True), numbers(T, 4, 3, start=0.1)
        y = classes(T, 4, 3)
        for loss in (
            F.mse_loss(x, t, reduction=reduction),
            F.l1_loss(x, t, reduction=reduction),
            F.smooth_l1_loss(x, t, reduction=reduction),
            F.huber_loss(x, t, reduction=reduction, delta=0.2),
            F.cross_entropy(x, y, reduction=reduction, label_smoothing=0.1, ignore_index=1),
            F.cross_entropy(x, t.softmax(1), reduction=reduction, weight=T.tensor([1.0, 2.0, 0.5], dtype=T.float64)),
            F.nll_loss(x.log_softmax(1), y, weight=T.tensor([1.0, 2.0, 0.5], dtype=T.float64), reduction=reduction),
            F.binary_cross_entropy_with_logits(x, t, reduction=reduction, pos_weight=T.tensor(2.0, dtype=T.float64)),
            F.binary_cross_entropy(x.sigmoid(), t.clamp(0, 1), reduction=reduction),
            F.kl_div(x.log_softmax(1), t.softmax(1), reduction=reduction),
        ):
            x.grad = None
            loss.sum().backward()
            out.append((loss, x.grad.clone()))
    return out


@program
def hooks_on_modules(T: Any) -> Any:
    nn, log = T.nn, []
    model = fill(T, nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)))
    model[1].register_forward_hook(lambda m, i, o: log.append(("forward", i[0].shape == o.shape)))
    model[0].register_forward_pre_hook(lambda m, i: (i[0] * 2,))
    model[1].register_full_backward_hook(lambda m, gi, go: log.append((gi[0].clone(), go[0].clone())))
    model(numbers(T, 2, 3)).sum().backward()
    return log, model[0].weight.grad


@program
def channel_mismatch_raises(T: Any) -> Any:
    return T.nn.Conv2d(3, 4, 3)(T.zeros(1, 1, 8, 8))


@program
def linear_mismatch_raises(T: Any) -> Any:
    return T.nn.Linear(3, 4)(T.zeros(2, 5))


@program
def class_out_of_range_raises(T: Any) -> Any:
    return T.nn.functional.cross_entropy(T.zeros(2, 3), T.tensor([0, 3]))


@program
def float_class_raises(T: Any) -> Any:
    return T.nn.functional.nll_loss(T.zeros(2, 3), T.tensor([0.0, 1.0]))


@program
def embedding_out_of_range_raises(T: Any) -> Any:
    return T.nn.Embedding(3, 2)(T.tensor([3]))


@program
def empty_optimizer_raises(T: Any) -> Any:
    T.optim.SGD([], lr=0.1)


@program
def attribute_before_init_raises(T: Any) -> Any:
    class Net(T.nn.Module):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            self.fc = T.nn.Linear(2, 2)

    Net()


@program
def missing_attribute_raises(T: Any) -> Any:
    return T.nn.Linear(2, 2).nothing
