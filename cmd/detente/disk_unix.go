//go:build linux || darwin

package main

import "syscall"

// diskOf says how much of the disk of a directory is free to this process.
func diskOf(dir string) func() (free, size int64, err error) {
	return func() (int64, int64, error) {
		var st syscall.Statfs_t
		if err := syscall.Statfs(dir, &st); err != nil {
			return 0, 0, err
		}
		block := int64(st.Bsize) //nolint:unconvert // of another width on other systems
		return int64(st.Bavail) * block, int64(st.Blocks) * block, nil
	}
}
