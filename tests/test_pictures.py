"""Pictures of predictions and of layers: what they count, what they show, and that they leave the model alone."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

import wengert as wg
from wengert import nn, viz

pytest.importorskip("matplotlib")


def texts(figure: Any) -> list[str]:
    return [t.get_text() for ax in figure.axes for t in ax.texts] + [ax.get_title(loc="left") for ax in figure.axes]


def test_a_confusion_matrix_counts_pairs(tmp_path: Path):
    labels = wg.tensor([0, 1, 1, 2, 2, 2])
    figure = viz.confusion_matrix(labels, [0, 1, 2, 2, 2, 0], ["cat", "dog", "fox"], path=tmp_path / "c.png")
    assert figure.matrix.tolist() == [[1, 0, 0], [0, 1, 1], [1, 0, 2]]
    assert "66.7% right of 6" in texts(figure)
    assert sorted(t for t in texts(figure) if t.isdigit()) == ["1", "1", "1", "1", "2"]
    assert (tmp_path / "c.png").stat().st_size > 1000
    scores = wg.eye(3)[wg.tensor([0, 1, 2, 2, 2, 0])]
    assert viz.confusion_matrix(labels, scores).matrix.tolist() == figure.matrix.tolist()
    assert "67%" in texts(viz.confusion_matrix(labels, scores, normalize=True))
    with pytest.raises(ValueError, match=r"labels have shape \[6\], predictions \[5\]"):
        viz.confusion_matrix(labels, [0, 1, 2, 2, 2])


def test_a_grid_in_all_pictures_of_a_program_does_not_cross_the_counts():
    matplotlib = pytest.importorskip("matplotlib")
    with matplotlib.rc_context({"axes.grid": True}):
        figure = viz.confusion_matrix([0, 1, 1], [0, 1, 0])
    assert not any(line.get_visible() for line in figure.axes[0].get_xgridlines())


def test_a_decision_boundary_covers_the_data_and_leaves_the_model_as_it_was(tmp_path: Path):
    points, labels = wg.tensor([[0.0, 0.0], [1.0, 1.0], [0.0, 2.0], [3.0, 1.0]]), [0, 1, 0, 1]
    for outputs in (1, 2, 3):
        model = nn.Sequential(nn.Linear(2, outputs), nn.Dropout())
        figure = viz.decision_boundary(model, points, labels, ["no", "yes", "maybe"], resolution=20)
        assert model.training
        low, high = figure.axes[0].get_xlim()
        assert low < 0 < 3 < high
        assert [t.get_text() for t in figure.axes[0].get_legend().get_texts()] == ["no", "yes"]
    with pytest.raises(ValueError, match=r"points of a plane, got \[4, 3\]"):
        viz.decision_boundary(model, wg.ones(4, 3), labels)


def test_filters_are_drawn_one_by_one():
    figure = viz.filters(wg.randn(10, 1, 3, 3), columns=4)
    assert sum(bool(ax.images) for ax in figure.axes) == 10
    assert viz.filters(wg.randn(2, 3, 5, 5)).axes[0].images[0].get_array().shape == (5, 5, 3)
    assert "3 of 5 shown" in viz.filters(wg.randn(5, 4, 4), limit=3).get_suptitle()
    with pytest.raises(ValueError, match=r"view\(-1, 28, 28\)"):
        viz.filters(wg.randn(10, 784))


def test_no_grid_of_the_programs_is_drawn_over_areas():
    from matplotlib import rc_context

    with rc_context({"axes.grid": True}):
        figure = viz.confusion_matrix([0, 1], [0, 1])
        plane = viz.decision_boundary(lambda x: x[:, 0], wg.eye(2), [0, 1], resolution=5)
    for drawn in (figure, plane):
        assert not any(line.get_visible() for line in drawn.axes[0].get_xgridlines())


def test_a_notebook_shows_a_figure_without_pyplot():
    figure = viz.curves({"loss": {"train": [3.0, 2.0, 1.0]}})
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert pickle.loads(pickle.dumps(figure)).axes[0].get_title(loc="left") == "loss"


def test_layers_are_watched_while_they_train(tmp_path: Path):
    model = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))
    with viz.watch_layers(model, every=2) as history:
        for _ in range(5):
            model(wg.randn(16, 2)).sum().backward()
        model.eval()
        model(wg.ones(1, 2))
    model.train()
    model(wg.ones(1, 2))
    assert history.steps == [1, 3, 5]
    assert {k: len(v) for k, v in history.activations.items()} == {"0": 3, "1": 3, "2": 3}
    assert list(history.weights) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    low, median, high = (history.activations["1"][-1][i] for i in (0, 3, 6))
    assert low == 0 <= median <= high
    assert history.activations["1"][-1][7] > 0  # the share of zeros
    assert history.gradients["2"][0][:7] == [1.0] * 7
    figure = history.over_time("gradients", path=tmp_path / "g.png")
    assert texts(figure) == ["0  Linear", "1  ReLU", "2  Linear"]
    assert len(history.histograms("weights").axes) == 4
    with pytest.raises(ValueError, match="not 'nothing'"):
        history.over_time("nothing")
    with viz.watch_layers(model) as idle, pytest.raises(ValueError, match="training mode"):
        idle.over_time()
    figure = viz.histograms({"x": wg.tensor([1.0, 0.0, float("nan")])})
    assert "mean 0.5, std 0.5, 50% zero, 1 not finite" in figure.axes[0].get_title(loc="left")
