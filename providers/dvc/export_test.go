package dvc

import (
	"context"

	"github.com/minio/minio-go/v7"
)

// ListedSizes finds objects by listing a bucket, as for a remote with more
// objects than inTurn.
func ListedSizes(ctx context.Context, client *minio.Client, name, prefix string, hashes []string, inTurn int) (map[string]int64, error) {
	b := &bucket{client: client, name: name, prefix: prefix, inTurn: inTurn}
	var objects []object
	for _, hash := range hashes {
		objects = append(objects, object{hash: hash})
	}
	found, err := b.listed(ctx, objects)
	sizes := map[string]int64{}
	for o, size := range found {
		sizes[o.hash] = size
	}
	return sizes, err
}

// Expand looks into the list of a folder.
func Expand(ctx context.Context, cache, list string) error {
	c := &comparison{outputs: []output{{path: "dir", object: object{hash: list}}}}
	return c.expand(ctx, folder{root: cache}, nil)
}
