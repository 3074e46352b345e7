"""Rules, cadences, returns and pins, and what compiles them; imports no JAX."""
