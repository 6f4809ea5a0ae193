package perdure

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// PipelineJob is one durable execution of a pipeline.
type PipelineJob struct {
	ID              string          `json:"id"`
	PipelineType    string          `json:"pipeline_type"`
	PipelineVersion string          `json:"pipeline_version"`
	Status          string          `json:"status"`
	Reason          string          `json:"reason"`
	Mode            string          `json:"mode"`
	CreatedAt       time.Time       `json:"created_at"`
	UpdatedAt       time.Time       `json:"updated_at"`
	Input           json.RawMessage `json:"input"`
	Result          *JobResult      `json:"result"`
	Error           *JobError       `json:"error"`
	StepExecutions  []StepExecution `json:"step_executions"`
	ParentJobID     *string         `json:"parent_job_id"`
	RerunFromStep   *string         `json:"rerun_from_step"`
	ReuseUpstream   bool            `json:"reuse_upstream"`
}

// JobResult is what the exporting steps of a job have given.
type JobResult struct {
	Items []ResultItem   `json:"items"`
	Meta  map[string]any `json:"meta"`
}

// ResultItem is what a step of a pipeline gave.
type ResultItem struct {
	ID          string          `json:"id"`
	Label       string          `json:"label"`
	StepID      string          `json:"step_id"`
	ShardKey    *string         `json:"shard_key"`
	Kind        string          `json:"kind"`
	Tag         *string         `json:"tag"`
	ContentType string          `json:"content_type"`
	Data        json.RawMessage `json:"data"`
	IsPrimary   bool            `json:"is_primary"`
}

// JobError is why a job or a step has failed.
type JobError struct {
	Code    string         `json:"code"`
	Message string         `json:"message"`
	Details map[string]any `json:"details"`
}

// StepExecution is where a step of a job stands.
type StepExecution struct {
	StepID     string     `json:"step_id"`
	Name       string     `json:"name"`
	Kind       string     `json:"kind"`
	Status     string     `json:"status"`
	StartedAt  *time.Time `json:"started_at"`
	FinishedAt *time.Time `json:"finished_at"`
	Error      *JobError  `json:"error"`
	ShardsDone int        `json:"shards_done"`
}

// Source is a text that a pipeline works on; its kind is log, code, note or raw.
type Source struct {
	Kind     string         `json:"kind"`
	Label    string         `json:"label"`
	Content  string         `json:"content"`
	Metadata map[string]any `json:"metadata,omitempty"`
}

// JobInput is what a pipeline works on.
type JobInput struct {
	Sources []Source       `json:"sources"`
	Options map[string]any `json:"options,omitempty"`
}

// JobRequest asks for a job; with Mode sync the answer is the ended job.
type JobRequest struct {
	PipelineType, Version, Mode, IdempotencyKey string
	Input                                       JobInput
}

// ProviderProfile says where models are reached. A secret is named in APIKeyEnv, never sent.
type ProviderProfile struct {
	ID           string         `json:"id"`
	Kind         string         `json:"kind"`
	BaseURI      string         `json:"base_uri,omitempty"`
	DefaultModel string         `json:"default_model,omitempty"`
	APIKeyEnv    string         `json:"api_key_env,omitempty"`
	Limits       map[string]any `json:"limits,omitempty"`
	Extra        map[string]any `json:"extra,omitempty"`
}

// Pipeline is a pipeline that can be run, in its newest version.
type Pipeline struct {
	Type     string           `json:"type"`
	Version  string           `json:"version"`
	Title    string           `json:"title"`
	Steps    []map[string]any `json:"steps"`
	Versions []string         `json:"versions"`
}

// Metrics are of the model calls of the newest jobs, by kind of provider; latencies in milliseconds.
type Metrics struct {
	CallCount   map[string]int     `json:"provider_call_count"`
	CallLatency map[string]float64 `json:"provider_call_latency"`
	CallErrors  map[string]int     `json:"provider_call_errors"`
	ChunkCount  map[string]int     `json:"provider_chunk_count"`
	Jobs        int                `json:"jobs"`
}

type jobBody struct {
	Job PipelineJob `json:"job"`
}

// CreateJob starts a job of a pipeline.
func (c *Client) CreateJob(ctx context.Context, request JobRequest) (*PipelineJob, error) {
	body := map[string]any{"pipeline_type": request.PipelineType, "input": request.Input}
	texts := map[string]string{
		"version": request.Version, "mode": request.Mode, "idempotency_key": request.IdempotencyKey,
	}
	for name, text := range texts {
		if text != "" {
			body[name] = text
		}
	}
	return job(send[jobBody](ctx, c, http.MethodPost, "/v1/jobs", nil, body))
}

// GetJob gives a job as it is now.
func (c *Client) GetJob(ctx context.Context, id string) (*PipelineJob, error) {
	return job(send[jobBody](ctx, c, http.MethodGet, jobPath(id, ""), nil, nil))
}

// CancelJob cancels a job; one that has ended stays as it is.
func (c *Client) CancelJob(ctx context.Context, id, reason string) (*PipelineJob, error) {
	body := map[string]any{}
	if reason != "" {
		body["reason"] = reason
	}
	return job(send[jobBody](ctx, c, http.MethodPost, jobPath(id, "/cancel"), nil, body))
}

// RerunJob starts a new job from a step of an old one; with reuseUpstream what came before is taken over.
func (c *Client) RerunJob(
	ctx context.Context, id, fromStep string, reuseUpstream bool, override *JobInput,
) (*PipelineJob, error) {
	body := map[string]any{"reuse_upstream": reuseUpstream}
	if fromStep != "" {
		body["from_step_id"] = fromStep
	}
	if override != nil {
		body["override_input"] = override
	}
	return job(send[jobBody](ctx, c, http.MethodPost, jobPath(id, "/rerun"), nil, body))
}

// StreamJobs creates a job and calls on for each of its lines until it has ended.
func (c *Client) StreamJobs(ctx context.Context, request JobRequest, on func(StreamLine) error) (*PipelineJob, error) {
	made, err := c.CreateJob(ctx, request)
	if err != nil {
		return nil, err
	}
	return made, c.StreamJobByID(ctx, made.ID, 0, on)
}

// StreamJobByID calls on for each line after afterSeq; the last one is stream_finished. A cut connection is taken up
// again where it was. An error of `on` ends it and is returned.
func (c *Client) StreamJobByID(ctx context.Context, id string, afterSeq int64, on func(StreamLine) error) error {
	return c.follow(ctx, &jobPlace{id: id, last: afterSeq, seen: frames{}, on: on})
}

// UpsertProviderProfile creates or replaces a profile.
func (c *Client) UpsertProviderProfile(ctx context.Context, profile ProviderProfile) (*ProviderProfile, error) {
	var body map[string]any
	text, err := json.Marshal(profile)
	if err == nil {
		err = json.Unmarshal(text, &body)
	}
	if err != nil {
		return nil, err
	}
	found, err := send[struct{ Provider ProviderProfile }](ctx, c, http.MethodPost, "/v1/config/providers", nil, body)
	if err != nil {
		return nil, err
	}
	return &found.Provider, nil
}

// ListPipelines gives every pipeline that can be run.
func (c *Client) ListPipelines(ctx context.Context) ([]Pipeline, error) {
	found, err := send[struct{ Pipelines []Pipeline }](ctx, c, http.MethodGet, "/v1/config/pipelines", nil, nil)
	if err != nil {
		return nil, err
	}
	return found.Pipelines, nil
}

// GetMetrics gives figures of the model calls of the newest jobs.
func (c *Client) GetMetrics(ctx context.Context) (*Metrics, error) {
	return send[Metrics](ctx, c, http.MethodGet, "/v1/metrics", nil, nil)
}

func job(found *jobBody, err error) (*PipelineJob, error) {
	if err != nil {
		return nil, err
	}
	return &found.Job, nil
}

func jobPath(id, rest string) string { return "/v1/jobs/" + url.PathEscape(id) + rest }

type jobPlace struct {
	id    string
	last  int64
	ended bool
	seen  frames
	on    func(StreamLine) error
}

func (p *jobPlace) path() string   { return jobPath(p.id, "/stream") }
func (p *jobPlace) after() int64   { return p.last }
func (p *jobPlace) hasEnded() bool { return p.ended }
func (p *jobPlace) query() url.Values {
	return url.Values{"after_seq": {strconv.FormatInt(p.last, 10)}}
}

func (p *jobPlace) isReadToItsEnd(ctx context.Context, c *Client) (bool, error) { return false, nil }

func (p *jobPlace) take(text []byte) (bool, error) {
	var line StreamLine
	if err := json.Unmarshal(text, &line); err != nil {
		return false, err
	}
	switch line.Event {
	case "provider_chunk":
		if isNew, err := p.isNewChunk(line.Data); !isNew || err != nil {
			return false, err
		}
	case "stream_reset":
	default:
		if line.Seq <= p.last {
			return false, nil
		}
		p.last, p.ended = line.Seq, line.Event == "stream_finished"
	}
	return true, p.on(line)
}

func (p *jobPlace) isNewChunk(data json.RawMessage) (bool, error) {
	var chunk struct {
		StepID   string  `json:"step_id"`
		ShardKey *string `json:"shard_key"`
		Attempt  int     `json:"attempt"`
		Index    int64   `json:"index"`
	}
	if err := json.Unmarshal(data, &chunk); err != nil {
		return false, err
	}
	return p.seen.isNew(chunk.StepID+" "+text(chunk.ShardKey)+" "+strconv.Itoa(chunk.Attempt), chunk.Index), nil
}
