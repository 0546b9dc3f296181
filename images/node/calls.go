package main

import (
	"syscall"
	"unsafe"
)

// Calls that package syscall lacks. Their numbers differ by architecture: calls_amd64.go, calls_arm64.go.

func unlinkSyscall(parent uintptr, name *byte, flags uintptr) syscall.Errno {
	_, _, code := syscall.Syscall(syscall.SYS_UNLINKAT, parent, uintptr(unsafe.Pointer(name)), flags)
	return code
}

// joinNamespace moves the calling thread alone.
func joinNamespace(handle uintptr) syscall.Errno {
	_, _, code := syscall.RawSyscall(numberSetns, handle, 0, 0)
	return code
}

func initModule(image []byte) syscall.Errno {
	noParameters := [1]byte{}
	_, _, code := syscall.Syscall(syscall.SYS_INIT_MODULE, uintptr(unsafe.Pointer(&image[0])), uintptr(len(image)),
		uintptr(unsafe.Pointer(&noParameters[0])))
	return code
}
