"""Lambdas: typed trees computed over columns."""

from pipeline_processing.expressions.expression import Evaluated, Expression

__all__ = ["Evaluated", "Expression"]
