package review

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"

	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/engine/runbook"
)

// SettingsFile is the name of the file of settings. The one that holds for a
// runbook lies in its folder, or in one above it.
const SettingsFile = "runbook.lint.hcl"

// Settings say how severe rules are. The zero value leaves them as they are.
type Settings struct {
	severities map[string]hcl.DiagnosticSeverity // DiagInvalid: off
}

// severity is how severe a rule is; hcl.DiagInvalid where it is turned off.
func (s Settings) severity(rule *Rule) hcl.DiagnosticSeverity {
	if said, ok := s.severities[rule.ID]; ok {
		return said
	}
	return rule.Severity
}

// ReadSettings reads a file of settings.
func ReadSettings(path string) (Settings, hcl.Diagnostics) {
	body, diags := runbook.ParseConstants(path)
	if diags.HasErrors() {
		return Settings{}, diags
	}
	var file struct {
		Rules []struct {
			ID       string    `hcl:"id,label"`
			Severity string    `hcl:"severity"`
			Range    hcl.Range `hcl:",def_range"`
		} `hcl:"rule,block"`
	}
	if diags := gohcl.DecodeBody(body, nil, &file); diags.HasErrors() {
		return Settings{}, diag.Adopt(diag.InvalidArgument, diags)
	}
	s := Settings{severities: map[string]hcl.DiagnosticSeverity{}}
	words := map[string]hcl.DiagnosticSeverity{"error": hcl.DiagError, "warning": hcl.DiagWarning, "off": hcl.DiagInvalid}
	for _, rule := range file.Rules {
		severity, known := words[rule.Severity]
		switch {
		case !slices.Contains(ruleIDs(), rule.ID):
			d := diag.UnknownName.At(rule.Range, "There is no rule %q.", rule.ID)
			diags = append(diags, diag.Suggest(d, diag.Nearest(rule.ID, ruleIDs())))
		case !known:
			d := diag.InvalidArgument.At(rule.Range, "The severity of a rule is \"error\", \"warning\" or \"off\", not %q.", rule.Severity)
			diags = append(diags, diag.Suggest(d, diag.Nearest(rule.Severity, sorted(words))))
		}
		s.severities[rule.ID] = severity
	}
	return s, diags
}

func ruleIDs() []string {
	var ids []string
	for _, rule := range Rules() {
		ids = append(ids, rule.ID)
	}
	slices.Sort(ids)
	return ids
}

// FindSettings is the file of settings for runbooks in dir: there, or above it up
// to the root of the repository. It is empty where there is none.
func FindSettings(dir string) string {
	start, err := filepath.Abs(dir)
	if err != nil {
		return ""
	}
	for d := start; ; d = filepath.Dir(d) {
		path := filepath.Join(d, SettingsFile)
		if _, err := os.Stat(path); err == nil {
			return path
		}
		if _, err := os.Stat(filepath.Join(d, ".git")); err == nil || d == filepath.Dir(d) {
			return ""
		}
	}
}
