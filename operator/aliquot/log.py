"""The one logger: structured, one line per decision, with the workload, queue and reason as fields."""

import logging
import sys
from typing import cast

from aliquot.settings import Log
from aliquot.without import without

with without("rich"):  # it would be for tracebacks in colour, which nobody sees: 3 MB and a tenth of a start
    import structlog

Logger = structlog.stdlib.BoundLogger


def configure(settings: Log) -> None:
    """Set up logging for the process, also of the libraries that log through the standard library."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    last: list[structlog.typing.Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if settings.format == "json"
        else [
            # The default one shows the values of local variables, and they may be secrets.
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
        ]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(settings.level.upper()),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last], foreign_pre_chain=shared
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.level.upper())
    # kopf says "handler succeeded" for every event it hands over: that is not news.
    logging.getLogger("kopf").setLevel(max(logging.WARNING, root.level))


def get(name: str) -> Logger:
    """The logger of a module; bind context with `.bind(workload=…)`."""
    return cast("Logger", structlog.get_logger(name))
