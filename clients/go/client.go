// Package perdure starts, watches and steers durable runs of a Perdure server. It needs net/http only.
package perdure

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const tries = 4

// Client talks to one server. Its fields may be changed before it is used.
type Client struct {
	// Timeout is for one answer.
	Timeout time.Duration
	// ReconnectFor is how long a stream is tried again without anything new.
	ReconnectFor time.Duration
	// HTTP sends the requests. It must have no timeout of its own: streams last.
	HTTP *http.Client

	baseURL string
	token   string
}

// NewClient makes a client of the server at baseURL that shows the API token.
func NewClient(baseURL, token string) *Client {
	return &Client{
		Timeout: 30 * time.Second, ReconnectFor: 5 * time.Minute, HTTP: &http.Client{},
		baseURL: strings.TrimRight(baseURL, "/"), token: token,
	}
}

// String never shows the token.
func (c *Client) String() string { return fmt.Sprintf("perdure.Client(%s)", c.baseURL) }

// GoString never shows the token.
func (c *Client) GoString() string { return c.String() }

// send makes one request. What changes nothing when it is repeated is tried again when no answer came.
func send[T any](ctx context.Context, c *Client, method, path string, query url.Values, body map[string]any) (*T, error) {
	_, hasKey := body["idempotency_key"]
	for try := 1; ; try++ {
		found, err := sendOnce[T](ctx, c, method, path, query, body)
		var refused *Error
		if err == nil || errors.As(err, &refused) || try == tries || (method != http.MethodGet && !hasKey) {
			return found, err
		}
		if err := pause(ctx, 100*time.Millisecond<<try); err != nil {
			return nil, err
		}
	}
}

func sendOnce[T any](ctx context.Context, c *Client, method, path string, query url.Values, body map[string]any) (*T, error) {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	response, err := c.open(ctx, method, path, query, body, "application/json")
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusBadRequest {
		return nil, errorOf(response)
	}
	found := new(T)
	return found, json.NewDecoder(response.Body).Decode(found)
}

func (c *Client) open(
	ctx context.Context, method, path string, query url.Values, body map[string]any, accept string,
) (*http.Response, error) {
	address := c.baseURL + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	var payload bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&payload).Encode(body); err != nil {
			return nil, err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, address, &payload)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	request.Header.Set("Accept", accept)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	return c.HTTP.Do(request)
}

func pause(ctx context.Context, delay time.Duration) error {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
