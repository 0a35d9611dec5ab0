// SPDX-License-Identifier: Apache-2.0
// Whatever a RADIUS server or a client of dynamic authorization may send, taken the whole way: decoded, checked, read as a
// grant or a change, turned into a profile and into the packets that follow. The fuzzer and a unit test feed it.

import BNGCore
import RADIUS
import RADIUSContract
import Subscribers

/// Takes bytes the whole way; what it returns is a promise that was not kept.
public struct RADIUSExercise: Sendable {
    private let secret = RADIUSSecret(Array("secret of a test".utf8), digests: QuickDigests())
    private let mapping: AttributeMapping
    private let reader: DynamicAuthorizationReader
    private let catalog: PlanCatalog

    public init() {
        let rules = [
            ("Filter-Id", "plan:{plan}"), ("Filter-Id", "{plan}-{filter}"), ("Mikrotik-Rate-Limit", "{up}/{down}{*}"),
            ("Cisco-AVPair", "sub:{*}={rate}"), ("WISPr-Bandwidth-Max-Up", "{up}"),
        ].compactMap { name, pattern -> AttributeRule? in
            guard let entry = RADIUSDictionary.entry(named: name), let pattern = try? AttributePattern(pattern) else {
                return nil
            }
            return AttributeRule(attribute: entry, pattern: pattern)
        }
        self.mapping = AttributeMapping(rules: rules)
        self.reader = DynamicAuthorizationReader(mapping: self.mapping, nasAddress: IPv4Address("192.0.2.1"))
        var gold = ServicePlan(name: "gold")
        gold.rateUp = LineRate(bitsPerSecond: 20_000_000)
        self.catalog = PlanCatalog(
            plans: [gold], filters: ["kids"], pools: ["spare"], prefixPools: ["lines": 64], defaultPlan: "gold")
    }

    /// nil: every promise was kept.
    public func problem(with data: [UInt8]) -> String? {
        guard let packet = try? RADIUSCodec.decode(data.span), let length = try? RADIUSCodec.length(data.span) else {
            return nil
        }
        guard (try? RADIUSCodec.decode(RADIUSCodec.encode(packet).span)) == packet else {
            return "an encoded packet decodes to another"
        }
        let bytes = Array(data.prefix(length))
        if case .genuine = self.secret.check(computedRequest: bytes) { return "a stranger's request is genuine" }
        _ = self.secret.check(randomRequest: bytes)
        return self.answerProblem(packet, bytes) ?? self.requestProblem(packet, .changeRequest)
            ?? self.requestProblem(packet, .disconnectRequest)
    }

    // MARK: Answers of servers

    private func answerProblem(_ packet: RADIUSPacket, _ bytes: [UInt8]) -> String? {
        let request = RADIUSAuthenticator([UInt8](repeating: 7, count: 16)) ?? .zero
        if case .genuine = self.secret.check(answer: bytes, to: request) { return "a stranger's answer is genuine" }
        let sealed = self.secret.seal(answer: packet, to: request, signed: true)
        guard self.secret.check(answer: sealed, to: request) == .genuine(signed: true),
            let genuine = try? RADIUSCodec.decode(sealed.span)
        else { return "a sealed answer is not genuine" }
        if case .genuine = self.secret.check(answer: self.withOneByteChanged(sealed), to: request) {
            return "a changed answer is genuine"
        }
        guard self.mapping.refusal(genuine.attributes).utf8.count <= bytes.count else { return "a refusal is made up" }
        guard let mapped = try? self.mapping.grant(userName: "fuzz", genuine.attributes) else { return nil }
        return self.profileProblem(mapped.grant) ?? self.packetProblem(mapped.grant)
    }

    private func profileProblem(_ grant: ServiceGrant) -> String? {
        guard let profile = try? self.catalog.profile(of: grant) else { return nil }
        for rate in [profile.rateUp, profile.rateDown] {
            if let rate, !rate.isValid { return "a profile has a rate of \(rate.bitsPerSecond) bit/s" }
        }
        return profile.plan == "gold" ? self.ipv6Problem(profile.ipv6) : "a profile has a plan nobody configured"
    }

    /// What is granted of IPv6 can be put on a line, and fits a session.
    private func ipv6Problem(_ grant: IPv6Grant) -> String? {
        if let prefix = grant.linkPrefix, !IPv6Grant.isLinkPrefix(prefix) { return "a line has \(prefix)" }
        if let prefix = grant.delegatedPrefix, !IPv6Grant.isDelegable(prefix) { return "delegated: \(prefix)" }
        if let address = grant.address, !address.isRoutableUnicast { return "a client has \(address)" }
        guard grant.routes.allSatisfy(\.isRoutableUnicast), Set(grant.routes).count == grant.routes.count,
            grant.routes.count <= IPv6Grant.routeLimit, grant.dns.count <= IPv6Grant.serverLimit,
            grant.advertisedRoutes.count <= IPv6Grant.routeLimit, grant.interfaceID != 0
        else { return "a grant of IPv6 nobody can serve: \(grant)" }
        return nil
    }

    /// What a session of this grant holds.
    private func details(_ grant: IPv6Grant) -> IPv6Details {
        func resource(_ prefix: IPv6Prefix) -> IPv6Details.Resource { .init(prefix: prefix, pool: "lines") }
        var details = IPv6Details()
        details.link = grant.linkPrefix.map(resource)
        let delegations = ([grant.delegatedPrefix].compactMap { $0 } + grant.routes).map {
            IPv6Details.Binding(isDelegation: true, iaid: 1, resource: resource($0))
        }
        let addresses = [grant.address].compactMap { $0 }.map {
            IPv6Details.Binding(
                isDelegation: false, iaid: 1, resource: resource(IPv6Prefix(holding: $0, length: 128)))
        }
        details.bindings = delegations + addresses
        return details
    }

    /// What a grant makes us send is well-formed, however long its names and classes are.
    private func packetProblem(_ grant: ServiceGrant) -> String? {
        let facts = LineFacts(node: "edge1", port: "access0", accessDomain: 1, sVLAN: 100, cVLAN: 7, mac: .zero)
        var record = AccountingRecord(
            sequence: 1, kind: .stop, accountingID: "1-1", session: 1, userName: grant.userName, facts: facts,
            address: grant.address ?? .zero, classes: grant.classes, at: .zero, sessionStarted: .zero,
            totals: SessionTotals(), cause: .idleTimeout, plan: grant.plan ?? "")
        record.chargeableUser = grant.chargeableUser
        (record.ipv6, record.interfaceID) = (grant.ipv6.map(self.details), grant.ipv6?.interfaceID)
        var packets = [NASProfile().accountingRequest(record, identifier: 1, now: .zero)]
        var again = AuthorizationRequest(
            session: SessionID(rawValue: 1), userName: grant.userName, credential: .line, facts: facts)
        (again.state, again.chargeableUser, again.isAgain) = (grant.state, grant.chargeableUser, true)
        if let packet = NASProfile().accessRequest(
            again, linePassword: [], identifier: 1, authenticator: .zero, secret: self.secret)
        {
            packets.append(packet)
        }
        for packet in packets where (try? RADIUSCodec.decode(self.secret.seal(request: packet).span)) == nil {
            return "a grant makes a packet that does not decode"
        }
        return nil
    }

    // MARK: Requests of RFC 5176

    private func requestProblem(_ packet: RADIUSPacket, _ code: RADIUSCode) -> String? {
        var packet = packet
        packet.code = code
        let sealed = self.secret.seal(computing: packet, signed: true)
        guard self.secret.check(computedRequest: sealed) == .genuine(signed: true),
            let genuine = try? RADIUSCodec.decode(sealed.span)
        else { return "a sealed request is not genuine" }
        if case .genuine = self.secret.check(computedRequest: self.withOneByteChanged(sealed)) {
            return "a changed request is genuine"
        }
        guard let asked = try? self.reader.read(genuine) else { return nil }
        guard asked.target.namesSession else { return "a request that names no session is read" }
        guard case .change(let change) = asked.kind else {
            return code == .disconnectRequest ? nil : "a change is read as a disconnect"
        }
        guard code == .changeRequest, !change.isEmpty else { return "a request changes nothing, or what it may not" }
        return self.profileProblem(ServiceGrant(source: .radius, userName: "fuzz").changed(by: change))
    }

    /// Which byte is derived from the bytes themselves, so that a finding can be replayed.
    private func withOneByteChanged(_ bytes: [UInt8]) -> [UInt8] {
        var changed = bytes
        let hash = bytes.reduce(UInt(17)) { $0 &* 31 &+ UInt($1) }
        // The length and the attributes' own structure stay: what no longer decodes is never checked.
        changed[hash & 1 == 0 ? 1 : 4 + Int(hash % 16)] ^= 1 << UInt8(hash % 8)
        return changed
    }
}

/// Quick, and different for any two inputs that differ in one byte. No protection against anybody.
private struct QuickDigests: MessageDigests {
    func md5(_ bytes: [UInt8]) -> [UInt8] {
        let hash = bytes.reduce(UInt64(0xcbf2_9ce4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
        return [hash, ~hash].flatMap { half in (0..<8).map { UInt8(truncatingIfNeeded: half >> UInt64($0 * 8)) } }
    }

    func hmacMD5(key: [UInt8], _ bytes: [UInt8]) -> [UInt8] { self.md5(key + bytes) }
}
