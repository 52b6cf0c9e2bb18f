package diag

// Kind is the stable ID of a kind of diagnostic, which scripts and editors
// match.
type Kind string

// The kinds of diagnostic about a runbook's text.
const (
	FileUnreadable      Kind = "file_unreadable"
	FileTooLarge        Kind = "file_too_large"
	NestingTooDeep      Kind = "nesting_too_deep"
	ForbiddenCharacter  Kind = "forbidden_character"
	Syntax              Kind = "syntax"
	OneLineBlock        Kind = "one_line_block"
	ShellInterpolation  Kind = "shell_interpolation"
	OperatorAtLineStart Kind = "operator_at_line_start"
	InvalidEscape       Kind = "invalid_escape"
	TooMany             Kind = "too_many"

	UnknownBlock     Kind = "unknown_block"
	UnknownArgument  Kind = "unknown_argument"
	MissingArgument  Kind = "missing_argument"
	MissingBlock     Kind = "missing_block"
	WrongShape       Kind = "wrong_shape"
	InvalidLabel     Kind = "invalid_label"
	InvalidName      Kind = "invalid_name"
	InvalidArgument  Kind = "invalid_argument"
	NotConstant      Kind = "not_constant"
	Duplicate        Kind = "duplicate"
	Conflict         Kind = "conflict"
	InvalidInclude   Kind = "invalid_include"
	InvalidCall      Kind = "invalid_call"
	InvalidReference Kind = "invalid_reference"
	UnknownName      Kind = "unknown_name"
	NotInScope       Kind = "not_in_scope"
	UnknownFunction  Kind = "unknown_function"
	MayBeNull        Kind = "may_be_null"
	Cycle            Kind = "cycle"

	UnknownProvider  Kind = "unknown_provider"
	UnknownOperation Kind = "unknown_operation"
	WrongType        Kind = "wrong_type"
	InvalidLimit     Kind = "invalid_limit"
	SecretInFile     Kind = "secret_in_file"
)

// The kinds of diagnostic about values.
const (
	CannotEvaluate     Kind = "cannot_evaluate"
	InvalidForEach     Kind = "invalid_for_each"
	NoAnswer           Kind = "no_answer"
	TooLarge           Kind = "too_large"
	TooSlow            Kind = "too_slow"
	MissingVariable    Kind = "missing_variable"
	UndeclaredVariable Kind = "undeclared_variable"
	InvalidVariable    Kind = "invalid_variable"
	SensitiveOnCommand Kind = "sensitive_on_command_line"
)

// Summary is the fixed wording of this kind of diagnostic.
func (k Kind) Summary() string {
	switch k {
	case FileUnreadable:
		return "Cannot read file"
	case FileTooLarge:
		return "File too large"
	case NestingTooDeep:
		return "Nested too deeply"
	case ForbiddenCharacter:
		return "Forbidden character"
	case Syntax:
		return "Syntax error"
	case OneLineBlock:
		return "Block does not fit on one line"
	case ShellInterpolation:
		return "Template sequence meant for another program"
	case OperatorAtLineStart:
		return "Operator at the start of a line"
	case InvalidEscape:
		return "Unknown escape sequence"
	case TooMany:
		return "Too many mistakes"
	case UnknownBlock:
		return "Unknown block"
	case UnknownArgument:
		return "Unknown argument"
	case MissingArgument:
		return "Missing argument"
	case MissingBlock:
		return "Missing block"
	case WrongShape:
		return "Argument and block confused"
	case InvalidLabel:
		return "Wrong label"
	case InvalidName:
		return "Invalid name"
	case InvalidArgument:
		return "Invalid argument"
	case NotConstant:
		return "Not a constant"
	case Duplicate:
		return "Declared twice"
	case Conflict:
		return "These do not go together"
	case InvalidInclude:
		return "Invalid include"
	case InvalidCall:
		return "Invalid call"
	case InvalidReference:
		return "Invalid reference"
	case UnknownName:
		return "Unknown name"
	case NotInScope:
		return "Not available here"
	case UnknownFunction:
		return "Unknown function"
	case MayBeNull:
		return "Result may be null"
	case Cycle:
		return "Cycle"
	case UnknownProvider:
		return "Unknown provider"
	case UnknownOperation:
		return "Unknown probe or action"
	case WrongType:
		return "Wrong type"
	case InvalidLimit:
		return "Invalid limit"
	case SecretInFile:
		return "Secret in the file"
	case CannotEvaluate:
		return "Cannot be evaluated"
	case InvalidForEach:
		return "Invalid for_each"
	case NoAnswer:
		return "Neither true nor false"
	case TooLarge:
		return "Value too large"
	case TooSlow:
		return "Evaluation too slow"
	case MissingVariable:
		return "Variable not given"
	case UndeclaredVariable:
		return "Undeclared variable"
	case InvalidVariable:
		return "Invalid value for variable"
	case SensitiveOnCommand:
		return "Sensitive value on the command line"
	}
	return "Problem"
}
