package eval

// FunctionTable is the table of functions, for the test that compares it with
// the names that runbooks may call.
var FunctionTable = functions
