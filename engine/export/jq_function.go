package export

import (
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// called are the functions of the language that jq has a way of saying, as a
// pattern over their arguments.
func called() map[string]string {
	return map[string]string{
		"abs":         "(%s | number | if . < 0 then -. else . end)",
		"alltrue":     "(%s | all(.[]; truth))",
		"anytrue":     "(%s | any(.[]; truth))",
		"ceil":        "(%s | number | ceil)",
		"chomp":       `(%s | text | sub("[\r\n]+$"; ""))`,
		"contains":    "(%s as $list | %s as $wanted | $list | listed | any(.[]; . == $wanted))",
		"endswith":    "(%s as $whole | %s as $part | $whole | text | endswith($part))",
		"floor":       "(%s | number | floor)",
		"join":        "(%s as $between | %s | map(text) | join($between))",
		"jsondecode":  "(%s | fromjson)",
		"jsonencode":  "(%s | tojson)",
		"keys":        "(%s | keys)",
		"length":      "(%s | size)",
		"lower":       "(%s | text | ascii_downcase)",
		"replace":     "(%s as $whole | %s as $old | %s as $new | $whole | text | split($old) | join($new))",
		"split":       "(%s as $between | %s | text | split($between))",
		"startswith":  "(%s as $whole | %s as $part | $whole | text | startswith($part))",
		"strcontains": "(%s as $whole | %s as $part | $whole | text | contains($part))",
		"sum":         "(%s | map(number) | add)",
		"timecmp":     "((%s | instant) as $one | (%s | instant) as $other | if $one < $other then -1 elif $one > $other then 1 else 0 end)",
		"tobool":      "(%s | truth)",
		"tonumber":    "(%s | number)",
		"tostring":    "(%s | text)",
		"trimprefix":  "(%s as $whole | %s as $part | $whole | text | ltrimstr($part))",
		"trimspace":   `(%s | text | sub("^\\s+"; "") | sub("\\s+$"; ""))`,
		"trimsuffix":  "(%s as $whole | %s as $part | $whole | text | rtrimstr($part))",
		"upper":       "(%s | text | ascii_upcase)",
		"values":      "(%s | to_entries | sort_by(.key) | map(.value))",
	}
}

func (t *translator) function(e *hclsyntax.FunctionCallExpr) string {
	if e.ExpandFinal {
		return t.fail("it calls %s with a list of arguments", e.Name)
	}
	switch e.Name {
	case "try":
		text := `error("none of them can be evaluated")`
		for i := len(e.Args) - 1; i >= 0; i-- {
			text = fmt.Sprintf("(try [%s] catch [%s] | .[0])", t.expr(e.Args[i]), text)
		}
		return text
	case "can":
		return fmt.Sprintf("(try (%s | true) catch false)", t.tuple(e.Args))
	case "coalesce":
		return fmt.Sprintf(`(first(%s[] | select(. != null and . != "")))`, t.tuple(e.Args))
	case "max", "min":
		return fmt.Sprintf("(%s | map(number) | %s)", t.tuple(e.Args), e.Name)
	case "concat":
		return fmt.Sprintf("(%s | add)", t.tuple(e.Args))
	case "timeadd":
		return t.timeadd(e)
	case "lookup":
		if len(e.Args) == 3 {
			return fmt.Sprintf("(%s as $map | %s as $key | %s as $else | if $map | has($key) then $map[$key] else $else end)", t.expr(e.Args[0]), t.expr(e.Args[1]), t.expr(e.Args[2]))
		}
	}
	pattern, ok := called()[e.Name]
	if !ok || strings.Count(pattern, "%s") != len(e.Args) {
		return t.fail("no shell knows the function %s", e.Name)
	}
	args := make([]any, len(e.Args))
	for i, arg := range e.Args {
		args[i] = t.expr(arg)
	}
	return fmt.Sprintf(pattern, args...)
}

func (t *translator) timeadd(e *hclsyntax.FunctionCallExpr) string {
	if len(e.Args) == 2 {
		if v, ok := t.known(e.Args[1], t.x); ok && v.Type() == cty.String && !v.IsNull() {
			if d, err := time.ParseDuration(v.AsString()); err == nil {
				return fmt.Sprintf("(%s | instant + (%g) | todate)", t.expr(e.Args[0]), d.Seconds())
			}
		}
	}
	return t.fail("it adds to a time what is known only when it runs")
}
