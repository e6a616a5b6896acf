"""A module that comes by a layer."""

NAME = "shop tools"
