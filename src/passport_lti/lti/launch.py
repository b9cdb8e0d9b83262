"""Verifying a message: PyLTI1p3's `MessageLaunch` with every check replaced by a strict one.

What stock PyLTI1p3 2.0.0 lets pass is listed in docs/decisions/0002. The checks run in the order
form, header, key and signature, issuer and audience, times, nonce and state, claims, deployment;
the first that fails names the refusal. Nothing here stores anything but a waiting deployment.
"""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import RSAAlgorithm
from pylti1p3.cookie import CookieService
from pylti1p3.message_launch import MessageLaunch
from pylti1p3.request import Request
from pylti1p3.session import SessionService
from sqlalchemy import Connection

from passport_lti.errors import LaunchRefused
from passport_lti.lti import claims as lti_claims
from passport_lti.lti import jws, key_sets
from passport_lti.lti import state as flows
from passport_lti.lti.claims import CLAIM, Launch
from passport_lti.lti.oidc import is_ours
from passport_lti.lti.platforms import (
    Registered,
    is_of,
    remember_deployment,
    standing,
)
from passport_lti.lti.tool import Tool
from passport_lti.lti.tool_conf import ToolConf

LONGEST_LIFE = 24 * 3600
OLDEST = 600
"""Seconds: a message that was issued longer ago is not a fresh click."""
_RS256 = RSAAlgorithm(RSAAlgorithm.SHA256)


@dataclass(frozen=True, slots=True)
class Verified:
    """A message that passed; `same_browser` is False where the browser returned no cookie."""

    launch: Launch
    platform: Registered
    same_browser: bool


def verify(
    tool: Tool,
    connection: Connection,
    form: Mapping[str, str],
    cookies: Mapping[str, str],
    check: Callable[[Launch], object] = lambda launch: None,
) -> Verified:
    """Check one posted message. Raises LaunchRefused with a code of the contract.

    `connection` is read on, and ends its transaction before a platform is asked for its keys.
    `check` judges the claims that only this tool understands, in their turn.
    The nonce is only looked up; `sync.arrivals.accept` consumes it with the launch it stores.
    """
    return _Message(tool, connection, form, cookies, check).verified()


class _Form(Request):
    """The posted fields, as PyLTI1p3 wants to see them."""

    def __init__(self, fields: Mapping[str, str], secure: bool) -> None:
        self._fields, self._secure = fields, secure

    @property
    def session(self) -> dict[str, Any]:
        return {}

    def is_secure(self) -> bool:
        return self._secure

    def get_param(self, key: str) -> str:
        return self._fields.get(key, "")


class _Cookies(CookieService):
    def __init__(self, cookies: Mapping[str, str]) -> None:
        self._cookies = cookies

    def get_cookie(self, name: str) -> str | None:
        return self._cookies.get(name)

    def set_cookie(self, name: str, value: str | int, exp: int | None = 3600) -> None:
        raise NotImplementedError("a launch sets no cookie; see web.lti for the login's")


class _Message(MessageLaunch[_Form, ToolConf, SessionService, _Cookies]):
    """One message on its way through the checks."""

    def __init__(
        self,
        tool: Tool,
        connection: Connection,
        form: Mapping[str, str],
        cookies: Mapping[str, str],
        check: Callable[[Launch], object],
    ) -> None:
        request = _Form(form, tool.base_url.startswith("https:"))
        super().__init__(
            request, ToolConf(), SessionService(request), _Cookies(cookies), None, tool.http
        )
        self.tool = tool
        self.connection = connection
        self.cookies = cookies
        self.check = check
        self.claims: dict[str, Any] = {}
        self.flow: flows.Flow | None = None
        self.same_browser = False
        self.judged_by: int | None = None
        self.nonce_used = False
        self.deployment_state: str | None = None
        self.is_proven = False

    def _get_request_param(self, key: str) -> str:
        return self._request.get_param(key)

    def verified(self) -> Verified:
        try:
            self.validate()
        except LaunchRefused as refusal:
            refusal.platform_id = self.judged_by or self._claimed_platform()
            refusal.is_proven = self.is_proven
            raise
        return Verified(self.launch, self.platform, self.same_browser)

    def validate(self) -> "_Message":
        self._refuse_platform_error()
        self.validate_jwt_format()
        self.validate_jwt_signature()
        self.validate_registration()
        self._validate_times()
        self.validate_nonce()
        self.validate_state()
        self.validate_message()
        self.validate_deployment()
        self._validate_role()
        return self

    def _claimed_platform(self) -> int | None:
        """Where a message that could not be read as one says that it comes from."""
        try:
            self.claims = jws.claims_of(self._get_request_param("id_token"))
            return self._candidate().id
        except LaunchRefused:
            return None

    def _refuse_platform_error(self) -> None:
        error = self._get_request_param("error")
        if error:
            state = self._get_request_param("state")
            flow = flows.unseal(self.tool.secret, state, self.tool.clock()) if state else None
            self.judged_by = flow.platform_id if flow else None
            raise LaunchRefused("platform_error", f"the platform answered {error[:100]!r}")

    def validate_jwt_format(self) -> "_Message":
        token = self._get_request_param("id_token")
        if not token:
            raise LaunchRefused("malformed", "the message has no id_token")
        self.token = jws.parse(token)
        self.claims = self.token.claims
        return self

    def validate_jwt_signature(self) -> "_Message":
        self.platform = self._candidate()
        self.judged_by = self.platform.id
        kid = self.token.kid
        if not key_sets.fits(self.tool, self.connection, self.platform, kid, self._is_signed):
            raise LaunchRefused("signature", "the signature does not fit the platform's key")
        return self

    def _candidate(self) -> Registered:
        """The registration that the message speaks of, or the issuer's first to judge it by."""
        issuer = self.claims.get("iss")
        if not isinstance(issuer, str | None):
            raise LaunchRefused("malformed", "the issuer of the message is not text")
        nonce, deployment = (
            claim if isinstance(claim, str) else ""
            for claim in (self.claims.get("nonce"), self.claims.get(CLAIM + "deployment_id"))
        )
        key = flows.nonce_key(nonce)
        found = standing(self.connection, issuer, key, deployment) if issuer else []
        if not found:
            raise LaunchRefused("issuer_unknown", "no platform is registered with this issuer")
        audience = self.claims.get("aud")
        named = audience if isinstance(audience, list) else [audience]
        best = next((one for one in found if one.platform.client_id in named), found[0])
        self.nonce_used, self.deployment_state = best.nonce_used, best.deployment_state
        return best.platform

    def _is_signed(self, key: RSAPublicKey) -> bool:
        return _RS256.verify(self.token.signed, key, self.token.signature)

    def validate_registration(self) -> "_Message":
        audience, client_id = self.claims.get("aud"), self.platform.client_id
        if isinstance(audience, list):
            if audience != [client_id]:
                raise LaunchRefused("audience", "the message is meant for others, too", 401)
        elif audience != client_id:
            raise LaunchRefused("audience", "the message is meant for another client id", 401)
        if self.claims.get("azp") not in (None, client_id):
            raise LaunchRefused("azp", "the message was issued to another party", 401)
        # Several registrations may share an issuer and its keys: only now it is this one's.
        self.is_proven = True
        return self

    def _validate_times(self) -> None:
        for name in ("exp", "iat"):
            if name not in self.claims:
                raise LaunchRefused(f"{name}_missing", f"the message has no {name}")
        expires, issued = jws.number(self.claims["exp"]), jws.number(self.claims["iat"])
        begins = jws.number(self.claims.get("nbf", issued))
        now = self.tool.clock().timestamp()
        skew = self.tool.config().lti.clock_skew / timedelta(seconds=1)
        if now > expires + skew or expires <= issued:
            raise LaunchRefused("expired", f"it expired {int(now - expires)} seconds ago")
        if issued > now + skew or begins > now + skew:
            ahead = int(max(issued, begins) - now)
            raise LaunchRefused("not_yet_valid", f"the platform's clock is {ahead} seconds ahead")
        if now - issued > OLDEST + skew:
            raise LaunchRefused("expired", f"it was made {int(now - issued)} seconds ago")
        if expires - issued > LONGEST_LIFE:
            raise LaunchRefused("expired", "it claims to live longer than a day")

    def validate_nonce(self) -> "_Message":
        nonce = self.claims.get("nonce")
        if nonce is None or nonce == "":
            raise LaunchRefused("nonce_missing", "the message has no nonce")
        if not isinstance(nonce, str):
            raise LaunchRefused("malformed", "the nonce is not text")
        if not flows.is_ours(self.tool.secret, nonce):
            raise LaunchRefused("nonce_unknown", "the message was not asked for by this tool")
        if self.nonce_used:
            raise LaunchRefused("nonce_reused", "this launch was already used")
        return self

    def validate_state(self) -> "_Message":
        state = self._get_request_param("state")
        if not state:
            raise LaunchRefused("state_missing", "the message came back without its state")
        flow = flows.unseal(self.tool.secret, state, self.tool.clock())
        if flow is None or flow.platform_id != self.platform.id:
            raise LaunchRefused("state_unknown", "the launch took too long or began elsewhere")
        if flow.nonce != self.claims["nonce"]:
            raise LaunchRefused("nonce_unknown", "the nonce belongs to another launch")
        self.flow = flow
        base_url = self.tool.base_url
        cookie = self._cookie_service.get_cookie(flows.cookie_name(base_url, state))
        if cookie is None:
            if any(name.startswith(flows.cookie_prefix(base_url)) for name in self.cookies):
                raise LaunchRefused("state_browser", "the launch began in another browser")
        elif cookie != flows.cookie_value(self.tool.secret, state):
            raise LaunchRefused("state_browser", "the launch began in another browser")
        self.same_browser = cookie is not None
        return self

    def validate_message(self) -> "_Message":
        self.launch = lti_claims.read(self.claims, self.platform.id)
        target = self.claims[CLAIM + "target_link_uri"]
        if not isinstance(target, str):
            raise LaunchRefused("malformed", "target_link_uri is not an address")
        if not is_ours(self.tool, target) or (self.flow and target != self.flow.target_link_uri):
            raise LaunchRefused("target_link", "the message asks for another address")
        linking = self.launch.deep_linking
        if linking and not is_of(self.platform, linking.return_url):
            raise LaunchRefused("malformed", "the return address is not the platform's")
        self.check(self.launch)
        return self

    def validate_deployment(self) -> "_Message":
        if self.deployment_state != "approved":
            if self.deployment_state is None:
                remember_deployment(self.platform.id, self.launch.deployment_id, self.tool.clock())
            raise LaunchRefused(
                "deployment_unknown",
                f"deployment {self.launch.deployment_id} of {self.platform.name} awaits approval: "
                f"passport-lti platform approve {self.platform.name} "
                f"{shlex.quote(self.launch.deployment_id)}",
                403,
            )
        return self

    def _validate_role(self) -> None:
        if self.launch.deep_linking and not (self.launch.is_instructor or self.launch.is_admin):
            raise LaunchRefused("role_not_allowed", "only instructors choose content", 403)
