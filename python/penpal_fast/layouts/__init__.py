"""How strokes may be nested in a column, told apart once for a file, and converted to words of strokes.

How to add a layout: write a file beside this one with a class that has the methods of `Layout`, and offer it in
`known.py` for the shapes that it may have. See `columns.py` for an example.
"""
