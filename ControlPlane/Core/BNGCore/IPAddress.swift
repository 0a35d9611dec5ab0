// SPDX-License-Identifier: Apache-2.0
// Addresses and prefixes of either family, for what is not bound to one: routes, next hops, filters.

/// An IPv4 or an IPv6 address.
public enum IPAddress: Hashable, Sendable {
    case v4(IPv4Address)
    case v6(IPv6Address)

    /// Four or 16 bytes in network order; nil for any other number.
    public init?(_ bytes: some Collection<UInt8>) {
        if let address = IPv4Address(bytes) {
            self = .v4(address)
        } else if let address = IPv6Address(bytes) {
            self = .v6(address)
        } else {
            return nil
        }
    }

    public var isIPv6: Bool {
        if case .v6 = self { return true }
        return false
    }

    /// Four or 16 bytes in network order.
    public var bytes: [UInt8] {
        switch self {
        case .v4(let address): return address.bytes
        case .v6(let address): return address.bytes
        }
    }
}

extension IPAddress: CustomStringConvertible, LosslessStringConvertible, Codable {
    public init?(_ description: String) {
        if let address = IPv4Address(description) {
            self = .v4(address)
        } else if let address = IPv6Address(description) {
            self = .v6(address)
        } else {
            return nil
        }
    }

    public var description: String {
        switch self {
        case .v4(let address): return address.description
        case .v6(let address): return address.description
        }
    }
}

/// An IPv4 or an IPv6 prefix; its host bits are zero.
public enum IPPrefix: Hashable, Sendable {
    case v4(IPv4Prefix)
    case v6(IPv6Prefix)

    /// nil if the family has no such length or a host bit is set.
    public init?(_ address: IPAddress, length: Int) {
        switch address {
        case .v4(let address):
            guard let prefix = IPv4Prefix(address, length: length) else { return nil }
            self = .v4(prefix)
        case .v6(let address):
            guard let prefix = IPv6Prefix(address, length: length) else { return nil }
            self = .v6(prefix)
        }
    }

    public var isIPv6: Bool { self.address.isIPv6 }

    public var address: IPAddress {
        switch self {
        case .v4(let prefix): return .v4(prefix.address)
        case .v6(let prefix): return .v6(prefix.address)
        }
    }

    /// 0 to 32, or to 128.
    public var length: Int {
        switch self {
        case .v4(let prefix): return prefix.length
        case .v6(let prefix): return prefix.length
        }
    }
}

extension IPPrefix: CustomStringConvertible, LosslessStringConvertible, Codable {
    public init?(_ description: String) {
        if let prefix = IPv4Prefix(description) {
            self = .v4(prefix)
        } else if let prefix = IPv6Prefix(description) {
            self = .v6(prefix)
        } else {
            return nil
        }
    }

    public var description: String { "\(self.address)/\(self.length)" }
}
