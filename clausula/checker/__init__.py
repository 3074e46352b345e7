"""The checker: faults of a finished score, with places and words; imports no JAX."""
