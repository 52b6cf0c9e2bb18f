package git

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/runbook-engine/runbook/providers/internal/program"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// reason is one way in which git fails, told by what it prints in the C locale:
// it has no codes of its own.
type reason struct {
	says      string
	code      string
	remedy    string
	retryable bool
}

// reasons are looked at in order: the first that fits is it.
func reasons() []reason {
	return []reason{
		{"not a git repository", "no_repository", "correct repo, or make the repository with git.clone", false},
		{"detected dubious ownership", "dubious_ownership", "run as its owner, or set trust_owner where what its configuration names may run as this user", false},
		{"must be run in a work tree", "no_repository", "name a work tree: this is a bare repository", false},
		{".lock': File exists", "lock_held", "another git is at work there; where none is, remove the file: a git that was killed left it", true},
		{"could not lock config file", "lock_held", "another git is at work there", true},
		{"cannot lock ref", "lock_held", "another git is at work there, or a ref of that name is in the way", true},
		{"would be overwritten by", "local_changes", "commit or stash the changes, or keep them with git.checkout_paths", false},
		{"Please commit your changes or stash them", "local_changes", "commit or stash the changes", false},
		{"unmerged", "conflict", "settle the conflict first: git status shows it", false},
		{"Author identity unknown", "no_identity", "set author_name and author_email in the provider block", false},
		{"Committer identity unknown", "no_identity", "set author_name and author_email in the provider block", false},
		{"did not match any file", "no_such_path", "git.status and git.log show what there is", false},
		{"are ignored by one of your .gitignore files", "path_ignored", "take the path out of .gitignore, or out of paths", false},
		{"No space left on device", "disk_full", "make room, then try again", false},

		{"Could not resolve host", "host_unknown", "check the remote's URL, and this machine's DNS", true},
		{"Could not resolve proxy", "host_unknown", "check the proxy", true},
		{"Connection refused", "connection_refused", "check the remote's URL, and that the server runs", true},
		{"Failed to connect", "connection_refused", "check the remote's URL, and that the server runs", true},
		{"Couldn't connect to server", "connection_refused", "check the remote's URL, and that the server runs", true},
		{"onnection timed out", "timeout", "check the remote's URL, and that no firewall drops the packets", true},
		{"Operation too slow", "timeout", "the server stopped answering: see its log", true},
		{"Host key verification failed", "host_key_unknown", "put the host's key into known_hosts, once it is certain that it is the right one", false},
		{"SSL certificate problem", "tls_failed", "have this machine trust the certificate's authority", false},
		{"server certificate verification failed", "tls_failed", "have this machine trust the certificate's authority", false},
		{"Authentication failed", "authentication_failed", "correct username and password in the provider block", false},
		{"could not read Username", "authentication_failed", "set username and password in the provider block, or user_config where a credential helper knows them", false},
		{"could not read Password", "authentication_failed", "set username and password in the provider block", false},
		{"Permission denied (", "authentication_failed", "set ssh_key in the provider block to a key that the server knows", false},
		{"returned error: 401", "authentication_failed", "correct username and password in the provider block", false},
		{"returned error: 403", "permission_denied", "let the user do this on the server, or use another one", false},
		{"does not appear to be a git repository", "remote_not_found", "correct the remote's URL: git remote -v shows it", false},
		{"' does not exist", "remote_not_found", "correct the remote's URL: git remote -v shows it", false},
		{"repository not found", "remote_not_found", "correct the remote's URL, or let the user see the repository", false},
		{"returned error: 404", "remote_not_found", "correct the remote's URL, or let the user see the repository", false},
		{"' not found", "remote_not_found", "correct the remote's URL, or let the user see the repository", false},
		{"not found in upstream", "branch_missing", "correct branch: git ls-remote shows what there is", false},
		{"couldn't find remote ref", "branch_missing", "correct branch: git ls-remote shows what there is", false},
		{"early EOF", "connection_lost", "see the server's log", true},
		{"unexpected disconnect", "connection_lost", "see the server's log", true},
		{"The remote end hung up", "connection_lost", "see the server's log", true},
	}
}

// failure types a git command that failed.
func (r *repository) failure(command string, ended program.Ended) *schema.Failure {
	said := strings.TrimSpace(ended.Stderr)
	if said == "" {
		said = strings.TrimSpace(program.Clean(string(ended.Stdout[:min(len(ended.Stdout), 4<<10)])))
	}
	f := sdk.Fail("git_error", "git %s exited %d", command, ended.Code)
	if line := telling(said); line != "" {
		f.Message = fmt.Sprintf("git %s: %s", command, line)
	}
	lower := strings.ToLower(said)
	for _, known := range reasons() {
		if strings.Contains(lower, strings.ToLower(known.says)) {
			f.Code, f.Remedy, f.Retryable = known.code, known.remedy, known.retryable
			break
		}
	}
	return f
}

// telling is the line of git's words that says what went wrong, and what follows
// it where it goes on.
func telling(said string) string {
	lines := strings.Split(said, "\n")
	for _, begin := range []string{"fatal: ", "error: ", "ssh: ", "remote: "} {
		for _, line := range lines {
			if text, ok := strings.CutPrefix(line, begin); ok {
				return strings.TrimSpace(text)
			}
		}
	}
	return strings.TrimSpace(lines[len(lines)-1])
}

// isCode tells whether an error is the failure of one of these codes.
func isCode(err error, codes ...string) bool {
	var f *schema.Failure
	return errors.As(err, &f) && slices.Contains(codes, f.Code)
}

// overLimit refuses what is more than the step's limit allows.
func overLimit(call *sdk.Call, impact schema.Impact) *schema.Failure {
	for _, unit := range slices.Sorted(maps.Keys(impact)) {
		if most, ok := call.Limit(unit); ok && impact[unit] > most {
			f := sdk.Fail("limit_exceeded", "%d %s would be changed, the limit is %d; nothing was", impact[unit], unit, most)
			f.Remedy = "look at what would change, then narrow it or raise limit"
			return f
		}
	}
	return nil
}
