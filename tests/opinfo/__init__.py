"""PyTorch's own table of operators, run with wengert in torch's place.

The installed PyTorch ships the samples that it tests its operators with, and the arguments that they must refuse
(``torch.testing._internal``). Each is given to PyTorch and to wengert, and the results must agree: values, element
types, shapes, strides, gradients of first and second order, in-place forms, methods, ``out=``, and the kind of error.
``python -m tests.opinfo [names]`` prints what differs; ``tests/test_operator_table.py`` fails on what ``excused.py``
does not excuse.
"""
