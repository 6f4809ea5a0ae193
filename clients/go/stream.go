package perdure

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// silence is how long a stream may bring nothing before it is opened again: its other end may be gone.
const silence = 90 * time.Second

// Event is an event of a run. A stored one has a Sequence; a stream frame has Epoch and Offset in its place.
type Event struct {
	Type      string          `json:"type"`
	RunID     string          `json:"run_id"`
	Step      *string         `json:"step"`
	Attempt   *int            `json:"attempt"`
	Sequence  *int64          `json:"sequence"`
	Epoch     *int64          `json:"epoch"`
	Offset    *int64          `json:"offset"`
	Data      json.RawMessage `json:"data"`
	CreatedAt *time.Time      `json:"created_at"`
}

// StreamLine is a line of a pipeline job's stream. provider_chunk and stream_reset repeat the number before them.
type StreamLine struct {
	Seq   int64           `json:"seq"`
	Event string          `json:"event"`
	JobID string          `json:"job_id"`
	Data  json.RawMessage `json:"data"`
}

// StreamRun calls on for each event after the number `after`, then live until the run has ended; a cut connection is
// taken up again where it was. An error of `on` ends it and is returned.
func (c *Client) StreamRun(ctx context.Context, id string, after int64, on func(Event) error) error {
	return c.follow(ctx, newRunPlace(id, after, on))
}

// place is where a reader stands in a stream.
type place interface {
	path() string
	query() url.Values
	after() int64
	hasEnded() bool
	// take hands on the line's entry, unless it was seen before; it says whether it was new.
	take(line []byte) (bool, error)
	// isReadToItsEnd is asked after a connection that brought nothing: one that begins after the last event looks cut.
	isReadToItsEnd(ctx context.Context, c *Client) (bool, error)
}

type stopped struct{ error }

func (s stopped) Unwrap() error { return s.error }

func (c *Client) follow(ctx context.Context, at place) error {
	since, failures := time.Now(), 0
	for !at.hasEnded() {
		before := at.after()
		isNew, err := c.connect(ctx, at)
		if isNew {
			since, failures = time.Now(), 0
		}
		if final := finalError(ctx, err); final != nil {
			return final
		}
		if !at.hasEnded() && at.after() == before {
			over, err := at.isReadToItsEnd(ctx, c)
			if over || err != nil {
				return err
			}
		}
		if at.hasEnded() {
			return nil
		}
		if time.Since(since) > c.ReconnectFor {
			return fmt.Errorf("%s was not reached for %s; is it running? %w", c.baseURL, c.ReconnectFor, err)
		}
		failures++
		if err := pause(ctx, delay(failures)); err != nil {
			return err
		}
	}
	return nil
}

// finalError is what no further connection mends.
func finalError(ctx context.Context, err error) error {
	var refused *Error
	var stop stopped
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &stop):
		return stop.error
	case errors.As(err, &refused) && !refused.isTemporary():
		return refused
	}
	return nil
}

// connect reads one connection to its end.
func (c *Client) connect(ctx context.Context, at place) (isNew bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	silent := time.AfterFunc(silence, cancel)
	defer silent.Stop()
	response, err := c.open(ctx, http.MethodGet, at.path(), at.query(), nil, "application/x-ndjson")
	if err != nil {
		return false, err
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusBadRequest {
		return false, errorOf(response)
	}
	lines := bufio.NewReader(response.Body)
	for {
		// A line that the connection's end cut is dropped: it will be sent again.
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return isNew, err
		}
		silent.Reset(silence)
		if len(line) <= 1 {
			continue
		}
		taken, err := at.take(line)
		isNew = isNew || taken
		if err != nil {
			return isNew, stopped{err}
		}
	}
}

// delay doubles from 100 ms for each try that brought nothing, to at most 5 s.
func delay(failures int) time.Duration {
	milliseconds := math.Min(100*math.Pow(2, float64(failures-1)), 5000)
	return time.Duration(milliseconds*(0.8+0.4*rand.Float64())) * time.Millisecond
}

// frames remembers how many frames of each source were seen: a new connection is sent those still held again.
type frames map[string]int64

func (f frames) isNew(source string, number int64) bool {
	if number < f[source] {
		return false
	}
	f[source] = number + 1
	return true
}

type runPlace struct {
	id    string
	last  int64
	ended bool
	seen  frames
	on    func(Event) error
}

func newRunPlace(id string, after int64, on func(Event) error) *runPlace {
	return &runPlace{id: id, last: after, seen: frames{}, on: on}
}

func (p *runPlace) path() string      { return runPath(p.id, "events/") }
func (p *runPlace) after() int64      { return p.last }
func (p *runPlace) hasEnded() bool    { return p.ended }
func (p *runPlace) query() url.Values { return url.Values{"after": {strconv.FormatInt(p.last, 10)}} }

func (p *runPlace) isReadToItsEnd(ctx context.Context, c *Client) (bool, error) {
	run, err := c.GetRun(ctx, p.id)
	var refused *Error
	if err != nil {
		if errors.As(err, &refused) && !refused.isTemporary() {
			return false, err
		}
		return false, nil
	}
	return run.HasEnded() && run.LastSequence <= p.last, nil
}

func (p *runPlace) take(line []byte) (bool, error) {
	var event Event
	if err := json.Unmarshal(line, &event); err != nil {
		return false, err
	}
	if event.Offset != nil {
		source := fmt.Sprintf("%s %d %d", text(event.Step), number(event.Epoch), attempt(event.Attempt))
		if !p.seen.isNew(source, *event.Offset) {
			return false, nil
		}
	} else if event.Sequence != nil {
		if *event.Sequence <= p.last {
			return false, nil
		}
		p.last = *event.Sequence
		p.ended = event.Type == "run:complete" || event.Type == "run:fail" || event.Type == "run:cancel"
	}
	return true, p.on(event)
}

func text(value *string) string {
	if value == nil {
		return ""
	}
	return *value
}

func number(value *int64) int64 {
	if value == nil {
		return 0
	}
	return *value
}

func attempt(value *int) int {
	if value == nil {
		return 0
	}
	return *value
}
