"""The one database: facts, cursors, coverage and tallies, committed together."""
