"""What the examples share: their options, how a run begins, and what it leaves behind.

args = options.parser(__doc__, epochs=10, lr=0.01).parse_args(argv)
device = options.start(args)
...
return options.finish(args, {"test_accuracy": accuracy}, model)
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import wengert as wg
from wengert import nn

NO_DATA = "not used: the program makes its data"
MNIST = "MNIST, an .npz file or a folder of idx files; scikit-learn's small digits without it"
SKLEARN = "not used: the data comes with scikit-learn"
HELP = {
    "epochs": "how often all of the data is seen",
    "steps": "how many updates of the weights",
    "lr": "learning rate, the highest one where it changes",
    "seed": "of the first weights, the order of the data, and all else that is drawn",
    "device": "cpu, cuda, cuda:1, ...",
}


def parser(doc: str | None, data: str = NO_DATA, **defaults: Any) -> argparse.ArgumentParser:
    """The command line of an example.

    Args:
        doc: the example's docstring, which --help shows.
        data: what --data is a path to, and what is used without it.
        **defaults: ``epochs`` or ``steps``, and ``lr``; whatever else is named becomes an option of its default's type:
            ``batch_size=64`` is ``--batch-size``.

    Returns:
        A parser of --device, --epochs or --steps, --lr, --data, --seed, --out, --quick and the others.
    """
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in {**defaults, "seed": defaults.get("seed", 0), "device": "cpu"}.items():
        text = f"{HELP[name]} (default: {default})" if name in HELP else f"(default: {default})"
        parser.add_argument("--" + name.replace("_", "-"), type=type(default), default=default, help=text)
    parser.add_argument("--data", type=Path, help=data)
    parser.add_argument("--out", type=Path, help="folder for weights and results; nothing is written without it")
    parser.add_argument("--quick", action="store_true", help="a few steps only, to see that it runs")
    return parser


def start(args: argparse.Namespace) -> Any:
    """Begin a run: fix the random numbers, make the folder for results, and say which device it is on."""
    wg.manual_seed(args.seed)
    if args.out is not None:
        args.out.mkdir(parents=True, exist_ok=True)
    return wg.device(args.device)


def finish(args: argparse.Namespace, metrics: dict[str, float], model: nn.Module | None = None) -> dict[str, float]:
    """End a run: print its figures, and write them and the weights into the folder that --out names, if it does."""
    print("   ".join(f"{name} {value:.4g}" for name, value in metrics.items()))
    if args.out is not None:
        (args.out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
        if model is not None:
            wg.save(model.state_dict(), args.out / "model.safetensors")
    return metrics
