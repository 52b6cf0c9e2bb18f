package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const archivesDoc = `Which dumps lie in a folder, newest first, and which of them can be trusted: those whose SHA-256 is the one that postgres.dump wrote beside them, and that
pg_restore can list. It is ok when at least min of them verify, and the newest of those is no older than max_age.
It asks no server.`

type archivesArgs struct {
	Dir      string         `runbook:"dir" doc:"The folder."`
	Pattern  string         `runbook:"pattern" doc:"Which file names count, such as market-*.dump." default:"*.dump"`
	Min      int64          `runbook:"min" doc:"The fewest that must verify." default:"1"`
	MaxAge   *time.Duration `runbook:"max_age" doc:"The oldest that the newest one that verifies may be."`
	Checksum bool           `runbook:"checksum" doc:"Compute the SHA-256 of each, which reads all of it. Without it an archive verifies that pg_restore can list, though its rows may be damaged." default:"true"`
}

type archivesResult struct {
	sdk.Result
	Archives      []archive  `runbook:"archives" doc:"The dumps, newest first."`
	Verified      int64      `runbook:"verified" doc:"How many of them verify."`
	Broken        int64      `runbook:"broken" doc:"How many do not."`
	NewestPath    *string    `runbook:"newest_path" doc:"The newest one that verifies; null where none does."`
	NewestAt      *time.Time `runbook:"newest_at" doc:"When that was written."`
	AgeSeconds    *float64   `runbook:"age_seconds" doc:"How long ago that was."`
	VerifiedBytes int64      `runbook:"verified_bytes" doc:"Size of all that verify."`
}

func (p *provider) archives(ctx context.Context, args archivesArgs, call *sdk.Call) (archivesResult, error) {
	if args.Min < 0 {
		return archivesResult{}, sdk.InvalidArgument("min", "min must not be negative, got %d", args.Min)
	}
	found, err := p.folder(ctx, call, args.Dir, args.Pattern, args.Checksum)
	if err != nil {
		return archivesResult{}, err
	}
	result := archivesResult{Archives: found}
	for i, a := range found {
		if !a.Verified {
			result.Broken++
			continue
		}
		result.Verified++
		result.VerifiedBytes += a.Bytes
		if result.NewestPath == nil {
			age := time.Since(a.At).Seconds()
			result.NewestPath, result.NewestAt, result.AgeSeconds = &found[i].Path, &found[i].At, &age
		}
	}
	result.Result = result.judge(args)
	return result, nil
}

func (r archivesResult) judge(args archivesArgs) sdk.Result {
	told := fmt.Sprintf("%s in %s", phrase.Count(r.Verified, "dump verifies", "dumps verify"), args.Dir)
	if r.Broken > 0 {
		first := ""
		for _, a := range r.Archives {
			if !a.Verified {
				first = a.Path + ": " + a.Problem
				break
			}
		}
		told += fmt.Sprintf(", %d do not (%s)", r.Broken, first)
	}
	switch {
	case r.Verified < args.Min:
		return sdk.NotOK("%s; %d must", told, args.Min)
	case r.AgeSeconds == nil:
		return sdk.OK("%s", told)
	case args.MaxAge != nil && *r.AgeSeconds > args.MaxAge.Seconds():
		return sdk.NotOK("%s; the newest is %s old, the limit is %s", told, phrase.Span(*r.AgeSeconds), phrase.Span(args.MaxAge.Seconds()))
	}
	return sdk.OK("%s; the newest is %s old", told, phrase.Span(*r.AgeSeconds))
}
