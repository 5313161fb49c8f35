"""Asking processes of a lab how they are."""

import urllib.error
import urllib.request

from aliquot_lab.ports import HOST


def web_answer(port: int, path: str) -> str:
    """What a server on this machine answers; empty if it does not, or says no."""
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}{path}", timeout=5) as answer:
            return answer.read().decode(errors="replace")
    except (urllib.error.URLError, OSError):
        return ""
