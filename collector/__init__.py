"""collector: measures how far the agencies of a Vietnamese province use IT, from counted records."""

__version__ = "0.1.0"
