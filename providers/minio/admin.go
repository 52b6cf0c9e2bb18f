package minio

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/signer"

	"github.com/runbook-engine/runbook/providers/sdk"
)

// adminLimit bounds an answer of the admin API.
const adminLimit = 64 << 20

// admin makes a request to MinIO's admin API and decodes the answer. Only calls
// whose content is not encrypted can be made so.
func (s *server) admin(ctx context.Context, method, path string, query url.Values, content, answer any) error {
	var body []byte
	if content != nil {
		var err error
		if body, err = json.Marshal(content); err != nil {
			return err
		}
	}
	u := strings.TrimSuffix(s.site.Endpoint, "/") + "/minio/admin/v3/" + path + "?" + query.Encode()
	req, err := http.NewRequestWithContext(ctx, method, u, bytes.NewReader(body))
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	req.Header.Set("X-Amz-Content-Sha256", hex.EncodeToString(sum[:]))
	req = signer.SignV4(*req, s.site.AccessKey, s.site.SecretKey, s.site.SessionToken, s.site.Region)
	response, err := s.plain.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, adminLimit))
	if err != nil {
		return err
	}
	var said struct{ Code, Message string }
	told := json.Unmarshal(text, &said) == nil && said.Code != ""
	switch {
	case told:
		return minio.ErrorResponse{Code: said.Code, Message: said.Message, StatusCode: response.StatusCode}
	case response.StatusCode != http.StatusOK:
		return s.notMinIO("admin API")
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return errors.Join(s.notMinIO("admin API"), err)
	}
	return nil
}

const capacityDoc = `How much room MinIO's drives have, as each drive's file system says now. It is ok when every drive is online and less than max_used_ratio of the room is in use.
It needs an access key of an administrator, and MinIO.`

type capacityArgs struct {
	MaxUsedRatio float64 `runbook:"max_used_ratio" default:"0.9" doc:"Share of the room, from 0 to 1, from which on it is no longer ok."`
}

type drive struct {
	Server     string `runbook:"server" doc:"Host and port of its server."`
	Path       string `runbook:"path" doc:"Folder of the drive."`
	State      string `runbook:"state" doc:"ok, or what is wrong, such as offline, unformatted or corrupt."`
	TotalBytes int64  `runbook:"total_bytes" doc:"Size of its file system."`
	FreeBytes  int64  `runbook:"free_bytes" doc:"Room that is left on it."`
	Healing    bool   `runbook:"healing" doc:"Whether it is being filled again."`
}

type capacityResult struct {
	sdk.Result
	TotalBytes    int64   `runbook:"total_bytes" doc:"Room of all drives that are online, before what redundancy takes of it."`
	FreeBytes     int64   `runbook:"free_bytes" doc:"Room that is left on them."`
	UsedRatio     float64 `runbook:"used_ratio" doc:"Share of the room in use, by whomever: from 0 to 1."`
	OnlineDrives  int     `runbook:"online_drives" doc:"Drives that are ok."`
	OfflineDrives int     `runbook:"offline_drives" doc:"Drives that are not."`
	Parity        int     `runbook:"parity" doc:"How many drives of each set may be lost without a loss of data."`
	Version       string  `runbook:"version" doc:"The server's version."`
	Drives        []drive `runbook:"drives" doc:"Each drive."`
}

// serverInfo is what the admin API says of the servers.
type serverInfo struct {
	Backend struct {
		Parity int `json:"standardSCParity"`
	} `json:"backend"`
	Servers []struct {
		Endpoint, Version string
		Drives            []struct {
			Path, State string
			Healing     bool
			Total       int64 `json:"totalspace"`
			Free        int64 `json:"availspace"`
		}
	}
}

func (p *provider) capacity(ctx context.Context, args capacityArgs, _ *sdk.Call) (capacityResult, error) {
	if args.MaxUsedRatio <= 0 || args.MaxUsedRatio > 1 {
		return capacityResult{}, sdk.InvalidArgument("max_used_ratio", "max_used_ratio must be above 0 and at most 1, got %g", args.MaxUsedRatio)
	}
	var info serverInfo
	if err := p.use(ctx, func(s *server) error { return s.admin(ctx, http.MethodGet, "info", nil, nil, &info) }); err != nil {
		return capacityResult{}, err
	}
	result := capacityResult{Parity: info.Backend.Parity}
	for _, server := range info.Servers {
		result.Version = server.Version
		for _, d := range server.Drives {
			result.Drives = append(result.Drives, drive{
				Server: server.Endpoint, Path: d.Path, State: d.State, TotalBytes: d.Total, FreeBytes: d.Free, Healing: d.Healing,
			})
			if d.State != "ok" {
				result.OfflineDrives++
				continue
			}
			result.OnlineDrives++
			result.TotalBytes += d.Total
			result.FreeBytes += d.Free
		}
	}
	result.Result = result.judge(args)
	return result, nil
}
