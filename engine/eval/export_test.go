package eval

import (
	"context"

	"github.com/zclconf/go-cty/cty/function"
)

// FunctionTable is the table of functions, for the test that compares it with
// the names that runbooks may call.
func FunctionTable(dir string) map[string]function.Function {
	table := functions(dir)
	table["templatefile"] = (&templates{dir, table}).function(newBudget(context.Background(), maxWork))
	return table
}
