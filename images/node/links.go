package main

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"syscall"
)

// deleteLinks deletes network links by their exact names and tells which were there.
func deleteLinks(names []string) ([]string, error) {
	present, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	gone := []string{}
	for _, link := range present {
		if !slices.Contains(names, link.Name) {
			continue
		}
		body := encode(syscall.IfInfomsg{Family: syscall.AF_UNSPEC, Index: int32(link.Index)})
		// ENODEV: deleting one end of a pair took the other with it.
		err := request(syscall.RTM_DELLINK, 0, body)
		if err != nil && !errors.Is(err, syscall.ENODEV) {
			return gone, &os.PathError{Op: "delete link", Path: link.Name, Err: err}
		}
		gone = append(gone, link.Name)
	}
	return gone, nil
}

// deleteRoutes deletes the main table's routes to networks that lie within the given ranges.
func deleteRoutes(ranges []netip.Prefix) ([]string, error) {
	gone := []string{}
	if len(ranges) == 0 {
		return gone, nil
	}
	for _, family := range []int{syscall.AF_INET, syscall.AF_INET6} {
		answer, err := syscall.NetlinkRIB(syscall.RTM_GETROUTE, family)
		if err != nil {
			return gone, os.NewSyscallError("netlinkrib", err)
		}
		messages, err := syscall.ParseNetlinkMessage(answer)
		if err != nil {
			return gone, err
		}
		for i := range messages {
			target, ok := routeTarget(&messages[i])
			if !ok || !within(target, ranges) {
				continue
			}
			if err := deleteRoute(messages[i].Data); err != nil {
				return gone, &os.PathError{Op: "delete route", Path: target.String(), Err: err}
			}
			gone = append(gone, target.String())
		}
	}
	return gone, nil
}

// deleteRoute hands back the kernel's own description of a route, without its state flags.
func deleteRoute(described []byte) error {
	const flags = 8 // offset of rtm_flags, the last field of struct rtmsg
	clear(described[flags:syscall.SizeofRtMsg])
	err := request(syscall.RTM_DELROUTE, 0, described)
	if errors.Is(err, syscall.ESRCH) {
		return nil // it went with its link in the meantime
	}
	return err
}

// routeTarget gives the destination of a route of the main table; the default route has none.
func routeTarget(message *syscall.NetlinkMessage) (netip.Prefix, bool) {
	if message.Header.Type != syscall.RTM_NEWROUTE || len(message.Data) < syscall.SizeofRtMsg {
		return netip.Prefix{}, false
	}
	length, table := int(message.Data[1]), uint32(message.Data[4]) // rtm_dst_len, rtm_table
	attributes, err := syscall.ParseNetlinkRouteAttr(message)
	if err != nil {
		return netip.Prefix{}, false
	}
	var target netip.Prefix
	for _, attribute := range attributes {
		switch attribute.Attr.Type {
		case syscall.RTA_DST:
			if address, ok := netip.AddrFromSlice(attribute.Value); ok {
				target = netip.PrefixFrom(address, length)
			}
		case syscall.RTA_TABLE:
			table = binary.NativeEndian.Uint32(attribute.Value)
		}
	}
	return target, target.IsValid() && table == syscall.RT_TABLE_MAIN
}

func within(target netip.Prefix, ranges []netip.Prefix) bool {
	for _, whole := range ranges {
		if whole.Bits() <= target.Bits() && whole.Contains(target.Addr()) {
			return true
		}
	}
	return false
}
