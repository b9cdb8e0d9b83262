"""Passport LTI: use Coursera from Moodle as if it were one place."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from sqlalchemy.engine import make_url
from werkzeug.middleware.proxy_fix import ProxyFix

from passport_lti import logs, web
from passport_lti.config import ConfigFile, config_path
from passport_lti.config.settings import Cache, Config
from passport_lti.errors import PassportError
from passport_lti.extensions import bootstrap, cache, db, migrate
from passport_lti.sync.services import Services

LARGEST_REQUEST = 512 * 1024
SQLITE = (3, 35, 0)
"""The first SQLite that says which rows a statement has changed."""


def create_app(config: Path | str | None = None, services: Services | None = None) -> Flask:
    """The web application with everything connected; touches neither database nor network.

    `config` is the path of the YAML file (else `$PASSPORT_LTI_CONFIG`, else
    `config/passport.yaml`), unless `services` bring their own. Raises ConfigError, or
    PassportError where the database or the cache can't be had.
    """
    if services is None:
        services = Services(ConfigFile(config_path(str(config) if config else None)))
    settings = services.config
    logs.set_up(settings.log)
    app = Flask(__name__)
    app.config.from_mapping(
        SECRET_KEY=settings.tool.secret_key.get_secret_value(),
        SQLALCHEMY_DATABASE_URI=_database_url(settings.database.url),
        SQLALCHEMY_ENGINE_OPTIONS=_engine_options(settings.database.url),
        MAX_CONTENT_LENGTH=LARGEST_REQUEST,
        MAX_FORM_MEMORY_SIZE=LARGEST_REQUEST // 2,
        MAX_FORM_PARTS=500,
        BOOTSTRAP_SERVE_LOCAL=True,
        SEND_FILE_MAX_AGE_DEFAULT=3600,
        **_cache_options(settings.cache),
    )
    app.extensions["passport_lti"] = services
    with _explained("database", "database.url", "postgres"):
        db.init_app(app)
    with _explained("cache", "cache", "redis"):
        cache.init_app(app)
    bootstrap.init_app(app)
    migrate.init_app(
        app, db, directory=str(Path(__file__).parent / "migrations"), render_as_batch=True
    )
    web.init_app(app)
    _mount(app, settings)
    return app


@contextmanager
def _explained(what: str, setting: str, extra: str) -> Iterator[None]:
    """What a driver raises while it is made, in one sentence."""
    try:
        yield
    except (ImportError, RuntimeError, OSError) as error:
        why = str(getattr(error, "strerror", None) or error).splitlines()[0]
        missing = isinstance(error, ModuleNotFoundError) or why.startswith("no ")
        hint = f", or install what it needs: pip install 'passport-lti[{extra}]'" if missing else ""
        raise PassportError(f"The {what} can't be used ({why}). Check {setting}{hint}.") from None


def _database_url(url: str) -> str:
    """Relative SQLite files belong to the working directory, not to Flask's instance folder."""
    parts = make_url(url)
    if parts.get_backend_name() == "sqlite" and sqlite3.sqlite_version_info < SQLITE:
        raise PassportError(
            f"This Python comes with SQLite {sqlite3.sqlite_version}, which is too old: "
            f"{'.'.join(map(str, SQLITE))} is needed. Use another Python, or PostgreSQL."
        )
    if parts.get_backend_name() != "sqlite" or not parts.database or parts.database == ":memory:":
        return url
    path = Path(parts.database).absolute()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PassportError(
            f"The folder {path.parent} can't be made ({error.strerror}). Check database.url."
        ) from None
    return parts.set(database=str(path)).render_as_string(hide_password=False)


def _engine_options(url: str) -> dict[str, Any]:
    """No values in error messages: they are names and e-mail addresses."""
    if make_url(url).get_backend_name() == "sqlite":
        return {"hide_parameters": True}
    return {
        "hide_parameters": True,
        # A process that was stopped in a transaction must not keep its locks from the others.
        "connect_args": {"options": "-c idle_in_transaction_session_timeout=20s"},
        "pool_pre_ping": True,
        "pool_size": 10,
        "max_overflow": 20,
        "pool_recycle": 1800,
    }


def _cache_options(settings: Cache) -> dict[str, Any]:
    options: dict[str, Any] = {"CACHE_TYPE": settings.type, "CACHE_THRESHOLD": 100_000}
    if settings.type == "FileSystemCache":
        options["CACHE_DIR"] = str(Path(settings.dir).absolute())
    if settings.url:
        options["CACHE_REDIS_URL"] = settings.url
    if settings.type == "RedisCache":
        options["CACHE_KEY_PREFIX"] = "passport-lti:"
        # No page waits for a cache longer than it would take to do without.
        options["CACHE_OPTIONS"] = {"socket_connect_timeout": 1.0, "socket_timeout": 1.0}
    if settings.type == "NullCache":
        options["CACHE_NO_NULL_WARNING"] = True
    return options


def _mount(app: Flask, settings: Config) -> None:
    """Serve at the address of base_url, behind as many proxies as we are told of.

    The host is the configured one whatever a request says, so that nothing can lead elsewhere;
    its path may come with the request or be stripped by a proxy.
    """
    inner, base = app.wsgi_app, urlsplit(settings.tool.base_url)
    prefix = base.path.rstrip("/")

    def mounted(environ: dict[str, Any], start_response: Any) -> Any:
        environ["wsgi.url_scheme"], environ["HTTP_HOST"] = base.scheme, base.netloc
        path = environ.get("PATH_INFO", "")
        if prefix and (path == prefix or path.startswith(prefix + "/")):
            environ["PATH_INFO"] = path[len(prefix) :]
        environ["SCRIPT_NAME"] = prefix
        return inner(environ, start_response)

    app.wsgi_app = mounted  # type: ignore[method-assign]
    hops = settings.tool.proxy_hops
    if hops:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=hops, x_proto=0, x_host=0
        )
