"""Pictures: of recorded graphs, of training, of what a model gets wrong.

Graphviz and matplotlib are imported when a picture needs them; graphs are drawn without either.
"""

from __future__ import annotations

from .drawing import draw as draw
