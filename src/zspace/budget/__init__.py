"""What a model costs before it is trained: parameters, memory of one training step, floating-point operations.

Nothing is estimated by formula. The networks themselves take one training step on tensors that have a shape, a type
and a device but no memory behind them, and three observers count: which storages autograd keeps, how many bytes are
alive at each moment, and how many operations are done. The table can therefore not disagree with the network.
"""

from zspace.budget.counting import model_budget, training_time
from zspace.budget.records import ASSUMPTIONS, LayerBudget, ModelBudget, TimeBudget, Variant

__all__ = [
    "ASSUMPTIONS",
    "LayerBudget",
    "ModelBudget",
    "TimeBudget",
    "Variant",
    "model_budget",
    "training_time",
]
