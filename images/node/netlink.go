package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"syscall"
)

// request sends one rtnetlink message and waits for its acknowledgement (rtnetlink(7)).
func request(kind, flags uint16, body []byte) error {
	handle, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC, syscall.NETLINK_ROUTE)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	defer syscall.Close(handle)
	message := encodeMessage(syscall.NlMsghdr{Type: kind, Flags: flags | syscall.NLM_F_REQUEST | syscall.NLM_F_ACK, Seq: 1}, body)
	if err := syscall.Sendto(handle, message, 0, &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK}); err != nil {
		return os.NewSyscallError("sendto", err)
	}
	buffer := make([]byte, syscall.Getpagesize())
	length, _, err := syscall.Recvfrom(handle, buffer, 0)
	if err != nil {
		return os.NewSyscallError("recvfrom", err)
	}
	return acknowledged(buffer[:length])
}

func encodeMessage(header syscall.NlMsghdr, body []byte) []byte {
	header.Len = uint32(syscall.NLMSG_HDRLEN + len(body))
	return append(encode(header), body...)
}

// encode lays out a fixed-size kernel structure.
func encode(structure any) []byte {
	var out bytes.Buffer
	// A bytes.Buffer does not fail, and every caller passes a structure of fixed size.
	_ = binary.Write(&out, binary.NativeEndian, structure)
	return out.Bytes()
}

// acknowledged reads the error number of the kernel's answer; 0 is success.
func acknowledged(answer []byte) error {
	messages, err := syscall.ParseNetlinkMessage(answer)
	if err != nil {
		return err
	}
	for _, message := range messages {
		if message.Header.Type != syscall.NLMSG_ERROR || len(message.Data) < 4 {
			continue
		}
		if code := int32(binary.NativeEndian.Uint32(message.Data)); code != 0 {
			return syscall.Errno(-code)
		}
		return nil
	}
	return errors.New("the kernel did not acknowledge a netlink request")
}
