// SPDX-License-Identifier: Apache-2.0
// What the operator API says of local subscribers, and how they are changed. No answer holds a password.

/// One local subscriber. Empty: not set.
public struct SubscriberView: Codable, Sendable, Equatable {
    public var name: String
    public var plan: String
    public var address: String
    public var pool: String
    public var routes: [String]
    public var suspended: Bool
    public var note: String
    /// "scrypt", "sealed", or empty for none.
    public var password: String
    /// The file it is defined in, read-only; empty: by command.
    public var file: String
    public var ipv6Prefix = ""
    public var delegatedPrefix = ""
    public var ipv6Address = ""

    public init(
        name: String, plan: String, address: String, pool: String, routes: [String], suspended: Bool, note: String,
        password: String, file: String
    ) {
        self.name = name
        self.plan = plan
        self.address = address
        self.pool = pool
        self.routes = routes
        self.suspended = suspended
        self.note = note
        self.password = password
        self.file = file
    }
}

/// A page of subscribers; `next` continues it (`?after=`), nil on the last page.
public struct SubscriberPage: Codable, Sendable, Equatable {
    public var subscribers: [SubscriberView]
    public var next: String?

    public init(subscribers: [SubscriberView], next: String?) {
        self.subscribers = subscribers
        self.next = next
    }
}

/// Body of PUT (add) and PATCH (change). Absent: leave as it is; an empty text or list: not set any more.
public struct SubscriberSettings: Codable, Sendable, Equatable {
    public enum CodingKeys: String, CodingKey, CaseIterable {
        case plan, address, pool, routes, note, suspended, password, sealed, ipv6Prefix, delegatedPrefix, ipv6Address
    }

    public var plan: String?
    public var address: String?
    public var pool: String?
    /// IPv4 and IPv6.
    public var routes: [String]?
    /// The line's own prefix, a prefix by DHCPv6, an address by DHCPv6: this one and no other.
    public var ipv6Prefix: String?
    public var delegatedPrefix: String?
    public var ipv6Address: String?
    public var note: String?
    public var suspended: Bool?
    /// As it is typed; never stored.
    public var password: String?
    /// Store the password so that it can be read again: CHAP needs that.
    public var sealed: Bool?

    public init() {}
}

/// Body of `POST /v1/password-records`.
public struct PasswordRequest: Codable, Sendable, Equatable {
    public enum CodingKeys: String, CodingKey, CaseIterable { case name, password, sealed }

    public var name: String
    public var password: String
    public var sealed: Bool

    public init(name: String, password: String, sealed: Bool) {
        self.name = name
        self.password = password
        self.sealed = sealed
    }
}

/// What a file of subscribers holds instead of a password.
public struct PasswordRecordView: Codable, Sendable, Equatable {
    public var record: String

    public init(record: String) { self.record = record }
}
