"""Statistics that tell living music from dull music; means over pieces."""
