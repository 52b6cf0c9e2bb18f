package engine

import (
	"bufio"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"
)

// operator is who runs this: the user of the operating system.
func operator() string {
	if name := localUser(os.Getuid()); name != "" {
		return name
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return fmt.Sprintf("uid %d", os.Getuid())
}

// localUser is a user's name in /etc/passwd, or empty. The C library, which knows
// other users too, asks daemons by their sockets before it looks there.
func localUser(uid int) string {
	f, err := os.Open("/etc/passwd")
	if err != nil {
		return ""
	}
	defer f.Close()
	want := strconv.Itoa(uid)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Split(lines.Text(), ":")
		if len(fields) > 2 && fields[2] == want && !strings.HasPrefix(fields[0], "#") {
			return fields[0]
		}
	}
	return ""
}
