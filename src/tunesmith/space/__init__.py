"""Search spaces: parameters, conditions, constraints, grids."""

from tunesmith.space.grid import Grid
from tunesmith.space.parameter import Categorical, Distribution, Float, Int, Parameter
from tunesmith.space.space import Box, Condition, SearchSpace

__all__ = [
    "Box",
    "Categorical",
    "Condition",
    "Distribution",
    "Float",
    "Grid",
    "Int",
    "Parameter",
    "SearchSpace",
]
