//go:build unix

package outlet

import (
	"os/exec"
	"syscall"
)

// ownGroup gives a command a process group of its own, and ends all of it when
// the time is up.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}

// endGroup ends what a command that has ended left running in its group. While
// anything runs there the number of the group is given to nobody else; where
// nothing does, the call finds nothing.
func endGroup(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
