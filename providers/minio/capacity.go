package minio

import (
	"fmt"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/sdk"
)

func (r *capacityResult) judge(args capacityArgs) sdk.Result {
	if r.TotalBytes == 0 {
		return sdk.NotOK("no drive is online")
	}
	r.UsedRatio = 1 - float64(r.FreeBytes)/float64(r.TotalBytes)
	told := fmt.Sprintf("%.0f %% of %s in use, %s are left", 100*r.UsedRatio, phrase.Size(r.TotalBytes), phrase.Size(r.FreeBytes))
	switch {
	case r.OfflineDrives > 0:
		return sdk.NotOK("%s of %d not online; %s", phrase.Count(int64(r.OfflineDrives), "drive", "drives"), r.OfflineDrives+r.OnlineDrives, told)
	case r.UsedRatio >= args.MaxUsedRatio:
		return sdk.NotOK("%s", told)
	}
	return sdk.OK("%s; %s online", told, phrase.Count(int64(r.OnlineDrives), "drive", "drives"))
}
