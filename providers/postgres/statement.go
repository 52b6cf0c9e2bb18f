package postgres

import (
	"slices"
	"strconv"
	"strings"
)

// tokens splits a statement into keywords, plain identifiers and numbers in
// lower case, names with their double quotes, parameters such as $1, and
// parentheses, in order. What stands in strings and comments is left out. The text is read only
// to describe a statement and to warn early; what a statement may do, the
// server decides.
func tokens(sql string) []string {
	var found []string
	for i := 0; i < len(sql); {
		switch c := sql[i]; {
		case strings.HasPrefix(sql[i:], "--"):
			i = after(sql, i, "\n")
		case strings.HasPrefix(sql[i:], "/*"):
			i = afterComment(sql, i)
		case c == '\'':
			i = afterQuoted(sql, i, false)
		case c == '"':
			end := afterQuoted(sql, i, false)
			found = append(found, sql[i:end])
			i = end
		case c == '$':
			end := afterDollar(sql, i)
			found = append(found, sql[i:end])
			i = end
		case c == '(' || c == ')':
			found = append(found, sql[i:i+1])
			i++
		case wordByte(c):
			start := i
			for i < len(sql) && (wordByte(sql[i]) || sql[i] == '$') {
				i++
			}
			if word := strings.ToLower(sql[start:i]); word == "e" && i < len(sql) && sql[i] == '\'' {
				i = afterQuoted(sql, i, true) // E'a backslash escapes: \''
			} else {
				found = append(found, word)
			}
		default:
			i++
		}
	}
	return found
}

// words is tokens without names in quotes, parameters, texts in dollars and
// parentheses.
func words(sql string) []string {
	return slices.DeleteFunc(tokens(sql), func(t string) bool { return strings.ContainsRune(`$"()`, rune(t[0])) })
}

// parameters is the highest n of the statement's $n, 0 where there is none.
func parameters(sql string) int {
	highest := 0
	for _, t := range tokens(sql) {
		if n, err := strconv.Atoi(strings.TrimPrefix(t, "$")); err == nil && t[0] == '$' {
			highest = max(highest, n)
		}
	}
	return highest
}

func wordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// after is the index behind the next end, or the text's end.
func after(sql string, i int, end string) int {
	if n := strings.Index(sql[i:], end); n >= 0 {
		return i + n + len(end)
	}
	return len(sql)
}

// afterComment is the index behind a comment; PostgreSQL's nest.
func afterComment(sql string, i int) int {
	depth := 0
	for i < len(sql) {
		switch {
		case strings.HasPrefix(sql[i:], "/*"):
			depth++
			i += 2
		case strings.HasPrefix(sql[i:], "*/"):
			depth--
			i += 2
			if depth == 0 {
				return i
			}
		default:
			i++
		}
	}
	return i
}

// afterQuoted is the index behind a quoted text; a doubled quote stays inside.
func afterQuoted(sql string, i int, escapes bool) int {
	quote := sql[i]
	for i++; i < len(sql); i++ {
		switch {
		case escapes && sql[i] == '\\':
			i++
		case sql[i] == quote && i+1 < len(sql) && sql[i+1] == quote:
			i++
		case sql[i] == quote:
			return i + 1
		}
	}
	return len(sql)
}

// afterDollar is the index behind a parameter such as $1 or a text such as
// $tag$ … $tag$.
func afterDollar(sql string, i int) int {
	end := i + 1
	for end < len(sql) && wordByte(sql[end]) {
		end++
	}
	if end == len(sql) || sql[end] != '$' || end > i+1 && sql[i+1] >= '0' && sql[i+1] <= '9' {
		return end
	}
	return after(sql, end+1, sql[i:end+1])
}

// leading is the statement's first keyword in lower case, "" where there is none.
func leading(sql string) string {
	if found := words(sql); len(found) > 0 {
		return found[0]
	}
	return ""
}

// plannable tells whether EXPLAIN takes the statement.
func plannable(sql string) bool {
	return slices.Contains([]string{"select", "insert", "update", "delete", "merge", "with", "values", "table"}, leading(sql))
}

// transactionControl tells whether the statement would end or nest the
// transaction that everything runs in.
func transactionControl(sql string) bool {
	return slices.Contains([]string{"begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release", "prepare"}, leading(sql))
}

// filters tells whether a condition may leave rows out: whether it names
// anything at all that differs from row to row.
func filters(condition []string) bool {
	constant := []string{"true", "false", "null", "unknown", "and", "or", "not", "is"}
	return slices.ContainsFunc(condition, func(t string) bool {
		named := t[0] == '"' || wordByte(t[0]) && (t[0] < '0' || t[0] > '9')
		return named && !slices.Contains(constant, t)
	})
}

// ownCondition is what stands behind the statement's own WHERE, not behind one in
// parentheses.
func ownCondition(sql string) []string {
	depth := 0
	found := tokens(sql)
	for i, t := range found {
		switch {
		case t == "(":
			depth++
		case t == ")":
			depth--
		case t == "where" && depth == 0:
			return found[i+1:]
		}
	}
	return nil
}

// destructive tells whether a statement may take data away. Only inserting,
// updating some rows and creating something new is known not to; with a leading
// WITH or SELECT nobody knows without the server.
func destructive(sql string) bool {
	found := words(sql)
	if len(found) == 0 {
		return true
	}
	switch found[0] {
	case "insert":
		return false
	case "update":
		return !filters(ownCondition(sql))
	case "create":
		return len(found) > 2 && found[1] == "or" && found[2] == "replace"
	}
	return true
}
