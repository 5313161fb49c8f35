"""How things are doing, as users see it: what their cluster said of them last, and whether that is still so.

`rules` is pure; `told` asks the database, in two queries for any number of objects.
"""
