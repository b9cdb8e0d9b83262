"""PyLTI1p3's view of the stored platforms."""

from typing import Any

from pylti1p3.deployment import Deployment as KnownDeployment
from pylti1p3.registration import Registration
from pylti1p3.request import Request
from pylti1p3.tool_config import ToolConfAbstract
from sqlalchemy import select

from passport_lti.errors import LaunchRefused
from passport_lti.extensions import db
from passport_lti.models import Platform


class ToolConf(ToolConfAbstract[Request]):
    """Registrations by issuer and client id; made anew for each message, so nothing ages."""

    def check_iss_has_one_client(self, iss: str) -> bool:
        return False

    def check_iss_has_many_clients(self, iss: str) -> bool:
        return True

    def find_registration_by_issuer(self, iss: str, *args: Any, **kwargs: Any) -> Registration:
        return registration_of(self._platform(iss, None))

    def find_registration_by_params(
        self, iss: str, client_id: str, *args: Any, **kwargs: Any
    ) -> Registration:
        return registration_of(self._platform(iss, client_id))

    def find_deployment(self, iss: str, deployment_id: str) -> KnownDeployment | None:
        return self._deployment(self._platform(iss, None), deployment_id)

    def find_deployment_by_params(
        self, iss: str, deployment_id: str, client_id: str, *args: Any, **kwargs: Any
    ) -> KnownDeployment | None:
        return self._deployment(self._platform(iss, client_id), deployment_id)

    def _platform(self, issuer: str, client_id: str | None) -> Platform:
        active = select(Platform).where(Platform.issuer == issuer, Platform.state == "active")
        for platform in db.session.scalars(active.order_by(Platform.id)):
            if client_id in (None, platform.client_id):
                return platform
        raise LaunchRefused("client_unknown", "no platform is registered with this client id")

    def _deployment(self, platform: Platform, deployment_id: str) -> KnownDeployment | None:
        for row in platform.deployments:
            if row.deployment_id == deployment_id and row.state == "approved":
                return KnownDeployment().set_deployment_id(deployment_id)
        return None


def registration_of(platform: Platform) -> Registration:
    """PyLTI1p3's record of a platform. The private key is not in it: see `lti.keys`."""
    registration = Registration()
    registration.set_issuer(platform.issuer).set_client_id(platform.client_id)
    registration.set_auth_login_url(platform.auth_login_url)
    registration.set_auth_token_url(platform.auth_token_url)
    registration.set_key_set_url(platform.key_set_url)
    if platform.auth_audience:
        registration.set_auth_audience(platform.auth_audience)
    return registration
