package docker

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/api/types/image"
	"github.com/moby/moby/client"
)

func (s *sweep) unusedImages(ctx context.Context) error {
	if s.args.Images == "none" {
		return nil
	}
	// What is listed without measuring has no shared sizes below API 1.42.
	du, err := s.DiskUsage(ctx, client.DiskUsageOptions{Images: true, Verbose: true})
	if err != nil {
		return err
	}
	// The newer first: it may be built upon the older.
	slices.SortFunc(du.Images.Items, func(a, b image.Summary) int { return int(b.Created - a.Created) })
	none := func(reference string) bool { return strings.HasPrefix(reference, "<none>") }
	for _, i := range du.Images.Items {
		made := time.Unix(i.Created, 0)
		tags := slices.DeleteFunc(slices.Clone(i.RepoTags), none)
		referenced := len(tags) > 0 || slices.ContainsFunc(i.RepoDigests, func(digest string) bool { return !none(digest) })
		if s.images[i.ID] || s.args.Images == "dangling" && referenced || !s.fits(made, i.Labels) {
			continue
		}
		r := rubbish{kind: "images", name: short(i.ID), note: aged(made), bytes: max(0, i.Size-max(0, i.SharedSize))}
		if len(tags) > 0 {
			r.name = tags[0]
			r.note = strings.Join(append(tags[1:], r.note), ", ")
		}
		r.remove = func(ctx context.Context) error { return s.removeImage(ctx, i.ID, tags) }
		s.found = append(s.found, r)
	}
	return nil
}

// removeImage takes an image's references away one by one, since one with
// several goes by its ID only by force.
func (s *sweep) removeImage(ctx context.Context, id string, tags []string) error {
	names := tags
	if len(names) < 2 {
		names = []string{id}
	}
	for _, name := range names {
		if _, err := s.ImageRemove(ctx, name, client.ImageRemoveOptions{PruneChildren: true}); err != nil {
			return err
		}
	}
	return nil
}

func (s *sweep) unusedVolumes(ctx context.Context) error {
	if !s.args.AnonymousVolumes && len(s.args.Volumes) == 0 {
		return nil
	}
	sizes, err := s.volumeBytes(ctx)
	if err != nil {
		return err
	}
	listed, err := s.VolumeList(ctx, client.VolumeListOptions{})
	if err != nil {
		return err
	}
	for _, v := range listed.Items {
		named := slices.Contains(s.args.Volumes, v.Name)
		made, err := time.Parse(time.RFC3339, v.CreatedAt)
		if err != nil {
			made = time.Now() // it counts as young
		}
		fits := s.args.AnonymousVolumes && anonymous(v) && s.fits(made, v.Labels)
		switch {
		case named && s.volumes[v.Name]:
			return s.inUse(ctx, v.Name)
		case !named && !fits || s.volumes[v.Name]:
			continue
		}
		r := removal{sizes: sizes}
		s.found = append(s.found, rubbish{"volumes", v.Name, r.size(v.Name) + ", " + aged(made), sizes[v.Name], func(ctx context.Context) error {
			_, err := s.VolumeRemove(ctx, v.Name, client.VolumeRemoveOptions{})
			return err
		}})
	}
	return nil
}

// inUse is the failure of a volume that somebody uses.
func (s *sweep) inUse(ctx context.Context, name string) error {
	_, _, err := s.engine.volumes(ctx, []string{name})
	return err
}
