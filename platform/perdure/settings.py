"""Django's settings: typed values of the environment, put where Django looks for them."""

import os
import sys
from importlib.metadata import version
from urllib.parse import urlsplit

from corsheaders.defaults import default_headers
from pydantic import ValidationError

from flows.pipelines.conf import PipelinesSettings
from perdure import environment, security, throwaway
from perdure.admin_look import UNFOLD as UNFOLD
from perdure.environment import ROOT, AguiSettings, Environment
from perdure.logs import configure_logging
from perdure.secret import keep_secret
from runs.conf import RunsSettings

throwaway.enter(sys.argv, ROOT / "var")
try:
    ENVIRONMENT = Environment()
    RUNS = environment.prefixed(RunsSettings, "RUNS_", os.environ)
    PIPELINES = environment.prefixed(PipelinesSettings, "PIPELINES_", os.environ)
    AG_UI = environment.prefixed(AguiSettings, "AG_UI_", os.environ)
except ValidationError as exc:
    raise SystemExit(
        f"An environment variable has a value that does not fit. Correct it and start again.\n{exc}"
    ) from exc

VERSION = version("perdure")
BASE_DIR = ROOT
DATA_DIR = ENVIRONMENT.data_dir
DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
DEBUG = ENVIRONMENT.debug
SECRET_KEY = ENVIRONMENT.secret_key or keep_secret(DATA_DIR / "secret-key")
ALLOWED_HOSTS = ENVIRONMENT.allowed_hosts
BASE_URL = ENVIRONMENT.base_url.rstrip("/")

INSTALLED_APPS = [
    # It makes an event loop when it is imported, which no process that forks workers should carry along.
    *(["daphne"] if sys.argv[1:2] == ["runserver"] else []),
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "servestatic",
    "django.contrib.staticfiles",
    "channels",
    "corsheaders",
    "csp",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_q",
    "perdure",
    "perdure.accounts",
    "perdure.agui",
    "perdure.dashboard",
    "runs",
    "hitl",
    "flows.llm",
    "flows.pipelines",
    "flows.agents",
    *(["examples"] if ENVIRONMENT.demo else []),
    *ENVIRONMENT.apps,
]

MIDDLEWARE = [
    "perdure.timing.server_timing",
    "django.middleware.security.SecurityMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "perdure.security.ContentSecurityPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
# No GZipMiddleware: on Django 5.2 it breaks server-sent events.

ROOT_URLCONF = "perdure.urls"
ASGI_APPLICATION = "perdure.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
LOGGING = configure_logging(ENVIRONMENT.log_level)

# ------------------------------------------------------------------------------------------------------------ storage
DATABASES = {"default": ENVIRONMENT.database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"
FORMAT_MODULE_PATH = ["perdure.formats"]

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    # What runs save. Nothing serves this folder: the doors of a run hand out its files.
    "artifacts": {
        "BACKEND": "runs.engine.files.ArtifactStorage",
        "OPTIONS": {"location": DATA_DIR / "artefacts", "file_permissions_mode": 0o600},
    },
}

STATIC_URL = "/static/"
# Served from where the apps keep them, so nothing has to be collected before the first start.
SERVESTATIC_USE_FINDERS = True
STATIC_ROOT = DATA_DIR / "static"

CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": ENVIRONMENT.redis_url}
    if ENVIRONMENT.redis_url
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}

if ENVIRONMENT.redis_url:
    _layer = {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        # A read that waits for the next message must not time out, and a mass disconnect needs one connection each.
        "CONFIG": {"hosts": [{"address": ENVIRONMENT.redis_url, "socket_timeout": None, "max_connections": 10_000}]},
    }
elif ENVIRONMENT.on_sqlite:
    _layer = {
        "BACKEND": "runs.live.layers.sqlite.SqliteChannelLayer",
        "CONFIG": {"path": str(DATA_DIR / "live.sqlite3")},
    }
else:
    _layer = {"BACKEND": "runs.live.layers.postgresql.PostgresChannelLayer"}
CHANNEL_LAYERS = {"default": _layer}

# ------------------------------------------------------------------------------------------------------------- people
AUTHENTICATION_BACKENDS = ["perdure.accounts.backends.LimitedBackend"]
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/runs/"
LOGOUT_REDIRECT_URL = "/sign-in/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]

# ------------------------------------------------------------------------------------------------------ notifications
EMAIL_URL = os.environ.get("EMAIL_URL", "")
try:
    globals().update(environment.email_from_url(EMAIL_URL))
except ValueError:
    EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"  # a system check says what is wrong
DEFAULT_FROM_EMAIL = SERVER_EMAIL = (
    ENVIRONMENT.email_from or f"Perdure <perdure@{urlsplit(BASE_URL).hostname or 'localhost'}>"
)
HITL_BASE_URL = BASE_URL
HITL_EMAIL = bool(EMAIL_URL)
HITL_WEBHOOK_URL = ENVIRONMENT.webhook_url
HITL_WEBHOOK_SECRET = ENVIRONMENT.webhook_secret
HITL_WEBHOOK_ALLOW_PRIVATE = ENVIRONMENT.webhook_allow_private

# ----------------------------------------------------------------------------------------------------- language models
LLM_PROVIDER_URL = ENVIRONMENT.provider_url
LLM_PROVIDER_KEY_ENV = ENVIRONMENT.provider_key_env
LLM_SECRET_NAMES = tuple(ENVIRONMENT.llm_secret_names)
LLM_SECRET_FOLDER = ENVIRONMENT.llm_secret_folder
LLM_SCENARIO_FOLDER = ENVIRONMENT.llm_scenario_folder
LLM_PRICES = ENVIRONMENT.llm_prices
DAY_BUDGETS = ENVIRONMENT.day_budgets

# ----------------------------------------------------------------------------------------------------------- security
_https = BASE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# What may read answers with a session may send with it too: its page must still know the session's CSRF token.
CSRF_TRUSTED_ORIGINS = [*(["/".join(BASE_URL.split("/")[:3])] if _https else []), *ENVIRONMENT.cors_origins]
CONTENT_SECURITY_POLICY = {"DIRECTIVES": security.STRICT}
CORS_ALLOWED_ORIGINS = ENVIRONMENT.cors_origins
CORS_ALLOW_HEADERS = [*default_headers, "idempotency-key", "last-event-id", "x-run-id"]
CORS_EXPOSE_HEADERS = ["x-ag-ui-run-id", "x-ag-ui-session-id"]
CORS_ALLOW_CREDENTIALS = True
CORS_URLS_REGEX = r"^/(?:api/|v1/|health$|ag-ui/|copilotkit(?:/|$))"
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024

# --------------------------------------------------------------------------------------------------------------- REST
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "perdure.accounts.api.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "runs.api.errors.handle_error",
}
SPECTACULAR_SETTINGS = {
    "ENUM_NAME_OVERRIDES": {
        "StartedShapeDispositionEnum": ["created", "idempotent", "coalesced"],
        "PipelineJobStatus": "flows.pipelines.wire.JOB_STATUSES",
        "StepExecutionStatus": "flows.pipelines.wire.STEP_STATES",
        "StreamLineEvent": "flows.pipelines.wire.LINE_EVENTS",
        "CreateJobMode": ["sync", "async"],
        "SourceKind": ["log", "code", "note", "raw"],
        "KindEnum": ["cron", "once"],
    },
    # Without it the prefix would be what all addresses share, and with /v1/ that is nothing.
    "SCHEMA_PATH_PREFIX": "/api",
    "TITLE": "Perdure",
    "DESCRIPTION": "Start, watch and steer durable runs.",
    "VERSION": VERSION,
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# ----------------------------------------------------------------------------------------------------- tools of models
LLM_TOOL_COMMANDS = tuple(ENVIRONMENT.llm_tool_commands)
LLM_TOOL_FOLDERS = tuple(ENVIRONMENT.llm_tool_folders)
LLM_TOOL_HOSTS = tuple(ENVIRONMENT.llm_tool_hosts)
LLM_TOOL_ALLOW_PRIVATE = ENVIRONMENT.llm_tool_allow_private
LLM_TOOL_SECONDS = ENVIRONMENT.llm_tool_seconds
LLM_TOOL_RESULT_CHARS = ENVIRONMENT.llm_tool_result_chars
AGENTS_COMMANDS = ENVIRONMENT.agent_commands
CHAT_AGENT_PROFILES = tuple(ENVIRONMENT.chat_agent_profiles)

# -------------------------------------------------------------------------------------------------------------- engine
RUNS_AUTHENTICATOR = "perdure.accounts.tokens.authenticate_header"
RUNS_BUS = "runs.live.bus.LayerBus"
RUNS_QUEUES = tuple(ENVIRONMENT.queues)
RUNS_QUEUE_LIMITS = ENVIRONMENT.queue_limits
RUNS_WORKFLOW_JOB = ENVIRONMENT.workflow_job
globals().update(RUNS)
globals().update(PIPELINES)
globals().update(AG_UI)

_processes = ENVIRONMENT.worker_processes + 1
PERDURE_WORKERS = ENVIRONMENT.worker_processes
Q_CLUSTER = {
    "name": "perdure",
    "broker_class": "runs.worker.broker.RunsBroker",
    "orm": "default",
    # One process for each driver of runs, and one for ordinary tasks.
    "workers": _processes,
    "queue_limit": _processes,
    "bulk": 1,
    "timeout": 600,
    "retry": 720,
    # Otherwise a failed task is delivered again for ever.
    "ack_failures": True,
    "max_attempts": 1,
    "catch_up": False,
    # SQLite takes one writer at a time: results of ordinary tasks are not kept there.
    "save_limit": -1 if ENVIRONMENT.on_sqlite else 250,
    "log_level": ENVIRONMENT.log_level,
    "label": "Background tasks",
}
