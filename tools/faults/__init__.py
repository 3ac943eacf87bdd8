"""The parts of ``plant_faults.py``."""
