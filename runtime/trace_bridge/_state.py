"""What the whole process has in common: the settings and the version."""

from ._config import Settings

VERSION = "0.1.0"

settings = Settings.from_environment()
