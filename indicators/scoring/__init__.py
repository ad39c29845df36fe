"""The embedded scoring model: readings in, points and ranks out. Pure: no file, no clock, no database.

`model.py` has the tree of criteria and their rules, `points.py` what it makes of readings, `file.py` the shape of
config/scoring.yaml.
"""
