"""The data file: found in what was given, measured, hashed, decoded; whatever its format is."""
