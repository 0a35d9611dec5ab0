// SPDX-License-Identifier: Apache-2.0
// The IPv6 half of a session to the wire and back (docs/contract.md section 7).

import AgentProto
import BNGCore
import Fleet
import Foundation

extension Wire.IPv6Prefix {
    init(_ prefix: IPv6Prefix) {
        self.init()
        self.address = Data(prefix.address.bytes)
        self.length = UInt32(prefix.length)
    }

    /// nil unless the address has 16 bytes, the length is 1-128 and the host bits are zero.
    fileprivate var value: IPv6Prefix? {
        guard let address = IPv6Address(self.address), (1...128).contains(self.length) else { return nil }
        return IPv6Prefix(address, length: Int(self.length))
    }
}

extension Wire.SessionIPv6 {
    init(_ attachment: IPv6Attachment) {
        self.init()
        self.prefixes = attachment.prefixes.map(Wire.IPv6Prefix.init)
        self.leaseExpiresUnixMs = UInt64(bitPattern: attachment.leaseExpires.milliseconds)
        self.validSeconds = attachment.valid.value
        self.activityRenews = attachment.activityRenews
        self.routerAdvertisement = Data(attachment.routerAdvertisement)
        self.advertisementIntervalSeconds = attachment.advertisementInterval.value
        if let client = attachment.dhcpv6 { self.dhcpv6 = Wire.SessionDHCPv6(client) }
    }
}

extension Wire.SessionDHCPv6 {
    fileprivate init(_ client: DHCPv6Attachment) {
        self.init()
        self.clientID = Data(client.clientID)
        self.serverID = Data(client.serverID)
        self.associations = client.associations.map { association in
            .with {
                $0.kind = UInt32(association.kind.rawValue)
                $0.iaid = association.iaid
                $0.resource = Wire.IPv6Prefix(association.resource)
            }
        }
        self.replyOptions = Data(client.replyOptions)
    }
}

func routable(_ bytes: Data, _ path: String) throws(ContractError) -> IPv6Address {
    guard let address = IPv6Address(bytes) else { throw invalid("an IPv6 address has 16 bytes", path) }
    guard address.isRoutableUnicast else { throw invalid("\(address) is not a routable address", path) }
    return address
}

extension IPv6Attachment {
    /// - Parameter session: what it is part of; a relay excludes what the node sends and answers by itself.
    init(_ ipv6: Wire.SessionIPv6, with session: Wire.Session) throws(ContractError) {
        let prefixes = try decodePrefixes(ipv6.prefixes)
        guard ipv6.validSeconds >= Self.shortestLease.value else {
            throw invalid("valid_seconds is at least 60", "17.11.3")
        }
        let advertisement = [UInt8](ipv6.routerAdvertisement)
        guard advertisement.isEmpty || Self.advertisementLimits.contains(advertisement.count),
            advertisement.isEmpty || advertisement.starts(with: [134, 0, 0, 0])
        else { throw invalid("an advertisement has 16-512 bytes and no checksum yet", "17.11.5") }
        let interval = ipv6.advertisementIntervalSeconds
        guard interval == 0 || Self.intervalLimits.contains(interval) && !advertisement.isEmpty else {
            throw invalid("an interval is 0 or 4-1800, and needs an advertisement", "17.11.6")
        }
        if !session.line.relayAddress.isEmpty {
            guard advertisement.isEmpty else { throw invalid("no advertisement behind a relay", "17.11.5") }
            guard !ipv6.hasDhcpv6 else { throw invalid("no DHCPv6 of the node's behind a relay", "17.11.7") }
        }
        self.init(
            prefixes: prefixes, leaseExpires: UTCTime(milliseconds: Int64(bitPattern: ipv6.leaseExpiresUnixMs)),
            valid: Seconds(ipv6.validSeconds), activityRenews: ipv6.activityRenews,
            routerAdvertisement: advertisement, advertisementInterval: Seconds(interval),
            dhcpv6: ipv6.hasDhcpv6 ? try DHCPv6Attachment(ipv6.dhcpv6, among: prefixes) : nil)
    }
}

private func decodePrefixes(_ prefixes: [Wire.IPv6Prefix]) throws(ContractError) -> [IPv6Prefix] {
    guard (1...IPv6Attachment.prefixLimit).contains(prefixes.count) else { throw invalid("1-16 prefixes", "17.11.1") }
    var result: [IPv6Prefix] = []
    for wire in prefixes {
        guard let prefix = wire.value else {
            throw invalid("16 bytes, host bits zero, and a length of 1-128", "17.11.1")
        }
        guard prefix.isRoutableUnicast else {
            throw invalid("\(prefix) holds addresses that are not routable", "17.11.1")
        }
        guard !result.contains(prefix) else { throw invalid("\(prefix) stands twice", "17.11.1") }
        result.append(prefix)
    }
    return result
}

extension DHCPv6Attachment {
    fileprivate init(
        _ client: Wire.SessionDHCPv6, among prefixes: [IPv6Prefix]
    ) throws(ContractError) {
        guard Self.identifierLimits.contains(client.clientID.count) else {
            throw invalid("a DUID has 3-130 bytes", "17.11.7.1")
        }
        guard Self.identifierLimits.contains(client.serverID.count) else {
            throw invalid("a DUID has 3-130 bytes", "17.11.7.2")
        }
        guard (1...Self.associationLimit).contains(client.associations.count) else {
            throw invalid("1-4 associations", "17.11.7.3")
        }
        var associations: [Association] = []
        for wire in client.associations {
            guard let kind = UInt16(exactly: wire.kind).flatMap(Association.Kind.init(rawValue:)),
                let resource = wire.resource.value, prefixes.contains(resource),
                kind == .delegation || resource.length == 128,
                !associations.contains(where: { $0.kind == kind && $0.iaid == wire.iaid })
            else { throw invalid("an IA_NA or IA_PD, each once, for one of the prefixes", "17.11.7.3") }
            associations.append(Association(kind: kind, iaid: wire.iaid, resource: resource))
        }
        guard (1...Self.replyLimit).contains(client.replyOptions.count) else {
            throw invalid("reply_options are 1-512 bytes", "17.11.7.4")
        }
        self.init(
            clientID: [UInt8](client.clientID), serverID: [UInt8](client.serverID), associations: associations,
            replyOptions: [UInt8](client.replyOptions))
    }
}
