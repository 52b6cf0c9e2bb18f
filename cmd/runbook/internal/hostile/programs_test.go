package hostile

import (
	"fmt"
	"regexp"
	"strings"
)

// bad is a runbook that nobody means well with, or that a script has gone wrong
// over.
type bad struct {
	name  string
	files map[string]string // x.hcl is the runbook, x_test.hcl its tests

	// says is what each command must say on its way out, exit code 1, of plan 3
	// too where the step is blocked. A command that is not named may take the
	// runbook for a good one. "load" stands for all that load it, "all" for fmt
	// too.
	says map[string]string
}

// of is a runbook of one file, with a test that runs it.
func of(name, source string, says ...string) bad {
	return files(name, map[string]string{"x.hcl": source}, says...)
}

func files(name string, texts map[string]string, says ...string) bad {
	if texts["x_test.hcl"] == "" {
		texts["x_test.hcl"] = "test \"t\" {\n  mock \"core.log\" {}\n  expect {\n    outcome = \"succeeded\"\n  }\n}\n"
	}
	b := bad{name: name, files: texts, says: map[string]string{}}
	for i := 0; i < len(says); i += 2 {
		switch commands, text := says[i], says[i+1]; commands {
		case "all":
			b.says["fmt"] = text
			fallthrough
		case "load":
			for _, command := range []string{"validate", "lint", "plan", "test", "graph", "docs", "shell"} {
				b.says[command] = text
			}
		default:
			for _, command := range strings.Fields(commands) {
				b.says[command] = text
			}
		}
	}
	return b
}

const header = "runbook \"x\" {}\n"

// step is a runbook with one step, which logs what an expression evaluates to.
func step(expr string) string {
	return header + "step \"s\" {\n  action \"core.log\" {\n    message = " + expr + "\n  }\n}\n"
}

// evaluated is a runbook whose step cannot be evaluated: plan says so, and its
// test fails.
func evaluated(name, expr, rest, says string) bad {
	return of(name, step(expr)+rest, "plan", regexp.QuoteMeta(says), "test", "FAIL|failed|Error")
}

// times repeats a text; each %d in it is the number of the repetition, %e that of
// the one before.
func times(n int, text string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.NewReplacer("%d", fmt.Sprint(i), "%e", fmt.Sprint(i-1)).Replace(text))
	}
	return b.String()
}

// locals declares l0 to l9, each of which repeats the one before ten times.
func locals(first, join, open, closed string) string {
	var b strings.Builder
	b.WriteString("locals {\n  l0 = " + first + "\n")
	for i := 1; i < 10; i++ {
		fmt.Fprintf(&b, "  l%d = %s%s%s\n", i, open, strings.Repeat(fmt.Sprintf(join, i-1), 10), closed)
	}
	return b.String() + "}\n"
}

func programs() []bad {
	long := func(text string, size int) string { return strings.Repeat(text, size/len(text)) }
	const most = 8<<20 - 1000 // bytes that are just read
	list := "locals {\n  x = [" + strings.Repeat("1,", 300) + "]\n}\n"
	text := func(size int) string { return "locals {\n  t = \"" + long("é", size) + "\"\n}\n" }
	return []bad{
		// Cycles.
		files("calls", map[string]string{"x.hcl": header + "step \"a\" {\n  call {\n    runbook = \"y.hcl\"\n  }\n}\n", "y.hcl": "runbook \"y\" {}\nstep \"a\" {\n  call {\n    runbook = \"x.hcl\"\n  }\n}\n"},
			"load", `call each other: x\.hcl → y\.hcl → x\.hcl`),
		of("checks", header+"check \"a\" {\n  check = check.b\n}\ncheck \"b\" {\n  checks = [check.a]\n}\n", "load", `check\.a → check\.b → check\.a`),
		of("locals", header+"locals {\n  a = local.b\n  b = local.a\n}\n", "load", `local\.a → local\.b → local\.a`),
		of("10,000 steps in a cycle", header+strings.ReplaceAll(times(10_000, "step \"s%d\" {\n  depends_on = [step.s%e]\n}\n"), "step.s-1]", "step.s9999]"), "load", `wait for each other: step\.s`),

		// Mistakes, one and many.
		of("a secret for_each", header+"variable \"v\" {\n  type      = map(string)\n  sensitive = true\n}\nstep \"s\" {\n  for_each = var.v\n}\n", "load", `var\.v is sensitive`),
		of("a limit of what nothing counts", step(`"m"`)[:len(step(`"m"`))-2]+"  limit = { rows = 5 }\n}\n", "load", `core\.log counts nothing`),
		of("unknown arguments", header+"step \"s\" {\n"+times(90_000, "  a%d = 1\n")+"}\n", "load", `no argument "a0"[\s\S]*more than 100 mistakes`),
		of("unknown names among many", header+times(20_000, "variable \"v%d\" {}\n")+step("[" + times(20_000, "var.w%d, ") + "]")[len(header):], "load", `no variable "w0"[\s\S]*more than 100 mistakes`),
		of("unknown names on one line", step("["+strings.Repeat("a.*,", 90_000)+"]"), "load", `no "a"[\s\S]*more than 100 mistakes`),
		of("syntax errors", header+strings.Repeat("step \"a\" { a = }\n", 40_000), "all", `Invalid expression|Block does not fit`),
		of("a name of megabytes", header+"step \"s\" {\n  "+long("a", most)+" = 1\n}\n", "all", `more than 1000 characters`),
		of("a label of megabytes", header+"step \""+long("a", most)+"\" {}\n", "load", `more than 200 characters`),
		of("a provider of megabytes", header+"step \"s\" {\n  action \""+long("a", most/2)+".b\" {}\n}\n", "load", `Unknown provider`),
		of("a line of megabytes", header+"step \"s\" {\n  a = \""+long("é", most)+"\" }\n", "all", `Missing newline after argument`),

		// Much of everything.
		of("10 MB", header+strings.Repeat("# nothing, again and again\n", 400_000), "all", `more than 8 MiB|words, signs and lines`),
		of("a million brackets", step(strings.Repeat("[", 1_000_000)), "all", `more than 200 deep`),
		of("a million templates", step(strings.Repeat(`"${`, 1_000_000)), "all", `more than 200 deep`),
		of("a million blocks", header+strings.Repeat("a {\n", 1_000_000), "all", `more than 200 deep`),
		of("a million elements", step("["+strings.Repeat("1,", 1_000_000)+"]"), "all", `words, signs and lines`),
		of("as many elements as may be", step("["+strings.Repeat("1,", 195_000)+"]"), "load", `takes a string`),
		of("a long reference", step("var.a"+strings.Repeat(".a", 190_000)), "load", `no variable "a"`),
		of("operators", step("["+strings.Repeat(strings.Repeat("1+", 500)+"1,", 380)+"]"), "load", `takes a string`),
		of("a huge heredoc", step("<<EOT\n"+strings.Repeat(strings.Repeat("x", 79)+"\n", 100_000)+"EOT"), "all", `read it with file\(\)`),
		of("a heredoc without an end", step("<<EOT\n"+strings.Repeat("x\n", 4_000_000)), "all", `words, signs and lines`),
		of("100,000 steps", header+times(100_000, "step \"s%d\" {\n  action \"core.log\" { message = \"m\" }\n}\n"), "all", `words, signs and lines`),
		files("as many steps as may be", map[string]string{"x.hcl": header + times(10_000, "step \"s%d\" {\n  action \"core.log\" { message = \"m\" }\n}\n"), "x_test.hcl": "# None: they would all be run.\n"}),
		of("more steps", header+times(10_001, "step \"s%d\" {}\n"), "load", `10001 steps; 10000 is the most`),
		of("steps that all read each other", header+times(500, "step \"s%d\" {}\n")+"locals {\n  all = ["+times(500, "step.s%d.status, ")+"]\n}\n"+times(500, "step \"t%d\" {\n  when = local.all == null\n}\n"), "load", `more than 100000 times`),
		of("a chain of locals for each step", header+"locals {\n  l-1 = step.s0.status\n"+times(2000, "  l%d = local.l%e\n")+"}\n"+times(1000, "step \"s%d\" {\n  when = local.l1999 == null\n}\n"), "load", `too much through locals|cannot refer to itself`),
		of("checks of checks", header+"check \"c-1\" {\n  probe \"core.host\" {}\n}\n"+times(2000, "check \"c%d\" {\n  checks = [check.c%e, check.c%e]\n}\n"), "load", `checks of checks multiply`),
		of("100,000 includes", "runbook \"x\" {\n  include = ["+times(90_000, "\"y%d.hcl\", ")+"]\n}\n", "load", `no file "y0\.hcl"`),
		files("calls that multiply", map[string]string{
			"x.hcl": header + twice("a"), "a.hcl": "runbook \"a\" {}\n" + twice("b"), "b.hcl": "runbook \"b\" {}\n" + twice("c"),
			"c.hcl": "runbook \"c\" {}\n" + twice("d"), "d.hcl": "runbook \"d\" {}\n" + twice("e"), "e.hcl": "runbook \"e\" {}\n" + times(2000, "step \"s%d\" {}\n"),
		}, "load", `calls of calls multiply`),
		of("a wide type", header+"variable \"v\" {\n  type    = object({ "+times(40_000, "a%d = optional(string, \"x\"), ")+" })\n  default = {}\n}\n"+step("var.v.a0")[len(header):]),

		// Other files.
		files("a vars file", map[string]string{"x.hcl": step("var.v") + "variable \"v\" {}\n", "x.vars.hcl": "v = " + strings.Repeat("[", 1_000_000)}, "plan test", `more than 200 deep|failed|FAIL`),
		files("a vars file of other names", map[string]string{"x.hcl": step("var.v") + "variable \"v\" {}\n", "x.vars.hcl": times(20_000, "w%d = 1\n")}, "plan", `more than 100 mistakes`),
		files("the lock file", map[string]string{"x.hcl": header + "step \"s\" {\n  action \"third.party\" {}\n}\n", "runbook.lock.hcl": "v = " + strings.Repeat("[", 1_000_000)}, "load", `third`),
		files("the tests", map[string]string{"x.hcl": step(`"m"`), "x_test.hcl": "v = " + strings.Repeat("[", 1_000_000)}, "test", `more than 200 deep`),
		files("tests with many mistakes", map[string]string{"x.hcl": step(`"m"`), "x_test.hcl": "test \"t\" {\n" + strings.Repeat("  mock \"core.logg\" {}\n", 15_000) + "  expect {\n    outcome = \"succeeded\"\n  }\n}\n"}, "test", `core\.logg[\s\S]*more than 100 mistakes`),

		// Values.
		evaluated("doubling texts", "local.l9", locals(`"0123456789"`, "${local.l%d}", `"`, `"`), "larger than 8 MiB"),
		evaluated("doubling lists", "jsonencode(local.l9)", locals("[1, 2, 3]", "local.l%d, ", "[", "]"), "takes more than 800000 steps"),
		evaluated("nested fors", "jsonencode([for a in local.x : [for b in local.x : [for c in local.x : a + b + c]]])", list, "takes more than 800000 steps"),
		evaluated("nested fors of nothing", "jsonencode([for a in local.x : [for b in local.x : [for c in local.x : [for d in local.x : 1 if false]]]])", list, "takes more than 800000 steps"),
		evaluated("nested template loops", `"%{for a in local.x}%{for b in local.x}%{for c in local.x}%{endfor}%{endfor}%{endfor}"`, list, "takes more than 800000 steps"),
		of("a hundred slow steps", header+list+times(100, "step \"s%d\" {\n  when = [for a in local.x : [for b in local.x : [for c in local.x : 1]]] == 1\n}\n"), "plan", `takes more than 800000 steps`),
		of("a for_each of 90,000", header+list+"step \"s\" {\n  for_each = [for i in setproduct(local.x, local.x) : \"k\"]\n}\n", "plan", `90000 instances; 5000 is the most|takes more than`),
		of("a list of 90,000 as a set", header+list+"output \"o\" {\n  value = toset(flatten([for a in local.x : [for b in range(300) : \"${b}\"]]))\n}\n"),
		files("templates of templates", map[string]string{"x.hcl": step(`templatefile("t.txt", {})`), "t.txt": `${templatefile("t.txt", {})}`}, "plan", `templatefile`),
		files("slow templates", map[string]string{"x.hcl": step(`join("", [for i in range(300) : templatefile("t.txt", { x = local.x })])`) + list, "t.txt": "%{for a in x}%{for b in x}%{endfor}%{endfor}"}, "plan", `takes more than 800000 steps`),

		files("a soak of a hundred years", map[string]string{
			"x.hcl":      step(`"m"`)[:len(step(`"m"`))-2] + "  verify \"v\" {\n    probe \"core.host\" {}\n    within = \"1000000h\"\n    every  = \"1ms\"\n  }\n}\n",
			"x_test.hcl": "test \"t\" {\n  mock \"core.log\" {}\n  mock \"core.host\" {\n    returns = { ok = false }\n  }\n  expect {\n    outcome = \"failed\"\n  }\n}\n",
		}, "test", `more than 45000 looks, and was cut short at step\.s\.verify\.v`),

		// Functions.
		evaluated("a pattern with many groups", `regex("`+strings.Repeat("(a|b)?", 1000)+`", "a")`, "", "at most 100 groups"),
		evaluated("a pattern that multiplies", `regex("(abcdefghijkl){1000}", "a")`, "", "repetitions multiply"),
		evaluated("a pattern for a long text", `regex("(x+x+x+x+)+y", local.t)`, "locals {\n  t = \""+long("x", most)+"\"\n}\n", "too large for a text"),
		evaluated("a pattern that looks ahead at each match", `regexall("x.*y|x", local.t)[0]`, "locals {\n  t = \""+long("x", 1_000_000)+"\"\n}\n", "too long to find every match"),
		evaluated("replacements that repeat", `replace(local.t, "/(.*)/", "`+strings.Repeat("$1", 1000)+`")`, text(60_000), "larger than 8 MiB"),
		evaluated("lengths of a long text", `jsonencode([for i in range(1000) : length(local.t)])`, text(most), "takes more than 800000 steps"),
		evaluated("a list compared again and again", `jsonencode([for i in range(1000) : local.l4 == local.l4])`, locals("[1]", "local.l%d, ", "[", "]"), "takes more than 800000 steps"),
		evaluated("products", `jsonencode(setproduct(`+strings.Repeat("[1, 2], ", 17)+"[1]))", "", "more than 100000 elements"),
		evaluated("wide formats", `format("%999999999d", 1)`, "", "at most 999 characters wide"),
		evaluated("JSON of many values", `jsonencode(jsondecode(local.t))`, "locals {\n  t = \"["+strings.Repeat("0,", 900_000)+"0]\"\n}\n", "more than 100000 values"),
		evaluated("objects that are all different", `jsonencode(tolist([`+times(5000, "{ a%d = 1 }, ")+`]))`, "", "more than 50 types"),
		evaluated("branches that are all different", `jsonencode(true ? [`+times(5000, "{ a%d = 1 }, ")+`] : [])`, "", "more than 50 types"),
		of("powers", step(`"${`+strings.Repeat("1e999 * ", 20)+`1}"`), "load", `too large or too close to zero`),
		evaluated("powers of functions", `tostring(`+strings.Repeat("pow(10, 300) * ", 20)+`1)`, "", "too large, or too close to zero"),
		evaluated("a file without end", `file("/dev/zero")`, "", "lies outside the runbook's folder"),
	}
}

// twice calls a runbook by two steps.
func twice(to string) string {
	return times(2, "step \"s%d\" {\n  call {\n    runbook = \""+to+".hcl\"\n  }\n}\n")
}
