"""Static files are looked for once: each test's client loads the middleware, which would look at all of them again."""

from typing import Any

from servestatic.middleware import ServeStaticMiddleware


def install() -> None:
    look_for_them = ServeStaticMiddleware.add_files_from_finders
    found: list[tuple[Any, Any]] = []

    def add_files(middleware: ServeStaticMiddleware) -> None:
        if not found:
            look_for_them(middleware)
            found.append((middleware.files, middleware.directories))
        middleware.files, middleware.directories = found[0]

    ServeStaticMiddleware.add_files_from_finders = add_files
