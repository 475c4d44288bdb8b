"""What a picture holds, and how it is laid out in cells: lines over k, bars over bins, rows with intervals.

plotext is not called here but in `explorer.render.plot` alone.
"""
