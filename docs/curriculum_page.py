"""Writes `curriculum.md`: rows of the courses, their cells and tests: ``python -m docs.curriculum_page``."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = Path(__file__).with_name("curriculum.md")
NOTEBOOKS = ROOT / "notebooks"

HEAD = """# What courses teach, and where it is here

Every system and every worked example that courses on neural networks go through, the cell of the
[notebooks](../notebooks/README.md) that builds it, and the test that holds its numbers.
`python -m docs.curriculum_page` writes this page from the tags of the cells.
"""


@dataclass(frozen=True)
class Row:
    """A system (S) or a worked example (W), and its tests in ``tests``, as ``file::function``."""

    id: str
    title: str
    tests: tuple[str, ...]


def row(name: str, title: str, *tests: str) -> Row:
    return Row(name, title, tests)


ROWS = (
    row(
        "S1",
        "threshold unit, perceptron, ADALINE",
        "curriculum_systems::s1_perceptron",
        "curriculum_systems::s1_adaline",
    ),
    row("S2", "linear regression", "curriculum_systems::s2_linear_regression"),
    row("S3", "logistic regression", "curriculum_systems::s3_logistic_regression"),
    row("S4", "softmax regression", "curriculum_systems::s4_softmax_regression"),
    row("S5", "multilayer perceptrons", "curriculum_systems::s5_multilayer_perceptrons"),
    row("S6", "backpropagation as modules", "curriculum_systems::s6_modules_with_messages"),
    row(
        "S7",
        "batch, online and mini-batch descent",
        "curriculum_optim::s7_expectations_are_equal",
        "curriculum_optim::s7_all_of_them_get_there",
    ),
    row("S8", "momentum, Nesterov, Adagrad, RMSProp, Adam, AdamW", "curriculum_optim::s8_paths"),
    row(
        "S9",
        "schedules and the range test",
        "curriculum_optim::s9_schedules",
        "curriculum_optim::s9_the_range_test_on_a_real_model",
    ),
    row("S10", "initialisation", "curriculum_systems::s10_initialisation"),
    row("S11", "activations", "curriculum_systems::s11_activations"),
    row("S12", "losses", "curriculum_systems::s12_losses"),
    row(
        "S13",
        "regularisation",
        "curriculum_systems::s13_penalties_and_masks",
        "layer_behaviour::dropout",
        "transforms::noise",
        "transforms::affine_maps",
        "curriculum_optim::w14_under_sgd_they_are_equal",
        "training_aids::when_to_stop",
        "swa_utils::averages_are_pytorchs",
    ),
    row("S14", "batch normalisation", "layer_behaviour::running_statistics"),
    row(
        "S15",
        "convolution and pooling",
        "curriculum_numbers::convolution",
        "curriculum_systems::s15_a_convolution_moves_with_its_image",
        "models::classifiers_learn_digits",
    ),
    row(
        "S16",
        "residual networks",
        "curriculum_numbers::a_residual_network_trains_where_the_plain_one_does_not",
        "curriculum_numbers::exact_number_of_parameters_of_residual_networks",
    ),
    row(
        "S17",
        "VGG and transfer",
        "curriculum_numbers::exact_number_of_parameters_of_vgg",
        "curriculum_systems::s17_a_frozen_trunk_gets_no_gradient_and_keeps_nothing",
    ),
    row(
        "S18",
        "recurrent networks",
        "models::char_lstm_learns_text_and_continues_it",
        "recurrent::a_sequence_is_its_formula",
        "clip::clip_grad_norm",
    ),
    row("S19", "adversarial training", "models::dcgan_plays_its_game"),
    row("S20", "GPT", "models::gpt_learns_text_and_continues_it"),
    row("S21", "convolution as a matrix product", "curriculum_numbers::convolution"),
    row(
        "S22",
        "what units respond to",
        "pictures::filters_are_drawn_one_by_one",
        "pictures::layers_are_watched_while_they_train",
    ),
    row("S23", "CPU and GPU by a flag", "gpu::training_is_that_of_the_cpu"),
    row("W1", "a circuit: (x + y) z", "curriculum_numbers::chain_rule_circuit"),
    row("W2", "gradients between two layers", "curriculum_numbers::gradients_between_the_layers"),
    row("W3", "one hidden layer, one sigmoid output", "curriculum_numbers::one_hidden_layer_one_sigmoid_output"),
    row("W4", "one hidden layer, three softmax outputs", "curriculum_numbers::one_hidden_layer_three_softmax_outputs"),
    row("W5", "three hidden layers of ReLU", "curriculum_numbers::three_hidden_relu_layers"),
    row(
        "W6",
        "boolean functions",
        "curriculum_numbers::neurons_compute_boolean_functions",
        "curriculum_numbers::exclusive_or_needs_two_layers",
    ),
    row("W7", "a convolution by hand", "curriculum_numbers::convolution"),
    row("W8", "Sobel's edges", "curriculum_numbers::sobel_edges"),
    row("W9", "max pooling by hand", "curriculum_numbers::max_pooling"),
    row(
        "W10",
        "sizes of outputs",
        "curriculum_numbers::output_sizes",
        "curriculum_numbers::weights_that_a_convolution_saves",
    ),
    row("W11", "softmax of large numbers", "curriculum_numbers::softmax_of_large_numbers"),
    row("W12", "linear decay of the learning rate", "curriculum_optim::w12_linear_decay"),
    row("W13", "polynomial ridge regression", "curriculum_optim::w13_ridge_regression_reaches_the_closed_form"),
    row(
        "W14",
        "L2 penalty and weight decay",
        "curriculum_optim::w14_under_sgd_they_are_equal",
        "curriculum_optim::w14_under_adam_they_differ_and_adamw_decouples",
    ),
)


@dataclass(frozen=True)
class Place:
    """A cell that a row's tag stands at."""

    path: Path
    heading: str  # as it stands there, with its tags

    @property
    def link(self) -> str:
        title = re.sub(r"\s*\((?:[SW]\d+[, ]*)+\)$", "", self.heading)
        return f"[{self.path.stem[:2]}: {title}](../notebooks/{self.path.name}#{anchor(self.heading)})"


def anchor(heading: str) -> str:
    """The name of a heading in an address, as GitHub and Sphinx make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def heading_of(source: str) -> str:
    """The last heading of a text."""
    found = re.findall(r"^#+ +(.+)$", source, re.MULTILINE)
    return found[-1].strip() if found else ""


def places() -> dict[str, list[Place]]:
    """Row -> the cells that carry its tag. A cell of code is found by the heading before it."""
    found: dict[str, list[Place]] = {}
    for path in sorted(NOTEBOOKS.glob("[0-9]*.ipynb")):
        heading = path.stem
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "markdown":
                heading = heading_of("".join(cell["source"])) or heading
            for tag in cell["metadata"].get("tags", []):
                place = Place(path, heading)
                if place not in found.setdefault(tag, []):
                    found[tag].append(place)
    return found


def test_link(test: str) -> str:
    """A test, and the file that it is in."""
    file, function = test.split("::")
    return f"[{function.replace('_', ' ')}](../tests/test_{file}.py)"


def page() -> str:
    """The whole page."""
    parts, found = [HEAD], places()
    for kind, title in (("S", "Systems"), ("W", "Worked examples")):
        lines = [f"## {title}", "", "| | what | notebook: cell | test |", "|---|---|---|---|"]
        for r in ROWS:
            if r.id.startswith(kind):
                cells = "<br>".join(place.link for place in found.get(r.id, []))
                lines.append(f"| {r.id} | {r.title} | {cells} | {'<br>'.join(map(test_link, r.tests))} |")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
