package engine

import (
	"os"
	"os/user"
	"testing"
)

func TestOperatorIsTheUser(t *testing.T) {
	u, err := user.Current()
	must(t, err)
	if got := operator(); got != u.Username {
		t.Errorf("got %q, the system says %q", got, u.Username)
	}
	if got := localUser(os.Getuid()); got != "" && got != u.Username {
		t.Errorf("/etc/passwd says %q, the system %q", got, u.Username)
	}
	if got := localUser(-1); got != "" {
		t.Errorf("nobody is called %q", got)
	}
}
