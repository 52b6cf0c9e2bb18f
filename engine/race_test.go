//go:build race

package engine

// underRace says that the race detector is on: what takes no part in races is then
// tried less often, and in full without it.
const underRace = true
