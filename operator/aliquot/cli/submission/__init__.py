"""What is typed after `submit`, to the workload that is meant: pure functions over typed values.

Doors: `flags` (what can be typed), `manifest` (flags → object), `check` (what is wrong with it, by flag) and `spoken`
(older spellings, and what stands behind `--`). Which flag is which parameter: cluster-api.md 1.4, 1.5 and 7.2.
"""
