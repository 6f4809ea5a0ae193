from django.db import models

from runs.models.of_run import of_run


class Artifact(models.Model):
    """One version of a file that a run has made; its bytes lie in the storage `artifacts`."""

    run = of_run("artifacts")
    name = models.CharField(max_length=100)
    version = models.IntegerField(help_text="From 1 in its run and name.")
    media_type = models.CharField(max_length=100)
    size = models.BigIntegerField(help_text="In bytes.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the content, in hexadecimal.")
    path = models.CharField(max_length=200, help_text="In the storage; a fork's are those of the run it came from.")
    step_name = models.CharField(max_length=200, help_text="The step that saved it.")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("run", "name", "version")
        constraints = (models.UniqueConstraint(fields=["run", "name", "version"], name="artifact_version_once"),)
        indexes = (models.Index(fields=["path"], name="artifact_by_path"),)

    def __str__(self) -> str:
        return f"{self.name} version {self.version}"
