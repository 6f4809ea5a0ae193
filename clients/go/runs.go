package perdure

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"
)

// Run is one durable execution of a job.
type Run struct {
	ID             string            `json:"id"`
	Job            string            `json:"job"`
	JobVersion     string            `json:"job_version"`
	Status         string            `json:"status"`
	Reason         string            `json:"reason"`
	Input          json.RawMessage   `json:"input"`
	Output         json.RawMessage   `json:"output"`
	Error          *Failure          `json:"error"`
	Progress       *Progress         `json:"progress"`
	Labels         map[string]string `json:"labels"`
	Queue          string            `json:"queue"`
	Priority       int               `json:"priority"`
	Attempt        int               `json:"attempt"`
	LastSequence   int64             `json:"last_sequence"`
	Owner          *string           `json:"owner"`
	Team           *string           `json:"team"`
	Parent         *string           `json:"parent"`
	Root           *string           `json:"root"`
	ForkedFrom     *string           `json:"forked_from"`
	IdempotencyKey *string           `json:"idempotency_key"`
	ConcurrencyKey *string           `json:"concurrency_key"`
	CreatedAt      time.Time         `json:"created_at"`
	RunAt          time.Time         `json:"run_at"`
	StartedAt      *time.Time        `json:"started_at"`
	FinishedAt     *time.Time        `json:"finished_at"`
	// Budget says what the run and its children may spend, and have spent; null for a run without one.
	Budget json.RawMessage `json:"budget"`
	// Disposition is created, idempotent or coalesced; only of a start.
	Disposition string `json:"disposition"`
}

// HasEnded says whether the run does no more work.
func (r *Run) HasEnded() bool {
	return r.Status == "completed" || r.Status == "failed" || r.Status == "cancelled"
}

// Failure is why a run failed.
type Failure struct {
	Type      string `json:"type"`
	Message   string `json:"message"`
	Traceback string `json:"traceback"`
}

// Progress is how far a run says it is.
type Progress struct {
	Current float64  `json:"current"`
	Total   *float64 `json:"total"`
	Message string   `json:"message"`
}

// Signal is a durable message to a run.
type Signal struct {
	ID          int64           `json:"id"`
	Name        string          `json:"name"`
	Payload     json.RawMessage `json:"payload"`
	Disposition string          `json:"disposition"`
}

// Question is what a run asks people.
type Question struct {
	ID      string          `json:"id"`
	Run     string          `json:"run"`
	Step    string          `json:"step"`
	Kind    string          `json:"kind"`
	Title   string          `json:"title"`
	Body    string          `json:"body"`
	Schema  json.RawMessage `json:"schema"`
	Choices []any           `json:"choices"`
	Context json.RawMessage `json:"context"`
	Status  string          `json:"status"`
	Digest  string          `json:"digest"`
}

// Page is a part of a list; Next is the address of the following one.
type Page[T any] struct {
	Results  []T     `json:"results"`
	Next     *string `json:"next"`
	Previous *string `json:"previous"`
}

// StartOptions go with a start; what is empty is not sent.
type StartOptions struct {
	Version, Team, IdempotencyKey, ConcurrencyKey, Queue string
	Labels                                               map[string]string
	Budget                                               map[string]any
	Priority                                             int
}

func (o StartOptions) body() map[string]any {
	body := map[string]any{}
	texts := map[string]string{
		"version": o.Version, "team": o.Team, "queue": o.Queue,
		"idempotency_key": o.IdempotencyKey, "concurrency_key": o.ConcurrencyKey,
	}
	for name, text := range texts {
		if text != "" {
			body[name] = text
		}
	}
	if o.Labels != nil {
		body["labels"] = o.Labels
	}
	if o.Budget != nil {
		body["budget"] = o.Budget
	}
	if o.Priority != 0 {
		body["priority"] = o.Priority
	}
	return body
}

// StartRun starts a run of a job. A nil input is an empty object.
func (c *Client) StartRun(ctx context.Context, job string, input any, options StartOptions) (*Run, error) {
	body := options.body()
	body["job"], body["input"] = job, input
	if input == nil {
		body["input"] = map[string]any{}
	}
	return send[Run](ctx, c, http.MethodPost, "/api/runs/", nil, body)
}

// GetRun gives a run as it is now.
func (c *Client) GetRun(ctx context.Context, id string) (*Run, error) {
	return send[Run](ctx, c, http.MethodGet, runPath(id, ""), nil, nil)
}

// CancelRun cancels a run that has not ended.
func (c *Client) CancelRun(ctx context.Context, id, reason string) (*Run, error) {
	return send[Run](ctx, c, http.MethodPost, runPath(id, "cancel/"), nil, map[string]any{"reason": reason})
}

// GrantBudget adds to the hard limits of a run's budget: tokens, cost, steps, active_seconds. A run parked at one goes on.
func (c *Client) GrantBudget(ctx context.Context, id string, more map[string]any) (*Run, error) {
	return send[Run](ctx, c, http.MethodPost, runPath(id, "budget/"), nil, more)
}

// SendSignal sends a durable message to a run. An idempotency key makes a repetition harmless.
func (c *Client) SendSignal(ctx context.Context, id, name string, payload any, idempotencyKey string) (*Signal, error) {
	body := map[string]any{"name": name, "payload": payload}
	if idempotencyKey != "" {
		body["idempotency_key"] = idempotencyKey
	}
	return send[Signal](ctx, c, http.MethodPost, runPath(id, "signals/"), nil, body)
}

// ListQuestions gives a page of questions; filters are status (repeats), run and mine.
func (c *Client) ListQuestions(ctx context.Context, filters url.Values) (*Page[Question], error) {
	return send[Page[Question]](ctx, c, http.MethodGet, "/api/questions/", filters, nil)
}

// AnswerQuestion answers a question as it was read: one that was changed since is refused.
func (c *Client) AnswerQuestion(
	ctx context.Context, question *Question, decision string, value any, comment string,
) (*Question, error) {
	body := map[string]any{"decision": decision, "digest": question.Digest, "comment": comment}
	if value != nil {
		body["value"] = value
	}
	path := "/api/questions/" + url.PathEscape(question.ID) + "/answer/"
	return send[Question](ctx, c, http.MethodPost, path, nil, body)
}

func runPath(id, rest string) string { return "/api/runs/" + url.PathEscape(id) + "/" + rest }
