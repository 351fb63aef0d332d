from pathlib import Path

BASE_DIR = Path(__file__).parent
BACKUPS = 3
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {
        "file": {
            "class": "logging.handlers.RotatingFileHandler",
            "filename": BASE_DIR / "site.log",
            "maxBytes": 1_000_000,
            "backupCount": BACKUPS,
        },
        "nothing": {"class": "logging.NullHandler"},
    },
    "root": {"handlers": ["file"]},
}
