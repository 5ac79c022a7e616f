"""A synthetic sample for when the real data cannot be had; `generate` says how it was made."""

from pathlib import Path

SAMPLE = Path(__file__).with_name("vertebral_synthetic.arff")
