// SPDX-License-Identifier: Apache-2.0
// What an Access-Accept grants of IPv6. A prefix, an address, an identifier or a route that is malformed, or that nobody could be
// served with, refuses the answer; a pool's name or a DNS server is left out, as those of IPv4 are.
//
// Supported standards: RFC 3162 (2.2, 2.3, 2.5, 2.6), RFC 4818 (3), RFC 6911 (3.1-3.3, 3.5, 3.6).

import BNGCore
import RADIUS
import Subscribers

extension AttributeMapping {
    /// False: malformed, and left out. True also for what says nothing of IPv6.
    static func readIPv6(
        _ attribute: RADIUSAttribute, into grant: inout ServiceGrant
    ) throws(MappingRefusal) -> Bool {
        guard Self.ipv6Keys.contains(attribute.key) else { return true }
        var ipv6 = grant.ipv6 ?? IPv6Grant()
        guard try Self.read(attribute, into: &ipv6) else { return false }
        grant.ipv6 = ipv6
        return true
    }

    private static let ipv6Keys: Set<RADIUSAttributeKey> = [
        .framedInterfaceID, .framedIPv6Prefix, .framedIPv6Route, .framedIPv6Pool, .delegatedIPv6Prefix,
        .framedIPv6Address, .dnsServerIPv6Address, .routeIPv6Information, .delegatedIPv6PrefixPool,
        .statefulIPv6AddressPool,
    ]

    private static func read(
        _ attribute: RADIUSAttribute, into grant: inout IPv6Grant
    ) throws(MappingRefusal) -> Bool {
        let (key, value) = (attribute.key, attribute.value)
        switch key {
        case .framedInterfaceID:
            try Self.take(value.radiusInterfaceID, &grant.interfaceID, key, "8 bytes, not all zero")
        case .framedIPv6Prefix:
            let prefix = value.radiusIPv6Prefix.flatMap { IPv6Grant.isLinkPrefix($0) ? $0 : nil }
            try Self.take(prefix, &grant.linkPrefix, key, "a routable prefix of length 64")
        case .delegatedIPv6Prefix:
            let prefix = value.radiusIPv6Prefix.flatMap { IPv6Grant.isDelegable($0) ? $0 : nil }
            try Self.take(prefix, &grant.delegatedPrefix, key, "a routable prefix of length 1-64")
        case .framedIPv6Address:
            try Self.take(value.radiusIPv6Address, &grant.address, key, "a routable address of 16 bytes")
        case .framedIPv6Route: try Self.add(try Self.ipv6Route(value).prefix, to: &grant.routes, key)
        case .routeIPv6Information:
            guard let prefix = value.radiusIPv6Prefix else {
                throw MappingRefusal(attribute: key, reason: "expected a prefix")
            }
            try Self.add(prefix, to: &grant.advertisedRoutes, key)
        case .framedIPv6Pool: return Self.set(&grant.linkPool, value.radiusText)
        case .statefulIPv6AddressPool: return Self.set(&grant.addressPool, value.radiusText)
        case .delegatedIPv6PrefixPool: return Self.set(&grant.delegationPool, value.radiusText)
        case .dnsServerIPv6Address:
            guard let server = IPv6Address(value), server.isUnicast, grant.dns.count < IPv6Grant.serverLimit else {
                return false
            }
            if !grant.dns.contains(server) { grant.dns.append(server) }
        default: break
        }
        return true
    }

    /// A session has one of each: what is said twice could only half be served.
    private static func take<Value>(
        _ value: Value?, _ place: inout Value?, _ key: RADIUSAttributeKey, _ expected: String
    ) throws(MappingRefusal) {
        guard let value else { throw MappingRefusal(attribute: key, reason: "expected \(expected)") }
        guard place == nil else { throw MappingRefusal(attribute: key, reason: "expected one, found another") }
        place = value
    }

    private static func add(
        _ prefix: IPv6Prefix, to prefixes: inout [IPv6Prefix], _ key: RADIUSAttributeKey
    ) throws(MappingRefusal) {
        guard !prefixes.contains(prefix) else { return }
        guard prefixes.count < IPv6Grant.routeLimit else {
            throw MappingRefusal(attribute: key, reason: "expected at most \(IPv6Grant.routeLimit)")
        }
        prefixes.append(prefix)
    }

    private static func ipv6Route(_ value: ArraySlice<UInt8>) throws(MappingRefusal) -> FramedIPv6Route {
        guard let route = value.radiusText.flatMap({ FramedIPv6Route($0) }) else {
            throw MappingRefusal(attribute: .framedIPv6Route, reason: "expected PREFIX/LENGTH [GATEWAY [METRIC]]")
        }
        return route
    }

    /// A route leads to the customer: a gateway elsewhere cannot be served.
    static func checkIPv6Routes(_ attributes: RADIUSAttributes, _ grant: ServiceGrant) throws(MappingRefusal) {
        for value in attributes.values(.framedIPv6Route) {
            let gateway = try Self.ipv6Route(value).gateway
            let isCustomer =
                gateway == .zero || gateway.isLinkLocal || gateway == grant.ipv6?.address
                || grant.ipv6?.linkPrefix?.contains(gateway) == true
            guard isCustomer else {
                throw MappingRefusal(
                    attribute: .framedIPv6Route,
                    reason: "expected :: or an address of the customer's line, found \(gateway)")
            }
        }
    }
}
