package runbook

// Function is one that an expression may call. engine/eval holds what it does;
// a test there keeps the two lists equal, and evaluates the examples.
type Function struct {
	Name    string
	Takes   string // its parameters; "…" after one: any number of it; in brackets: may be left out
	Doc     string
	Example string
	Result  string // what the example evaluates to, as an expression
}

// FunctionFamily is a group of functions that readers look for together.
type FunctionFamily struct {
	Title     string
	Functions []Function
}

// FunctionFamilies lists every function that an expression may call. It is not
// to be changed.
func FunctionFamilies() []FunctionFamily { return functionFamilies }

// Functions lists the names of the functions that an expression may call.
func Functions() []string { return append([]string(nil), functionNames...) }

var functionNames = namesOf(functionFamilies)

func namesOf(families []FunctionFamily) []string {
	var names []string
	for _, family := range families {
		for _, f := range family.Functions {
			names = append(names, f.Name)
		}
	}
	return names
}
