package minio

import (
	"context"
	"net/url"
	"path"
	"path/filepath"
	"strings"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// Place is one end of a copy: a part of a bucket, one object, or a folder.
type Place struct {
	Bucket    string `runbook:"bucket,optional" doc:"Name of a bucket. Either this or directory."`
	Prefix    string `runbook:"prefix,optional" doc:"The part of the bucket: a beginning of names that ends in /; without one, all of it."`
	Object    string `runbook:"object,optional" doc:"One object of the bucket, by its full name; only to copy from."`
	Site      string `runbook:"site,optional" doc:"The server of the bucket, by its name in the provider's sites; without one, the provider's own."`
	Directory string `runbook:"directory,optional" doc:"A folder on this machine; a relative one starts from the runbook's. No link leads out of it."`
}

// check says what is wrong with a place; argument is from or to.
func (p *provider) check(argument string, place Place) *schema.Failure {
	refuse := func(format string, args ...any) *schema.Failure {
		return sdk.InvalidArgument(argument, argument+": "+format, args...)
	}
	_, known := p.config.Sites[place.Site]
	switch {
	case (place.Bucket == "") == (place.Directory == ""):
		return refuse("give either bucket or directory")
	case place.Directory != "" && (place.Prefix != "" || place.Object != "" || place.Site != ""):
		return refuse("prefix, object and site are for buckets, not for a directory")
	case place.Prefix != "" && place.Object != "":
		return refuse("give either prefix or object")
	case place.Prefix != "" && !strings.HasSuffix(place.Prefix, "/"):
		return refuse("the prefix %s must end in /: otherwise it is not clear what its objects are called there", place.Prefix)
	case strings.HasPrefix(place.Prefix, "/") || strings.HasPrefix(place.Object, "/"):
		return refuse("names of objects begin without /")
	case place.Object != "" && (argument == "to" || strings.HasSuffix(place.Object, "/")):
		return refuse("object names one object to copy from")
	case place.Site != "" && !known:
		return refuse("there is no site %q in the provider's sites", place.Site)
	}
	return nil
}

// ends says what is wrong with both ends.
func (p *provider) ends(from, to Place) *schema.Failure {
	if f := p.check("from", from); f != nil {
		return f
	}
	if f := p.check("to", to); f != nil {
		return f
	}
	switch {
	case from.Directory != "" && to.Directory != "":
		return sdk.InvalidArgument("to", "both ends are directories; file.copy copies between those")
	case from.Bucket == to.Bucket && p.site(from).Endpoint == p.site(to).Endpoint && from.Object == "" &&
		(strings.HasPrefix(from.Prefix, to.Prefix) || strings.HasPrefix(to.Prefix, from.Prefix)):
		return sdk.InvalidArgument("to", "one end lies within the other")
	}
	return nil
}

// site is the server of a place.
func (p *provider) site(place Place) Site {
	if place.Site != "" {
		return p.config.other(place.Site)
	}
	return p.config.Site
}

// resource is a place as effects name it.
func (p *provider) resource(place Place) string {
	switch {
	case place.Directory != "":
		return (&url.URL{Scheme: "file", Path: filepath.ToSlash(p.directory(place))}).String()
	case place.Object != "":
		return p.site(place).object(place.Bucket, place.Object)
	}
	return p.site(place).resource(place.Bucket, place.Prefix)
}

// directory is the folder of a place.
func (p *provider) directory(place Place) string {
	if filepath.IsAbs(place.Directory) {
		return filepath.Clean(place.Directory)
	}
	return filepath.Join(p.dir, place.Directory)
}

// mc is a place as mc names it.
func (p *provider) mc(place Place) string {
	if place.Directory != "" {
		return strings.TrimSuffix(filepath.ToSlash(p.directory(place)), "/") + "/"
	}
	return under(firstOf(place.Site, p.config.Alias), place.Bucket, place.Prefix+place.Object)
}

// String is the place as messages name it.
func (place Place) String() string {
	text := place.Directory
	if place.Bucket != "" {
		text = at(place.Bucket, place.Prefix+place.Object)
	}
	if place.Site != "" {
		text += " of " + place.Site
	}
	return text
}

// end opens one end of a copy.
func (p *provider) end(ctx context.Context, place Place) (end, error) {
	if place.Directory != "" {
		return openDirectory(p.directory(place))
	}
	s, err := p.open(ctx, place.Site)
	if err != nil {
		return nil, err
	}
	return &bucketEnd{server: s, place: place}, nil
}

// name is what an object of this place is called at the other end.
func (place Place) name(key string) string {
	if place.Object != "" {
		return path.Base(key)
	}
	return strings.TrimPrefix(key, place.Prefix)
}
