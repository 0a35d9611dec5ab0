// SPDX-License-Identifier: Apache-2.0
// What a CoA-Request or Disconnect-Request asks, in Domain's words, or the Error-Cause it is refused with.
//
// Whether the packet is genuine and fresh has been decided before. An attribute that is neither understood nor harmless refuses
// the request: all of it is done or nothing (RFC 5176 2.1).
//
// Supported standards: RFC 5176 (2, 3, 3.2, 3.5, 3.6).

import BNGCore
import RADIUS
import Subscribers

/// A request that is refused before anybody is asked.
public struct DynamicAuthorizationRefusal: Error, Equatable, Sendable {
    public var cause: DynamicAuthorizationResult.ErrorCause
    public var message: String
}

/// Reads requests of one NAS.
public struct DynamicAuthorizationReader: Sendable {
    private let mapping: AttributeMapping
    private let nasAddress: IPv4Address?

    /// - Parameter nasAddress: what NAS-IP-Address must be when a request carries it.
    public init(mapping: AttributeMapping, nasAddress: IPv4Address?) {
        self.mapping = mapping
        self.nasAddress = nasAddress
    }

    /// Reads a request whose code is Disconnect-Request or CoA-Request.
    public func read(_ packet: RADIUSPacket) throws(DynamicAuthorizationRefusal) -> DynamicAuthorization {
        var target = DynamicAuthorization.Target()
        var change = ServiceGrantChange()
        let changes = packet.code == .changeRequest
        for attribute in packet.attributes.all {
            if try self.identify(attribute, &target) || Self.harmless.contains(attribute.key) { continue }
            if attribute.key == .serviceType { throw Self.refusedService(attribute.value) }
            guard changes, try self.change(attribute, &change) else {
                throw DynamicAuthorizationRefusal(
                    cause: .unsupportedAttribute, message: "\(attribute.key) is not supported here")
            }
        }
        guard target.namesSession else {
            throw DynamicAuthorizationRefusal(
                cause: .missingAttribute,
                message: "expected Acct-Session-Id, User-Name, Framed-IP-Address, Framed-IPv6-Prefix,"
                    + " Framed-IPv6-Address, Delegated-IPv6-Prefix, Calling-Station-Id or NAS-Port-Id")
        }
        guard changes else { return DynamicAuthorization(kind: .disconnect, target: target) }
        guard !change.isEmpty else {
            throw DynamicAuthorizationRefusal(cause: .missingAttribute, message: "nothing is to be changed")
        }
        return DynamicAuthorization(kind: .change(change), target: target)
    }

    /// About the packet or for people; nothing to do.
    private static let harmless: Set<RADIUSAttributeKey> = [
        .state, .proxyState, .messageAuthenticator, .eventTimestamp, .replyMessage, .acctTerminateCause,
    ]

    private static func refusedService(_ value: ArraySlice<UInt8>) -> DynamicAuthorizationRefusal {
        DynamicAuthorizationRefusal(
            cause: .unsupportedService,
            message: "Service-Type \(value.radiusInteger.map { "\($0)" } ?? "malformed") is not supported here")
    }

    /// False: the attribute identifies nothing.
    private func identify(
        _ attribute: RADIUSAttribute, _ target: inout DynamicAuthorization.Target
    ) throws(DynamicAuthorizationRefusal) -> Bool {
        let value = attribute.value
        switch attribute.key {
        case .acctSessionID: target.accountingID = try Self.valid(value.radiusText, attribute.key)
        case .userName: target.userName = try Self.valid(value.radiusText, attribute.key)
        case .framedIPAddress: target.address = try Self.valid(IPv4Address(value), attribute.key)
        case .framedIPv6Prefix, .delegatedIPv6Prefix:
            target.prefixes.append(try Self.valid(value.radiusIPv6Prefix, attribute.key))
        case .framedIPv6Address: target.ipv6 = try Self.valid(IPv6Address(value), attribute.key)
        case .framedInterfaceID: target.interfaceID = try Self.valid(value.radiusInterfaceID, attribute.key)
        case .nasPortID: target.portID = try Self.valid(value.radiusText, attribute.key)
        case .nasIdentifier: target.nasIdentifier = try Self.valid(value.radiusText, attribute.key)
        case .callingStationID:
            let mac = value.radiusText.flatMap(StationFormat.address)
            target.mac = try Self.valid(mac, attribute.key)
        case .nasIPAddress:
            guard let address = self.nasAddress, try Self.valid(IPv4Address(value), attribute.key) == address else {
                throw DynamicAuthorizationRefusal(
                    cause: .nasIdentificationMismatch, message: "NAS-IP-Address is not this NAS's")
            }
        default: return false
        }
        return true
    }

    /// False: the attribute changes nothing that can be changed.
    private func change(
        _ attribute: RADIUSAttribute, _ change: inout ServiceGrantChange
    ) throws(DynamicAuthorizationRefusal) -> Bool {
        let value = attribute.value
        if let captures = self.mapping.rules.captures(of: attribute) {
            change.take(captures)
            return true
        }
        switch attribute.key {
        case .sessionTimeout:
            change.sessionTimeout = Seconds(try Self.valid(value.radiusInteger, attribute.key))
        case .idleTimeout:
            change.idleTimeout = Seconds(try Self.valid(value.radiusInteger, attribute.key))
        case .acctInterimInterval:
            change.interimInterval = try Self.valid(self.mapping.interim(value), attribute.key)
        case .filterID: change.filter = try Self.valid(value.radiusText, attribute.key)
        case .classAttribute: change.classes = (change.classes ?? []) + [Array(value)]
        default: return false
        }
        return true
    }

    private static func valid<Value>(
        _ value: Value?, _ key: RADIUSAttributeKey
    ) throws(DynamicAuthorizationRefusal) -> Value {
        guard let value else {
            throw DynamicAuthorizationRefusal(cause: .invalidAttributeValue, message: "\(key) is malformed")
        }
        return value
    }
}
