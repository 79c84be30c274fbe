"""Exact solution of crossbars with wires."""

from spicesnn.arrays.cells import CellLaw
from spicesnn.arrays.crossbar import Crossbar, Drive, Ends, Solution, Wires, check_size
from spicesnn.arrays.linear import EndCurrents, Gradient, LinearArray
from spicesnn.arrays.nonlinear import NonlinearArray
from spicesnn.arrays.transfer import Reduction, Transfer, reduction
from spicesnn.arrays.transient import Stepper, TransientResult

__all__ = [
    "CellLaw",
    "Crossbar",
    "Drive",
    "EndCurrents",
    "Ends",
    "Gradient",
    "LinearArray",
    "NonlinearArray",
    "Reduction",
    "Solution",
    "Stepper",
    "Transfer",
    "TransientResult",
    "Wires",
    "check_size",
    "reduction",
]
