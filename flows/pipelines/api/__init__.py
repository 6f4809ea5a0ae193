"""REST doors to pipelines: the pipeline API below /v1/, and the native one below /api/pipelines/."""
