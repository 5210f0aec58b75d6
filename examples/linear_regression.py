"""Linear regression by gradient descent: how far a disease progresses within a year, from ten measurements.

    python examples/linear_regression.py

The same line has a closed solution, which scikit-learn computes; gradient descent arrives there. Measured in 0.2 s on
one core: R² of 0.5226 on the held-out fifth, as the closed solution has; no weight differs by more than 0.00005.
"""

from __future__ import annotations

from sklearn.linear_model import LinearRegression

import options
from wengert import nn, optim
from wengert.nn import functional as F
from wengert.utils.datasets import diabetes


def main(argv: list[str] | None = None) -> dict[str, float]:
    """Train, and compare with the closed solution."""
    args = options.parser(__doc__, data=options.SKLEARN, epochs=1000, lr=0.1).parse_args(argv)
    device = options.start(args)
    epochs = 50 if args.quick else args.epochs

    train, test = diabetes("train"), diabetes("test")
    x, y = train.data.to(device), train.targets.to(device)  # (N, 10), (N,)
    x_test, y_test = test.data.to(device), test.targets.to(device)

    model = nn.Linear(10, 1).to(device)
    optimizer = optim.SGD(model.parameters(), lr=args.lr, momentum=0.9)
    for epoch in range(epochs):  # the table is small: every step is taken with all of it
        loss = F.mse_loss(model(x).squeeze(1), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if epoch % (epochs // 5) == 0:
            print(f"epoch {epoch:4d}   mean squared error {loss.item():9.3f}")

    error = F.mse_loss(model(x_test).squeeze(1), y_test)
    closed = LinearRegression().fit(train.data.numpy(), train.targets.numpy())
    difference = abs(model.weight.detach().cpu().numpy() - closed.coef_).max()
    metrics = {
        "train_loss": loss.item(),
        "test_r2": 1 - error.item() / y_test.var(correction=0).item(),
        "closed_test_r2": closed.score(test.data.numpy(), test.targets.numpy()),
        "largest_difference": float(difference),  # between our weights and scikit-learn's
    }
    return options.finish(args, metrics, model)


if __name__ == "__main__":
    main()
