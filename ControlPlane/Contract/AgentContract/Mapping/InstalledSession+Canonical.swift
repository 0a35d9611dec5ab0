// SPDX-License-Identifier: Apache-2.0
// The canonical encoding of a session written directly, without a protobuf message: an audit digests every session of a node.

import BNGCore
import Fleet

extension InstalledSession {
    /// Appends what `Wire.Session(self).appendCanonical(to:)` would; a test holds them equal.
    func appendCanonical(to bytes: inout [UInt8]) {
        let line = bytes.openField(1)
        bytes.appendField(1, number: UInt64(self.line.accessDomain))
        bytes.appendField(2, number: UInt64(self.line.sVLAN))
        bytes.appendField(3, number: UInt64(self.line.cVLAN))
        bytes.appendField(4, number: UInt64(self.tags.sTPID))
        bytes.appendField(5, number: UInt64(self.tags.cTPID))
        bytes.appendField(6, mac: self.line.mac)
        if self.line.relay != .zero {
            bytes.appendField(7, address: self.line.relay)
            bytes.appendField(8, mac: self.relayMAC)
        }
        bytes.closeField(line)
        bytes.appendField(2, number: UInt64(self.vrf))
        bytes.appendField(3, number: UInt64(self.antiSpoof.rawValue))
        if self.address != .zero {
            let ipv4 = bytes.openField(4)
            bytes.appendField(1, address: self.address)
            bytes.appendField(2, number: self.poolTemplateID)
            bytes.appendField(3, number: self.dhcpFastPath ? 1 : 0)
            bytes.appendField(4, bytes: self.clientID)
            bytes.appendField(5, bytes: self.option82)
            for route in self.framedRoutes {
                let framed = bytes.openField(7)
                bytes.appendField(1, address: route.address)
                bytes.appendField(2, number: UInt64(route.length))
                bytes.closeField(framed)
            }
            if let nat = self.nat { nat.append(to: &bytes) }
            bytes.closeField(ipv4)
        }
        bytes.appendField(5, number: UInt64(bitPattern: self.ends.milliseconds))
        bytes.appendField(6, rate: self.rateUp)
        bytes.appendField(7, rate: self.rateDown)
        bytes.appendField(8, number: self.filterID)
        bytes.appendField(9, number: UInt64(self.idleTimeout.value))
        if let pppoe = self.pppoe { self.append(pppoe, to: &bytes) }
        if let ipv6 = self.ipv6 { ipv6.append(to: &bytes) }
    }

    private func append(_ pppoe: PPPoEAttachment, to bytes: inout [UInt8]) {
        let link = bytes.openField(10)
        bytes.appendField(1, number: UInt64(self.line.pppoeID))
        bytes.appendField(2, number: UInt64(pppoe.mtu))
        bytes.appendField(3, number: UInt64(pppoe.localMagic))
        bytes.appendField(4, number: UInt64(pppoe.echoInterval.value))
        bytes.appendField(5, number: UInt64(pppoe.echoFailures))
        bytes.appendField(6, number: pppoe.clampMSS ? 1 : 0)
        bytes.closeField(link)
    }
}

extension NATAttachment {
    fileprivate func append(to bytes: inout [UInt8]) {
        let nat = bytes.openField(8)
        bytes.appendField(1, number: self.policyID)
        bytes.appendField(2, address: self.address)
        bytes.appendField(3, number: self.isOneToOne ? 1 : 0)
        bytes.appendField(4, number: UInt64(self.blockPorts))
        // Of repeated fields also defaults are emitted; a first port is never one.
        for port in self.firstPorts { bytes.appendField(5, number: UInt64(port)) }
        for forward in self.forwards {
            let message = bytes.openField(6)
            bytes.appendField(1, number: UInt64(forward.transport.rawValue))
            bytes.appendField(2, number: UInt64(forward.outsidePort))
            bytes.appendField(3, address: forward.inside)
            bytes.appendField(4, number: UInt64(forward.insidePort))
            bytes.closeField(message)
        }
        bytes.closeField(nat)
    }
}

extension IPv6Attachment {
    fileprivate func append(to bytes: inout [UInt8]) {
        let ipv6 = bytes.openField(11)
        for prefix in self.prefixes { bytes.appendField(1, prefix: prefix) }
        bytes.appendField(3, number: UInt64(self.valid.value))
        bytes.appendField(4, number: self.activityRenews ? 1 : 0)
        bytes.appendField(5, bytes: self.routerAdvertisement)
        bytes.appendField(6, number: UInt64(self.advertisementInterval.value))
        if let dhcpv6 = self.dhcpv6 { dhcpv6.append(to: &bytes) }
        bytes.closeField(ipv6)
    }
}

extension DHCPv6Attachment {
    fileprivate func append(to bytes: inout [UInt8]) {
        let client = bytes.openField(7)
        bytes.appendField(1, bytes: self.clientID)
        bytes.appendField(2, bytes: self.serverID)
        for association in self.associations {
            let message = bytes.openField(3)
            bytes.appendField(1, number: UInt64(association.kind.rawValue))
            bytes.appendField(2, number: UInt64(association.iaid))
            bytes.appendField(3, prefix: association.resource)
            bytes.closeField(message)
        }
        bytes.appendField(4, bytes: self.replyOptions)
        bytes.closeField(client)
    }
}

extension [UInt8] {
    fileprivate mutating func appendField(_ field: UInt32, number: UInt64) {
        guard number != 0 else { return }
        self.appendBigEndian(field)
        self.appendBigEndian(UInt32(8))
        self.appendBigEndian(number)
    }

    fileprivate mutating func appendField(_ field: UInt32, bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        self.appendBigEndian(field)
        self.appendBigEndian(UInt32(bytes.count))
        self.append(contentsOf: bytes)
    }

    fileprivate mutating func appendField(_ field: UInt32, address: IPv4Address) {
        self.appendBigEndian(field)
        self.appendBigEndian(UInt32(4))
        self.appendBigEndian(address.rawValue)
    }

    fileprivate mutating func appendField(_ field: UInt32, prefix: IPv6Prefix) {
        let message = self.openField(field)
        self.appendBigEndian(UInt32(1))
        self.appendBigEndian(UInt32(16))
        self.appendBigEndian(prefix.address.high)
        self.appendBigEndian(prefix.address.low)
        self.appendField(2, number: UInt64(prefix.length))
        self.closeField(message)
    }

    fileprivate mutating func appendField(_ field: UInt32, rate: LineRate?) {
        guard let rate else { return }
        let message = self.openField(field)
        self.appendField(1, number: rate.bitsPerSecond)
        self.appendField(2, number: UInt64(rate.burstBytes))
        self.closeField(message)
    }

    fileprivate mutating func appendField(_ field: UInt32, mac: MACAddress) {
        self.appendBigEndian(field)
        self.appendBigEndian(UInt32(6))
        self.appendBigEndian(UInt16(truncatingIfNeeded: mac.rawValue >> 32))
        self.appendBigEndian(UInt32(truncatingIfNeeded: mac.rawValue))
    }

    /// Starts a submessage; returns where its length goes.
    fileprivate mutating func openField(_ field: UInt32) -> Int {
        self.appendBigEndian(field)
        self.appendBigEndian(UInt32(0))
        return self.count - 4
    }

    fileprivate mutating func closeField(_ at: Int) {
        let length = self.count - at - 4
        self.setBigEndian(UInt16(truncatingIfNeeded: length >> 16), at: at)
        self.setBigEndian(UInt16(truncatingIfNeeded: length), at: at + 2)
    }
}
