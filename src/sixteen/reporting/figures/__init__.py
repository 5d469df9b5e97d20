"""Figures of a report: every public function draws one from a summary, and returns what the notebook shows.

It is written as PNG, SVG, data and lineage; where nothing was measured, a sentence stands in its place. What they
are drawn with is in `plate` (style, panels, legends, saving), `trend`, `forest` and `heat`.
"""
