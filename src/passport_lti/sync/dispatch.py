"""Who does the regular work: threads of this process, or a fleet of Celery workers.

The clock says when; what is to be done stands in the database.
"""

from typing import TYPE_CHECKING

from passport_lti.errors import PassportError
from passport_lti.sync import work
from passport_lti.sync.seats import work as seats
from passport_lti.sync.services import Services
from passport_lti.sync.work import AppContext

if TYPE_CHECKING:
    from passport_lti.sync.fleet import Fleet

PATIENCE = 60.0
"""Seconds that a delivery goes on before it is looked what else has become due."""


class Here:
    """Threads of this process do the work. Each call belongs into an application context."""

    def __init__(self, services: Services, app_context: AppContext) -> None:
        self._services, self._app_context = services, app_context

    def poll(self) -> None:
        work.poll(self._services, self._app_context)

    def deliver(self) -> bool:
        """True where the caller should ask again at once: something is left."""
        return work.deliver_all(self._services, self._app_context, patience=PATIENCE)

    def provide(self) -> None:
        """Places at Coursera that a launch could not wait for."""
        seats.drain(self._services)

    def read_catalogues(self) -> None:
        for name in self._services.config.coursera:
            work.read_catalogue(self._services, name)


def dispatch(services: Services, app_context: AppContext) -> "Here | Fleet":
    """What `sync.engine` chooses. Raises PassportError where Celery or its broker can't be used."""
    if services.config.sync.engine == "embedded":
        return Here(services, app_context)
    try:
        from passport_lti.sync.fleet import Fleet
    except ImportError:
        raise PassportError(
            "sync.engine: celery needs Celery. Run: pip install 'passport-lti[cluster]'"
        ) from None
    return Fleet(services, app_context)
