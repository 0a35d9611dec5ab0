// SPDX-License-Identifier: Apache-2.0
// Wire objects to Fleet values: unknown critical parts, ranges and lengths as docs/contract.md sections 5 and 7 order them.
// References between objects are the receiver's to check.

import AgentProto
import BNGCore
import Fleet
import Foundation

extension DesiredObject {
    /// The value of a wire object.
    public init(_ object: Wire.Object) throws(ContractError) {
        if let path = object.unknownCriticalField {
            throw ContractError(.unsupported, "a field this version does not know", path: path)
        }
        let body: ObjectBody?
        switch object.body {
        case nil: body = nil
        case .port(let port): body = .port(try PortPolicy(port))
        case .serverIdentity(let identity): body = .serverIdentity(try ServerIdentity(identity))
        case .poolTemplate(let template): body = .poolTemplate(try PoolTemplate(template))
        case .nextHop(let hop): body = .nextHop(try NextHop(hop))
        case .route(let route): body = .route(try Route(route))
        case .guardRates(let rates): body = .guardRates(try guardRates(rates, objectID: object.objectID))
        case .session(let session): body = .session(try InstalledSession(session))
        case .filter(let filter): body = .filter(try PacketFilter(filter))
        case .pppoeService(let service): body = .pppoeService(try PPPoEServicePolicy(service))
        case .natPolicy(let policy): body = .natPolicy(try NATPolicy(policy))
        }
        guard object.objectID != 0 else { throw ContractError(.invalid, "object_id is 0", path: "1") }
        guard object.generation != 0 else { throw ContractError(.invalid, "generation is 0", path: "2") }
        guard let body else { throw ContractError(.invalid, "no body") }
        self.init(id: object.objectID, generation: object.generation, body: body)
    }
}

func unsupported(_ path: String) -> ContractError {
    ContractError(.unsupported, "a value this version does not know", path: path)
}

func invalid(_ message: String, _ path: String) -> ContractError {
    ContractError(.invalid, message, path: path)
}

extension IPv4Address {
    /// Whether it can be a host's: not in 0/8, 127/8, nor 224/3.
    var isUnicast: Bool {
        let top = self.rawValue >> 24
        return top != 0 && top != 127 && top < 224
    }
}

func unicast(_ bytes: Data, _ path: String) throws(ContractError) -> IPv4Address {
    guard let address = IPv4Address(bytes) else { throw invalid("an IPv4 address has 4 bytes", path) }
    guard address.isUnicast else { throw invalid("\(address) is not a unicast address", path) }
    return address
}

func unicastMAC(_ bytes: Data, _ path: String) throws(ContractError) -> MACAddress {
    guard let mac = MACAddress(bytes), mac != .zero, !mac.isMulticast else {
        throw invalid("not a unicast MAC address of 6 bytes", path)
    }
    return mac
}

extension PortPolicy {
    init(_ port: Wire.Port) throws(ContractError) {
        let role: PortRole
        switch port.role {
        case .access: role = .access
        case .core: role = .core
        case .unspecified: throw invalid("no role", "11.2")
        case .UNRECOGNIZED: throw unsupported("11.2")
        }
        let trust: RelayTrust?
        switch port.relayTrust {
        case .unspecified: trust = nil
        case .none: trust = RelayTrust.none
        case .accessNode: trust = .accessNode
        case .relays: trust = .relays
        case .UNRECOGNIZED: throw unsupported("11.5")
        }
        guard !port.name.isEmpty else { throw invalid("no name", "11.1") }
        guard (role == .access) == (port.accessDomainID != 0) else {
            throw invalid("an access domain belongs to access ports, and to each", "11.3")
        }
        guard (role == .access) == (trust != nil) else {
            throw invalid("relay_trust belongs to access ports, and to each", "11.5")
        }
        var relays: [IPv4Address] = []
        for bytes in port.trustedRelays { relays.append(try unicast(bytes, "11.6")) }
        guard relays.count <= 64, Set(relays).count == relays.count, relays.isEmpty || trust == .relays else {
            throw invalid("trusted_relays: at most 64, distinct, only with RELAYS", "11.6")
        }
        let linkLocal = try decodeLinkLocal(port)
        let refused = try decodeRefusedHeaders(port)
        guard port.mtuBytes == 0 || (576...65_535).contains(port.mtuBytes) else {
            throw invalid("mtu_bytes is 0 or 576-65535", "11.7")
        }
        self.init(
            name: port.name, role: role, accessDomain: port.accessDomainID, vrf: port.vrf, relayTrust: trust ?? .none,
            trustedRelays: relays, mtu: port.mtuBytes, linkLocal: linkLocal, refusedExtensionHeaders: refused)
    }
}

private func decodeLinkLocal(_ port: Wire.Port) throws(ContractError) -> IPv6Address? {
    guard !port.ipv6LinkLocal.isEmpty else { return nil }
    guard port.role == .access, let address = IPv6Address(port.ipv6LinkLocal), address.isLinkLocal else {
        throw invalid("16 bytes in fe80::/10, and only of access ports", "11.8")
    }
    return address
}

private func decodeRefusedHeaders(_ port: Wire.Port) throws(ContractError) -> [UInt8] {
    var headers: [UInt8] = []
    for number in port.refusedExtensionHeaders {
        guard port.role == .access, let header = UInt8(exactly: number), headers.last.map({ $0 < header }) ?? true
        else {
            throw invalid("0-255, ascending, and only of access ports", "11.9")
        }
        headers.append(header)
    }
    guard headers.count <= PortPolicy.refusedHeaderLimit else { throw invalid("at most 8 headers", "11.9") }
    return headers
}

extension ServerIdentity {
    init(_ identity: Wire.ServerIdentity) throws(ContractError) {
        self.init(
            vrf: identity.vrf, address: try unicast(identity.ipv4Address, "12.2"),
            ipv6: identity.ipv6Address.isEmpty ? nil : try routable(identity.ipv6Address, "12.3"))
    }
}

extension PoolTemplate {
    /// Options that belong to the protocol or to other fields.
    public static func mayCarry(option code: Int) -> Bool {
        (1...254).contains(code) && code != 1 && code != 3 && code != 82 && !(50...61).contains(code)
    }

    init(_ template: Wire.PoolTemplate) throws(ContractError) {
        let gateway = try unicast(template.gateway, "13.3")
        guard (1...32).contains(template.prefixLength) else { throw invalid("prefix_length is 1-32", "13.4") }
        guard template.leaseSeconds >= 60 else { throw invalid("a lease lasts at least 60 seconds", "13.5") }
        guard template.renewalSeconds > 0, template.renewalSeconds < template.rebindingSeconds else {
            throw invalid("renewal is above 0 and below rebinding", "13.6")
        }
        guard template.rebindingSeconds < template.leaseSeconds else {
            throw invalid("rebinding is below the lease", "13.7")
        }
        var options: [RawDHCPOption] = []
        for option in template.options {
            guard let code = UInt8(exactly: option.code), Self.mayCarry(option: Int(code)),
                code > options.last?.code ?? 0
            else { throw invalid("option codes ascend; \(option.code) may not stand here", "13.8.1") }
            guard option.data.count <= 255 else { throw invalid("an option has at most 255 bytes", "13.8.2") }
            options.append(RawDHCPOption(code: code, data: [UInt8](option.data)))
        }
        guard options.count <= 24, options.reduce(0, { $0 + $1.data.count }) <= 448 else {
            throw invalid("at most 24 options and 448 bytes", "13.8")
        }
        self.init(
            vrf: template.vrf, serverIdentityID: template.serverIdentityID, gateway: gateway,
            prefixLength: Int(template.prefixLength), lease: Seconds(template.leaseSeconds),
            renewal: Seconds(template.renewalSeconds), rebinding: Seconds(template.rebindingSeconds), options: options)
    }
}

extension NextHop {
    init(_ hop: Wire.NextHop) throws(ContractError) {
        switch hop.kind {
        case .kernel:
            guard hop.port.isEmpty else { throw invalid("only for GATEWAY", "14.2") }
            guard hop.ipv4Address.isEmpty else { throw invalid("only for GATEWAY", "14.3") }
            guard hop.ipv6Address.isEmpty else { throw invalid("only for GATEWAY", "14.4") }
            self = .kernel
        case .gateway:
            guard !hop.port.isEmpty else { throw invalid("no port", "14.2") }
            self = .gateway(try decodeGateway(hop), port: hop.port)
        case .unspecified: throw invalid("no kind", "14.1")
        case .UNRECOGNIZED: throw unsupported("14.1")
        }
    }
}

private func decodeGateway(_ hop: Wire.NextHop) throws(ContractError) -> IPAddress {
    guard !hop.ipv6Address.isEmpty else { return .v4(try unicast(hop.ipv4Address, "14.3")) }
    guard hop.ipv4Address.isEmpty else { throw invalid("one address, of one family", "14.4") }
    if let address = IPv6Address(hop.ipv6Address), address.isLinkLocal { return .v6(address) }
    return .v6(try routable(hop.ipv6Address, "14.4"))
}

extension Route {
    init(_ route: Wire.Route) throws(ContractError) {
        guard let address = IPAddress(route.prefix) else { throw invalid("a prefix has 4 or 16 bytes", "15.2") }
        guard route.prefixLength <= (address.isIPv6 ? 128 : 32) else {
            throw invalid("prefix_length is 0-32 or 0-128", "15.3")
        }
        guard let prefix = IPPrefix(address, length: Int(route.prefixLength)) else {
            throw invalid("host bits are set", "15.2")
        }
        let target: RouteTarget
        switch route.kind {
        case .nextHop: target = .nextHop(id: route.nextHopID)
        case .subscribers: target = .subscribers
        case .blackhole: target = .blackhole
        case .nat:
            guard route.prefix.count == 4 else { throw invalid("NAT is of IPv4", "15.4") }
            target = .nat
        case .untranslated:
            guard route.prefix.count == 4 else { throw invalid("NAT is of IPv4", "15.4") }
            target = .untranslated(nextHop: route.nextHopID)
        case .unspecified: throw invalid("no kind", "15.4")
        case .UNRECOGNIZED: throw unsupported("15.4")
        }
        guard [.nextHop, .untranslated].contains(route.kind) == (route.nextHopID != 0) else {
            throw invalid("next_hop_id belongs to routes by next hop, and to each", "15.5")
        }
        self.init(vrf: route.vrf, prefix: prefix, target: target)
    }
}

private func guardRates(_ rates: Wire.GuardRates, objectID: UInt64) throws(ContractError) -> [GuardRate] {
    guard objectID == 1 || objectID == 0 else { throw invalid("GuardRates is object 1", "1") }
    var result: [GuardRate] = []
    for rate in rates.rates {
        if case .UNRECOGNIZED = rate.puntClass { throw unsupported("16.1.1") }
        guard let puntClass = rate.puntClass.puntClass, !result.contains(where: { $0.puntClass == puntClass }) else {
            throw invalid("each class once", "16.1.1")
        }
        guard rate.lineBurstPackets > 0 || rate.linePacketsPerSecond == 0 else {
            throw invalid("a burst of at least 1", "16.1.3")
        }
        guard rate.portBurstPackets > 0 || rate.portPacketsPerSecond == 0 else {
            throw invalid("a burst of at least 1", "16.1.5")
        }
        result.append(
            GuardRate(
                puntClass: puntClass, linePacketsPerSecond: rate.linePacketsPerSecond,
                lineBurst: rate.lineBurstPackets, portPacketsPerSecond: rate.portPacketsPerSecond,
                portBurst: rate.portBurstPackets))
    }
    return result
}
