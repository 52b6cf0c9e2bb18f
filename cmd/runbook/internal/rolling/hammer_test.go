package rolling

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"
)

// hammer asks services for their health all the time, and keeps what came of it.
type hammer struct {
	mu    sync.Mutex
	asked map[string][]answer
}

type answer struct {
	began, ended time.Time
	ok           bool
}

// outage is a time in which a service was certainly lost: from the end of a
// request that failed to the beginning of a later one, with nothing good between.
type outage struct {
	service    string
	began, end time.Time
}

// start asks each service until the test calls stop.
func start(t *testing.T, services map[string]string) (h *hammer, stop func()) {
	t.Helper()
	h = &hammer{asked: map[string][]answer{}}
	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 30 * time.Second}
	for name, url := range services {
		work.Go(func() {
			pace := time.NewTicker(5 * time.Millisecond)
			defer pace.Stop()
			for ctx.Err() == nil {
				a := ask(client, url)
				h.mu.Lock()
				h.asked[name] = append(h.asked[name], a)
				h.mu.Unlock()
				select {
				case <-ctx.Done():
				case <-pace.C:
				}
			}
		})
	}
	stop = sync.OnceFunc(func() { cancel(); work.Wait() })
	t.Cleanup(stop)
	return h, stop
}

func ask(client *http.Client, url string) answer {
	a := answer{began: time.Now()}
	response, err := client.Get(url)
	if err == nil {
		response.Body.Close()
		a.ok = response.StatusCode == http.StatusOK
	}
	a.ended = time.Now()
	return a
}

// failures is how often each service did not answer well.
func (h *hammer) failures() map[string]int {
	counts := map[string]int{}
	for name, all := range h.asked {
		for _, a := range all {
			if !a.ok {
				counts[name]++
			}
		}
	}
	return counts
}

func (h *hammer) outages() []outage {
	var all []outage
	for name, answers := range h.asked {
		var first *answer
		for i, a := range answers {
			switch {
			case a.ok:
				first = nil
				continue
			case first == nil:
				first = &answers[i]
			}
			if i+1 < len(answers) && !answers[i+1].ok {
				continue
			}
			if a.began.After(first.ended) {
				all = append(all, outage{name, first.ended, a.began})
			}
		}
	}
	return all
}

// together are two services that were lost at once, if there are any.
func together(all []outage) (a, b outage, found bool) {
	for i, a := range all {
		for _, b := range all[i+1:] {
			if a.service != b.service && a.began.Before(b.end) && b.began.Before(a.end) {
				return a, b, true
			}
		}
	}
	return outage{}, outage{}, false
}

// What the test of the deployment relies on.
func TestTogether(t *testing.T) {
	at := func(seconds ...int) []answer {
		var all []answer
		for _, s := range seconds {
			moment := time.Unix(int64(max(s, -s)), 0)
			all = append(all, answer{moment, moment, s > 0})
		}
		return all
	}
	for name, c := range map[string]struct {
		a, b []answer
		want bool
	}{
		"one after the other": {at(1, -2, -3, -4, 5, 6, 7, 8), at(1, 2, 3, 4, 5, -6, -7, 8), false},
		"at once":             {at(1, -2, -3, -4, 5), at(1, 2, -3, -4, -5, 6), true},
		"one within another":  {at(1, -2, -3, -4, -5, 6), at(1, 2, -3, -4, 5), true},
		"to the end":          {at(1, -2, -3, -4), at(1, 2, -3, -4), true},
		"a single failure":    {at(1, -2, -3, -4), at(1, 2, -3, 4), false},
	} {
		h := &hammer{asked: map[string][]answer{"a": c.a, "b": c.b}}
		if _, _, got := together(h.outages()); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
