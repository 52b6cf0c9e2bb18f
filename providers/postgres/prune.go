package postgres

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const pruneDoc = `Deletes old dumps of a folder and keeps the newest ones that verify, as postgres.archives verifies them. A broken dump never takes the place of a good one:
it does not count among those that are kept, and stays unless broken is set. Where fewer verify than are to be kept, none of them is deleted.
The preview lists what goes. Doing it again is harmless.`

type pruneArgs struct {
	Dir       string         `runbook:"dir" doc:"The folder."`
	Pattern   string         `runbook:"pattern" doc:"Which file names count, such as market-*.dump." default:"*.dump"`
	Keep      int64          `runbook:"keep" doc:"How many of those that verify are kept, the newest ones; at least 1."`
	OlderThan *time.Duration `runbook:"older_than" doc:"Keep those too that are no older than this."`
	Broken    bool           `runbook:"broken" doc:"Delete those too that do not verify and are older than the newest one that does." default:"false"`
}

type pruneResult struct {
	sdk.Result
	Dumps   int64    `runbook:"dumps" doc:"How many dumps were deleted."`
	Bytes   int64    `runbook:"bytes" doc:"How much room that gave back."`
	Deleted []string `runbook:"deleted" doc:"The files."`
	Kept    int64    `runbook:"kept" doc:"How many that verify are left."`
	Broken  int64    `runbook:"broken" doc:"How many that do not verify are left."`
}

func (args pruneArgs) validate() *schema.Failure {
	switch {
	case args.Keep < 1:
		return sdk.InvalidArgument("keep", "keep must be at least 1, got %d", args.Keep)
	case args.OlderThan != nil && *args.OlderThan < 0:
		return sdk.InvalidArgument("older_than", "older_than must not be negative, got %s", *args.OlderThan)
	}
	return nil
}

// goes divides archives, newest first, into those that go and those that stay.
func (args pruneArgs) goes(found []archive, now time.Time) (gone, stays []archive) {
	var verified int64
	for _, a := range found {
		old := args.OlderThan == nil || now.Sub(a.At) > *args.OlderThan
		switch {
		case a.Verified && (verified < args.Keep || !old):
			verified++
			stays = append(stays, a)
		case a.Verified, args.Broken && old && verified > 0:
			gone = append(gone, a)
		default:
			stays = append(stays, a)
		}
	}
	return gone, stays
}

func size(archives []archive) (bytes int64) {
	for _, a := range archives {
		bytes += a.Bytes
	}
	return bytes
}

func (p *provider) pruneDumps(ctx context.Context, args pruneArgs, call *sdk.Call) (pruneResult, error) {
	if f := args.validate(); f != nil {
		return pruneResult{}, sdk.Clean(f)
	}
	found, err := p.folder(ctx, call, args.Dir, args.Pattern, true)
	if err != nil {
		return pruneResult{}, sdk.Clean(err)
	}
	gone, stays := args.goes(found, time.Now())
	for unit, n := range map[string]int64{"dumps": int64(len(gone)), "bytes": size(gone)} {
		if limit, limited := call.Limit(unit); limited && n > limit {
			f := sdk.Fail("limit_exceeded", "%d %s would be deleted, the limit is %d; none was", n, unit, limit)
			f.Remedy = "look at them with postgres.archives, then keep more, or raise limit"
			return pruneResult{}, sdk.Clean(f)
		}
	}
	var result pruneResult
	for _, a := range gone {
		err := ctx.Err()
		if err == nil {
			err = os.Remove(a.Path)
		}
		if err != nil {
			err = fmt.Errorf("after deleting %s: %w", phrase.Count(result.Dumps, "dump", "dumps"), p.ended(ctx, err))
			if result.Dumps == 0 {
				err = sdk.Clean(err)
			}
			return pruneResult{}, err
		}
		_ = os.Remove(a.Path + sumSuffix) // without its dump it says nothing
		result.Dumps++
		result.Bytes += a.Bytes
		result.Deleted = append(result.Deleted, a.Path)
		call.Logf("deleted %s (%s)", a.Path, phrase.Size(a.Bytes))
	}
	for _, a := range stays {
		if a.Verified {
			result.Kept++
		} else {
			result.Broken++
		}
	}
	result.Result = sdk.OK("deleted %s (%s), kept %s", phrase.Count(result.Dumps, "dump", "dumps"), phrase.Size(result.Bytes), phrase.Count(result.Kept, "that verifies", "that verify"))
	if result.Broken > 0 {
		result.Summary += fmt.Sprintf(", and %s left alone", phrase.Count(result.Broken, "broken one was", "broken ones were"))
	}
	return result, nil
}

func (p *provider) describePrune(args pruneArgs, call *sdk.Call) sdk.Description {
	d := sdk.Description{Destructive: true, Summary: "deletes old dumps"}
	if call.Unknown("dir") {
		d.Effects = []schema.Effect{{Resource: fileResource("/"), Mode: schema.Delete}}
		return d
	}
	d.Effects = []schema.Effect{{Resource: fileResource(p.path(args.Dir)), Mode: schema.Delete}}
	if call.Unknown("keep") || call.Unknown("pattern") || call.Unknown("older_than") || call.Unknown("broken") {
		return d
	}
	d.Failure = args.validate()
	d.Summary = fmt.Sprintf("deletes the dumps of %s but the newest %d that verify", args.Dir, args.Keep)
	d.Command = []string{"sh", "-c", fmt.Sprintf(`ls -t "$0"/%s | tail -n +%d | xargs -r rm --`, args.Pattern, args.Keep+1), args.Dir}
	return d
}

func (p *provider) previewPrune(ctx context.Context, args pruneArgs, call *sdk.Call) (sdk.PreviewResult, error) {
	found, err := p.folder(ctx, call, args.Dir, args.Pattern, true)
	if err != nil {
		return sdk.PreviewResult{}, err
	}
	gone, stays := args.goes(found, time.Now())
	seen := sdk.PreviewResult{
		Impact:  schema.Impact{"dumps": int64(len(gone)), "bytes": size(gone)},
		Summary: fmt.Sprintf("deletes %s (%s) of %s, and leaves %d", phrase.Count(int64(len(gone)), "dump", "dumps"), phrase.Size(size(gone)), args.Dir, len(stays)),
	}
	for _, a := range gone[:min(len(gone), 4*sampleRows)] {
		line := fmt.Sprintf("%s, %s, %s", filepath.Base(a.Path), phrase.Size(a.Bytes), a.At.UTC().Format(time.RFC3339))
		if !a.Verified {
			line += ", " + a.Problem
		}
		seen.Sample = append(seen.Sample, line)
	}
	return seen, nil
}
