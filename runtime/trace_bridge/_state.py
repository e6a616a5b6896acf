"""What the whole process has in common: the settings and the version."""

from ._config import Settings
from ._safely import log_safely

VERSION = "0.1.0"

log_safely()
settings = Settings.from_environment()
