"""Programs with distributions: policies, latent variables, flows; see ``tests/programs.py``."""

from __future__ import annotations

from typing import Any

from .programs import numbers, program
from .programs_nn import fill
from .programs_whole import train


@program
def clipped_policy_gradient(T: Any) -> Any:
    nn = T.nn
    body = fill(T, nn.Sequential(nn.Linear(4, 8), nn.Tanh()))
    policy, value = fill(T, nn.Linear(8, 3)), fill(T, nn.Linear(8, 1))
    model = nn.ModuleList([body, policy, value])
    seen, taken, returns = numbers(T, 6, 4), T.tensor([0, 2, 1, 1, 0, 2]), numbers(T, 6)

    def heads() -> Any:
        h = body(seen)
        return T.distributions.Categorical(logits=policy(h)), value(h).squeeze(-1)

    with T.no_grad():
        before, expected = heads()
        old, advantage = before.log_prob(taken), returns - expected

    def loss_of() -> Any:
        now, expected = heads()
        ratio = (now.log_prob(taken) - old).exp()
        gain = T.min(ratio * advantage, ratio.clamp(0.8, 1.2) * advantage).mean()
        return nn.functional.mse_loss(expected, returns) - gain - 0.01 * now.entropy().mean()

    return train(T, model, loss_of)


@program
def squashed_gaussian_actor(T: Any) -> Any:
    D = T.distributions
    actor, critic = fill(T, T.nn.Linear(3, 4)), fill(T, T.nn.Linear(5, 1))
    seen, noise = numbers(T, 6, 3), numbers(T, 6, 2, start=-0.3)

    def loss_of() -> Any:
        mean, log_scale = actor(seen).chunk(2, -1)
        scale = log_scale.clamp(-5, 2).exp()
        squashed = D.TransformedDistribution(D.Normal(mean, scale), [D.TanhTransform(cache_size=1)])
        action = T.tanh(mean + scale * noise)
        density = D.Independent(squashed, 1).log_prob(action)
        return (0.2 * density - critic(T.cat([seen, action], -1)).squeeze(-1)).mean()

    return train(T, actor, loss_of)


@program
def autoencoder_with_latent_distributions(T: Any) -> Any:
    D = T.distributions
    encoder, decoder = fill(T, T.nn.Linear(5, 4)), fill(T, T.nn.Linear(2, 5))
    x, noise = (numbers(T, 6, 5) > 0).double(), numbers(T, 6, 2)

    def loss_of() -> Any:
        mean, log_variance = encoder(x).chunk(2, 1)
        posterior = D.Normal(mean, (0.5 * log_variance).exp())
        z = posterior.mean + posterior.stddev * noise
        likelihood = D.Bernoulli(logits=decoder(z)).log_prob(x).sum(1)
        prior = D.Normal(T.zeros_like(mean), T.ones_like(mean))
        return (D.kl_divergence(posterior, prior).sum(1) - likelihood).mean()

    return train(T, T.nn.ModuleList([encoder, decoder]), loss_of)


@program
def mixture_fitted_by_likelihood(T: Any) -> Any:
    D = T.distributions
    logits, means = numbers(T, 3, grad=True), numbers(T, 3, 2, grad=True)
    roots = numbers(T, 3, 2, 2, start=0.2, grad=True)
    x = numbers(T, 8, 2)
    optimizer, losses = T.optim.SGD([logits, means, roots], lr=0.02), []
    for _ in range(4):
        lower = D.transform_to(D.constraints.lower_cholesky)(roots)
        parts = D.MultivariateNormal(means, scale_tril=lower)
        loss = -D.MixtureSameFamily(D.Categorical(logits=logits), parts).log_prob(x).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, [logits, means, roots]


@program
def likelihoods_of_a_fitted_count_model(T: Any) -> Any:
    D = T.distributions
    model = fill(T, T.nn.Linear(3, 2))
    x, counts = numbers(T, 6, 3), T.tensor([0.0, 1, 4, 2, 0, 7], dtype=T.float64)

    def loss_of() -> Any:
        log_mean, log_shape = model(x).unbind(-1)
        shape = log_shape.exp()
        heavy = D.NegativeBinomial(shape, logits=log_mean - log_shape).log_prob(counts)
        return -(heavy + D.Poisson(log_mean.exp()).log_prob(counts)).mean()

    return train(T, model, loss_of)


@program
def a_distribution_with_a_bad_parameter(T: Any) -> Any:
    return T.distributions.Normal(T.zeros(2), T.tensor([1.0, -1.0]))
