package perdure

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// Error is the server's refusal: its stable code, its message (which ends with a remedy) and the HTTP status.
type Error struct {
	Code    string         `json:"code"`
	Message string         `json:"message"`
	Details map[string]any `json:"details"`
	Status  int            `json:"-"`
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %s", e.Code, e.Message) }

func (e *Error) isTemporary() bool {
	return e.Status >= http.StatusInternalServerError || e.Status == http.StatusTooManyRequests
}

func errorOf(response *http.Response) *Error {
	var told struct {
		Error *Error `json:"error"`
	}
	body, _ := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if json.Unmarshal(body, &told) != nil || told.Error == nil {
		message := fmt.Sprintf("The server answered %d.", response.StatusCode)
		told.Error = &Error{Code: "unexpected_answer", Message: message}
	}
	told.Error.Status = response.StatusCode
	return told.Error
}
