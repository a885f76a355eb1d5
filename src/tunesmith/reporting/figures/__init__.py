"""Figures in three steps: plain data from the record, a chart of it, a drawing of the chart.

A kind of figure is one file that ends with a ``Kind``, and one line in ``registry.py``.
"""
