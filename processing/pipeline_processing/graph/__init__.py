"""Graphs of operators, and their run over points, step by step."""
