"""All settings, typed, from the environment (`.env.example` lists and explains each)."""

from pathlib import Path
from typing import Any

import environ
from csp.constants import NONE
from django.utils.translation import gettext_lazy as _

from config.logging import configure_structlog, logging_config
from config.theme import THEME

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
env.read_env(BASE_DIR / ".env")

# --- where it runs -----------------------------------------------------------------------------------------
DEBUG = env.bool("DEBUG", default=False)
# A key that everybody knows is good enough for a demo on one's own machine; a system check refuses it elsewhere.
INSECURE_SECRET_KEY = "insecure-demo-key-set-SECRET_KEY-before-anyone-else-can-reach-this-server"  # noqa: S105
SECRET_KEY = env.str("SECRET_KEY", default=INSECURE_SECRET_KEY)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# The address partners call; when blank, pages show the address they were themselves asked under.
PUBLIC_URL = env.str("PUBLIC_URL", default="").rstrip("/")
# Some partner clients put a path in the endpoint: the API answers below this prefix too.
ENDPOINT_PREFIX = env.str("ENDPOINT_PREFIX", default="").strip("/")
BEHIND_TLS_PROXY = env.bool("BEHIND_TLS_PROXY", default=False)

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "config.apps.RollcallAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "axes",
    "csp",
    "django_q",
    "drf_spectacular",
    "rest_framework",
    "accounts",
    "profiles",
    "cohorts",
    "segments",
]

MIDDLEWARE = [
    "config.logging.RequestLogMiddleware",
    "config.metrics.RequestMetricsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False  # API clients send no trailing slash; the admin appends its own
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
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

# --- data --------------------------------------------------------------------------------------------------
DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db("DATABASE_URL", default=f"sqlite:///{BASE_DIR / 'var' / 'rollcall.sqlite3'}"),
}
_database = DATABASES["default"]
_database["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=600)
_database["CONN_HEALTH_CHECKS"] = True
if _database["ENGINE"].endswith("postgresql"):
    # A host that does not answer at all is told to partners as 503 before they give up, at 10 seconds.
    _database["OPTIONS"] = {"connect_timeout": 5, **_database.get("OPTIONS", {})}
if _database["ENGINE"].endswith("sqlite3"):
    (BASE_DIR / "var").mkdir(exist_ok=True)
    # IMMEDIATE: a transaction that reads first and writes later would fail, not wait, when another one wrote
    # in between. synchronous=FULL: what was answered with 2xx survives a power cut.
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-65536;",
    }

Q_CLUSTER: dict[str, Any] = {
    "name": "rollcall",
    "workers": env.int("Q_WORKERS", default=2),
    # retry > timeout > longest task: a task is never started again while it still runs.
    "timeout": 1800,
    "retry": 2400,
    "max_attempts": 3,
    "ack_failures": True,
    "catch_up": False,
    "poll": 1.0,
    "save_limit": 500,
    "label": "Jobs",
}
if REDIS_URL := env.str("REDIS_URL", default=""):
    Q_CLUSTER["redis"] = REDIS_URL
    # Shared by all processes, so that a limit of calls is one limit.
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
else:
    Q_CLUSTER["orm"] = "default"

# --- people ------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
AXES_FAILURE_LIMIT = env.int("LOGIN_FAILURE_LIMIT", default=10)
AXES_COOLOFF_TIME = 1  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "config.admin.locked_out"
AXES_CLIENT_IP_CALLABLE = "accounts.addresses.of_request"

# --- mail --------------------------------------------------------------------------------------------------
# Printed to the console until a server is named: smtp://user:password@host:25, smtp+tls://…:587, smtp+ssl://…:465.
_mail = env.email_url("EMAIL_URL", default="consolemail://")
EMAIL_BACKEND, EMAIL_HOST = _mail["EMAIL_BACKEND"], _mail["EMAIL_HOST"] or "localhost"
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail["EMAIL_HOST_USER"] or "", _mail["EMAIL_HOST_PASSWORD"] or ""
EMAIL_USE_TLS, EMAIL_USE_SSL = _mail.get("EMAIL_USE_TLS", False), _mail.get("EMAIL_USE_SSL", False)
EMAIL_PORT = _mail["EMAIL_PORT"] or (465 if EMAIL_USE_SSL else 587 if EMAIL_USE_TLS else 25)
EMAIL_TIMEOUT = 20  # seconds
DEFAULT_FROM_EMAIL = env.str("MAIL_FROM", default="Rollcall <rollcall@localhost>")

# --- security ----------------------------------------------------------------------------------------------
# Nothing may load anything, except the admin, which widens this for its own pages in config/admin.py.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "form-action": [NONE],
    },
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
CSRF_FAILURE_VIEW = "config.admin.form_too_old"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SAMESITE = "Lax"
if BEHIND_TLS_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    # Probes and scrapers come past the proxy, which could tell them nothing of this process.
    SECURE_REDIRECT_EXEMPT = [r"^(livez|readyz|metrics)$"]
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True

# --- languages and time ------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("fr", _("French")), ("de", _("German"))]
# The theme ships no French, no German, and Django's German is mended in places.
LOCALE_PATHS = [BASE_DIR / "locale", BASE_DIR / "locale" / "theme", BASE_DIR / "locale" / "django"]
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_TZ = True

# --- files -------------------------------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATIC_ROOT.mkdir(exist_ok=True)  # empty until collectstatic ran; whitenoise warns if it is missing
STATICFILES_DIRS = [BASE_DIR / "config" / "static"]
WHITENOISE_USE_FINDERS = True
# Uploads: no address serves them. Web servers and workers on several hosts need one and the same folder.
MEDIA_ROOT = env.str("UPLOADS_DIR", default=str(BASE_DIR / "var" / "uploads"))
MAX_UPLOAD_BYTES = env.int("MAX_UPLOAD_BYTES", default=4 * 1024**3)
# The form that maps a file's columns has two fields for each of them, and a file at most 1,000 columns.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_100

UNFOLD = THEME

# --- API ---------------------------------------------------------------------------------------------------
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_PARSER_CLASSES": ["config.api.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "config.api.OneFormatNegotiation",
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "config.api.problem_handler",
    "UNAUTHENTICATED_USER": None,
}
# For endpoints that take more than JSON.
BODY_PARSER = "config.api.BodyParser"
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Rollcall",
    "DESCRIPTION": "Partners send cohorts here; their members are matched to profiles that already exist.",
    "VERSION": "1",
    "LICENSE": {"name": "MIT"},
    "SERVE_INCLUDE_SCHEMA": False,
    "PREPROCESSING_HOOKS": ["config.api.hide_slash_twins"],
    "COMPONENT_SPLIT_REQUEST": True,
}
MAX_BODY_BYTES = env.int("MAX_BODY_BYTES", default=10 * 1024 * 1024)

# --- imports -----------------------------------------------------------------------------------------------
MAX_IDS_PER_REQUEST = env.int("MAX_IDS_PER_REQUEST", default=1_000)
# Calls of the partner protocol carry no session: those that follow each other within this time are one sync.
PARTNER_SYNC_IDLE_SECONDS = env.int("PARTNER_SYNC_IDLE_SECONDS", default=300)
COMPACT_EVERY_DELTAS = env.int("COMPACT_EVERY_DELTAS", default=256)
UNMATCHED_SAMPLE_SIZE = env.int("UNMATCHED_SAMPLE_SIZE", default=100)
UNMATCHED_SAMPLE_DAYS = env.int("UNMATCHED_SAMPLE_DAYS", default=30)
UNFINISHED_SYNC_HOURS = env.int("UNFINISHED_SYNC_HOURS", default=72)
DELTA_RETENTION_DAYS = env.int("DELTA_RETENTION_DAYS", default=400)
# Members that match nobody yet, where an integration holds them: how many a cohort, and for how long.
HELD_MEMBERS_PER_COHORT = env.int("HELD_MEMBERS_PER_COHORT", default=1_000_000)
HELD_MEMBER_DAYS = env.int("HELD_MEMBER_DAYS", default=90)
# Calls per minute and key, e.g. "600"; 0 sets no limit.
CALLS_PER_MINUTE = env.int("CALLS_PER_MINUTE", default=0)
REJECTED_CALL_DAYS = env.int("REJECTED_CALL_DAYS", default=30)

# --- profiles ----------------------------------------------------------------------------------------------
# Modules of apps above `profiles` that are told when people are merged or erased (`profiles/followers.py`).
PROFILE_FOLLOWERS = ["cohorts.followers", "segments.followers"]
# What keeps a cohort from being deleted because it uses it; see cohorts/uses.py.
COHORT_USERS = ["segments.uses"]
# Of one profile; what the tracking API would write past it is refused.
MAX_CUSTOM_ATTRIBUTES = env.int("MAX_CUSTOM_ATTRIBUTES", default=2_000)

# --- segments ----------------------------------------------------------------------------------------------
MAX_SEGMENT_FILTERS = env.int("MAX_SEGMENT_FILTERS", default=100)
MAX_SEGMENT_DEPTH = env.int("MAX_SEGMENT_DEPTH", default=5)
# How long the sizes of segments, one a day, are kept.
SEGMENT_SIZE_DAYS = env.int("SEGMENT_SIZE_DAYS", default=400)
# Bitmaps of who a filter selects: in the memory of each process, in the database, and for how long unused.
FILTER_MEMORY_MB = env.int("FILTER_MEMORY_MB", default=64)
FILTER_BITMAPS_MB = env.int("FILTER_BITMAPS_MB", default=2_000)
FILTER_BITMAP_DAYS = env.int("FILTER_BITMAP_DAYS", default=14)
# How long the file of a segment's members can be downloaded; it holds people's data.
SEGMENT_EXPORT_DAYS = env.int("SEGMENT_EXPORT_DAYS", default=7)

# --- health and metrics ------------------------------------------------------------------------------------
# Whether a late worker makes /readyz answer 503; taking members needs no worker.
READYZ_REQUIRES_WORKER = env.bool("READYZ_REQUIRES_WORKER", default=False)
# Who may read /metrics: whoever has the token, or calls from these addresses or networks. Neither: nobody.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
METRICS_ADDRESSES = env.list("METRICS_ADDRESSES", default=[])
# The age of so many cohorts is shown, the most overdue ones.
METRICS_COHORTS = env.int("METRICS_COHORTS", default=50)

# --- logs --------------------------------------------------------------------------------------------------
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOGGING = logging_config(LOG_LEVEL)
configure_structlog()
