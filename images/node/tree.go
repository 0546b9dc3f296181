package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

const (
	openPath      = 0x200000 // O_PATH, which package syscall does not name
	removeFolder  = 0x200    // AT_REMOVEDIR
	permissions   = 0o7777
	openDirectory = syscall.O_RDONLY | syscall.O_DIRECTORY | syscall.O_NOFOLLOW | syscall.O_CLOEXEC
)

// fileMode is a mode as text, "0600": JSON has no octal numbers.
type fileMode uint32

// UnmarshalJSON refuses what is not octal text of at most 07777.
func (m *fileMode) UnmarshalJSON(text []byte) error {
	var digits string
	if err := json.Unmarshal(text, &digits); err != nil {
		return err
	}
	number, err := strconv.ParseUint(digits, 8, 32)
	if err != nil || number > permissions {
		return fmt.Errorf("mode %q is not octal text such as \"0600\"", digits)
	}
	*m = fileMode(number)
	return nil
}

func (m fileMode) String() string { return fmt.Sprintf("%04o", uint32(m)) }

// checkPath accepts only an absolute, cleaned path below the root.
func checkPath(path string) error {
	if !filepath.IsAbs(path) || filepath.Clean(path) != path || path == "/" || strings.ContainsRune(path, 0) {
		return fmt.Errorf("path %q is not an absolute, cleaned path below /", path)
	}
	return nil
}

// openFolder opens a folder component by component and refuses a symbolic link anywhere on the way.
func openFolder(path string) (*os.File, error) {
	root, err := syscall.Open("/", openDirectory, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: "/", Err: err}
	}
	here := os.NewFile(uintptr(root), "/")
	for _, name := range components(path) {
		next, err := openFolderAt(here, name)
		here.Close()
		if err != nil {
			return nil, err
		}
		here = next
	}
	return here, nil
}

func components(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

func openFolderAt(parent *os.File, name string) (*os.File, error) {
	path := filepath.Join(parent.Name(), name)
	handle, err := syscall.Openat(int(parent.Fd()), name, openDirectory, 0)
	if err == nil {
		return os.NewFile(uintptr(handle), path), nil
	}
	if entry, problem := statAt(parent, name); problem == nil && isLink(entry) {
		return nil, &placed{path: path, code: syscall.ELOOP, why: "a symbolic link is never followed"}
	}
	return nil, &os.PathError{Op: "open", Path: path, Err: err}
}

// statAt describes an entry itself, never what a link points to.
func statAt(parent *os.File, name string) (*syscall.Stat_t, error) {
	path := filepath.Join(parent.Name(), name)
	handle, err := syscall.Openat(int(parent.Fd()), name, openPath|syscall.O_NOFOLLOW|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer syscall.Close(handle)
	var entry syscall.Stat_t
	if err := syscall.Fstat(handle, &entry); err != nil {
		return nil, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	return &entry, nil
}

func unlinkAt(parent *os.File, name string, flags uintptr) error {
	text, err := syscall.BytePtrFromString(name)
	if err != nil {
		return err
	}
	if code := unlinkSyscall(parent.Fd(), text, flags); code != 0 {
		return &os.PathError{Op: "unlink", Path: filepath.Join(parent.Name(), name), Err: code}
	}
	return nil
}

func isFolder(entry *syscall.Stat_t) bool  { return entry.Mode&syscall.S_IFMT == syscall.S_IFDIR }
func isLink(entry *syscall.Stat_t) bool    { return entry.Mode&syscall.S_IFMT == syscall.S_IFLNK }
func isRegular(entry *syscall.Stat_t) bool { return entry.Mode&syscall.S_IFMT == syscall.S_IFREG }

func isMissing(err error) bool { return errors.Is(err, syscall.ENOENT) }

// hasRights tells whether mode and owner are exactly these.
func hasRights(entry *syscall.Stat_t, mode fileMode, uid, gid uint32) bool {
	return entry.Mode&permissions == uint32(mode) && entry.Uid == uid && entry.Gid == gid
}
