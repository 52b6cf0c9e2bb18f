package protocol

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// The engine's end is told by the liveness pipe first, and by the lost
// connection after it.
func TestActionOutlastsItsConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		connection, lose := context.WithCancel(t.Context())
		ctx, release := outlast(connection)
		defer release()
		began := time.Now()
		lose()
		<-ctx.Done()
		if took := time.Since(began); took != lossGrace {
			t.Errorf("it ended %v after its connection, not %v", took, lossGrace)
		}
	})
}
