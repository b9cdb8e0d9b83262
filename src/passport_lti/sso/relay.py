"""Where Coursera may send a person after a sign-on: to its own pages, nowhere else."""

from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

from sqlalchemy import select

from passport_lti.errors import SignOnRefused
from passport_lti.extensions import db
from passport_lti.models import Program
from passport_lti.sso.providers import ServiceProvider


def own_addresses(provider: ServiceProvider) -> list[str]:
    """Addresses at the hosts of an organisation's Coursera: its programs' and the provider's."""
    programs = select(Program.url).where(Program.connection == provider.organisation)
    return [provider.acs_url, *db.session.scalars(programs)]


def check_relay_state(relay_state: str, own: Iterable[str]) -> None:
    """Raises SignOnRefused `relay_state` for an address elsewhere than at the hosts of `own`.

    A word that is no address is Coursera's affair and goes back as it came. Browsers take
    backslashes for slashes, and `//host` for an address.
    """
    text = relay_state.strip().replace("\\", "/")
    if ":" not in text.partition("/")[0] and not text.startswith("//"):
        return
    try:
        target, known = _place(urlsplit(text)), {_place(urlsplit(url)) for url in own}
    except ValueError:
        raise SignOnRefused("relay_state", "RelayState is not an address") from None
    if target not in known or "@" in urlsplit(text).netloc:
        raise SignOnRefused("relay_state", "RelayState leads away from Coursera")


def _place(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port
