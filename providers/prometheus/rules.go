package prometheus

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const alertsDoc = "Whether alerts fire. Ok where none does that is asked for, and every rule that would raise it is there and can be evaluated: an alert that nobody evaluates never fires."

const rulesDoc = "Whether rules are evaluated: each without an error, and not longer ago than `max_age`."

// AlertsArgs is what alerts takes.
type AlertsArgs struct {
	Names   []string          `runbook:"names,optional" doc:"Alerts by name; each must have a rule. Without it all that are known."`
	Labels  map[string]string `runbook:"labels,optional" doc:"Only alerts with these labels."`
	Pending bool              `runbook:"pending" default:"false" doc:"Whether one that is pending is not ok either."`
}

// Alert is one that is active.
type Alert struct {
	Name        string            `runbook:"name" doc:"Its name."`
	State       string            `runbook:"state" doc:"firing or pending."`
	Labels      map[string]string `runbook:"labels" doc:"Its labels."`
	Annotations map[string]string `runbook:"annotations" doc:"Its annotations."`
	ActiveAt    *time.Time        `runbook:"active_at" doc:"Since when."`
	Value       string            `runbook:"value" doc:"The value that raised it, as Prometheus writes it."`
}

// Alerts is the answer of alerts.
type Alerts struct {
	sdk.Result
	Firing  int     `runbook:"firing" doc:"How many fire."`
	Pending int     `runbook:"pending" doc:"How many are pending."`
	Rules   int     `runbook:"rules" doc:"How many alerting rules were asked about."`
	Alerts  []Alert `runbook:"alerts" doc:"Those that are active."`
}

// RulesArgs is what rules takes.
type RulesArgs struct {
	Groups []string      `runbook:"groups,optional" doc:"Groups by name; each must be there. Without it all."`
	Names  []string      `runbook:"names,optional" doc:"Rules by name; each must be there. Without it all."`
	MaxAge time.Duration `runbook:"max_age" default:"5m" doc:"Oldest acceptable evaluation."`
}

// Rule is one rule.
type Rule struct {
	Name   string   `runbook:"name" doc:"Name of the alert or of the recorded series."`
	Group  string   `runbook:"group" doc:"Its group."`
	Type   string   `runbook:"type" doc:"alerting or recording."`
	Health string   `runbook:"health" doc:"ok, err or unknown."`
	State  string   `runbook:"state" doc:"Of an alert: inactive, pending or firing."`
	Error  string   `runbook:"error" doc:"Why it cannot be evaluated; empty where it can."`
	Age    *float64 `runbook:"age_seconds" doc:"How long ago it was evaluated; null where it never was."`
}

// Rules is the answer of rules.
type Rules struct {
	sdk.Result
	Count   int    `runbook:"count" doc:"How many were looked at."`
	Failing int    `runbook:"failing" doc:"How many cannot be evaluated, or were not for too long."`
	Rules   []Rule `runbook:"rules" doc:"All of them."`
}

// group is a rule group as the API has it.
type group struct {
	Name  string `json:"name"`
	Rules []struct {
		Name           string    `json:"name"`
		Type           string    `json:"type"`
		Health         string    `json:"health"`
		State          string    `json:"state"`
		LastError      string    `json:"lastError"`
		LastEvaluation time.Time `json:"lastEvaluation"`
		Alerts         []struct {
			Labels      map[string]string `json:"labels"`
			Annotations map[string]string `json:"annotations"`
			State       string            `json:"state"`
			ActiveAt    *time.Time        `json:"activeAt"`
			Value       string            `json:"value"`
		} `json:"alerts"`
	} `json:"rules"`
}

func (p *provider) groups(ctx context.Context, kind string) ([]group, error) {
	form := url.Values{}
	if kind != "" {
		form.Set("type", kind)
	}
	var data struct {
		Groups []group `json:"groups"`
	}
	_, err := p.get(ctx, "rules", form, &data)
	return data.Groups, err
}

func (p *provider) alerts(ctx context.Context, args AlertsArgs, _ *sdk.Call) (Alerts, error) {
	groups, err := p.groups(ctx, "alert")
	if err != nil {
		return Alerts{}, err
	}
	a := Alerts{Alerts: []Alert{}}
	var ill, loud, known []string
	for _, g := range groups {
		for _, rule := range g.Rules {
			if len(args.Names) > 0 && !slices.Contains(args.Names, rule.Name) {
				continue
			}
			a.Rules++
			known = append(known, rule.Name)
			if rule.Health != "ok" {
				ill = append(ill, strings.TrimSuffix(fmt.Sprintf("%s is %s: %s", rule.Name, rule.Health, rule.LastError), ": "))
			}
			for _, active := range rule.Alerts {
				if !carries(active.Labels, args.Labels) || active.State == "inactive" {
					continue
				}
				a.Alerts = append(a.Alerts, Alert{
					Name: rule.Name, State: active.State, Labels: active.Labels, Annotations: active.Annotations, ActiveAt: active.ActiveAt, Value: active.Value,
				})
				if active.State == "firing" {
					a.Firing++
				} else {
					a.Pending++
				}
				if active.State == "firing" || args.Pending {
					loud = append(loud, rule.Name+" "+active.State)
				}
			}
		}
	}
	if missing := absent(args.Names, known); missing != nil {
		return Alerts{}, notThere("names", "alerting rule", missing)
	}
	switch {
	case a.Rules == 0:
		return Alerts{}, noData("load a rule file with alerts (rule_files)", "no alerting rule is loaded")
	case len(loud) > 0:
		a.Result = sdk.NotOK("%s", strings.Join(counted(loud), ", "))
	case len(ill) > 0:
		a.Result = sdk.NotOK("nothing fires, but not all can be told: %s", strings.Join(ill, "; "))
	default:
		a.Result = sdk.OK("none of %s fires", phrase.Count(int64(a.Rules), "alerting rule", "alerting rules"))
	}
	return a, nil
}

// carries tells whether labels hold all that is wanted.
func carries(labels, wanted map[string]string) bool {
	for name, value := range wanted {
		if labels[name] != value {
			return false
		}
	}
	return true
}

// absent are the names that are not known.
func absent(names, known []string) []string {
	var missing []string
	for _, name := range names {
		if !slices.Contains(known, name) {
			missing = append(missing, name)
		}
	}
	return missing
}

func notThere(argument, what string, names []string) *schema.Failure {
	f := sdk.Fail("not_found", "there is no %s %s", what, strings.Join(names, ", "))
	f.Argument, f.Remedy = argument, "correct the name, or load the rule file that has it"
	return f
}

// counted puts equal texts together: 2 × Down firing.
func counted(said []string) []string {
	var all []string
	times := map[string]int{}
	for _, s := range said {
		if times[s]++; times[s] == 1 {
			all = append(all, s)
		}
	}
	for i, s := range all {
		if n := times[s]; n > 1 {
			all[i] = fmt.Sprintf("%d × %s", n, s)
		}
	}
	return all
}

func (p *provider) rules(ctx context.Context, args RulesArgs, _ *sdk.Call) (Rules, error) {
	groups, err := p.groups(ctx, "")
	if err != nil {
		return Rules{}, err
	}
	r := Rules{Rules: []Rule{}}
	var bad, knownGroups, known []string
	now := time.Now()
	for _, g := range groups {
		knownGroups = append(knownGroups, g.Name)
		if len(args.Groups) > 0 && !slices.Contains(args.Groups, g.Name) {
			continue
		}
		for _, rule := range g.Rules {
			known = append(known, rule.Name)
			if len(args.Names) > 0 && !slices.Contains(args.Names, rule.Name) {
				continue
			}
			found := Rule{Name: rule.Name, Group: g.Name, Type: rule.Type, Health: rule.Health, State: rule.State, Error: rule.LastError}
			why := ""
			if !rule.LastEvaluation.IsZero() {
				age := max(0, now.Sub(rule.LastEvaluation).Seconds())
				if found.Age = &age; age > args.MaxAge.Seconds() {
					why = "evaluated " + phrase.Span(age) + " ago"
				}
			}
			switch {
			case rule.Health != "ok":
				why = strings.TrimSuffix(rule.Health+": "+rule.LastError, ": ")
			case found.Age == nil:
				why = "never evaluated"
			}
			if r.Rules = append(r.Rules, found); why != "" {
				bad = append(bad, rule.Name+" "+why)
			}
		}
	}
	if missing := absent(args.Groups, knownGroups); missing != nil {
		return Rules{}, notThere("groups", "rule group", missing)
	}
	if missing := absent(args.Names, known); missing != nil {
		return Rules{}, notThere("names", "rule", missing)
	}
	r.Count, r.Failing = len(r.Rules), len(bad)
	switch {
	case r.Count == 0:
		return Rules{}, noData("load a rule file (rule_files)", "no rule is loaded")
	case r.Failing > 0:
		r.Result = sdk.NotOK("%d of %d rules: %s", r.Failing, r.Count, strings.Join(bad[:min(len(bad), 3)], "; "))
	default:
		r.Result = sdk.OK("%s evaluated", phrase.Count(int64(r.Count), "rule is", "rules are"))
	}
	return r, nil
}
