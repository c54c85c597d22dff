//go:build !unix

package outlet

import "os/exec"

// ownGroup does nothing where there are no process groups: the command itself is
// ended when its time is up, what it started is not.
func ownGroup(*exec.Cmd) {}

// endGroup does nothing where there are no process groups.
func endGroup(*exec.Cmd) {}
