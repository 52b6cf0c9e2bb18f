package mlflow_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/runbook-engine/runbook/providers/mlflow"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
	"github.com/runbook-engine/runbook/providers/sdk/sdktest"
)

// The tests run against a lab of their own: MLflow with artifacts in MinIO.
var room *lab

func TestMain(m *testing.M) {
	sdktest.Serve(mlflow.Provider)
	os.Exit(run(m))
}

func run(m *testing.M) int {
	started, err := startLab()
	if err != nil {
		fmt.Fprintf(os.Stderr, "start the lab: %v\n", err)
		return 1
	}
	room = started
	defer room.destroy()
	return m.Run()
}

type lab struct {
	env map[string]string // what `lab env` says
	s3  *minio.Client
}

func startLab() (*lab, error) {
	base, err := freeBase()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "mlflowlab")
	if err != nil {
		return nil, err
	}
	l := &lab{env: map[string]string{"LAB_DIR": dir, "LAB_PORT_BASE": strconv.Itoa(base)}}
	said, err := l.run("up")
	if err == nil {
		said, err = l.run("env")
	}
	if err != nil {
		l.destroy()
		return nil, fmt.Errorf("%w\n%s", err, said)
	}
	for line := range strings.Lines(said) {
		name, value, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "=")
		l.env[name] = strings.Trim(value, "'\"")
	}
	l.s3, err = minio.New(strings.TrimPrefix(l.env["MINIO_ENDPOINT"], "http://"), &minio.Options{
		Creds: credentials.NewStaticV4(l.env["MINIO_ACCESS_KEY"], l.env["MINIO_SECRET_KEY"], ""),
	})
	return l, err
}

// freeBase finds a LAB_PORT_BASE whose ports nobody uses, below those that the
// kernel hands out by itself; at random, since others may look right now.
func freeBase() (int, error) {
	for range 100 {
		base, free := 11000+rand.IntN(12000), true
		for _, offset := range []int{5001, 9000} {
			listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", base+offset))
			if free = free && err == nil; err == nil {
				_ = listener.Close()
			}
		}
		if free {
			return base, nil
		}
	}
	return 0, fmt.Errorf("no free ports")
}

func (l *lab) run(args ...string) (string, error) {
	cmd := exec.Command(filepath.Join("..", "..", "examples", "lab", "lab"), args...)
	cmd.Env = append(os.Environ(), "LAB_DIR="+l.env["LAB_DIR"], "LAB_PORT_BASE="+l.env["LAB_PORT_BASE"], "LAB_ROOMS=mlflow")
	said, err := cmd.CombinedOutput()
	return string(said), err
}

func (l *lab) destroy() {
	if said, err := l.run("destroy"); err != nil {
		fmt.Fprintf(os.Stderr, "destroy the lab: %v\n%s", err, said)
	}
	_ = os.RemoveAll(l.env["LAB_DIR"])
}

// reset puts MLflow and its bucket back to the beginning.
func (l *lab) reset(t testing.TB) {
	t.Helper()
	if said, err := l.run("reset", "mlflow"); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
}

func (l *lab) uri() string { return l.env["MLFLOW_TRACKING_URI"] }

func (l *lab) host() string { return strings.TrimPrefix(l.uri(), "http://") }

func (l *lab) config() map[string]any {
	return map[string]any{
		"tracking_uri": l.uri(), "s3_endpoint": l.env["MINIO_ENDPOINT"],
		"s3_access_key": l.env["MINIO_ACCESS_KEY"], "s3_secret_key": l.env["MINIO_SECRET_KEY"],
	}
}

func harness(t *testing.T, overrides map[string]any) *sdktest.Harness {
	t.Helper()
	config := room.config()
	maps.Copy(config, overrides)
	return sdktest.New(t, mlflow.Provider(), config)
}

// here is the server as effects name it.
func here(rest string) string {
	_, port, _ := net.SplitHostPort(room.host())
	return fmt.Sprintf("mlflow://%s:%s%s", sdk.EffectHost("localhost"), port, rest)
}

// ask asks MLflow as somebody else would.
func (l *lab) ask(t testing.TB, method, path string, content, answer any) {
	t.Helper()
	body, err := json.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(context.Background(), method, l.uri()+"/api/2.0/mlflow/"+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s", method, path, response.Status)
	}
	if err := json.NewDecoder(response.Body).Decode(answer); err != nil {
		t.Fatal(err)
	}
}

// newest is the newest run of an experiment, and its logged model.
func (l *lab) newest(t testing.TB, experiment string) (run, model string) {
	t.Helper()
	var runs struct {
		Runs []struct {
			Info    struct{ Run_id string }
			Outputs struct{ Model_outputs []struct{ Model_id string } }
		}
	}
	l.ask(t, "POST", "runs/search", map[string]any{"experiment_ids": []string{experiment}, "max_results": 1}, &runs)
	return runs.Runs[0].Info.Run_id, runs.Runs[0].Outputs.Model_outputs[0].Model_id
}

// object is what MinIO holds under a name; false where nothing is.
func (l *lab) object(t testing.TB, key string) (string, bool) {
	t.Helper()
	body, err := l.s3.GetObject(context.Background(), "mlflow", key, minio.GetObjectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if _, err := text.ReadFrom(body); minio.ToErrorResponse(err).Code == "NoSuchKey" {
		return "", false
	} else if err != nil {
		t.Fatal(err)
	}
	return text.String(), true
}

func (l *lab) remove(t testing.TB, keys ...string) {
	t.Helper()
	for _, key := range keys {
		if err := l.s3.RemoveObject(context.Background(), "mlflow", key, minio.RemoveObjectOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}

// python runs a program with MLflow's own client.
func (l *lab) python(t *testing.T, argv []string) string {
	t.Helper()
	path := "PATH=" + filepath.Dir(l.env["LAB_MLFLOW_PYTHON"]) + ":" + os.Getenv("PATH")
	cmd := exec.Command("env", append([]string{path}, argv...)...)
	cmd.Env = append(os.Environ(), "MLFLOW_TRACKING_URI="+l.uri(),
		"MLFLOW_S3_ENDPOINT_URL="+l.env["MINIO_ENDPOINT"], "AWS_ACCESS_KEY_ID="+l.env["MINIO_ACCESS_KEY"], "AWS_SECRET_ACCESS_KEY="+l.env["MINIO_SECRET_KEY"],
		"PYTHONWARNINGS=ignore", "MLFLOW_DISABLE_TELEMETRY=true")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%q: %v\n%s", argv, err, out)
	}
	return string(out)
}

// folder makes a folder of files.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// done is the result of an outcome that must be done, without fields that no
// test can foresee.
func done(t *testing.T, outcome schema.Outcome, without ...string) map[string]any {
	t.Helper()
	if outcome.State != schema.Done {
		t.Fatalf("state %s: %v", outcome.State, outcome.Failure)
	}
	result := sdktest.Go(t, outcome.Result).(map[string]any)
	for _, name := range append(without, "duration_seconds") {
		delete(result, name)
	}
	return result
}

func equal(t *testing.T, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// fails checks state and code, and that the message holds every part.
func fails(t *testing.T, want string, outcome schema.Outcome, parts ...string) {
	t.Helper()
	if outcome.Failure == nil {
		t.Fatalf("state %s without a failure: %v", outcome.State, sdktest.Go(t, outcome.Result))
	}
	if got := fmt.Sprintf("%s %s", outcome.State, outcome.Failure.Code); got != want {
		t.Errorf("want %s, got %s: %v", want, got, outcome.Failure)
	}
	for _, part := range parts {
		if !strings.Contains(outcome.Failure.Message, part) {
			t.Errorf("the message %q lacks %q", outcome.Failure.Message, part)
		}
	}
}
