"""The embedded scoring model: readings in, points and ranks out. Pure: no file, no clock, no database.

`model.py` has the model and `score`, `file.py` the shape of config/scoring.yaml.
"""
