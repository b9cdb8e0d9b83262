"""The two sides of a sign-on: Coursera as service provider of an organisation, and our name."""

from dataclasses import dataclass

from cryptography import x509

from passport_lti.config import Config
from passport_lti.config.settings import Saml, SamlAttributes


@dataclass(frozen=True, slots=True)
class Identity:
    """What we are called towards an organisation, and where its requests go."""

    entity_id: str
    sso_url: str


@dataclass(frozen=True, slots=True)
class ServiceProvider:
    """Coursera for one organisation; `acs_url` is the only address that gets its assertions."""

    organisation: str
    entity_id: str
    acs_url: str
    certificates: tuple[x509.Certificate, ...]
    encrypt: bool
    signed_requests: bool
    attributes: SamlAttributes
    identity: Identity


def identity(config: Config, organisation: str | None = None) -> Identity:
    """Ours: one for all organisations, or one for an organisation that asked for its own."""
    base, own = config.tool.base_url, f"/{organisation}" if organisation else ""
    return Identity(f"{base}/saml/metadata{own}", f"{base}/saml/sso{own}")


def has_own_identity(config: Config, organisation: str) -> bool:
    """Whether an organisation knows us by a name that no other one does."""
    connection = config.coursera.get(organisation)
    return bool(connection and connection.saml and connection.saml.own_entity_id)


def of_organisation(config: Config, organisation: str) -> ServiceProvider | None:
    """The service provider of a Coursera connection, if its configuration has one."""
    connection = config.coursera.get(organisation)
    if connection is None or connection.saml is None:
        return None
    return _provider(config, organisation, connection.saml)


def asking(config: Config, issuer: str, organisation: str | None) -> ServiceProvider | None:
    """Whose request it is: by its issuer, and the organisation in the address where it has one."""
    for name, connection in config.coursera.items():
        saml = connection.saml
        own = name if saml and saml.own_entity_id else None
        if saml and own == organisation and saml.entity_id == issuer:
            return _provider(config, name, saml)
    return None


def _provider(config: Config, name: str, saml: Saml) -> ServiceProvider:
    pem = (saml.certificate or "").encode()
    return ServiceProvider(
        organisation=name,
        entity_id=saml.entity_id,
        acs_url=saml.acs_url,
        certificates=tuple(x509.load_pem_x509_certificates(pem)) if pem else (),
        encrypt=saml.encrypt,
        signed_requests=saml.signed_requests,
        attributes=saml.attributes,
        identity=identity(config, name if saml.own_entity_id else None),
    )
