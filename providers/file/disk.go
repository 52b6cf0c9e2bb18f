package file

import (
	"context"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/runbook-engine/runbook/providers/internal/folder"
	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const diskDoc = `The room on the file system that a path lies on. It is ok when less than max_used_ratio of its room, and of its inodes, is in use, and at least min_free_bytes are left.`

type diskArgs struct {
	Path         string  `runbook:"path" doc:"A file or folder on it."`
	MaxUsedRatio float64 `runbook:"max_used_ratio" default:"0.9" doc:"Share in use, from 0 to 1, from which on it is no longer ok."`
	MinFreeBytes int64   `runbook:"min_free_bytes" default:"0" doc:"The least room that is ok."`
}

type diskResult struct {
	sdk.Result
	TotalBytes     int64    `runbook:"total_bytes" doc:"Size of the file system."`
	FreeBytes      int64    `runbook:"free_bytes" doc:"Room that is left for users other than root."`
	UsedRatio      float64  `runbook:"used_ratio" doc:"Share of the room in use, as df tells it: from 0 to 1."`
	InodeUsedRatio *float64 `runbook:"inode_used_ratio" doc:"Share of the inodes in use; null where the file system counts none."`
}

func (p *provider) disk(_ context.Context, args diskArgs, _ *sdk.Call) (diskResult, error) {
	if f := p.check("path", args.Path); f != nil {
		return diskResult{}, f
	}
	if args.MaxUsedRatio <= 0 || args.MaxUsedRatio > 1 {
		return diskResult{}, sdk.InvalidArgument("max_used_ratio", "max_used_ratio must be above 0 and at most 1, got %g", args.MaxUsedRatio)
	}
	name := p.absolute(args.Path)
	if _, err := p.stat(name); err != nil { // it may lead out of the root
		return diskResult{}, folder.Failure("measure", name, err)
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(name, &fs); err != nil {
		return diskResult{}, folder.Failure("measure", name, err)
	}
	size := int64(fs.Bsize)
	result := diskResult{TotalBytes: int64(fs.Blocks) * size, FreeBytes: int64(fs.Bavail) * size}
	used := int64(fs.Blocks-fs.Bfree) * size
	if used+result.FreeBytes > 0 {
		result.UsedRatio = float64(used) / float64(used+result.FreeBytes)
	}
	inodes := 0.0
	if fs.Files > 0 {
		inodes = 1 - float64(fs.Ffree)/float64(fs.Files)
		result.InodeUsedRatio = &inodes
	}
	told := fmt.Sprintf("%.0f %% of %s under %s in use, %s are left", 100*result.UsedRatio, phrase.Size(result.TotalBytes), name, phrase.Size(result.FreeBytes))
	result.Result = sdk.OK("%s", told)
	switch {
	case inodes >= args.MaxUsedRatio:
		result.Result = sdk.NotOK("%.0f %% of the inodes under %s in use", 100*inodes, name)
	case result.UsedRatio >= args.MaxUsedRatio, result.FreeBytes < args.MinFreeBytes:
		result.Result = sdk.NotOK("%s", told)
	}
	return result, nil
}
