"""Pictures: of recorded graphs, of training, of what a model gets wrong.

Graphviz and matplotlib are imported when a picture needs them; graphs are drawn without either.
"""

from __future__ import annotations

from ..autograd.graph import Graph as Graph
from .curves import curves as curves
from .curves import misclassified as misclassified
from .drawing import draw as draw
from .drawing import to_svg as to_svg
from .explain import Explanation as Explanation
from .explain import explain as explain
from .layers import LayerHistory as LayerHistory
from .layers import histograms as histograms
from .layers import watch_layers as watch_layers
from .page import Page as Page
from .page import show as show
from .page import to_html as to_html
from .page import view as view
from .plotting import MissingExtraError as MissingExtraError
from .predictions import confusion_matrix as confusion_matrix
from .predictions import decision_boundary as decision_boundary
from .predictions import filters as filters
from .rates import range_test as range_test
from .recording import module_paths as module_paths
from .recording import record as record
from .summary import Summary as Summary
from .summary import summary as summary
from .values import Values as Values
from .values import measure as measure
