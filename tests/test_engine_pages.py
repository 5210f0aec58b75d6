"""The tour of the source names the lines that are there, and the small engine of its last chapter is right."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import numpy as np
import pytest

import wengert as wg
from docs import curriculum_page, engine_links, source_pages
from docs.engine.small_engine import SGD, Value
from wengert.utils.datasets import moons

PAGES = engine_links.pages()
MEND = "the source moved: `python -m docs.engine_links` moves the links, and names what it cannot mend"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_to_definitions_and_quotations_are_verbatim(page: Path):
    text = page.read_text(encoding="utf-8")
    assert not engine_links.wrong_links(text), MEND
    assert not engine_links.wrong_quotes(text), MEND


@pytest.mark.parametrize("name", ["README", "from_scratch"])
def test_examples_run(name: str, capsys: pytest.CaptureFixture[str]):
    text = (engine_links.FOLDER / f"{name}.md").read_text(encoding="utf-8")
    examples = "\n".join(re.findall(r"^```python\n(>>>.*?)^```$", text, re.M | re.S))
    assert examples.count(">>>") >= 6
    test = doctest.DocTestParser().get_doctest(examples, {}, name, name, 0)
    assert not doctest.DocTestRunner().run(test).failed, capsys.readouterr().out


def test_the_tour_has_links_and_quotations():
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert len(list(engine_links.links(text))) > 100
    assert len(list(engine_links.quotes(text))) > 10
    assert text.count("#L") == len(list(engine_links.links(text))), "a link that no pattern finds"
    assert text.count("```") == 2 * len(engine_links.BLOCK.findall(text)), "code that no pattern finds"


def test_links_of_the_web_pages():
    page = source_pages.linked("See [`Pass`](../../autograd/engine.py#L41), [`Value`](small_engine.py#L8), [a](b.md).")
    assert 'href="../sources/autograd/engine.py.html#L-41"><code' in page
    assert 'href="../sources/docs/engine/small_engine.py.html#L-8"><code' in page
    assert page.endswith("[a](b.md).")


def test_tests_of_the_curriculum_lead_to_their_lines():
    page = source_pages.linked_tests(curriculum_page.page())
    assert "](../tests/" not in page
    assert page.count(f'href="{source_pages.FOLDER}/tests/') == sum(len(row.tests) for row in curriculum_page.ROWS)
    circuit = "tests/test_curriculum_numbers.py"
    file, line = re.search(r'href="sources/(\S+)\.html#L-(\d+)">chain rule circuit</a>', page).groups()
    assert (file, engine_links.ROOT / file in source_pages.files()) == (circuit, True)
    lines = (engine_links.ROOT / file).read_text(encoding="utf-8").splitlines()
    assert lines[int(line) - 1] == "def test_chain_rule_circuit():"


def test_a_line_that_moved_is_found_and_mended():
    line = engine_links.definitions(engine_links.ROOT / "autograd" / "engine.py")["Pass.plan"][0]
    right = f"[`Pass.plan`](../../autograd/engine.py#L{line})"
    wrong = re.sub(r"\d+\)", "1)", right)
    gone = wrong.replace("Pass.plan", "Pass.gone")
    assert engine_links.wrong_links(right) == []
    assert engine_links.wrong_links(wrong) == ["autograd/engine.py#L1 does not define Pass.plan"]
    assert engine_links.moved(wrong) == right
    assert engine_links.moved(gone) == gone
    assert engine_links.wrong_links(gone)
    assert engine_links.wrong_links("[the plan](../../autograd/engine.py#L84)")
    assert engine_links.wrong_quotes(f"{right}\n```python\ndef plan(self) -> str:\n```\n")


def program(x, w, b, v):
    """Every op of the small engine, with broadcasting and a value that is used twice."""
    hidden = (x @ w + b).relu()
    return (hidden * v + hidden * hidden - b).sum()


@pytest.fixture
def operands() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape) for shape in ((5, 3), (3, 4), (4,), (5, 1))]


def small_gradients(operands: list[np.ndarray]) -> list[np.ndarray]:
    values = [Value(a) for a in operands]
    program(*values).backward()
    return [v.grad for v in values]


def test_small_engine_against_differences(operands: list[np.ndarray]):
    for a, found in zip(operands, small_gradients(operands), strict=True):
        for place in np.ndindex(a.shape):
            ends, middle = [], a[place]
            for step in (1e-6, -1e-6):
                a[place] = middle + step
                ends.append(program(*map(Value, operands)).data)
            a[place] = middle
            assert found[place] == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-6, abs=1e-7)


def test_small_engine_against_wengert(operands: list[np.ndarray]):
    tensors = [wg.tensor(a, requires_grad=True) for a in operands]
    program(*tensors).backward()
    for found, tensor in zip(small_gradients(operands), tensors, strict=True):
        np.testing.assert_allclose(found, tensor.grad.numpy(), rtol=1e-12)


def test_small_engine_accumulates_and_survives_long_chains():
    x = Value([1.0, 2.0])
    for _ in range(2):
        (x * x).sum().backward()
    assert x.grad.tolist() == [4.0, 8.0]
    y = x
    for _ in range(3_000):
        y = y + 1.0
    x.grad = None
    y.sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]


def test_small_engine_tells_two_moons_apart():
    points, labels = (t.numpy() for t in moons(200).tensors)
    x, sign = Value(points), Value(np.where(labels == 1, 1.0, -1.0).reshape(-1, 1))
    rng = np.random.default_rng(0)
    parameters = [Value(rng.standard_normal(s) * 0.5) for s in ((2, 32), (32,), (32, 1), (1,))]
    w1, b1, w2, b2 = parameters
    optimizer = SGD(parameters, lr=0.2)
    for _ in range(400):
        score = (x @ w1 + b1).relu() @ w2 + b2
        loss = (-(sign * score) + 1.0).relu().sum() * (1 / len(points))  # how far scores are from 1 on their side
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert (np.sign(score.data) == sign.data).mean() > 0.95
