// Package git looks after a git work tree by the git command line: what state
// it is in, how it stands to its remote, and the changes that a runbook makes to
// it. Reading porcelain formats, it never parses text that git meant for people,
// save to tell apart the failures that git names in no other way.
//
// Git runs in an environment of its own: it asks nobody (no terminal, no
// askpass), speaks English, reads the configuration of the repository and not
// that of user and machine, starts no hook, no editor and no pager, and leaves no
// maintenance behind. The configuration says which of these to lift.
package git

import (
	"context"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/runbook-engine/runbook/providers/sdk"
)

// Config is which work tree, and how git reaches its remotes.
type Config struct {
	Repo        string `runbook:"repo" default:"." doc:"Root of the work tree. A relative one starts from the runbook's folder."`
	Git         string `runbook:"git" default:"git" doc:"The git program, 2.32 or newer; looked up in PATH where it is a name."`
	Username    string `runbook:"username,optional" doc:"User for remotes over HTTP; with a token as the password often any name."`
	Password    string `runbook:"password,optional,sensitive" doc:"Password or token for remotes over HTTP. Git gets it through its environment, and only for the host of the remote that is used."`
	SSHKey      string `runbook:"ssh_key,optional" doc:"File of the private key for remotes over SSH, without a passphrase; without it SSH's own choice."`
	KnownHosts  string `runbook:"known_hosts,optional" doc:"File of the SSH host keys to trust; without it SSH's own. A host that is not in it is never trusted."`
	AuthorName  string `runbook:"author_name,optional" doc:"Author of commits; without it the repository's user.name."`
	AuthorEmail string `runbook:"author_email,optional" doc:"Their mail address; without it the repository's user.email."`
	UserConfig  bool   `runbook:"user_config" default:"false" doc:"Read the git configuration of the user and the machine too: for credential helpers, url.insteadOf, proxies, Git LFS."`
	Hooks       bool   `runbook:"hooks" default:"false" doc:"Let the repository's hooks run. What they do no plan can show, so every action then runs alone."`
	TrustOwner  bool   `runbook:"trust_owner" default:"false" doc:"Work also in a repository that belongs to another user of this machine. Its configuration can name programs that then run as this user."`
}

type provider struct {
	config Config
	base   string // the runbook's folder
}

// Provider serves git.
func Provider() *sdk.Provider {
	p := &provider{}
	return &sdk.Provider{
		Name: "git", Version: "0.1.0",
		Doc:       "Looks after a git work tree: its state, how it stands to its remote, and careful changes, each with the HEAD before it for the way back.",
		Configure: sdk.Configure(p.configure),
		Examples:  examples,
		Probes: []sdk.Probe{
			sdk.NewProbe("status", statusDoc, p.status),
			sdk.NewProbe("log", logDoc, p.log),
			sdk.NewProbe("diff", diffDoc, p.diff),
			sdk.NewProbe("commit_exists", commitExistsDoc, p.commitExists),
			sdk.NewProbe("in_sync", inSyncDoc, p.inSync),
		},
		Actions: []sdk.Action{
			sdk.NewAction("clone", cloneDoc, p.clone,
				sdk.Describe(p.describeClone), sdk.Preview(p.previewClone), sdk.Idempotent),
			sdk.NewAction("fetch", fetchDoc, p.fetch,
				sdk.Describe(p.describeFetch), sdk.Preview(p.previewFetch),
				sdk.Idempotent, sdk.Counts("refs")),
			sdk.NewAction("pull", pullDoc, p.pull,
				sdk.Describe(p.describePull), sdk.Preview(p.previewPull),
				sdk.Idempotent, sdk.Counts("commits", "files"), sdk.Enforces("commits", "files")),
			sdk.NewAction("checkout", checkoutDoc, p.checkout,
				sdk.Describe(p.describeCheckout), sdk.Preview(p.previewCheckout),
				sdk.Idempotent, sdk.Counts("files"), sdk.Enforces("files")),
			sdk.NewAction("checkout_paths", checkoutPathsDoc, p.checkoutPaths,
				sdk.Describe(p.describeCheckoutPaths), sdk.Preview(p.previewCheckoutPaths),
				sdk.Idempotent, sdk.Counts("files", "changes"), sdk.Enforces("files", "changes"), sdk.MayDestroy),
			sdk.NewAction("add", addDoc, p.add,
				sdk.Describe(p.describeAdd), sdk.Preview(p.previewAdd),
				sdk.Idempotent, sdk.Counts("files"), sdk.Enforces("files")),
			sdk.NewAction("commit", commitDoc, p.commit,
				sdk.Describe(p.describeCommit), sdk.Preview(p.previewCommit), sdk.Settle(p.settleCommit),
				sdk.Observed, sdk.Counts("files"), sdk.Enforces("files")),
			sdk.NewAction("push", pushDoc, p.push,
				sdk.Describe(p.describePush), sdk.Preview(p.previewPush),
				sdk.Idempotent, sdk.Counts("commits", "files"), sdk.Enforces("commits", "files")),
		},
	}
}

func (p *provider) configure(ctx context.Context, c Config) error {
	switch {
	case c.Repo == "":
		return sdk.InvalidArgument("repo", "the folder of the work tree is empty")
	case c.Git == "":
		return sdk.InvalidArgument("git", "the program is empty")
	case c.Password != "" && c.Username == "":
		return sdk.InvalidArgument("username", "there is a password and no username; with a token any name does")
	case strings.ContainsAny(c.Username, "\r\n\x00"):
		return sdk.InvalidArgument("username", "the username holds a line break")
	case strings.ContainsAny(c.Password, "\r\n\x00"):
		return sdk.InvalidArgument("password", "the password holds a line break")
	case (c.AuthorName == "") != (c.AuthorEmail == ""):
		return sdk.InvalidArgument("author_email", "author_name and author_email belong together")
	}
	c.Repo = sdk.Path(ctx, c.Repo)
	if strings.Contains(c.Git, "/") {
		c.Git = sdk.Path(ctx, c.Git)
	}
	for _, path := range []*string{&c.SSHKey, &c.KnownHosts} {
		if *path != "" {
			*path = sdk.Path(ctx, *path)
		}
	}
	p.config, p.base = c, sdk.Path(ctx, ".")
	return nil
}

// Where is the argument that every operation takes.
type Where struct {
	Repo string `runbook:"repo,optional" doc:"Root of another work tree than the provider's, such as the colour that is not live. A relative one starts from the runbook's folder."`
}

// dir is the root of the work tree as it is configured or given.
func (p *provider) dir(w Where) string {
	switch {
	case w.Repo == "":
		return p.config.Repo
	case filepath.IsAbs(w.Repo):
		return filepath.Clean(w.Repo)
	}
	return filepath.Join(p.base, w.Repo)
}

// fileURL names a file or folder in effects.
func fileURL(path ...string) string {
	return (&url.URL{Scheme: "file", Path: filepath.Join(path...)}).String()
}
