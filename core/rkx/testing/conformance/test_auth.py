"""Laws for what authentication adds to the API server."""

from __future__ import annotations

from rkx.testing.conformance.subject import Subject, holds_secret

STAGES = ("auth",)


def test_arguments_are_names_and_texts(subject: Subject) -> None:
    """An argument's name has no dashes before it; files that hold secrets are closed to others."""
    for case in subject.cases():
        settings = subject.plugins.auth_settings(case.cluster, case.facts)
        assert [name for name in settings.arguments if name.startswith("-") or "=" in name] == []
        assert [value for value in settings.arguments.values() if not isinstance(value, str)] == []
        assert [str(file.path) for file in settings.files if not file.path.is_absolute()] == []
        opened = [str(file.path) for file in settings.files if file.mode & 0o007 and holds_secret(file)]
        assert opened == []
