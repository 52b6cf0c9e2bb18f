package feast

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/sdk"
)

const serverHealthDoc = "Whether the feature server answers. Its /health says ok whatever its stores do, so give features and entities: then it must answer for them too, with every value present."

// answerLimit bounds what is read of the feature server's answer.
const answerLimit = 8 << 20

// ServerArgs is what server_health takes.
type ServerArgs struct {
	Features []string  `runbook:"features,optional" doc:"Features to ask for, such as technical_features:rsi_9."`
	Entities cty.Value `runbook:"entities,optional" doc:"Entities to ask for, such as [{ symbol = \"USDCOP\" }]."`
}

// ServerHealth is the answer of server_health.
type ServerHealth struct {
	sdk.Result
	Latency float64 `runbook:"latency_seconds" doc:"How long the last answer took."`
	Status  *int    `runbook:"status" doc:"HTTP status of the last answer; null where there was none."`
	Missing int     `runbook:"missing" doc:"How many of the values asked for are null."`
}

func (p *provider) serverHealth(ctx context.Context, args ServerArgs, _ *sdk.Call) (ServerHealth, error) {
	if p.config.Server == "" {
		return ServerHealth{}, sdk.InvalidArgument("server", "the provider's configuration names no feature server")
	}
	base := strings.TrimRight(p.config.Server, "/")
	var h ServerHealth
	if _, ok := h.call(ctx, http.MethodGet, base+"/health", nil); !ok {
		return h, nil
	}
	if len(args.Features) == 0 {
		h.Result = sdk.OK("the feature server answers; whether it serves was not asked")
		return h, nil
	}
	body, err := featureRequest(args)
	if err != nil {
		return ServerHealth{}, err
	}
	answer, ok := h.call(ctx, http.MethodPost, base+"/get-online-features", body)
	if !ok {
		return h, nil
	}
	var columns struct {
		Results []struct {
			Values []json.RawMessage `json:"values"`
		} `json:"results"`
	}
	if err := json.Unmarshal(answer, &columns); err != nil || len(columns.Results) == 0 {
		h.Result = sdk.NotOK("the feature server's answer holds no values")
		return h, nil
	}
	total := 0
	for _, column := range columns.Results {
		for _, value := range column.Values {
			total++
			if string(value) == "null" {
				h.Missing++
			}
		}
	}
	if h.Missing > 0 {
		h.Result = sdk.NotOK("the feature server answers, with %d of %d values null", h.Missing, total)
	} else {
		h.Result = sdk.OK("the feature server answers with all %d values", total)
	}
	return h, nil
}

// featureRequest turns entities into the columns that the feature server wants.
func featureRequest(args ServerArgs) ([]byte, error) {
	raw, err := document(args.Entities)
	if err != nil {
		return nil, err
	}
	var rows []map[string]any
	if err := json.Unmarshal(raw, &rows); err != nil || len(rows) == 0 {
		return nil, sdk.InvalidArgument("entities", "entities must be a list such as [{ symbol = \"USDCOP\" }]")
	}
	first := slices.Sorted(maps.Keys(rows[0]))
	columns := map[string][]any{}
	for i, row := range rows {
		if keys := slices.Sorted(maps.Keys(row)); !slices.Equal(keys, first) {
			f := sdk.InvalidArgument("entities", "entity %d has the keys %q, the first one %q: they could not be told apart", i+1, keys, first)
			f.Remedy = "give every entity the same keys, or look twice"
			return nil, f
		}
		for name, held := range row {
			columns[name] = append(columns[name], held)
		}
	}
	return json.Marshal(map[string]any{"features": args.Features, "entities": columns})
}

// call is one exchange; it fills in what is told of it, and the result where it
// did not go well.
func (h *ServerHealth) call(ctx context.Context, method, target string, body []byte) ([]byte, bool) {
	req, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		h.Result = sdk.NotOK("the feature server cannot be asked: %v", err)
		return nil, false
	}
	req.Header.Set("Content-Type", "application/json")
	transport := &http.Transport{DisableKeepAlives: true} // and no proxy from the environment
	began := time.Now()
	response, err := (&http.Client{Transport: transport}).Do(req)
	h.Latency, h.Status = time.Since(began).Seconds(), nil
	if err != nil {
		var outer *url.Error
		if errors.As(err, &outer) {
			err = outer.Err
		}
		if ctx.Err() != nil {
			err = errors.New("no answer in time")
		}
		h.Result = sdk.NotOK("the feature server at %s does not answer: %v", req.URL.Host, err)
		return nil, false
	}
	defer func() { _ = response.Body.Close() }()
	h.Status = &response.StatusCode
	answer, err := io.ReadAll(io.LimitReader(response.Body, answerLimit))
	h.Latency = time.Since(began).Seconds()
	switch {
	case err != nil:
		h.Result = sdk.NotOK("the feature server at %s broke off: %v", req.URL.Host, err)
	case response.StatusCode != http.StatusOK:
		h.Result = sdk.NotOK("the feature server at %s answers %s%s", req.URL.Host, response.Status, detail(answer))
	default:
		return answer, true
	}
	return nil, false
}

// detail is what the feature server says of a failure.
func detail(answer []byte) string {
	var said struct {
		Detail json.RawMessage `json:"detail"`
	}
	if json.Unmarshal(answer, &said) != nil || len(said.Detail) == 0 {
		return ""
	}
	return fmt.Sprintf(": %.300s", strings.Trim(string(said.Detail), `"`))
}
