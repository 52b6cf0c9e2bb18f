package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const logsDoc = `What a container, or all of a service of a compose project, has said lately on its standard output and error. It only counts: ok says that the logs could be read, and
nothing of what is in them. Judge by matches in the assertion, and know that silence is no proof of health. Lines are matched whole, without their times.`

type logsArgs struct {
	which
	Container string        `runbook:"container,optional" doc:"Name or ID of the container."`
	Service   string        `runbook:"service,optional" doc:"Service of the compose project, instead of a container."`
	Since     time.Duration `runbook:"since" default:"1h" doc:"How far to look back, by this machine's clock; 0s: to the beginning."`
	Tail      int64         `runbook:"tail" default:"0" doc:"Look at no more than so many of the last lines of each container; 0: at all."`
	Pattern   string        `runbook:"pattern,optional" doc:"Regular expression (RE2) of the lines that count as matches; without one, none do."`
	Keep      int64         `runbook:"keep" default:"20" doc:"How many of the last matching lines, or of the last lines without a pattern, to give back."`
}

type logsResult struct {
	sdk.Result
	Lines     int64      `runbook:"lines" doc:"How many lines there are."`
	Matches   int64      `runbook:"matches" doc:"How many of them match the pattern."`
	LastMatch *time.Time `runbook:"last_match" doc:"When the last of those was said; null: never."`
	Last      []string   `runbook:"last" doc:"The last matching lines, or last lines without a pattern, oldest first; of a long line the beginning."`
}

// What a look at logs reads and gives back at most.
const (
	mostLog  = 256 << 20
	mostLine = 2000
)

func (p *provider) logs(ctx context.Context, args logsArgs, _ *sdk.Call) (logsResult, error) {
	var pattern *regexp.Regexp
	m := meant{Container: args.Container, Service: args.Service, which: args.which}
	switch f := p.complete(&m); {
	case f != nil:
		return logsResult{}, f
	case args.Since < 0:
		return logsResult{}, sdk.InvalidArgument("since", "since must not be negative, got %s", args.Since)
	case args.Tail < 0:
		return logsResult{}, sdk.InvalidArgument("tail", "tail must not be negative, got %d", args.Tail)
	case args.Keep < 0:
		return logsResult{}, sdk.InvalidArgument("keep", "keep must not be negative, got %d", args.Keep)
	}
	if args.Pattern != "" {
		var err error
		if pattern, err = regexp.Compile(args.Pattern); err != nil {
			return logsResult{}, sdk.InvalidArgument("pattern", "the pattern cannot be used: %v", err)
		}
	}
	counted := &lineCounter{pattern: pattern, keep: int(args.Keep)}
	err := p.use(ctx, func(e *engine) error {
		found, err := e.meant(ctx, m)
		if err != nil {
			return err
		}
		for _, c := range found {
			if err := e.readLogs(ctx, c, args, counted); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return logsResult{}, err
	}
	result := logsResult{Lines: counted.lines, Matches: counted.matches, LastMatch: counted.lastMatch, Last: counted.last}
	result.Result = sdk.OK("%s said %s", m.name(), phrase.Count(result.Lines, "line", "lines"))
	if pattern != nil {
		result.Result = sdk.OK("%s said %s, of which %d match", m.name(), phrase.Count(result.Lines, "line", "lines"), result.Matches)
	}
	return result, nil
}

func (e *engine) readLogs(ctx context.Context, c containerState, args logsArgs, to *lineCounter) error {
	options := client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Timestamps: true, Tail: "all"}
	if args.Since > 0 {
		since := time.Now().Add(-args.Since)
		options.Since = fmt.Sprintf("%d.%09d", since.Unix(), since.Nanosecond())
	}
	if args.Tail > 0 {
		options.Tail = strconv.FormatInt(args.Tail, 10)
	}
	logs, err := e.ContainerLogs(ctx, c.ID, options)
	if err != nil {
		return err
	}
	defer func() { _ = logs.Close() }()
	bounded := &io.LimitedReader{R: logs, N: mostLog}
	to.begin()
	if c.tty {
		_, err = io.Copy(to.stream(), bounded)
	} else {
		_, err = stdcopy.StdCopy(to.stream(), to.stream(), bounded)
	}
	to.end()
	if bounded.N <= 0 {
		f := sdk.Fail("too_much_output", "%s said more than %d MiB", c.Name, mostLog>>20)
		f.Remedy = "look back less far: since, or tail"
		return f
	}
	return err
}

// lineCounter counts the lines of streams, each of which begins with its time.
type lineCounter struct {
	pattern *regexp.Regexp
	keep    int

	lines, matches int64
	lastMatch      *time.Time
	last           []string
	streams        []*lineStream
}

func (l *lineCounter) begin() { l.streams = nil }

func (l *lineCounter) stream() io.Writer {
	s := &lineStream{counter: l}
	l.streams = append(l.streams, s)
	return s
}

// end takes what is not a whole line for one.
func (l *lineCounter) end() {
	for _, s := range l.streams {
		if len(s.rest) > 0 {
			l.take(string(s.rest))
		}
	}
}

type lineStream struct {
	counter *lineCounter
	rest    []byte
}

var errLongLine = errors.New("a line has no end")

func (s *lineStream) Write(p []byte) (int, error) {
	for rest := p; ; {
		line, after, ended := bytes.Cut(rest, []byte{'\n'})
		s.rest = append(s.rest, line...)
		if !ended {
			if len(s.rest) > mostLog/8 {
				return 0, errLongLine
			}
			return len(p), nil
		}
		s.counter.take(string(s.rest))
		s.rest, rest = s.rest[:0], after
	}
}

func (l *lineCounter) take(line string) {
	l.lines++
	stamp, text, _ := strings.Cut(line, " ")
	text = strings.TrimRight(text, "\r")
	if l.pattern != nil {
		if !l.pattern.MatchString(text) {
			return
		}
		l.matches++
		if at := moment(stamp); at != nil && (l.lastMatch == nil || at.After(*l.lastMatch)) {
			l.lastMatch = at
		}
	}
	if l.keep == 0 {
		return
	}
	if len(text) > mostLine {
		text = strings.ToValidUTF8(text[:mostLine], "") + " …"
	}
	l.last = append(l.last, strings.ToValidUTF8(text, "�"))
	l.last = l.last[max(0, len(l.last)-l.keep):]
}
