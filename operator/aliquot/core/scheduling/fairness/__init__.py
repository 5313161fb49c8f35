"""How much of its share each queue holds, what it may still have, and whose turn it is."""
