package perdure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

type runCase struct {
	Name, Job, Status, Error string
	Input                    any
	Output                   any
	Words                    int
	Counts                   map[string]int
}

var cases struct {
	Runs     []runCase
	Question struct {
		Job                       string
		Input                     map[string]string
		Decision, Comment, Output string
	}
	Signal struct {
		Job, Signal string
		Payload     any
	}
	Budget struct {
		Job           string
		Input         any
		Budget, Grant map[string]any
		Output        any
	}
	Cancel   struct{ Job, Reason, Status string }
	Pipeline struct {
		Type, Content, Text string
		Sources             int
		Passing             []string
		Counts              map[string]int
		FromStep            string            `json:"from_step"`
		RerunStatuses       map[string]string `json:"rerun_statuses"`
		RerunCounts         map[string]int    `json:"rerun_counts"`
		UnknownType         struct {
			Status int
			Code   string
		} `json:"unknown_type"`
	}
	Refusals []struct {
		Name, Job, Code string
		Input           any
		Status          int
	}
	UnknownRun struct {
		Status int
		Code   string
	} `json:"unknown_run"`
	BadToken struct {
		Status int
		Code   string
	} `json:"bad_token"`
}

const nowhere = "00000000-0000-7000-8000-000000000000"

var client, cutClient *Client

func TestMain(m *testing.M) {
	file, err := os.ReadFile(os.Getenv("PERDURE_CASES"))
	if err == nil {
		err = json.Unmarshal(file, &cases)
	}
	if err != nil {
		fmt.Println("These tests need a running server: make test-clients.", err)
		os.Exit(1)
	}
	client = NewClient(os.Getenv("PERDURE_URL"), os.Getenv("PERDURE_TOKEN"))
	// its streams are cut at every tenth event
	cutClient = NewClient(os.Getenv("PERDURE_CUT_URL"), os.Getenv("PERDURE_TOKEN"))
	os.Exit(m.Run())
}

func patient(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func must[T any](found T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
}

func events(t *testing.T, c *Client, run string, after int64) []Event {
	t.Helper()
	var found []Event
	err := c.StreamRun(patient(t), run, after, func(event Event) error {
		found = append(found, event)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestAStreamThatIsCutHasEveryEventOnce(t *testing.T) {
	for _, one := range cases.Runs {
		t.Run(one.Name, func(t *testing.T) {
			run := must(cutClient.StartRun(patient(t), one.Job, one.Input, StartOptions{}))(t)
			check(t, one, events(t, cutClient, run.ID, 0))
			ended := must(cutClient.GetRun(patient(t), run.ID))(t)
			if ended.Status != one.Status {
				t.Errorf("it is %s", ended.Status)
			}
			if one.Error != "" && !strings.Contains(ended.Error.Message, one.Error) {
				t.Errorf("it failed with %q", ended.Error.Message)
			}
			if one.Output != nil && !isJSON(ended.Output, one.Output) {
				t.Errorf("its output is %s", ended.Output)
			}
		})
	}
}

func check(t *testing.T, one runCase, found []Event) {
	t.Helper()
	counts, next := map[string]int{}, int64(1)
	for _, event := range found {
		counts[event.Type]++
		if event.Sequence != nil {
			if *event.Sequence != next {
				t.Fatalf("%d follows %d", *event.Sequence, next-1)
			}
			next++
		}
	}
	for kind, count := range one.Counts {
		if counts[kind] != count {
			t.Errorf("%d of %s", counts[kind], kind)
		}
	}
	if one.Words > 0 {
		checkFrames(t, one.Words, found)
	}
}

// No frame comes twice; those that fell to a cut at the end of their step are told by its output.
func checkFrames(t *testing.T, words int, found []Event) {
	t.Helper()
	said := map[string][]string{}
	for _, event := range found {
		if event.Type == "stream" {
			var frame struct{ Text string }
			_ = json.Unmarshal(event.Data, &frame)
			said[*event.Step] = append(said[*event.Step], frame.Text)
		}
	}
	if len(said) == 0 {
		t.Error("there are no frames")
	}
	for step, frames := range said {
		for number, word := range frames {
			if word != fmt.Sprintf("word-%d", number) || number >= words {
				t.Errorf("frame %d of %s is %s", number, step, word)
			}
		}
	}
}

func isJSON(found json.RawMessage, wanted any) bool {
	var value any
	return json.Unmarshal(found, &value) == nil && reflect.DeepEqual(value, wanted)
}

func TestAStreamBeginsAfterTheNumberThatItIsGiven(t *testing.T) {
	run := must(cutClient.StartRun(patient(t), "client-count", map[string]int{"steps": 20}, StartOptions{}))(t)
	all := events(t, cutClient, run.ID, 0)
	rest := events(t, cutClient, run.ID, 15)
	if len(rest) != len(all)-15 || *rest[0].Sequence != 16 {
		t.Errorf("%d events, %d after the fifteenth", len(all), len(rest))
	}
	if none := events(t, cutClient, run.ID, int64(len(all))); len(none) != 0 {
		t.Errorf("%d events after the last", len(none))
	}
}

func TestAReaderThatStopsEndsTheStreamWithItsError(t *testing.T) {
	run := must(client.StartRun(patient(t), "client-wait", nil, StartOptions{}))(t)
	enough := errors.New("enough")
	err := client.StreamRun(patient(t), run.ID, 0, func(Event) error { return enough })
	if err != enough {
		t.Errorf("it ended with %v", err)
	}
	must(client.CancelRun(patient(t), run.ID, ""))(t)
}

func TestAQuestionIsFoundAndAnswered(t *testing.T) {
	one := cases.Question
	run := must(client.StartRun(patient(t), one.Job, one.Input, StartOptions{}))(t)
	asked := errors.New("asked")
	_ = client.StreamRun(patient(t), run.ID, 0, func(event Event) error {
		if event.Type == "question:ask" {
			return asked
		}
		return nil
	})
	page := must(client.ListQuestions(patient(t), url.Values{"run": {run.ID}, "status": {"open"}}))(t)
	if len(page.Results) != 1 || page.Results[0].Title != one.Input["text"] {
		t.Fatalf("the questions are %v", page.Results)
	}
	must(client.AnswerQuestion(patient(t), &page.Results[0], one.Decision, nil, one.Comment))(t)
	events(t, client, run.ID, 0)
	if ended := must(client.GetRun(patient(t), run.ID))(t); !isJSON(ended.Output, one.Output) {
		t.Errorf("its output is %s", ended.Output)
	}
}

func TestASignalReachesItsRunAsItWasSent(t *testing.T) {
	one := cases.Signal
	run := must(client.StartRun(patient(t), one.Job, nil, StartOptions{}))(t)
	sent := must(client.SendSignal(patient(t), run.ID, one.Signal, one.Payload, "once"))(t)
	again := must(client.SendSignal(patient(t), run.ID, one.Signal, one.Payload, "once"))(t)
	if sent.Disposition != "created" || again.Disposition != "idempotent" || sent.ID != again.ID {
		t.Errorf("sent %v, then %v", sent, again)
	}
	events(t, client, run.ID, 0)
	if ended := must(client.GetRun(patient(t), run.ID))(t); !isJSON(ended.Output, one.Payload) {
		t.Errorf("its output is %s", ended.Output)
	}
}

func TestARunThatIsParkedByItsBudgetGoesOnOnceMoreIsGranted(t *testing.T) {
	one := cases.Budget
	run := must(client.StartRun(patient(t), one.Job, one.Input, StartOptions{Budget: one.Budget}))(t)
	exceeded := errors.New("exceeded")
	_ = client.StreamRun(patient(t), run.ID, 0, func(event Event) error {
		if event.Type == "budget:exceed" {
			return exceeded
		}
		return nil
	})
	must(client.GrantBudget(patient(t), run.ID, one.Grant))(t)
	events(t, client, run.ID, 0)
	if ended := must(client.GetRun(patient(t), run.ID))(t); !isJSON(ended.Output, one.Output) {
		t.Errorf("its output is %s", ended.Output)
	}
}

func TestACancelledRunEndsItsStream(t *testing.T) {
	run := must(cutClient.StartRun(patient(t), cases.Cancel.Job, nil, StartOptions{}))(t)
	must(cutClient.CancelRun(patient(t), run.ID, cases.Cancel.Reason))(t)
	found := events(t, cutClient, run.ID, 0)
	last := found[len(found)-1]
	if last.Type != "run:cancel" || !strings.Contains(string(last.Data), cases.Cancel.Reason) {
		t.Errorf("the last event is %s %s", last.Type, last.Data)
	}
}

func TestRefusalsHaveTheirCodes(t *testing.T) {
	for _, one := range cases.Refusals {
		_, err := client.StartRun(patient(t), one.Job, one.Input, StartOptions{})
		checkRefusal(t, one.Name, err, one.Status, one.Code)
	}
	_, err := client.GetRun(patient(t), nowhere)
	checkRefusal(t, "a run that is not there", err, cases.UnknownRun.Status, cases.UnknownRun.Code)
	err = client.StreamRun(patient(t), nowhere, 0, func(Event) error { return nil })
	checkRefusal(t, "its stream", err, cases.UnknownRun.Status, cases.UnknownRun.Code)
	stranger := NewClient(os.Getenv("PERDURE_URL"), "perdure_wrong")
	_, err = stranger.GetRun(patient(t), nowhere)
	checkRefusal(t, "a token that is not valid", err, cases.BadToken.Status, cases.BadToken.Code)
	if shown := fmt.Sprintf("%v %+v %#v", stranger, stranger, stranger); strings.Contains(shown, "perdure_wrong") {
		t.Errorf("the token is shown: %s", shown)
	}
}

func checkRefusal(t *testing.T, name string, err error, status int, code string) {
	t.Helper()
	var refused *Error
	if !errors.As(err, &refused) || refused.Status != status || refused.Code != code {
		t.Errorf("%s: %v", name, err)
	}
}
