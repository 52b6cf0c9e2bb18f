// Package processes reads the table of processes: who belongs to whom, and who
// has a file open. The engine and the SDK both end what an attempt has left at
// work by it; what is to be ended is their decision. Where the table cannot be
// read it is empty: on anything but Linux it always is.
package processes

// Process is one row of the table, as it was when it was read. A zombie has one.
type Process struct{ PID, Parent, Group, Session int }
