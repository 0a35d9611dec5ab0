// SPDX-License-Identifier: Apache-2.0
// Which layer-3 relay a Relay-forward came through, and which of its clients sent it.

import BNGCore
import DHCPv6
import Fleet

extension IPv6Frame {
    /// An access node leaves the client's addresses on the frame and names no link (RFC 6221 5), so the line is the frame's. A relay
    /// that routes puts its own there: the line is known by the relay and by the client's MAC address, as with giaddr and chaddr.
    mutating func findRelay(_ packet: DHCPv6Packet, _ punted: PuntedPacket) throws(Refusal) {
        let links = packet.hops.map(\.linkAddress).filter { !$0.isUnspecified }
        // RFC 8415 19.1.2: a relay of relays with a routable address names no link.
        let isRouted = packet.hops.first?.linkAddress.isUnspecified == true && !self.source.isLinkLocal
        let named = links + (isRouted ? [self.source] : [])
        guard let link = named.first else { return }
        // Whoever is on the way is trusted, or what the next one has inserted may be forged.
        guard punted.port.relayTrust == .relays, named.allSatisfy({ punted.relays[$0] != nil }),
            let relay = punted.relays[link]
        else { throw .untrustedRelay }
        guard let mac = Self.clientMAC(packet) else { throw .relayWithoutMAC }
        (self.line.relay, self.line.mac) = (relay, mac)
        self.link = links.last ?? link
    }

    /// RFC 6939, from whoever was nearest; else what the DUID was made of.
    private static func clientMAC(_ packet: DHCPv6Packet) -> MACAddress? {
        let told = packet.hops.reversed().lazy.compactMap(\.clientMAC).first ?? packet.message.clientID?.mac
        return told.flatMap { $0.isMulticast || $0 == .zero ? nil : $0 }
    }
}
