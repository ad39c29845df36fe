"""`collector.yaml` -> checked settings: secrets by reference only; faults name file, line, key and the mend."""

from collector.settings.effective import masked
from collector.settings.file import load, locate
from collector.settings.shape import Limits, Listen, Province, Served, Serves, Settings, Source

__all__ = ["Limits", "Listen", "Province", "Served", "Serves", "Settings", "Source", "load", "locate", "masked"]
