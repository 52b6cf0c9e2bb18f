package airflow_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakeAirflow stands for Airflow 2 (API v1) or 3 (API v2), which is too large to
// install for a test: it answers as the documentation of the REST API says, as far
// as this provider asks it.
type fakeAirflow struct {
	api string
	url string

	mu       sync.Mutex
	paused   map[string]bool              // by DAG
	runs     map[string]map[string]string // state by DAG and run
	order    []string                     // runs, as they came
	confs    map[string]string
	cleared  int
	tokens   int
	health   map[string]string // status by part
	beat     time.Time
	broken   []string // files that cannot be imported
	becomes  string   // what a new run's state is at the next look; empty: it stays queued
	instead  http.HandlerFunc
	requests []string
}

func newFakeAirflow(t *testing.T, api string) *fakeAirflow {
	f := &fakeAirflow{
		api: api, paused: map[string]bool{"features": false, "bars": true}, runs: map[string]map[string]string{"features": {}, "bars": {}}, confs: map[string]string{},
		health: map[string]string{"metadatabase": "healthy", "scheduler": "healthy", "triggerer": "healthy"}, beat: time.Now(), becomes: "success",
	}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

func (f *fakeAirflow) config() map[string]any {
	return map[string]any{"url": f.url, "username": "ana", "password": "airflow-secret"}
}

// refuse answers as the version does.
func (f *fakeAirflow) refuse(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if f.api == "v1" {
		fmt.Fprintf(w, `{"detail":%q,"status":%d,"title":%q,"type":"about:blank"}`, detail, status, http.StatusText(status))
		return
	}
	fmt.Fprintf(w, `{"detail":%q}`, detail)
}

func (f *fakeAirflow) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests = append(f.requests, r.Method+" "+r.URL.Path)
	var body map[string]any
	_ = json.NewDecoder(r.Body).Decode(&body)
	say := func(v any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v)
	}
	path, ours := strings.CutPrefix(r.URL.Path, "/api/"+f.api+"/")
	switch {
	case f.instead != nil:
		f.instead(w, r)
		return
	case f.api == "v2" && r.URL.Path == "/auth/token":
		if body["username"] != "ana" || body["password"] != "airflow-secret" {
			f.refuse(w, http.StatusUnauthorized, "Invalid credentials")
			return
		}
		f.tokens++
		w.WriteHeader(http.StatusCreated)
		say(map[string]string{"access_token": fmt.Sprintf("jwt-%d", f.tokens)})
		return
	case !ours:
		http.Error(w, "<html>not found</html>", http.StatusNotFound)
		return
	case path == "version":
		say(map[string]string{"version": map[string]string{"v1": "2.10.5", "v2": "3.0.2"}[f.api]})
		return
	case path == map[string]string{"v1": "health", "v2": "monitor/health"}[f.api]:
		f.sayHealth(say)
		return
	}
	_, password, _ := r.BasicAuth()
	if f.api == "v1" && password != "airflow-secret" || f.api == "v2" && r.Header.Get("Authorization") != fmt.Sprintf("Bearer jwt-%d", f.tokens) {
		f.refuse(w, http.StatusUnauthorized, "Unauthorized")
		return
	}
	f.serve(w, r, strings.Split(path, "/"), body, say)
}

func (f *fakeAirflow) sayHealth(say func(any)) {
	all := map[string]map[string]*string{}
	for name, status := range f.health {
		beat := f.beat.UTC().Format(time.RFC3339)
		all[name] = map[string]*string{"status": &status, "latest_" + name + "_heartbeat": &beat}
		if name == "metadatabase" {
			all[name] = map[string]*string{"status": &status}
		}
	}
	all["dag_processor"] = map[string]*string{"status": nil, "latest_dag_processor_heartbeat": nil}
	say(all)
}

func (f *fakeAirflow) dag(id string) map[string]any {
	d := map[string]any{"dag_id": id, "is_paused": f.paused[id], "has_import_errors": false}
	if f.api == "v1" {
		d["is_active"] = true
	} else {
		d["is_stale"] = false
	}
	return d
}

func (f *fakeAirflow) run(dag, id string) map[string]any {
	state := f.runs[dag][id]
	if state == "queued" && f.becomes != "" {
		f.runs[dag][id] = f.becomes // at the next look
	}
	r := map[string]any{"dag_id": dag, "dag_run_id": id, "state": state, "start_date": "2026-01-17T03:00:00Z", "end_date": nil, "logical_date": nil}
	if state == "success" || state == "failed" {
		r["end_date"] = "2026-01-17T03:05:00Z"
	}
	return r
}

// serve answers what needs a user.
func (f *fakeAirflow) serve(w http.ResponseWriter, r *http.Request, path []string, body map[string]any, say func(any)) {
	if path[0] == "importErrors" {
		errs := []any{}
		for _, file := range f.broken {
			errs = append(errs, map[string]string{"filename": file})
		}
		say(map[string]any{"import_errors": errs})
		return
	}
	if len(path) == 1 {
		all := []any{}
		if r.URL.Query().Get("offset") == "0" {
			for _, id := range slices.Sorted(maps.Keys(f.paused)) {
				all = append(all, f.dag(id))
			}
		}
		say(map[string]any{"dags": all})
		return
	}
	dag := path[1]
	runs, there := f.runs[dag]
	if !there {
		f.refuse(w, http.StatusNotFound, "DAG with dag_id: '"+dag+"' not found")
		return
	}
	switch key := r.Method + " " + strings.Join(path[2:], "/"); {
	case key == "GET ":
		say(f.dag(dag))
	case key == "PATCH ":
		f.paused[dag] = body["is_paused"] == true
		say(f.dag(dag))
	case key == "POST clearTaskInstances":
		names := []any{}
		if runs[fmt.Sprint(body["dag_run_id"])] == "failed" {
			names = []any{map[string]string{"task_id": "load"}, map[string]string{"task_id": "check"}}
			if body["dry_run"] == false {
				f.cleared++
				runs[fmt.Sprint(body["dag_run_id"])] = "queued"
			}
		}
		say(map[string]any{"task_instances": names})
	case key == "GET dagRuns":
		all := []any{}
		for _, id := range slices.Backward(f.order) {
			if runs[id] != "" && len(all) == 0 {
				all = append(all, f.run(dag, id))
			}
		}
		say(map[string]any{"dag_runs": all})
	case key == "POST dagRuns":
		id := fmt.Sprint(body["dag_run_id"])
		_, dated := body["logical_date"]
		switch {
		case f.api == "v2" && !dated:
			w.WriteHeader(http.StatusUnprocessableEntity)
			say(map[string]any{"detail": []any{map[string]any{"loc": []string{"body", "logical_date"}, "msg": "Field required"}}})
		case runs[id] != "":
			f.refuse(w, http.StatusConflict, "A Dag Run already exists")
		default:
			conf, _ := json.Marshal(body["conf"])
			runs[id], f.confs[id] = "queued", string(conf)
			f.order = append(f.order, id)
			say(map[string]any{"dag_run_id": id, "state": "queued"})
		}
	case len(path) >= 4 && runs[path[3]] == "":
		f.refuse(w, http.StatusNotFound, "DAGRun not found")
	case r.Method == "PATCH":
		runs[path[3]] = fmt.Sprint(body["state"])
		say(f.run(dag, path[3]))
	case len(path) == 5:
		say(map[string]any{"task_instances": []any{map[string]any{"task_id": "load", "state": "failed"}, map[string]any{"task_id": "extract", "state": "success"}, map[string]any{"task_id": "check", "state": "upstream_failed"}}})
	default:
		say(f.run(dag, path[3]))
	}
}

// world is all that could be changed: the runs are counted, since their IDs are made
// of keys.
func (f *fakeAirflow) world() any {
	f.mu.Lock()
	defer f.mu.Unlock()
	states := map[string]int{}
	for _, runs := range f.runs {
		for _, state := range runs {
			states[state]++
		}
	}
	return []any{maps.Clone(f.paused), states, f.cleared}
}

// hold brings the fake to where there is work to do.
func (f *fakeAirflow) hold(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}
