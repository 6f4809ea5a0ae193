package perdure

import (
	"fmt"
	"strings"
	"testing"
)

func notes(mode string) JobRequest {
	one := cases.Pipeline
	request := JobRequest{PipelineType: one.Type, Mode: mode}
	for number := 0; number < one.Sources; number++ {
		source := Source{Kind: "note", Label: fmt.Sprintf("n%d", number), Content: one.Content}
		request.Input.Sources = append(request.Input.Sources, source)
	}
	return request
}

func linesOf(t *testing.T, id string, after int64) []StreamLine {
	t.Helper()
	var found []StreamLine
	err := cutClient.StreamJobByID(patient(t), id, after, func(line StreamLine) error {
		found = append(found, line)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func checkLines(t *testing.T, found []StreamLine, counts map[string]int) {
	t.Helper()
	seen, last := map[string]int{}, int64(0)
	for _, line := range found {
		seen[line.Event]++
		if !isPassing(line) {
			last++
		}
		if line.Seq != last {
			t.Fatalf("%s has the number %d, not %d", line.Event, line.Seq, last)
		}
	}
	if found[len(found)-1].Event != "stream_finished" {
		t.Errorf("the last line is %s", found[len(found)-1].Event)
	}
	for event, count := range counts {
		if seen[event] != count {
			t.Errorf("%d of %s", seen[event], event)
		}
	}
}

// A passing line has the number of the one before it.
func isPassing(line StreamLine) bool {
	for _, event := range cases.Pipeline.Passing {
		if line.Event == event {
			return true
		}
	}
	return false
}

func TestAStreamOfAPipelineHasEveryLineOnce(t *testing.T) {
	var found []StreamLine
	made := must(cutClient.StreamJobs(patient(t), notes(""), func(line StreamLine) error {
		found = append(found, line)
		return nil
	}))(t)
	checkLines(t, found, cases.Pipeline.Counts)
	ended := must(cutClient.GetJob(patient(t), made.ID))(t)
	if ended.Status != "succeeded" || ended.Result == nil {
		t.Fatalf("it is %s", ended.Status)
	}
	wanted := strings.TrimSpace(strings.Repeat(cases.Pipeline.Text+" ", cases.Pipeline.Sources))
	if last := ended.Result.Items[len(ended.Result.Items)-1]; !strings.Contains(string(last.Data), wanted) {
		t.Errorf("the last item is %s", last.Data)
	}
	if rest := linesOf(t, made.ID, found[len(found)-1].Seq-2); len(rest) != 2 {
		t.Errorf("%d lines after the last but two", len(rest))
	}
}

func TestARerunReusesTheItemsOfASynchronousJob(t *testing.T) {
	made := must(cutClient.CreateJob(patient(t), notes("sync")))(t)
	if made.Status != "succeeded" {
		t.Errorf("it is %s", made.Status)
	}
	again := must(cutClient.RerunJob(patient(t), made.ID, cases.Pipeline.FromStep, true, nil))(t)
	checkLines(t, linesOf(t, again.ID, 0), cases.Pipeline.RerunCounts)
	ended := must(cutClient.GetJob(patient(t), again.ID))(t)
	for _, step := range ended.StepExecutions {
		if step.Status != cases.Pipeline.RerunStatuses[step.StepID] {
			t.Errorf("step %s is %s", step.StepID, step.Status)
		}
	}
	if cancelled := must(cutClient.CancelJob(patient(t), again.ID, "too late"))(t); cancelled.Status != "succeeded" {
		t.Errorf("a late cancel made it %s", cancelled.Status)
	}
}

func TestConfigurationAndFigures(t *testing.T) {
	found := false
	for _, one := range must(client.ListPipelines(patient(t)))(t) {
		found = found || one.Type == cases.Pipeline.Type
	}
	if !found {
		t.Errorf("%s is not among the pipelines", cases.Pipeline.Type)
	}
	must(client.GetMetrics(patient(t)))(t)
	profile := ProviderProfile{ID: "clients", Kind: "openai", BaseURI: "http://127.0.0.1:9/v1"}
	if made := must(client.UpsertProviderProfile(patient(t), profile))(t); made.ID != profile.ID {
		t.Errorf("the profile is %v", made)
	}
	request := notes("")
	request.PipelineType = "no-such-pipeline"
	_, err := client.CreateJob(patient(t), request)
	wanted := cases.Pipeline.UnknownType
	checkRefusal(t, "an unknown pipeline", err, wanted.Status, wanted.Code)
}
