"""Plots of a run's evidence for the HTML report.

Data flows one way: stored evidence, what is drawn of it (frozen, bounded, by the same quantiles and bins that
were judged), SVG. :mod:`harness.reports.figures.drawing` is the only module that reads files.
"""
