package review

import (
	"regexp"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/providers/schema"
)

func secretInPlainText() *Rule {
	return &Rule{
		ID: "secret_in_plain_text", Severity: hcl.DiagError, Summary: "A secret in plain text",
		Why: "Whoever can read the file, its history, or a copy of either has the secret. Declare a variable with `sensitive = true` and give its value by `env` or `file`. A secret that was written down once is no secret any more: replace it.",
		Bad: []string{`runbook "ready" {}

provider "postgres" {
  host     = "localhost"
  database = "shop"
  user     = "shop"
  password = "correct-horse"
}

check "ready" {
  probe "postgres.ready" {}
}
`},
		Good: []string{`runbook "ready" {}

variable "postgres_password" {
  type      = string
  sensitive = true
  env       = "POSTGRES_PASSWORD"
}

provider "postgres" {
  host     = "localhost"
  database = "shop"
  user     = "shop"
  password = var.postgres_password
}

check "ready" {
  probe "postgres.ready" {}
}
`},
		look: func(r *reading, say say) {
			f := &secretFinder{r: r, say: say, seen: map[hcl.Range]bool{}}
			for _, expr := range runbook.Secrets(r.rb, validating{r}) {
				if !f.isDefault(expr) {
					f.written(expr)
				}
			}
			for _, name := range sorted(r.rb.Bodies) {
				f.body(r.rb.Bodies[name])
			}
		},
	}
}

// secretFinder looks for secrets that are written out. It never says them.
type secretFinder struct {
	r    *reading
	say  say
	seen map[hcl.Range]bool
}

var (
	secretName = regexp.MustCompile(`(?i)(^|_|-)(password|passwd|passphrase|secret|secret_key|token|api_?key|private_key|authorization)$`)
	// Keys of cloud providers and forges, private keys, passwords in URLs.
	secretShape = regexp.MustCompile(`\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}|\bxox[abprs]-[A-Za-z0-9-]{10}|\bglpat-[A-Za-z0-9_-]{20}|-----BEGIN [A-Z ]*PRIVATE KEY-----|://[^/\s:@$]+:[^/\s:@$]+@`)
)

// isDefault tells whether an expression is the default of a sensitive variable,
// which validate warns of.
func (f *secretFinder) isDefault(expr hclsyntax.Expression) bool {
	for _, v := range f.r.rb.Variables {
		if v.Sensitive && v.DefaultExpr == hcl.Expression(expr) {
			return true
		}
	}
	return false
}

// body looks through all that is written in a file.
func (f *secretFinder) body(body *hclsyntax.Body) {
	for _, block := range body.Blocks {
		if v := f.r.rb.Variables[label(block)]; block.Type == "variable" && v != nil {
			if def := block.Body.Attributes["default"]; def != nil && !v.Sensitive && secretName.MatchString(v.Name) {
				f.written(def.Expr)
			}
			if v.Sensitive {
				continue
			}
		}
		f.body(block.Body)
	}
	for _, attr := range runbook.SortedAttributes(body) {
		if secretName.MatchString(attr.Name) {
			f.written(attr.Expr)
		}
		_ = hclsyntax.VisitAll(attr.Expr, func(n hclsyntax.Node) hcl.Diagnostics {
			switch n := n.(type) {
			case *hclsyntax.ObjectConsExpr:
				for _, item := range n.Items {
					if key, ok := f.r.known(item.KeyExpr, cty.String); ok && secretName.MatchString(key.AsString()) {
						f.written(item.ValueExpr)
					}
				}
			case *hclsyntax.TemplateExpr:
				if text := f.r.script(n); secretShape.MatchString(text) {
					f.found(n.Range())
				}
			}
			return nil
		})
	}
}

func label(block *hclsyntax.Block) string {
	if len(block.Labels) == 0 {
		return ""
	}
	return block.Labels[0]
}

// written reports an expression that is a text of its own.
func (f *secretFinder) written(expr hclsyntax.Expression) {
	if call, ok := expr.(*hclsyntax.FunctionCallExpr); ok && call.Name == "sensitive" && len(call.Args) == 1 {
		expr = call.Args[0]
	}
	template, ok := expr.(*hclsyntax.TemplateExpr)
	if !ok {
		return
	}
	if text, ok := f.r.known(template, cty.String); ok && text.AsString() != "" {
		f.found(template.Range())
	}
}

func (f *secretFinder) found(at hcl.Range) {
	if f.seen[at] {
		return
	}
	f.seen[at] = true
	finding := f.say(at, "A secret is written out here, for everybody who can read the file. Take it from a variable with sensitive = true, given by env or file, and replace the secret: it is known now.")
	diag.WithholdSource(finding.Diagnostic)
}

// validating answers the questions of package runbook, which knows no contexts.
type validating struct{ r *reading }

// Schema is what a provider says of itself.
func (v validating) Schema(provider string) (*schema.Provider, error) {
	return v.r.schemas.Schema(v.r.ctx, provider)
}
