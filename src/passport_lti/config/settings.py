"""The shape of the configuration: names, types and defaults as in the example file."""

import re
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from passport_lti.config.partners import certificates, with_metadata
from passport_lti.config.values import (
    BaseUrl,
    CacheType,
    DatabaseUrl,
    Duration,
    Flag,
    Id,
    Seconds,
    Secret,
    Skew,
    Text,
    Url,
    organisation_id,
    whole,
)

Strategy = Literal["final_grade", "granular_deep_linked", "granular_auto_columns"]


class Settings(BaseModel):
    """A part of the configuration: unknown keys are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=False)


class Tool(Settings):
    base_url: BaseUrl
    secret_key: Annotated[Secret, Field(min_length=32)]
    title: Text = "Coursera"
    description: Text = "Coursera courses with grades in your gradebook"
    proxy_hops: whole(0, 10) = 0  # type: ignore[valid-type]


class Database(Settings):
    url: DatabaseUrl = "sqlite:///var/passport.db"


class Cache(Settings):
    type: CacheType = "FileSystemCache"
    dir: Text = "var/cache"
    url: Text | None = None

    @model_validator(mode="after")
    def _redis_has_an_address(self) -> Self:
        if self.type == "RedisCache":
            if not self.url:
                raise ValueError("url: required with type: RedisCache, e.g. redis://host/0")
            if not self.url.startswith(("redis://", "rediss://", "unix://")):
                raise ValueError("url: expected redis://host:6379/0 or rediss://...")
        return self


class SamlAttributes(Settings):
    """What Coursera calls the facts of a person that an assertion carries."""

    email: Text = "email"
    first_name: Text = "firstName"
    last_name: Text = "lastName"


class Saml(Settings):
    """Coursera as the service provider of one organisation."""

    metadata: Text | None = None
    entity_id: Text
    acs_url: Url
    certificate: Annotated[str, BeforeValidator(certificates)] | None = None
    encrypt: Flag = False
    signed_requests: Flag = False
    own_entity_id: Flag = False
    attributes: SamlAttributes = SamlAttributes()

    @model_validator(mode="before")
    @classmethod
    def _metadata(cls, values: Any) -> Any:
        return with_metadata(values)

    @model_validator(mode="after")
    def _certificate(self) -> Self:
        for key in ("encrypt", "signed_requests"):
            if getattr(self, key) and not self.certificate:
                raise ValueError(f"{key}: needs Coursera's certificate (metadata or certificate)")
        return self


class CourseraConnection(Settings):
    api_base: BaseUrl = "https://api.coursera.com"
    org_id: Annotated[Text, BeforeValidator(organisation_id)]
    api_key: Annotated[Secret, Field(min_length=1)]
    api_secret: Annotated[Secret, Field(min_length=1)]
    programs: tuple[Text, ...] = ()
    grade_scale: Literal["auto", "unit", "percent"] = "auto"
    outline_path: Text | None = None
    page_size: whole(1, 1000) = 100  # type: ignore[valid-type]
    max_concurrency: whole(1, 16) = 2  # type: ignore[valid-type]
    timeout: Seconds = 60
    saml: Saml | None = None

    @model_validator(mode="after")
    def _outline_path(self) -> Self:
        path = self.outline_path or ""
        known = {"org_id", "program_id", "course_id", "course_slug"}
        expected = "expected {org_id}, {program_id}, {course_id} or {course_slug}"
        unknown = set(re.findall(r"{(.*?)}", path)) - known
        if unknown:
            raise ValueError(f"outline_path: {{{min(unknown)}}} is unknown, {expected}")
        if set("{}") & set(re.sub(r"{.*?}", "", path)):
            raise ValueError(f"outline_path: a brace is not closed or not opened, {expected}")
        if "://" in path:
            raise ValueError("outline_path: expected a path below api_base such as /ent/api/...")
        return self


class Identity(Settings):
    external_id: Literal["email", "sourcedid", "username", "sub"] = "email"
    match_by: Annotated[
        tuple[Literal["external_id", "email"], ...], Field(min_length=1, max_length=2)
    ] = ("external_id", "email")


class Sso(Settings):
    mode: Literal["link", "saml"] = "link"
    auth_provider: Text | None = None
    begins_at: Literal["tool", "coursera"] = "tool"
    explain: Flag = False


class PlatformSettings(Settings):
    """What is chosen for a platform, whether it stands in YAML or registered itself."""

    coursera: Text
    strategies: Annotated[tuple[Strategy, ...], Field(min_length=1)] = (
        "final_grade",
        "granular_deep_linked",
        "granular_auto_columns",
    )
    default_strategy: Strategy = "granular_auto_columns"
    identity: Identity = Identity()
    provisioning: Literal["none", "invite", "enroll"] = "none"
    connections: Annotated[int, Field(ge=1, le=64)] = 4
    """Calls of all processes at the same time; more bring nothing on most Moodles."""
    sso: Sso = Sso()

    @model_validator(mode="after")
    def _default_is_offered(self) -> Self:
        if self.default_strategy not in self.strategies:
            if "default_strategy" in self.model_fields_set:
                raise ValueError("default_strategy: expected one of this platform's strategies")
            object.__setattr__(self, "default_strategy", self.strategies[0])
        return self


class Platform(PlatformSettings):
    issuer: Annotated[Url, Field(max_length=255)]
    client_id: Id
    deployment_ids: tuple[Id, ...] = ()
    auth_login_url: Url
    auth_token_url: Url
    key_set_url: Url
    auth_audience: Text | None = None

    @field_validator("deployment_ids")
    @classmethod
    def _each_only_once(cls, ids: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(ids)) < len(ids):
            raise ValueError("expected each deployment only once")
        return ids

    @property
    def settings(self) -> dict[str, Any]:
        """The `PlatformSettings` among them, as JSON."""
        return self.model_dump(mode="json", include=set(PlatformSettings.model_fields))


class Sync(Settings):
    poll_every: Duration = timedelta(minutes=60)
    deliver_every: Duration = timedelta(seconds=30)
    grade_policy: Literal["follow", "best"] = "follow"
    in_progress: Flag = True
    overrides: Literal["keep", "overwrite"] = "keep"
    engine: Literal["embedded", "celery"] = "embedded"
    broker_url: Text | None = None

    @model_validator(mode="after")
    def _celery_needs_a_broker(self) -> Self:
        if self.engine == "celery" and not self.broker_url:
            raise ValueError("broker_url: required with engine: celery, e.g. redis://host/0")
        brokers = ("redis://", "rediss://", "sentinel://", "amqp://", "amqps://")
        if self.broker_url and not self.broker_url.startswith(brokers):
            raise ValueError("broker_url: expected redis://host:6379/1 or amqp://user:...@host/")
        return self


class Lti(Settings):
    clock_skew: Skew = timedelta(seconds=60)
    sessions: Duration = timedelta(hours=8)


class Retention(Settings):
    launches: Duration = timedelta(days=90)
    sync_runs: Duration = timedelta(days=180)


class Log(Settings):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["console", "json"] = "console"


class Metrics(Settings):
    token: Annotated[Secret, Field(min_length=16)] | None = None


Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]


class Config(Settings):
    tool: Tool
    database: Database = Database()
    cache: Cache = Cache()
    coursera: Annotated[dict[Name, CourseraConnection], Field(min_length=1)]
    platforms: Annotated[dict[Name, Platform], BeforeValidator(lambda value: value or {})] = Field(
        default_factory=dict
    )
    sync: Sync = Sync()
    lti: Lti = Lti()
    retention: Retention = Retention()
    log: Log = Log()
    metrics: Metrics = Metrics()
