"""A recurrent network learns how first names are spelt, letter by letter, and makes up new ones.

    python examples/char_rnn.py --data names.txt            # a file with a name in each line, such as 32,033 of them
    python examples/char_rnn.py --epochs 40 --cell gru      # the 270 names of this folder

Measured with one thread in 40 s: the 32,033 names of github.com/karpathy/makemore, a tenth of them held out, come to a
loss of 1.961 a letter on those, and such names are made up: pruma, cleddred, nathleia, jamarian, wailee, urmoni,
inslan. The 270 names come to 2.391 in 2 s: adbert, stenna, garoth, rudeln, frahone.
"""

from __future__ import annotations

import time
from pathlib import Path

import options
import wengert as wg
from wengert import nn, optim
from wengert.nn import functional as F
from wengert.utils.data import DataLoader, TensorDataset

NAMES = Path(__file__).parent / "data" / "names.txt"
END = 0  # the number of what comes before and after a name; letters count from 1
PADDING = -1  # what follows the end in the longest name's row: nothing is to be predicted there


class NameModel(nn.Module):
    """Predicts the next letter of a name from those before it."""

    def __init__(self, letters: int, cell: str, width: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(letters, 32)
        self.rnn = {"lstm": nn.LSTM, "gru": nn.GRU}[cell](32, width, batch_first=True)
        self.head = nn.Linear(width, letters)

    def forward(self, x: wg.Tensor, state: object = None) -> tuple[wg.Tensor, object]:  # (N, T)
        y, state = self.rnn(self.embedding(x), state)  # (N, T, width)
        return self.head(y), state  # (N, T, letters)

    @wg.no_grad()
    def sample(self, count: int, longest: int = 20) -> wg.Tensor:
        """New names, row by row, each up to its first `END`: (count, longest)."""
        letter = wg.full((count, 1), END, device=self.head.weight.device)
        letters, state = [], None
        for _ in range(longest):
            logits, state = self(letter, state)
            letter = wg.multinomial(logits[:, -1].softmax(-1), 1)  # (count, 1)
            letters.append(letter)
        return wg.cat(letters, dim=1)


def encode(names: list[str], number: dict[str, int]) -> TensorDataset:
    """Each name with `END` before it, and with `END` after it: what is read and what is to be predicted."""
    rows = [[number[letter] for letter in name] for name in names]
    longest = max(map(len, rows))
    x = [[END, *row] + [END] * (longest - len(row)) for row in rows]
    y = [[*row, END] + [PADDING] * (longest - len(row)) for row in rows]
    return TensorDataset(wg.tensor(x), wg.tensor(y))


def loss_of(model: NameModel, x: wg.Tensor, y: wg.Tensor) -> wg.Tensor:
    """The mean over all letters, ends included."""
    logits, _ = model(x)
    return F.cross_entropy(logits.flatten(0, 1), y.flatten(), ignore_index=PADDING)


@wg.no_grad()
def evaluate(model: NameModel, loader: DataLoader, device: wg.device) -> float:
    """The mean loss of a letter."""
    total = letters = 0
    for x, y in loader:
        count = (y != PADDING).sum().item()
        total += loss_of(model, x.to(device), y.to(device)).item() * count
        letters += count
    return total / letters


def main(argv: list[str] | None = None) -> dict[str, float]:
    """Train, test after each epoch, and make up names."""
    parser = options.parser(
        __doc__, data="a file of names; 270 without it", epochs=8, lr=5e-3, batch_size=64, width=128, cell="lstm"
    )
    args = parser.parse_args(argv)
    device = options.start(args)
    if args.quick:
        args.epochs, args.batch_size = 4, 16

    names = (args.data or NAMES).read_text().lower().split()
    alphabet = sorted(set("".join(names)))
    number = {letter: i for i, letter in enumerate(alphabet, start=1)}
    shuffled = [names[i] for i in wg.randperm(len(names), generator=wg.Generator().manual_seed(0)).tolist()]
    held_out = len(names) // 10
    test, train = encode(shuffled[:held_out], number), encode(shuffled[held_out:], number)
    loader, test_loader = DataLoader(train, args.batch_size, shuffle=True), DataLoader(test, 500)

    model = NameModel(len(alphabet) + 1, args.cell, args.width).to(device)
    optimizer = optim.Adam(model.parameters(), lr=args.lr)
    scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=args.epochs * len(loader))
    seconds = 0.0
    for epoch in range(args.epochs):
        start, losses = time.perf_counter(), []
        for x, y in loader:
            loss = loss_of(model, x.to(device), y.to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            losses.append(loss.item())
        seconds += time.perf_counter() - start
        train_loss, test_loss = sum(losses) / len(losses), evaluate(model, test_loader, device)
        print(f"epoch {epoch + 1:2d}   loss {train_loss:.4f}   test loss {test_loss:.4f}   {seconds:6.1f} s")

    made_up = []
    for row in model.sample(20).tolist():
        made_up.append("".join(alphabet[i - 1] for i in row[: row.index(END) if END in row else None]))
    print(", ".join(made_up))
    print(f"{sum(name in names for name in made_up)} of these {len(made_up)} are real")
    if args.out is not None:
        (args.out / "names.txt").write_text("\n".join(made_up) + "\n")
    return options.finish(args, {"train_loss": train_loss, "test_loss": test_loss, "seconds": seconds}, model)


if __name__ == "__main__":
    main()
