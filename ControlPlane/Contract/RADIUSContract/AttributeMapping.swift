// SPDX-License-Identifier: Apache-2.0
// What an Access-Accept grants, in Domain's words.
//
// An attribute that is malformed is left out and named, so that it can be counted and logged; one without which the customer
// would be served wrongly (an address, a route, a filter, a service of another kind) refuses the whole answer instead.
//
// Supported standards: RFC 2865 (5.6, 5.8, 5.9, 5.11, 5.18, 5.22, 5.24, 5.25, 5.27-5.29, 5.62), RFC 2869 (5.16, 5.18),
// RFC 2548 (2.1.5, 2.3.3, 2.6). Those of IPv6: AttributeMapping+IPv6.

import BNGCore
import RADIUS
import Subscribers

/// An answer that cannot be served as it stands.
public struct MappingRefusal: Error, Equatable, Sendable, CustomStringConvertible {
    public var attribute: RADIUSAttributeKey
    public var reason: String

    public var description: String { "\(self.attribute): \(self.reason)" }
}

/// A grant and the attributes that could not be read.
public struct MappedGrant: Equatable, Sendable {
    public var grant: ServiceGrant
    public var ignored: [RADIUSAttributeKey] = []
}

/// Turns attributes into grants and changes.
public struct AttributeMapping: Sendable {
    let rules: AttributeRules
    let minimumInterim: Seconds

    /// - Parameter minimumInterim: shorter Acct-Interim-Intervals become this long.
    public init(rules: [AttributeRule] = [], minimumInterim: Seconds = 60) {
        self.rules = AttributeRules(rules)
        self.minimumInterim = minimumInterim
    }

    /// The grant of an Access-Accept that answers `request`.
    public func grant(
        answering request: AuthorizationRequest, _ attributes: RADIUSAttributes
    ) throws(MappingRefusal) -> MappedGrant {
        let mapped = try self.grant(userName: request.userName, attributes)
        // RFC 2759 5: a client whom nobody proves anything does not go on.
        if case .msChapV2 = request.credential, mapped.grant.authenticationMessage == nil {
            throw MappingRefusal(attribute: .msChap2Success, reason: "expected one in answer to MS-CHAP2-Response")
        }
        return mapped
    }

    /// The grant of an Access-Accept.
    /// - Parameter userName: the name that was asked for.
    public func grant(userName: String, _ attributes: RADIUSAttributes) throws(MappingRefusal) -> MappedGrant {
        var result = MappedGrant(grant: ServiceGrant(source: .radius, userName: userName))
        var dns: [RADIUSAttributeKey: IPv4Address] = [:]
        for attribute in attributes.all {
            if let captures = self.rules.captures(of: attribute) {
                result.grant.take(captures)
                guard let text = captures.forward else { continue }
                guard let forward = PortForward(text), result.grant.forwards?.count ?? 0 < NATGrant.forwardLimit else {
                    result.ignored.append(attribute.key)
                    continue
                }
                result.grant.forwards = (result.grant.forwards ?? []) + [forward]
            } else if Self.nameServers.contains(attribute.key) {
                guard let address = IPv4Address(attribute.value) else {
                    result.ignored.append(attribute.key)
                    continue
                }
                if dns[attribute.key] == nil { dns[attribute.key] = address }
            } else if try !self.read(attribute, into: &result.grant) {
                result.ignored.append(attribute.key)
            }
        }
        for address in Self.nameServers.compactMap({ dns[$0] })
        where address != .zero && !result.grant.dns.contains(address) { result.grant.dns.append(address) }
        try Self.checkRoutes(attributes, result.grant)
        try Self.checkIPv6Routes(attributes, result.grant)
        return result
    }

    /// What a customer who was refused is told: MS-CHAP-Error (RFC 2548 2.1.5) where the server sent one, else Reply-Message.
    public func refusal(_ attributes: RADIUSAttributes) -> String {
        if let error = attributes.first(.msChapError)?.dropFirst().radiusText, error.hasPrefix("E=") { return error }
        return attributes.values(.replyMessage).compactMap(\.radiusText).joined()
    }

    /// First to last.
    static let nameServers: [RADIUSAttributeKey] = [.msPrimaryDNS, .erxPrimaryDNS, .msSecondaryDNS, .erxSecondaryDNS]

    /// False: malformed, and left out.
    private func read(_ attribute: RADIUSAttribute, into grant: inout ServiceGrant) throws(MappingRefusal) -> Bool {
        let value = attribute.value
        switch attribute.key {
        case .userName: return Self.set(&grant.userName, value.radiusText)
        case .framedIPAddress: grant.address = try Self.address(value)
        case .framedIPNetmask: return Self.set(&grant.prefixLength, Self.prefixLength(value))
        case .framedPool: return Self.set(&grant.pool, value.radiusText)
        case .framedRoute: grant.routes.append(try Self.route(value).prefix)
        case .sessionTimeout: return Self.set(&grant.sessionTimeout, value.radiusInteger.map { Seconds($0) })
        case .idleTimeout: return Self.set(&grant.idleTimeout, value.radiusInteger.map { Seconds($0) })
        case .acctInterimInterval: return Self.set(&grant.interimInterval, self.interim(value))
        case .terminationAction:
            let action = value.radiusInteger.flatMap(UInt8.init(exactly:))
            return Self.set(&grant.terminationAction, action.flatMap(ServiceGrant.TerminationAction.init(rawValue:)))
        case .filterID: grant.filter = try Self.filter(value)
        case .portLimit: return Self.set(&grant.portLimit, value.radiusInteger)
        case .classAttribute: grant.classes.append(Array(value))
        case .chargeableUserIdentity: grant.chargeableUser = Array(value)
        case .state: grant.state = Array(value)
        case .replyMessage: grant.replyMessage += value.radiusText ?? ""
        // RFC 2548 2.3.3: an identifier, then what the client is told.
        case .msChap2Success:
            return Self.set(&grant.authenticationMessage, value.isEmpty ? nil : Array(value.dropFirst()))
        case .serviceType: try Self.checkServiceType(value)
        default: return try Self.readIPv6(attribute, into: &grant)
        }
        return true
    }

    private static func set<Value>(_ place: inout Value, _ value: Value?) -> Bool {
        guard let value else { return false }
        place = value
        return true
    }

    static func set<Value>(_ place: inout Value?, _ value: Value?) -> Bool {
        guard let value else { return false }
        place = value
        return true
    }

    func interim(_ value: ArraySlice<UInt8>) -> Seconds? {
        value.radiusInteger.map { $0 == 0 ? 0 : max(Seconds($0), self.minimumInterim) }
    }

    /// RFC 2865 5.8: all ones lets the customer choose, 255.255.255.254 the NAS.
    private static func address(_ value: ArraySlice<UInt8>) throws(MappingRefusal) -> IPv4Address? {
        guard let address = IPv4Address(value) else {
            throw MappingRefusal(attribute: .framedIPAddress, reason: "expected 4 bytes, found \(value.count)")
        }
        if address.rawValue >= 0xffff_fffe { return nil }
        let top = address.rawValue >> 24
        guard top != 0, top != 127, top < 224 else {
            throw MappingRefusal(attribute: .framedIPAddress, reason: "expected a unicast address, found \(address)")
        }
        return address
    }

    private static func prefixLength(_ value: ArraySlice<UInt8>) -> UInt8? {
        guard let mask = value.radiusInteger else { return nil }
        let length = (~mask).leadingZeroBitCount
        return mask != 0 && mask << UInt32(length) == 0 ? UInt8(length) : nil
    }

    private static func route(_ value: ArraySlice<UInt8>) throws(MappingRefusal) -> FramedRoute {
        guard let route = value.radiusText.flatMap({ FramedRoute($0) }) else {
            throw MappingRefusal(attribute: .framedRoute, reason: "expected PREFIX/LENGTH [GATEWAY [METRIC]]")
        }
        return route
    }

    static func filter(_ value: ArraySlice<UInt8>) throws(MappingRefusal) -> String {
        guard let name = value.radiusText else {
            throw MappingRefusal(attribute: .filterID, reason: "expected the name of a filter")
        }
        return name
    }

    /// RFC 2865 5.6: an unsupported Service-Type is an Access-Reject. Framed, Outbound and Call Check are how servers
    /// describe an IPoE customer.
    private static func checkServiceType(_ value: ArraySlice<UInt8>) throws(MappingRefusal) {
        guard let type = value.radiusInteger, [2, 5, 10].contains(type) else {
            let found = value.radiusInteger.map { "\($0)" } ?? "\(value.count) bytes"
            throw MappingRefusal(attribute: .serviceType, reason: "expected Framed (2), found \(found)")
        }
    }

    /// A route leads to the customer: another gateway cannot be served.
    private static func checkRoutes(_ attributes: RADIUSAttributes, _ grant: ServiceGrant) throws(MappingRefusal) {
        for value in attributes.values(.framedRoute) {
            let gateway = try Self.route(value).gateway
            guard gateway == .zero || gateway == grant.address else {
                throw MappingRefusal(
                    attribute: .framedRoute, reason: "expected 0.0.0.0 or the Framed-IP-Address, found \(gateway)")
            }
        }
    }
}
