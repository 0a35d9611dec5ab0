// SPDX-License-Identifier: Apache-2.0
// Wire sessions to Fleet values: the line, and what AAA granted it.

import AgentProto
import BNGCore
import Fleet
import Foundation

extension InstalledSession {
    init(_ session: Wire.Session) throws(ContractError) {
        let antiSpoof: AntiSpoof
        switch session.antiSpoof {
        case .strict: antiSpoof = .strict
        case .log: antiSpoof = .log
        case .unspecified: throw invalid("no anti_spoof", "17.3")
        case .UNRECOGNIZED: throw unsupported("17.3")
        }
        guard session.hasLine else { throw invalid("no line", "17.1") }
        let (line, tags, relayMAC) = try decodeLine(session.line)
        self.init(
            line: line, tags: tags, relayMAC: relayMAC, vrf: session.vrf, antiSpoof: antiSpoof, address: .zero,
            poolTemplateID: 0, dhcpFastPath: false, leaseExpires: .zero,
            ends: UTCTime(milliseconds: Int64(bitPattern: session.endsUnixMs)),
            rateUp: session.hasRateUp ? try LineRate(session.rateUp, path: "17.6") : nil,
            rateDown: session.hasRateDown ? try LineRate(session.rateDown, path: "17.7") : nil,
            filterID: session.filterID, idleTimeout: Seconds(session.idleTimeoutSeconds))
        if session.hasPppoe {
            self.pppoe = try PPPoEAttachment(session.pppoe, with: session)
            self.line.pppoeID = UInt16(session.pppoe.pppoeID)
        }
        if session.hasIpv6 { self.ipv6 = try IPv6Attachment(session.ipv6, with: session) }
        guard session.hasIpv4 else { return }
        self.address = try unicast(session.ipv4.address, "17.4.1")
        guard session.ipv4.poolTemplateID != 0 || !session.ipv4.dhcpFastPath else {
            throw invalid("the DHCP fast path needs a pool template", "17.4.2")
        }
        guard session.ipv4.clientID.count <= 255 else { throw invalid("client_id: at most 255 bytes", "17.4.4") }
        guard session.ipv4.option82.count <= 255 else { throw invalid("option82: at most 255 bytes", "17.4.5") }
        self.poolTemplateID = session.ipv4.poolTemplateID
        self.dhcpFastPath = session.ipv4.dhcpFastPath
        self.clientID = [UInt8](session.ipv4.clientID)
        self.option82 = [UInt8](session.ipv4.option82)
        self.leaseExpires = UTCTime(milliseconds: Int64(bitPattern: session.ipv4.leaseExpiresUnixMs))
        self.framedRoutes = try decodeFramedRoutes(session.ipv4.framedRoutes)
        if session.ipv4.hasNat { self.nat = try NATAttachment(session.ipv4.nat, with: session.ipv4) }
    }
}

extension LineRate {
    fileprivate init(_ rate: Wire.Rate, path: String) throws(ContractError) {
        guard Self.limits.contains(rate.bitsPerSecond) else {
            throw invalid("bits_per_second is 64000-100000000000", path + ".1")
        }
        guard rate.burstBytes >= 1_600 else { throw invalid("burst_bytes is at least 1600", path + ".2") }
        self.init(bitsPerSecond: rate.bitsPerSecond, burstBytes: rate.burstBytes)
    }
}

private func decodeFramedRoutes(_ routes: [Wire.FramedRoute]) throws(ContractError) -> [IPv4Prefix] {
    guard routes.count <= InstalledSession.framedRouteLimit else {
        throw invalid("at most \(InstalledSession.framedRouteLimit) framed routes", "17.4.7")
    }
    var result: [IPv4Prefix] = []
    for route in routes {
        guard let address = IPv4Address(route.prefix) else { throw invalid("a prefix has 4 bytes", "17.4.7.1") }
        guard (1...32).contains(route.prefixLength) else { throw invalid("prefix_length is 1-32", "17.4.7.2") }
        guard let prefix = IPv4Prefix(address, length: Int(route.prefixLength)) else {
            throw invalid("host bits are set", "17.4.7.1")
        }
        guard prefix.first.isUnicast, prefix.last.isUnicast else {
            throw invalid("\(prefix) holds addresses that are not unicast", "17.4.7.1")
        }
        guard !result.contains(prefix) else { throw invalid("\(prefix) stands twice", "17.4.7.1") }
        result.append(prefix)
    }
    return result
}

private func decodeLine(_ line: Wire.Line) throws(ContractError) -> (LineKey, VLANTags, MACAddress) {
    guard line.accessDomainID != 0 else { throw invalid("no access domain", "17.1.1") }
    guard line.sVlan <= 4_094 else { throw invalid("a VLAN is 0-4094", "17.1.2") }
    guard line.cVlan <= 4_094, line.cVlan == 0 || line.sVlan != 0 else {
        throw invalid("a VLAN is 0-4094; a C-VLAN needs an S-VLAN", "17.1.3")
    }
    guard line.sVlan == 0 ? line.sTpid == 0 : line.sTpid == 0x8100 || line.sTpid == 0x88a8 else {
        throw invalid("0x8100 or 0x88a8 with an S-VLAN, 0 without", "17.1.4")
    }
    guard line.cTpid == (line.cVlan == 0 ? 0 : 0x8100) else {
        throw invalid("0x8100 with a C-VLAN, 0 without", "17.1.5")
    }
    let mac = try unicastMAC(line.mac, "17.1.6")
    var relay = IPv4Address.zero
    var relayMAC = MACAddress.zero
    if !line.relayAddress.isEmpty || !line.relayMac.isEmpty {
        relay = try unicast(line.relayAddress, "17.1.7")
        relayMAC = try unicastMAC(line.relayMac, "17.1.8")
    }
    let key = LineKey(
        accessDomain: line.accessDomainID, sVLAN: UInt16(line.sVlan), cVLAN: UInt16(line.cVlan), relay: relay, mac: mac)
    let tags = VLANTags(
        sVLAN: UInt16(line.sVlan), cVLAN: UInt16(line.cVlan), sTPID: UInt16(line.sTpid), cTPID: UInt16(line.cTpid))
    return (key, tags, relayMAC)
}
