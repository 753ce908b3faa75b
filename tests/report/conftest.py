from reports import contract, made  # noqa: F401  fixtures
