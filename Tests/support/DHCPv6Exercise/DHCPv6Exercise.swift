// SPDX-License-Identifier: Apache-2.0
// Whatever may come to the port of a DHCPv6 server: decoded, read, written again. The fuzzer and unit tests feed it.

import BNGCore
import DHCPv6

/// Takes bytes the whole way; what it returns is a promise that was not kept.
public enum DHCPv6Exercise {
    /// nil: every promise was kept. The bytes are taken as a packet, and as a list of events.
    public static func problem(with data: [UInt8]) -> String? {
        Self.packetProblem(data) ?? DHCPv6ServerExercise.problem(with: data)
    }

    private static func packetProblem(_ data: [UInt8]) -> String? {
        guard let packet = try? DHCPv6Codec.decode(data.span) else { return nil }
        guard let again = DHCPv6Codec.encode(packet) else { return "what was decoded cannot be encoded" }
        guard (try? DHCPv6Codec.decode(again.span)) == packet else { return "an encoded packet decodes to another" }
        if again.count != data.count { return "a packet changes its length" }
        if packet.hops.count > DHCPv6Codec.hopLimit { return "too many relays" }
        if packet.message.associations.count > DHCPv6Codec.associationLimit { return "too many associations" }
        if let duid = packet.message.clientID, case .uuid(let bytes) = duid.kind, bytes.count != 16 {
            return "a UUID of another length"
        }
        for hop in packet.hops {
            guard let mac = hop.clientMAC else { continue }
            if !hop.options.contains(.other(DHCPv6OptionCode.clientLinkLayerAddress, [0, 1] + mac.bytes)) {
                return "a MAC address that no relay told"
            }
        }
        if let duid = packet.message.clientID, let mac = duid.mac, !duid.bytes.suffix(6).elementsEqual(mac.bytes) {
            return "a MAC address that is not the DUID's"
        }
        let reply = packet.reply(DHCPv6Message(.reply, transactionID: packet.message.transactionID))
        guard let bytes = DHCPv6Codec.encode(reply), let back = try? DHCPv6Codec.decode(bytes.span), back == reply
        else {
            return "a reply does not decode"
        }
        return back.hops.map(\.peerAddress) == packet.hops.map(\.peerAddress)
            && back.hops.map(\.interfaceID) == packet.hops.map(\.interfaceID) ? nil : "a reply goes another way"
    }
}
