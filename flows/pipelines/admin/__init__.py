from flows.pipelines.admin.definitions import PipelineDefinitionAdmin

__all__ = ["PipelineDefinitionAdmin"]
