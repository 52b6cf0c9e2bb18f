package minio

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/runbook-engine/runbook/providers/sdk"
)

// resource is the server as effects name it, or a bucket, or what lies under a
// prefix of it. A prefix covers whole segments of keys only: one that ends in
// the middle of a name may hit all of the folder that it is in.
func (s Site) resource(bucket, prefix string) string {
	u, err := url.Parse(s.Endpoint)
	if err != nil {
		return "s3://" + sdk.EffectHost("")
	}
	server := strings.TrimPrefix(sdk.EffectURL(&url.URL{Scheme: u.Scheme, Host: u.Host}), u.Scheme)
	text := "s3" + server
	if bucket == "" {
		return text
	}
	text += "/" + url.PathEscape(bucket)
	if i := strings.LastIndex(prefix, "/"); i >= 0 {
		text += escaped(prefix[:i])
	}
	return text
}

// object is one object as effects name it.
func (s Site) object(bucket, key string) string {
	return s.resource(bucket, "") + escaped(key)
}

func escaped(path string) string {
	var text strings.Builder
	for part := range strings.SplitSeq(path, "/") {
		if part != "" {
			text.WriteString("/" + url.PathEscape(part))
		}
	}
	return text.String()
}

// under is a bucket or prefix as mc names it.
func under(alias, bucket, prefix string) string {
	return strings.Join([]string{alias, bucket, prefix}, "/")
}

// at is what lies under a prefix of a bucket, as messages name it.
func at(bucket, prefix string) string {
	if prefix == "" {
		return bucket
	}
	return bucket + "/" + prefix
}

// ago is a length of time as mc takes it: days and what is left.
func ago(d time.Duration) string {
	const day = 24 * time.Hour
	var text strings.Builder
	if days := d / day; days > 0 {
		text.WriteString(strconv.FormatInt(int64(days), 10) + "d")
		d -= days * day
	}
	for _, unit := range []struct {
		of   time.Duration
		name string
	}{{time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}} {
		if n := d / unit.of; n > 0 {
			text.WriteString(strconv.FormatInt(int64(n), 10) + unit.name)
			d -= n * unit.of
		}
	}
	if text.Len() == 0 {
		return "0s"
	}
	return text.String()
}
