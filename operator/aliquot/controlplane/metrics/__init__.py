"""The door to time series (control-plane-api.md 3.1): what may be asked of what, and how it is answered.

    request ─▶ permit, what it is about (`subjects`) ─▶ `store`: samples ─▶ `answers`: 200, 207, JSON or CSV

`store` is what keeps samples, and only a protocol: this control plane has none yet, and says so with 503. `answers` is
pure.
"""
