// SPDX-License-Identifier: Apache-2.0
// The DHCP client on a simulated line: what it sends, as its node would punt it, and what it makes of the answers (RFC 2131 4.4).

import BNGCore
import DHCPv4
import Ethernet

struct SimulatedLine {
    enum State {
        case idle, selecting, requesting
        case bound(IPv4Address, server: IPv4Address)
    }

    var state = State.idle
    /// Nanoseconds of uptime: when it tries again.
    var deadline: UInt64 = 0
    var tries = 0

    /// C-VLANs of a node's lines; the S-VLAN counts up behind them.
    static let cVLANs = 4_000

    static func tags(_ line: Int) -> VLANTags {
        VLANTags(
            sVLAN: UInt16(1 + line / Self.cVLANs), cVLAN: UInt16(1 + line % Self.cVLANs), sTPID: 0x88a8, cTPID: 0x8100)
    }

    static func mac(node: Int, line: Int) -> MACAddress {
        MACAddress(rawValue: 0x02_00_00_00_00_00 | UInt64(node & 0xffff) << 24 | UInt64(line & 0xff_ffff))
    }

    static func discover(node: Int, line: Int) -> [UInt8] {
        self.frame(self.message(.discover, node, line), node, line)
    }

    static func request(node: Int, line: Int, address: IPv4Address, server: IPv4Address) -> [UInt8] {
        var message = self.message(.request, node, line)
        message.options.append(DHCPv4OptionCode.requestedAddress, address)
        message.options.append(DHCPv4OptionCode.serverIdentifier, server)
        return self.frame(message, node, line)
    }

    static func release(node: Int, line: Int, address: IPv4Address, server: IPv4Address) -> [UInt8] {
        var message = self.message(.release, node, line)
        message.clientAddress = address
        message.options.append(DHCPv4OptionCode.serverIdentifier, server)
        return self.frame(message, node, line, from: address, to: server)
    }

    private static func message(_ type: DHCPv4MessageType, _ node: Int, _ line: Int) -> DHCPv4Message {
        var message = DHCPv4Message(
            op: .request, xid: UInt32(line), flags: 0x8000, clientMAC: self.mac(node: node, line: line))
        message.options.append(DHCPv4OptionCode.messageType, [type.rawValue])
        return message
    }

    private static func frame(
        _ message: DHCPv4Message, _ node: Int, _ line: Int, from source: IPv4Address = .zero,
        to destination: IPv4Address = IPv4Address(rawValue: .max)
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        EthernetHeader(
            destination: MACAddress(rawValue: 0xffff_ffff_ffff), source: message.clientMAC, tags: self.tags(line),
            etherType: EthernetHeader.ipv4
        ).encode(into: &bytes)
        encodeUDP(
            from: (source, 68), to: (destination, 67), payload: DHCPv4Codec.encode(message), into: &bytes)
        return bytes
    }

    /// The DHCP reply in an injected frame; nil if it is something else.
    static func reply(in frame: [UInt8]) -> DHCPv4Message? {
        guard let header = try? EthernetHeader(decoding: frame.span), header.etherType == EthernetHeader.ipv4,
            let datagram = try? UDPDatagram(decoding: frame.span, at: header.length), datagram.destinationPort == 68,
            let message = try? DHCPv4Codec.decode(frame.span.extracting(datagram.payload)), message.op == .reply
        else { return nil }
        return message
    }
}
