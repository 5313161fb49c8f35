"""A conversation between this terminal and a container."""

import contextlib
import os
import shutil
import signal
import sys
import termios
import threading
import tty
from collections.abc import Generator
from typing import Final

import msgspec

from aliquot.cli.inside.access import ERROR, RESIZE, STDERR, STDIN, STDOUT, Stream
from aliquot.kube.problems import StatusDetails

_PATIENCE_SECONDS: Final = 1.0
_MOST_BYTES: Final = 4096
_EXIT_CODE: Final = "ExitCode"
LOST: Final = "the connection ended without a word of how the command did"


class _Ending(msgspec.Struct, frozen=True):
    """How a command ended, as the kubelet says it on the error channel."""

    status: str = ""
    message: str = ""
    details: StatusDetails | None = None


def talk(stream: Stream, *, stdin: bool, raw: bool) -> tuple[int, str]:
    """Carry bytes to and fro until the other side ends it.

    Args:
        stream: the other side.
        stdin: whether what is typed here goes there.
        raw: whether keys go there as they are pressed, from a terminal to a terminal.

    Returns:
        The exit code of the command there, and what there is to say of it; empty: nothing.
    """
    with _raw(stream) if raw else contextlib.nullcontext():
        if stdin:
            threading.Thread(target=_send, args=(stream,), daemon=True).start()
        heard = b""
        while stream.is_open():
            stream.update(timeout=_PATIENCE_SECONDS)
            _print(stream)
            heard += stream.read_channel(ERROR)
        _print(stream)
        heard += stream.read_channel(ERROR)
    return exit_code(heard)


def exit_code(said: bytes) -> tuple[int, str]:
    """Read how a command ended from what was said on the error channel."""
    if not said:
        return 1, LOST
    try:
        ending = msgspec.json.decode(said, type=_Ending)
    except msgspec.DecodeError:
        return 1, said.decode(errors="replace")
    if ending.status == "Success":
        return 0, ""
    causes = () if ending.details is None else ending.details.causes or ()
    codes = [cause.message for cause in causes if cause.reason == _EXIT_CODE and cause.message.isdigit()]
    return (int(codes[0]), "") if codes else (1, ending.message)


def keyboard() -> int:
    """The file descriptor of what is typed here."""
    return sys.stdin.fileno()


def _print(stream: Stream) -> None:
    for channel, output in ((STDOUT, sys.stdout), (STDERR, sys.stderr)):
        if data := stream.read_channel(channel):
            output.buffer.write(data)
            output.flush()


def _send(stream: Stream) -> None:
    """Send what is typed; a stream that has ended meanwhile takes nothing any more, which is all right."""
    with contextlib.suppress(Exception):
        while data := os.read(keyboard(), _MOST_BYTES):
            stream.write_channel(STDIN, data)
        stream.close_channel(STDIN)


@contextlib.contextmanager
def _raw(stream: Stream) -> Generator[None]:
    """Let keys through as they are pressed, and tell the other side how large this terminal is."""
    terminal = keyboard()
    before = termios.tcgetattr(terminal)

    def resize(*_: object) -> None:
        size = shutil.get_terminal_size()
        stream.write_channel(RESIZE, msgspec.json.encode({"Width": size.columns, "Height": size.lines}))

    former = signal.signal(signal.SIGWINCH, resize)
    try:
        tty.setraw(terminal, termios.TCSANOW)  # what was typed meanwhile is for the other side, too
        resize()
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
        signal.signal(signal.SIGWINCH, former)
