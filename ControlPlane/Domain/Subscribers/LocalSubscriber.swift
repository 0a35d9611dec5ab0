// SPDX-License-Identifier: Apache-2.0
// A subscriber this controller knows itself, from a file or from an operator's command, and how it is changed.

import BNGCore

/// One entry of the local directory.
public struct LocalSubscriber: Equatable, Sendable {
    public enum Origin: Equatable, Sendable {
        /// By command; kept in the store.
        case store
        /// Read-only.
        case file(String)
    }

    /// Bytes of a name at most, as of every user name (RFC 2865).
    public static let nameLimit = UserNameTemplate.limit
    /// Prefixes behind one subscriber at most, as many as a session may have.
    public static let routeLimit = 16

    /// The user name it is matched by, byte for byte.
    public var name: String
    /// nil: the line is the proof. Else a line alone proves nothing.
    public var password: PasswordRecord?
    /// nil: the default plan.
    public var plan: String?
    /// This address and no other.
    public var address: IPv4Address?
    /// nil: the plan's or the access domain's.
    public var pool: String?
    /// Prefixes behind the customer.
    public var routes: [IPv4Prefix] = []
    public var ipv6Routes: [IPv6Prefix] = []
    /// Ports of its public side that lead to it.
    public var forwards: [PortForward] = []
    /// The line's own prefix, this one and no other; of length 64.
    public var linkPrefix: IPv6Prefix?
    /// What a DHCPv6 client is delegated, this one and no other.
    public var delegatedPrefix: IPv6Prefix?
    /// What a DHCPv6 client is given, this one and no other.
    public var ipv6Address: IPv6Address?
    public var isSuspended = false
    /// For people.
    public var note = ""
    public var origin: Origin

    public init(name: String, origin: Origin) {
        self.name = name
        self.origin = origin
    }

    /// What a session of this subscriber is granted.
    public var grant: ServiceGrant {
        var grant = ServiceGrant(source: .local, userName: self.name)
        (grant.plan, grant.address, grant.pool, grant.routes) = (self.plan, self.address, self.pool, self.routes)
        grant.forwards = self.forwards.isEmpty ? nil : self.forwards
        var ipv6 = IPv6Grant()
        (ipv6.linkPrefix, ipv6.delegatedPrefix) = (self.linkPrefix, self.delegatedPrefix)
        (ipv6.address, ipv6.routes) = (self.ipv6Address, self.ipv6Routes)
        grant.ipv6 = ipv6 == IPv6Grant() ? nil : ipv6
        return grant
    }

    /// Whether a text can be a user name; control characters cannot be typed or shown.
    public static func isName(_ text: String) -> Bool {
        (1...self.nameLimit).contains(text.utf8.count)
            && text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
    }
}

/// What an operator wants to be different.
public struct LocalSubscriberChange: Equatable, Sendable {
    /// What becomes of one field.
    public enum Setting<Value: Equatable & Sendable>: Equatable, Sendable {
        case keep
        case clear
        case set(Value)

        func apply(to value: inout Value?) {
            switch self {
            case .keep: break
            case .clear: value = nil
            case .set(let new): value = new
            }
        }
    }

    public var password = Setting<PasswordRecord>.keep
    public var plan = Setting<String>.keep
    public var address = Setting<IPv4Address>.keep
    public var pool = Setting<String>.keep
    public var routes = Setting<[IPv4Prefix]>.keep
    public var ipv6Routes = Setting<[IPv6Prefix]>.keep
    public var linkPrefix = Setting<IPv6Prefix>.keep
    public var delegatedPrefix = Setting<IPv6Prefix>.keep
    public var ipv6Address = Setting<IPv6Address>.keep
    public var note = Setting<String>.keep
    public var isSuspended: Bool?

    public init() {}

    /// The subscriber with the changes made.
    public func applied(to subscriber: LocalSubscriber) -> LocalSubscriber {
        var result = subscriber
        self.password.apply(to: &result.password)
        self.plan.apply(to: &result.plan)
        self.address.apply(to: &result.address)
        self.pool.apply(to: &result.pool)
        self.linkPrefix.apply(to: &result.linkPrefix)
        self.delegatedPrefix.apply(to: &result.delegatedPrefix)
        self.ipv6Address.apply(to: &result.ipv6Address)
        var (routes, ipv6Routes) = (Optional(result.routes), Optional(result.ipv6Routes))
        self.routes.apply(to: &routes)
        self.ipv6Routes.apply(to: &ipv6Routes)
        (result.routes, result.ipv6Routes) = (routes ?? [], ipv6Routes ?? [])
        var note = Optional(result.note)
        self.note.apply(to: &note)
        result.note = note ?? ""
        result.isSuspended = self.isSuspended ?? result.isSuspended
        return result
    }
}
