"""Whole programs of kinds that people write for PyTorch, each small; see ``tests/programs.py``."""

from __future__ import annotations

import copy
import math
from collections import deque
from typing import Any

from .programs import numbers, program
from .programs_nn import classes, fill


def train(T: Any, model: Any, loss_of: Any, steps: int = 4, lr: float = 0.05, name: str = "Adam") -> list[float]:
    """Some steps of an optimizer, and the loss at each."""
    optimizer = getattr(T.optim, name)(model.parameters(), lr=lr)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# ---------------------------------------------------------------------- gradients of gradients


@program
def wasserstein_gan_with_penalty(T: Any) -> Any:
    nn = T.nn
    critic = fill(T, nn.Sequential(nn.Linear(3, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1)))
    generator = fill(T, nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 3)))
    d = T.optim.RMSprop(critic.parameters(), lr=0.01)
    g = T.optim.Adam(generator.parameters(), lr=0.01, betas=(0.0, 0.9))
    real, noise, seen = numbers(T, 6, 3), numbers(T, 6, 2, start=-0.2), []
    for _ in range(3):
        fake = generator(noise).detach()
        eps = numbers(T, 6, 1)
        mixed = (eps * real + (1 - eps) * fake).requires_grad_()
        (slope,) = T.autograd.grad(critic(mixed).sum(), mixed, create_graph=True)
        penalty = ((slope.norm(2, dim=1) - 1) ** 2).mean()
        loss = critic(fake).mean() - critic(real).mean() + 10 * penalty
        d.zero_grad()
        loss.backward()
        d.step()
        g.zero_grad()
        score = -critic(generator(noise)).mean()
        score.backward()
        g.step()
        seen.append([loss.item(), penalty.item(), score.item()])
    return seen


@program
def physics_informed_network(T: Any) -> Any:
    model = fill(T, T.nn.Sequential(T.nn.Linear(2, 6), T.nn.Tanh(), T.nn.Linear(6, 6), T.nn.Tanh(), T.nn.Linear(6, 1)))
    points = numbers(T, 7, 2)

    def loss_of() -> Any:
        x, t = points[:, :1].clone().requires_grad_(), points[:, 1:].clone().requires_grad_()
        u = model(T.cat([x, t], dim=1))
        ones = T.ones_like(u)
        u_t = T.autograd.grad(u, t, ones, create_graph=True)[0]
        u_x = T.autograd.grad(u, x, ones, create_graph=True)[0]
        u_xx = T.autograd.grad(u_x, x, ones, create_graph=True)[0]
        return ((u_t + u * u_x - 0.01 / math.pi * u_xx) ** 2).mean()

    return train(T, model, loss_of)


@program
def fit_with_lbfgs(T: Any) -> Any:
    model = fill(T, T.nn.Sequential(T.nn.Linear(1, 5), T.nn.Tanh(), T.nn.Linear(5, 1)))
    x = numbers(T, 9, 1)
    optimizer = T.optim.LBFGS(model.parameters(), lr=0.5, max_iter=6, line_search_fn="strong_wolfe")
    losses = []

    def closure() -> Any:
        optimizer.zero_grad()
        loss = T.nn.functional.mse_loss(model(x), T.sin(3 * x))
        loss.backward()
        return loss

    for _ in range(3):
        losses.append(optimizer.step(closure).item())
    return losses


@program
def meta_learning_through_the_inner_step(T: Any) -> Any:
    weights = [numbers(T, 4, 1, grad=True), numbers(T, 4, start=-0.1, grad=True), numbers(T, 1, 4, grad=True)]

    def forward(ws: Any, x: Any) -> Any:
        return T.nn.functional.linear(T.relu(T.nn.functional.linear(x, ws[0], ws[1])), ws[2])

    outer = T.optim.Adam(weights, lr=0.01)
    losses = []
    for _ in range(3):
        total = 0
        for task in range(2):
            x = numbers(T, 5, 1, start=0.1 * task)
            fast = weights
            for _ in range(2):
                grads = T.autograd.grad(((forward(fast, x) - x * task) ** 2).mean(), fast, create_graph=True)
                fast = [w - 0.1 * g for w, g in zip(fast, grads, strict=True)]
            total = total + ((forward(fast, x + 0.5) - task) ** 2).mean()
        outer.zero_grad()
        total.backward()
        outer.step()
        losses.append(total.item())
    return losses, [w.grad for w in weights]


@program
def sine_network_fits_its_own_slope(T: Any) -> Any:
    class Sine(T.nn.Module):
        def __init__(self, inside: int, outside: int, w0: float = 5.0) -> None:
            super().__init__()
            self.linear, self.w0 = T.nn.Linear(inside, outside), w0

        def forward(self, x: Any) -> Any:
            return T.sin(self.w0 * self.linear(x))

    model = fill(T, T.nn.Sequential(Sine(2, 6), Sine(6, 6), T.nn.Linear(6, 1)))
    grid = T.stack(
        T.meshgrid(T.linspace(-1, 1, 4, dtype=T.float64), T.linspace(-1, 1, 3, dtype=T.float64), indexing="ij"), dim=-1
    ).reshape(-1, 2)

    def loss_of() -> Any:
        x = grid.clone().requires_grad_(True)
        (slope,) = T.autograd.grad(model(x).sum(), x, create_graph=True)
        return (slope - T.cos(grid)).pow(2).sum(-1).mean()

    return train(T, model, loss_of, lr=1e-3)


# ---------------------------------------------------------------------- sequences


@program
def tagger_with_a_conditional_random_field(T: Any) -> Any:
    class Tagger(T.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = T.nn.Embedding(9, 4)
            self.lstm = T.nn.LSTM(4, 3, num_layers=1, bidirectional=True, batch_first=True)
            self.out = T.nn.Linear(6, 4)
            self.transitions = T.nn.Parameter(T.zeros(4, 4))

        def scores(self, words: Any) -> Any:
            return self.out(self.lstm(self.embed(words)[None])[0][0])

        def partition(self, scores: Any) -> Any:
            alpha = scores[0]
            for score in scores[1:]:
                alpha = T.logsumexp(alpha[:, None] + self.transitions + score[None], dim=0)
            return T.logsumexp(alpha, 0)

        def path_score(self, scores: Any, tags: Any) -> Any:
            steps = self.transitions[tags[:-1], tags[1:]].sum()
            return scores.gather(1, tags[:, None]).sum() + steps

        def decode(self, scores: Any) -> Any:
            best, back = scores[0], []
            for score in scores[1:]:
                values, pointers = (best[:, None] + self.transitions).max(dim=0)
                best = values + score
                back.append(pointers)
            path = [best.argmax().item()]
            for pointers in reversed(back):
                path.append(pointers[path[-1]].item())
            return path[::-1]

    model = fill(T, Tagger())
    words, tags = classes(T, 6, 9), classes(T, 6, 4)

    def loss_of() -> Any:
        scores = model.scores(words)
        return model.partition(scores) - model.path_score(scores, tags)

    losses = train(T, model, loss_of, name="SGD")
    with T.no_grad():
        return losses, model.decode(model.scores(words))


@program
def translation_with_attention_and_teacher_forcing(T: Any) -> Any:
    nn, F = T.nn, T.nn.functional

    class Decoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed, self.cell = nn.Embedding(7, 4), nn.GRUCell(8, 4)
            self.query, self.key, self.score = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 1)
            self.out = nn.Linear(4, 7)

        def forward(self, word: Any, hidden: Any, memory: Any, mask: Any) -> Any:
            energy = self.score(T.tanh(self.query(hidden)[:, None] + self.key(memory))).squeeze(-1)
            weights = F.softmax(energy.masked_fill(mask, float("-inf")), dim=-1)
            context = T.bmm(weights.unsqueeze(1), memory).squeeze(1)
            hidden = self.cell(T.cat((self.embed(word), context), 1), hidden)
            return F.log_softmax(self.out(hidden), dim=-1), hidden

    encoder = fill(T, nn.GRU(4, 4, batch_first=True))
    embed, decoder = fill(T, nn.Embedding(9, 4, padding_idx=0)), fill(T, Decoder())
    source = T.tensor([[3, 4, 5, 2], [6, 7, 2, 0], [8, 2, 0, 0]])
    lengths = (source != 0).sum(1)
    target = T.tensor([[1, 2, 3], [2, 3, 0], [4, 0, 0]])
    parameters = [p for m in (embed, encoder, decoder) for p in m.parameters()]
    optimizer = T.optim.AdamW(parameters, lr=0.02)
    losses = []
    for epoch in range(3):
        packed = nn.utils.rnn.pack_padded_sequence(embed(source), lengths, batch_first=True, enforce_sorted=False)
        memory, hidden = encoder(packed)
        memory, _ = nn.utils.rnn.pad_packed_sequence(memory, batch_first=True, total_length=4)
        hidden, word, loss = hidden[-1], T.ones(3, dtype=T.long), 0.0
        for t in range(3):
            out, hidden = decoder(word, hidden, memory, source == 0)
            loss = loss + F.nll_loss(out, target[:, t], ignore_index=0, reduction="sum")
            word = target[:, t] if epoch % 2 == 0 else out.topk(1)[1].squeeze(-1).detach()
        loss = loss / (target != 0).sum()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        losses.append([loss.item(), nn.utils.clip_grad_norm_(parameters, 0.5).item()])
        optimizer.step()
    return losses, embed.weight.grad[0]


@program
def word_vectors_by_negative_sampling(T: Any) -> Any:
    inside, outside = fill(T, T.nn.Embedding(11, 4)), fill(T, T.nn.Embedding(11, 4))
    bag = T.nn.EmbeddingBag(11, 4, mode="mean").double()
    bag.weight = inside.weight
    centre, context = classes(T, 8, 11), classes(T, 8, 7)
    noise = (T.arange(24) * 5 % 11).view(8, 3)
    model = T.nn.ModuleList([inside, outside])

    def loss_of() -> Any:
        v = inside(centre)
        good = T.nn.functional.logsigmoid((v * outside(context)).sum(1))
        bad = T.nn.functional.logsigmoid(-T.bmm(outside(noise), v.unsqueeze(2)).squeeze(2)).sum(1)
        return -(good + bad).mean() + bag(noise).pow(2).mean()

    losses = train(T, model, loss_of, name="Adagrad")
    near = T.nn.functional.normalize(inside.weight.detach(), dim=1)
    return losses, (near @ near[3]).topk(3).indices


@program
def language_model_truncates_its_history(T: Any) -> Any:
    class Model(T.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder, self.rnn = T.nn.Embedding(10, 6), T.nn.LSTM(6, 6, 2)
            self.decoder = T.nn.Linear(6, 10)
            self.decoder.weight = self.encoder.weight

        def forward(self, x: Any, hidden: Any) -> Any:
            out, hidden = self.rnn(self.encoder(x), hidden)
            return T.nn.functional.log_softmax(self.decoder(out).view(-1, 10), dim=1), hidden

        def start(self, n: int) -> Any:
            weight = next(self.parameters())
            return weight.new_zeros(2, n, 6), weight.new_zeros(2, n, 6)

    def detached(h: Any) -> Any:
        return h.detach() if isinstance(h, T.Tensor) else tuple(detached(v) for v in h)

    model = fill(T, Model())
    data = (T.arange(26) * 7 % 10).view(2, 13).t().contiguous()
    hidden, losses = model.start(2), []
    for i in range(0, 12, 4):
        model.zero_grad()
        hidden = detached(hidden)
        out, hidden = model(data[i : i + 4], hidden)
        loss = T.nn.functional.nll_loss(out, data[i + 1 : i + 5].reshape(-1))
        loss.backward()
        T.nn.utils.clip_grad_norm_(model.parameters(), 0.25)
        for p in model.parameters():
            p.data.add_(p.grad, alpha=-2.0)
        losses.append(loss.item())
    return losses, list(model.state_dict()), len(list(model.parameters()))


@program
def selective_scan(T: Any) -> Any:
    n, length, d, s = 2, 6, 3, 4
    x, delta = numbers(T, n, length, d, grad=True), numbers(T, n, length, d, start=-1.0)
    a, b, c = numbers(T, d, s, grad=True), numbers(T, n, length, s), numbers(T, n, length, s, start=-0.2)
    delta = T.nn.functional.softplus(delta)
    decay = T.exp(T.einsum("bld,dn->bldn", delta, -a.exp()))
    drive = T.einsum("bld,bln,bld->bldn", delta, b, x)
    state, outputs = T.zeros(n, d, s, dtype=T.float64), []
    for t in range(length):
        state = decay[:, t] * state + drive[:, t]
        outputs.append(T.einsum("bdn,bn->bd", state, c[:, t]))
    y = T.stack(outputs, dim=1) * T.nn.functional.silu(x)
    y.square().sum().backward()
    return y, x.grad, a.grad


# ---------------------------------------------------------------------- density and generation


@program
def affine_coupling_flow(T: Any) -> Any:
    class Coupling(T.nn.Module):
        def __init__(self, flip: bool) -> None:
            super().__init__()
            mask = T.tensor([1.0, 0.0, 1.0, 0.0])
            self.register_buffer("mask", 1 - mask if flip else mask)
            self.net = T.nn.Sequential(T.nn.Linear(4, 6), T.nn.ReLU(), T.nn.Linear(6, 8))

        def forward(self, x: Any, back: bool = False) -> Any:
            kept = x * self.mask
            scale, shift = self.net(kept).chunk(2, dim=1)
            scale, shift = T.tanh(scale) * (1 - self.mask), shift * (1 - self.mask)
            if back:
                return kept + (1 - self.mask) * ((x - shift) * T.exp(-scale))
            return kept + (1 - self.mask) * (x * scale.exp() + shift), scale.sum(dim=1)

    flow = fill(T, T.nn.ModuleList([Coupling(i % 2 == 1) for i in range(3)]))
    x = numbers(T, 6, 4)

    def loss_of() -> Any:
        z, total = x, T.zeros(6, dtype=T.float64)
        for layer in flow:
            z, log_det = layer(z)
            total = total + log_det
        return (0.5 * z.pow(2).sum(1) + 2 * math.log(2 * math.pi) - total).mean()

    losses = train(T, flow, loss_of)
    with T.no_grad():
        z = x
        for layer in flow:
            z, _ = layer(z)
        for layer in reversed(flow):
            z = layer(z, back=True)
    return losses, T.allclose(z, x), list(flow.state_dict())[:3]


@program
def denoising_diffusion_step(T: Any) -> Any:
    nn = T.nn

    class Block(nn.Module):
        def __init__(self, a: int, b: int) -> None:
            super().__init__()
            self.conv, self.norm = nn.Conv2d(a, b, 3, padding=1), nn.GroupNorm(2, b)
            self.time = nn.Linear(8, b)

        def forward(self, x: Any, t: Any) -> Any:
            return nn.functional.silu(self.norm(self.conv(x)) + self.time(t)[..., None, None])

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.down, self.middle, self.up = Block(1, 4), Block(4, 4), Block(8, 4)
            self.out = nn.Conv2d(4, 1, 1)

        def forward(self, x: Any, t: Any) -> Any:
            f = T.exp(-math.log(10000) * T.arange(4, dtype=T.float64) / 4)
            angle = t[:, None].double() * f[None]
            t = T.cat([angle.sin(), angle.cos()], dim=-1)
            a = self.down(x, t)
            b = self.middle(nn.functional.avg_pool2d(a, 2), t)
            b = nn.functional.interpolate(b, scale_factor=2, mode="nearest")
            return self.out(self.up(T.cat([a, b], 1), t))

    model = fill(T, Net())
    betas = T.linspace(1e-4, 0.02, 10, dtype=T.float64)
    kept = T.cumprod(1 - betas, dim=0)
    x, t = numbers(T, 2, 1, 4, 4), T.tensor([2, 7])
    noise = numbers(T, 2, 1, 4, 4, start=-0.3)

    def loss_of() -> Any:
        k = kept.gather(-1, t).reshape(-1, 1, 1, 1)
        return nn.functional.mse_loss(model(k.sqrt() * x + (1 - k).sqrt() * noise, t), noise)

    losses = train(T, model, loss_of)
    average = copy.deepcopy(model).eval().requires_grad_(False)
    with T.no_grad():
        for p, q in zip(average.parameters(), model.parameters(), strict=True):
            p.lerp_(q * 2, 0.1)
    return losses, average(x, t)


@program
def vector_quantised_autoencoder(T: Any) -> Any:
    class Quantiser(T.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.codes = T.nn.Embedding(5, 3)

        def forward(self, z: Any) -> Any:
            flat = z.permute(0, 2, 3, 1).contiguous().view(-1, 3)
            w = self.codes.weight
            distance = flat.pow(2).sum(1, keepdim=True) - 2 * flat @ w.t() + w.pow(2).sum(1)
            nearest = distance.argmin(1).unsqueeze(1)
            hot = T.zeros(nearest.shape[0], 5, dtype=z.dtype).scatter_(1, nearest, 1)
            q = (hot @ w).view(z.shape[0], *z.shape[2:], 3).permute(0, 3, 1, 2)
            loss = T.nn.functional.mse_loss(q.detach(), z) * 0.25 + T.nn.functional.mse_loss(q, z.detach())
            usage = hot.mean(0)
            return z + (q - z).detach(), loss, T.exp(-(usage * (usage + 1e-10).log()).sum())

    model = fill(
        T, T.nn.ModuleList([T.nn.Conv2d(1, 3, 2, stride=2), Quantiser(), T.nn.ConvTranspose2d(3, 1, 2, stride=2)])
    )
    x, perplexity = numbers(T, 2, 1, 4, 4), []

    def loss_of() -> Any:
        q, loss, p = model[1](model[0](x))
        perplexity.append(p.item())
        return T.nn.functional.mse_loss(model[2](q), x) + loss

    return train(T, model, loss_of), perplexity


@program
def masked_convolution(T: Any) -> Any:
    class Masked(T.nn.Conv2d):
        def __init__(self, kind: str, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.register_buffer("mask", T.ones_like(self.weight))
            k = self.kernel_size[0]
            self.mask[:, :, k // 2, k // 2 + (kind == "B") :] = 0
            self.mask[:, :, k // 2 + 1 :] = 0

        def forward(self, x: Any) -> Any:
            self.weight.data *= self.mask
            return super().forward(x)

    model = fill(
        T, T.nn.Sequential(Masked("A", 1, 4, 3, padding=1), T.nn.ReLU(), Masked("B", 4, 3, 3, 1, 1, bias=False))
    )
    x = numbers(T, 2, 1, 4, 4)
    target = (T.arange(32).view(2, 4, 4) * 5) % 3
    return train(T, model, lambda: T.nn.functional.cross_entropy(model(x), target)), list(model.state_dict())


# ---------------------------------------------------------------------- graphs, sets, capsules


@program
def graph_attention_by_scatter(T: Any) -> Any:
    class Layer(T.nn.Module):
        def __init__(self, a: int, b: int) -> None:
            super().__init__()
            self.w = T.nn.Linear(a, b, bias=False)
            self.att = T.nn.Parameter(T.empty(1, 2 * b))
            T.nn.init.xavier_uniform_(self.att)

        def forward(self, x: Any, edges: Any) -> Any:
            h, (source, target) = self.w(x), edges
            e = T.nn.functional.leaky_relu((T.cat([h[source], h[target]], 1) * self.att).sum(1), 0.2)
            top = T.full((len(x),), -1e9, dtype=e.dtype).scatter_reduce(0, target, e, "amax", include_self=True)
            e = (e - top[target]).exp()
            total = T.zeros(len(x), dtype=e.dtype).index_add(0, target, e)
            out = T.zeros_like(h)
            return out.scatter_add(0, target[:, None].expand(-1, h.size(1)), (e / total[target])[:, None] * h[source])

    model = fill(T, T.nn.ModuleList([Layer(3, 5), Layer(5, 4)]))
    x = numbers(T, 6, 3)
    edges = T.tensor([[0, 1, 2, 3, 4, 5, 0, 2, 4, 1], [1, 2, 3, 4, 5, 0, 3, 5, 1, 1]])
    mask = T.tensor([True, True, False, True, False, True])

    def loss_of() -> Any:
        h = T.nn.functional.elu(model[0](x, edges))
        return T.nn.functional.cross_entropy(model[1](h, edges)[mask], classes(T, 6, 4)[mask])

    return train(T, model, loss_of)


@program
def set_network_pools_its_elements(T: Any) -> Any:
    phi = fill(T, T.nn.Sequential(T.nn.Linear(2, 5), T.nn.ELU(), T.nn.Linear(5, 5)))
    rho = fill(T, T.nn.Linear(15, 1))
    sets = T.nn.utils.rnn.pad_sequence([numbers(T, n, 2) for n in (3, 1, 4)], batch_first=True, padding_value=-9.0)
    absent = (sets == -9.0).all(-1)

    def loss_of() -> Any:
        h = phi(sets)
        total = h.masked_fill(absent[..., None], 0).sum(1)
        most = h.masked_fill(absent[..., None], -math.inf).amax(1)
        mean = total / (~absent).sum(1, keepdim=True)
        return (rho(T.cat([total, most, mean], -1)) - T.tensor([[1.0], [2.0], [3.0]], dtype=T.float64)).abs().mean()

    return train(T, T.nn.ModuleList([phi, rho]), loss_of)


@program
def capsules_agree_by_routing(T: Any) -> Any:
    def squash(v: Any) -> Any:
        n = (v**2).sum(-1, keepdim=True)
        return n / (1 + n) * v / T.sqrt(n + 1e-8)

    w = numbers(T, 1, 6, 3, 4, 2, grad=True)
    u = squash(numbers(T, 2, 6, 2, grad=True))
    votes = T.matmul(w, u[:, :, None, :, None]).squeeze(-1)
    b = T.zeros(2, 6, 3, dtype=T.float64)
    for i in range(3):
        c = T.nn.functional.softmax(b, dim=2)
        used = votes if i == 2 else votes.detach()
        v = squash((c[..., None] * used).sum(1))
        b = b + (used * v[:, None]).sum(-1)
    lengths = v.norm(dim=-1)
    hot = T.eye(3, dtype=T.float64)[classes(T, 2, 3)]
    loss = (hot * T.relu(0.9 - lengths) ** 2 + 0.5 * (1 - hot) * T.clamp(lengths - 0.1, min=0) ** 2).sum()
    loss.backward()
    return loss, w.grad


# ---------------------------------------------------------------------- reinforcement


class Corridor:
    """A stub of an environment: walk right to the end."""

    def reset(self) -> list[float]:
        self.place, self.time = 0, 0
        return self.state()

    def state(self) -> list[float]:
        return [self.place / 4, self.time / 10]

    def step(self, action: int) -> tuple[list[float], float, bool]:
        self.place, self.time = max(0, self.place + (1 if action else -1)), self.time + 1
        return self.state(), float(self.place == 4) - 0.1, self.place == 4 or self.time == 10


@program
def policy_gradient(T: Any) -> Any:
    policy = fill(T, T.nn.Sequential(T.nn.Linear(2, 6), T.nn.ReLU(), T.nn.Linear(6, 2), T.nn.Softmax(dim=-1)))
    optimizer = T.optim.Adam(policy.parameters(), lr=0.05)
    world, totals = Corridor(), []
    for episode in range(3):
        state, logs, rewards, done, t = world.reset(), [], [], False, 0
        while not done:
            p = policy(T.tensor(state, dtype=T.float64).unsqueeze(0))
            action = (t + episode) % 3 != 0
            logs.append(p.log()[0, int(action)])
            state, reward, done = world.step(int(action))
            rewards.append(reward)
            t += 1
        returns: deque[float] = deque()
        for r in rewards[::-1]:
            returns.appendleft(r + 0.9 * (returns[0] if returns else 0.0))
        values = T.tensor(list(returns), dtype=T.float64)
        values = (values - values.mean()) / (values.std() + 1e-6)
        loss = T.stack([-log * value for log, value in zip(logs, values, strict=True)]).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        totals.append([sum(rewards), loss.item()])
    return totals


@program
def q_learning_with_replay_and_a_target(T: Any) -> Any:
    def net() -> Any:
        return fill(T, T.nn.Sequential(T.nn.Linear(2, 8), T.nn.ReLU(), T.nn.Linear(8, 2)))

    online, target = net(), net()
    target.load_state_dict(online.state_dict())
    optimizer = T.optim.AdamW(online.parameters(), lr=0.01, amsgrad=True)
    memory, world, losses = deque(maxlen=20), Corridor(), []
    state, criterion = world.reset(), T.nn.SmoothL1Loss()
    for t in range(24):
        with T.no_grad():
            action = online(T.tensor([state], dtype=T.float64)).max(1).indices.view(1, 1) if t % 3 else T.tensor([[1]])
        after, reward, done = world.step(action.item())
        following = None if done else T.tensor([after], dtype=T.float64)
        memory.append((T.tensor([state], dtype=T.float64), action, following, T.tensor([reward], dtype=T.float64)))
        state = world.reset() if done else after
        if len(memory) < 8:
            continue
        states, actions, followings, rewards = zip(*list(memory)[-8:], strict=True)
        alive = T.tensor([f is not None for f in followings], dtype=T.bool)
        q = online(T.cat(states)).gather(1, T.cat(actions))
        best = T.zeros(8, dtype=T.float64)
        with T.no_grad():
            best[alive] = target(T.cat([f for f in followings if f is not None])).max(1).values
        loss = criterion(q, (best * 0.9 + T.cat(rewards)).unsqueeze(1))
        optimizer.zero_grad()
        loss.backward()
        T.nn.utils.clip_grad_value_(online.parameters(), 100)
        optimizer.step()
        old, new = target.state_dict(), online.state_dict()
        for key in new:
            old[key] = new[key] * 0.05 + old[key] * 0.95
        target.load_state_dict(old)
        losses.append(loss.item())
    return losses


# ---------------------------------------------------------------------- the ways of Module, Optimizer, Function


@program
def low_rank_adapters_around_frozen_layers(T: Any) -> Any:
    class Adapted(T.nn.Module):
        def __init__(self, base: Any) -> None:
            super().__init__()
            self.base = base
            for p in self.base.parameters():
                p.requires_grad = False
            self.a = T.nn.Parameter(T.zeros(2, base.in_features))
            self.b = T.nn.Parameter(T.zeros(base.out_features, 2))

        def forward(self, x: Any) -> Any:
            return self.base(x) + x @ self.a.T @ self.b.T * 0.5

    model = T.nn.Sequential(T.nn.Linear(4, 5), T.nn.ReLU(), T.nn.Linear(5, 3))
    for name, child in list(model.named_children()):
        if isinstance(child, T.nn.Linear):
            setattr(model, name, Adapted(child))
    fill(T, model)
    trainable = [p for p in model.parameters() if p.requires_grad]
    optimizer = T.optim.Adam(trainable, lr=0.1)
    x = numbers(T, 5, 4)
    for _ in range(3):
        optimizer.zero_grad()
        T.nn.functional.cross_entropy(model(x), classes(T, 5, 3)).backward()
        optimizer.step()
    before = model(x)
    with T.no_grad():
        for module in model.modules():
            if isinstance(module, Adapted):
                module.base.weight += 0.5 * module.b @ module.a
                module.b.zero_()
    return T.allclose(before, model(x)), before, [n for n, p in model.named_parameters() if p.grad is not None]


@program
def attention_map_from_hooks(T: Any) -> Any:
    nn = T.nn
    model = fill(
        T,
        nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2)),
    ).eval()
    kept: dict[str, Any] = {}
    forward = model[1].register_forward_hook(lambda m, i, o: kept.update(activation=o.detach()))
    backward = model[1].register_full_backward_hook(lambda m, gi, go: kept.update(gradient=go[0].detach()))
    image = numbers(T, 1, 1, 5, 5).requires_grad_()
    scores = model(image)
    scores[0, scores.argmax()].backward()
    weights = kept["gradient"].mean(dim=(2, 3), keepdim=True)
    heat = T.relu((weights * kept["activation"]).sum(1, keepdim=True))
    heat = nn.functional.interpolate(heat, size=(10, 10), mode="bilinear", align_corners=False)
    forward.remove()
    backward.remove()
    return heat, image.grad.abs().max(), len(model[1]._forward_hooks)


@program
def optimizer_of_ones_own(T: Any) -> Any:
    class Signed(T.optim.Optimizer):
        def __init__(self, params: Any, lr: float = 1e-2, beta: float = 0.9) -> None:
            if lr <= 0.0:
                raise ValueError(f"Invalid learning rate: {lr}")
            super().__init__(params, {"lr": lr, "beta": beta})

        @T.no_grad()
        def step(self, closure: Any = None) -> Any:
            loss = None
            if closure is not None:
                with T.enable_grad():
                    loss = closure()
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    state = self.state[p]
                    if len(state) == 0:
                        state["step"], state["mean"] = 0, T.zeros_like(p, memory_format=T.preserve_format)
                    state["step"] += 1
                    state["mean"].mul_(group["beta"]).add_(p.grad, alpha=1 - group["beta"])
                    p.add_(state["mean"].sign(), alpha=-group["lr"])
            return loss

    class Halving(T.optim.lr_scheduler.LRScheduler):
        def get_lr(self) -> Any:
            return [base * 0.5**self.last_epoch for base in self.base_lrs]

    model = fill(T, T.nn.Linear(3, 2))
    optimizer = Signed([{"params": [model.weight]}, {"params": [model.bias], "lr": 0.2}], lr=0.1)
    schedule = Halving(optimizer)
    x, losses = numbers(T, 4, 3), []

    def closure() -> Any:
        optimizer.zero_grad()
        loss = model(x).square().sum()
        loss.backward()
        return loss

    for _ in range(3):
        losses.append(optimizer.step(closure).item())
        schedule.step()
    saved = optimizer.state_dict()
    other = Signed([{"params": [model.weight]}, {"params": [model.bias]}])
    other.load_state_dict(saved)
    return losses, model.weight, schedule.get_last_lr(), other.param_groups[1]["lr"], other.state[model.bias]["mean"]


@program
def optimizer_that_wraps_another(T: Any) -> Any:
    class Lookahead:
        def __init__(self, inner: Any, k: int = 2) -> None:
            self.inner, self.k, self.count = inner, k, 0
            self.param_groups, self.state, self.defaults = inner.param_groups, {}, inner.defaults
            self.slow = [[p.detach().clone() for p in g["params"]] for g in self.param_groups]

        def step(self, closure: Any = None) -> Any:
            loss = self.inner.step(closure)
            self.count += 1
            if self.count % self.k == 0:
                for group, slow in zip(self.param_groups, self.slow, strict=True):
                    for p, q in zip(group["params"], slow, strict=True):
                        q.add_(p.data - q, alpha=0.5)
                        p.data.copy_(q)
            return loss

    model = fill(T, T.nn.Linear(3, 2))
    optimizer, x = Lookahead(T.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)), numbers(T, 4, 3)
    for _ in range(5):
        optimizer.inner.zero_grad()
        model(x).pow(2).mean().backward()
        optimizer.step()
    return model.weight, model.bias


@program
def adjoint_of_a_differential_equation(T: Any) -> Any:
    def solve(f: Any, y: Any, t0: float, t1: float, n: int = 8) -> Any:
        h = (t1 - t0) / n
        for _ in range(n):
            k1 = f(y)
            k2 = f(tuple(a + h / 2 * b for a, b in zip(y, k1, strict=True)))
            k3 = f(tuple(a + h / 2 * b for a, b in zip(y, k2, strict=True)))
            k4 = f(tuple(a + h * b for a, b in zip(y, k3, strict=True)))
            steps = zip(y, k1, k2, k3, k4, strict=True)
            y = tuple(a + h / 6 * (p + 2 * q + 2 * r + s) for a, p, q, r, s in steps)
        return y

    net = fill(T, T.nn.Sequential(T.nn.Linear(2, 5), T.nn.Tanh(), T.nn.Linear(5, 2)))
    params = tuple(net.parameters())

    class Adjoint(T.autograd.Function):
        @staticmethod
        def forward(ctx: Any, y0: Any, *_: Any) -> Any:
            with T.no_grad():
                (y1,) = solve(lambda y: (net(y[0]),), (y0,), 0.0, 1.0)
            ctx.save_for_backward(y1)
            return y1

        @staticmethod
        @T.autograd.function.once_differentiable
        def backward(ctx: Any, grad: Any) -> Any:
            (y1,) = ctx.saved_tensors

            def f(s: Any) -> Any:
                with T.enable_grad():
                    y = s[0].detach().requires_grad_()
                    out = net(y)
                    gy, *gp = T.autograd.grad(out, (y, *params), s[1], allow_unused=True)
                return (out.detach(), -gy, *(-g for g in gp))

            result = solve(f, (y1, grad, *(T.zeros_like(p) for p in params)), 1.0, 0.0)
            return (result[1], *result[2:])

    y0 = numbers(T, 3, 2, grad=True)
    out = Adjoint.apply(y0, *params)
    out.pow(2).sum().backward()
    return out, y0.grad, [p.grad for p in params]


@program
def own_dataset_sampler_and_collation(T: Any) -> Any:
    data = T.utils.data

    class Words(data.Dataset):
        def __init__(self) -> None:
            self.words = ["a", "abc", "ab", "abcd", "abcde", "x"]

        def __len__(self) -> int:
            return len(self.words)

        def __getitem__(self, i: int) -> Any:
            return T.tensor([ord(c) - 96 for c in self.words[i]]), len(self.words[i]) % 2

    class ByLength(data.Sampler):
        def __init__(self, source: Any) -> None:
            self.source = source

        def __iter__(self) -> Any:
            return iter(sorted(range(len(self.source)), key=lambda i: (-len(self.source.words[i]), i)))

        def __len__(self) -> int:
            return len(self.source)

    def collate(batch: Any) -> Any:
        sequences, labels = zip(*batch, strict=True)
        return T.nn.utils.rnn.pad_sequence(sequences, batch_first=True), T.tensor(labels)

    words = Words()
    batches = list(data.DataLoader(words, batch_size=4, sampler=ByLength(words), collate_fn=collate))
    nested = next(iter(data.DataLoader([{"x": T.ones(2) * i, "y": (i, str(i))} for i in range(3)], batch_size=3)))
    return [list(b) for b in batches], nested["x"], nested["y"][0], nested["y"][1]


@program
def state_dict_surgery(T: Any) -> Any:
    nn = T.nn
    old = fill(T, nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 10)))
    state = {f"module.{k}": v for k, v in old.state_dict().items()}
    state = {k.removeprefix("module."): v for k, v in state.items() if not k.startswith("module.3")}
    state["0.weight"] = state["0.weight"].sum(1, keepdim=True)
    new = nn.Sequential(nn.Conv2d(1, 4, 3, bias=False), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2)).double()
    result = new.load_state_dict(state, strict=False)
    new[3] = fill(T, nn.Linear(4, 2))
    new[3].weight.data[0] = old[3].weight.data[7]
    new.add_module("head", nn.Identity())
    del new[4]
    return result.missing_keys, result.unexpected_keys, new(numbers(T, 2, 1, 3, 3)), list(new.state_dict())


@program
def checkpointed_blocks_give_the_same_gradients(T: Any) -> Any:
    from importlib import import_module

    checkpoint = import_module(f"{T.__name__}.utils.checkpoint").checkpoint
    blocks = fill(T, T.nn.ModuleList([T.nn.Sequential(T.nn.Linear(4, 4), T.nn.GELU()) for _ in range(3)]))
    x = numbers(T, 3, 4, grad=True)
    h = x
    for block in blocks:
        h = h + checkpoint(block, h, use_reentrant=False)
    h.pow(2).mean().backward()
    return h, x.grad, [p.grad for p in blocks.parameters()]


@program
def style_transfer_optimises_an_image(T: Any) -> Any:
    nn = T.nn
    features = fill(T, nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.Conv2d(3, 4, 3, padding=1))).eval()
    features.requires_grad_(False)

    def gram(x: Any) -> Any:
        n, c, h, w = x.size()
        flat = x.view(n, c, h * w)
        return flat.bmm(flat.transpose(1, 2)) / (c * h * w)

    content, style = numbers(T, 1, 1, 6, 6), numbers(T, 1, 1, 6, 6, start=-0.3)
    wanted = [gram(features[:1](style)), gram(features(style))]
    image, losses = content.clone().requires_grad_(True), []
    optimizer = T.optim.LBFGS([image], max_iter=3)
    for _ in range(2):

        def closure() -> Any:
            with T.no_grad():
                image.clamp_(-1, 2)
            optimizer.zero_grad()
            a = features[:1](image)
            b = features[1:](a)
            loss = 1e3 * sum(nn.functional.mse_loss(gram(f), g) for f, g in zip((a, b), wanted, strict=True))
            edges = (image[..., 1:] - image[..., :-1]).abs().mean()
            loss = loss + nn.functional.mse_loss(b, features(content)) + 0.1 * edges
            loss.backward()
            losses.append(loss.item())
            return loss

        optimizer.step(closure)
    return losses, image


@program
def spatial_transformer_learns_where_to_look(T: Any) -> Any:
    nn = T.nn

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.where = nn.Sequential(nn.Conv2d(1, 2, 3), nn.MaxPool2d(2, stride=2), nn.ReLU(True))
            self.theta = nn.Linear(8, 6)
            self.out = nn.Linear(36, 3)

        def forward(self, x: Any) -> Any:
            theta = self.theta(self.where(x).view(-1, 8)).view(-1, 2, 3)
            grid = nn.functional.affine_grid(theta, x.size(), align_corners=False)
            return self.out(nn.functional.grid_sample(x, grid, align_corners=False).flatten(1))

    model = fill(T, Net())
    model.theta.weight.data.mul_(0.1)
    model.theta.bias.data.copy_(T.tensor([1, 0, 0, 0, 1, 0], dtype=T.float))
    x = numbers(T, 3, 1, 6, 6)
    return train(T, model, lambda: nn.functional.cross_entropy(model(x), classes(T, 3, 3)))


@program
def accumulated_and_clipped_gradients_in_groups(T: Any) -> Any:
    model = fill(T, T.nn.Sequential(T.nn.Linear(3, 4), T.nn.LayerNorm(4), T.nn.Tanh(), T.nn.Linear(4, 2)))
    decay = [p for n, p in model.named_parameters() if p.dim() >= 2]
    rest = [p for n, p in model.named_parameters() if p.dim() < 2]
    groups = [{"params": decay, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}]
    optimizer = T.optim.AdamW(groups, lr=0.01, betas=(0.9, 0.95))
    schedule = T.optim.lr_scheduler.SequentialLR(
        optimizer,
        [
            T.optim.lr_scheduler.LinearLR(optimizer, 0.1, total_iters=2),
            T.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=3),
        ],
        milestones=[2],
    )
    x, y, seen = numbers(T, 8, 3), classes(T, 8, 2), []
    for i in range(8):
        loss = T.nn.functional.cross_entropy(model(x[i : i + 2]), y[i : i + 2], label_smoothing=0.1) / 2
        loss.backward()
        if i % 2:
            norm = T.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            seen.append([norm.item(), *schedule.get_last_lr()])
    return seen, model[0].weight


@program
def names_that_keep_older_programs_running(T: Any) -> Any:
    x = T.autograd.Variable(T.linspace(0, 1, 6, dtype=T.float64).view(2, 3), requires_grad=True)
    parts = x.split(split_size=2, dim=1)
    drawn = T.randint_like(x, high=1), T.randint(high=1, size=(2,))
    kind = (x > 0.5).type(T.Tensor)
    layer = T.nn.Linear(2, 1)
    layer._parameters = {"weight": layer.weight}
    return [p.shape[1] for p in parts], *drawn, kind, x.data.type_as(kind), sorted(layer.state_dict())


@program
def operations_on_lists_of_tensors(T: Any) -> Any:
    a, b, c = ([numbers(T, n, 2, start=s) for n in (2, 3)] for s in (0.1, 0.4, 0.9))
    new = [
        *T._foreach_add(a, b, alpha=2),
        *T._foreach_mul(a, [2.0, 3.0]),
        *T._foreach_addcdiv(a, b, c, value=0.5),
        *T._foreach_addcmul(a, b, c, [0.5, 2.0]),
        *T._foreach_maximum(a, 0.3),
        *T._foreach_clamp_max(a, b),
        *T._foreach_lerp(a, b, 0.1),
        *T._foreach_sqrt(c),
        *T._foreach_norm(a),
        *T._foreach_div(T._foreach_neg(a), 2.0),
        *T._foreach_pow(c, 2),
    ]
    T._foreach_mul_(a, 0.9)
    T._foreach_add_(a, b, alpha=0.1)
    T._foreach_addcdiv_(a, b, c, -0.1)
    T._foreach_zero_(b)
    T._foreach_copy_(b, c)
    return new, a, b
