// SPDX-License-Identifier: Apache-2.0
// Changes of local subscribers by operators: checked, made durable, then in force, then told to whoever serves the customer.

import BNGCore
import Subscribers

/// Where subscribers are kept. The app adapts the store to this.
public protocol SubscriberStoring: Sendable {
    func put(_ subscriber: LocalSubscriber) async throws
    func remove(_ name: String) async throws
}

/// The operator's side of the local directory.
public actor SubscriberRegistry {
    public nonisolated let authenticator: LocalAuthenticator
    private let store: any SubscriberStoring
    private let catalog: PlanCatalog
    private let cryptography: any PasswordCryptography
    private let changed: @Sendable (String) -> Void
    /// Ascending.
    private var names: [String]
    /// Who is given what.
    private var holders: [Given: String] = [:]
    private var busy: Set<String> = []

    /// An address or a prefix that is one subscriber's alone. The pool tells customers of several VRFs apart.
    private struct Given: Hashable {
        var prefix: IPPrefix
        var pool: String?

        static func all(of subscriber: LocalSubscriber) -> [Given] {
            let ipv6 = [subscriber.linkPrefix, subscriber.delegatedPrefix].compactMap { $0.map { IPPrefix.v6($0) } }
            let addresses = [subscriber.address.map { IPAddress.v4($0) }, subscriber.ipv6Address.map { .v6($0) }]
            let hosts = addresses.compactMap { address in
                address.flatMap { IPPrefix($0, length: $0.isIPv6 ? 128 : 32) }
            }
            return (hosts + ipv6).map { Given(prefix: $0, pool: subscriber.pool) }
        }

        /// As people say it.
        var description: String {
            let isHost = self.prefix.length == (self.prefix.isIPv6 ? 128 : 32)
            return isHost ? "address \(self.prefix.address)" : "prefix \(self.prefix)"
        }
    }

    /// - Parameters:
    ///   - subscribers: of the store and of the file; of one name, the file's counts.
    ///   - changed: called with the user name after each change, when it is in force.
    public init(
        _ subscribers: [LocalSubscriber], catalog: PlanCatalog, cryptography: any PasswordCryptography,
        store: any SubscriberStoring, changed: @escaping @Sendable (String) -> Void
    ) {
        let directory = LocalDirectory(subscribers)
        self.authenticator = LocalAuthenticator(directory, cryptography: cryptography)
        self.names = directory.all.map(\.name).sorted()
        for subscriber in directory.all {
            for given in Given.all(of: subscriber) { self.holders[given] = subscriber.name }
        }
        self.store = store
        self.catalog = catalog
        self.cryptography = cryptography
        self.changed = changed
    }

    // MARK: Asking

    public func subscriber(_ name: String) -> LocalSubscriber? { self.authenticator.subscriber(named: name) }

    /// Subscribers whose name comes after `after`, ascending.
    public func page(after: String?, limit: Int) -> [LocalSubscriber] {
        let start = after.map { after in self.position(of: after, inclusive: true) } ?? 0
        return self.names[start...].prefix(limit).compactMap { self.authenticator.subscriber(named: $0) }
    }

    /// Subscribers whose grant names what is not configured (any more): they would be refused.
    public func unservable() -> [(name: String, problem: ProfileProblem)] {
        self.authenticator.snapshot().all.compactMap { subscriber in
            do throws(ProfileProblem) {
                _ = try self.catalog.profile(of: subscriber.grant)
                return nil
            } catch {
                return (subscriber.name, error)
            }
        }.sorted { $0.name < $1.name }
    }

    // MARK: Changing

    public func add(_ name: String, _ settings: LocalSubscriberChange) async throws(LocalAAAError) -> LocalSubscriber {
        guard LocalSubscriber.isName(name) else {
            throw .invalid("the name: expected 1 to \(LocalSubscriber.nameLimit) bytes without control characters")
        }
        if let known = self.subscriber(name) {
            try Self.checkIsOurs(known)
            throw .exists(name)
        }
        let subscriber = settings.applied(to: LocalSubscriber(name: name, origin: .store))
        try await self.save(subscriber)
        self.names.insert(name, at: self.position(of: name, inclusive: false))
        self.changed(name)
        return subscriber
    }

    public func change(
        _ name: String, _ settings: LocalSubscriberChange
    ) async throws(LocalAAAError) -> LocalSubscriber {
        guard let known = self.subscriber(name) else { throw .unknown(name) }
        try Self.checkIsOurs(known)
        let subscriber = settings.applied(to: known)
        guard subscriber != known else { return known }
        try await self.save(subscriber)
        self.changed(name)
        return subscriber
    }

    public func remove(_ name: String) async throws(LocalAAAError) {
        guard let known = self.subscriber(name) else { throw .unknown(name) }
        try Self.checkIsOurs(known)
        guard self.busy.insert(name).inserted else { throw .busy(name) }
        defer { self.busy.remove(name) }
        do { try await self.store.remove(name) } catch { throw .store("\(error)") }
        self.authenticator.update { $0.remove(name) }
        self.names.remove(at: self.position(of: name, inclusive: false))
        for given in Given.all(of: known) { self.holders[given] = nil }
        self.changed(name)
    }

    /// The record of a password, for a subscriber of that name.
    public func record(
        of password: [UInt8], name: String, sealed: Bool
    ) async throws(LocalAAAError) -> PasswordRecord {
        guard (1...PasswordRecord.passwordLimit).contains(password.count) else {
            throw .invalid("the password: expected 1 to \(PasswordRecord.passwordLimit) bytes, got \(password.count)")
        }
        let cryptography = self.cryptography
        let record = await withCheckedContinuation { continuation in
            self.authenticator.compute {
                sealed
                    ? PasswordRecord.sealed(password, name: name, with: cryptography)
                    : PasswordRecord.scrypt(password, with: cryptography)
            } then: {
                continuation.resume(returning: $0)
            }
        }
        guard let record else { throw .store("too many passwords are being checked: try again") }
        guard let record else {
            throw .invalid(sealed ? "there is no key to seal passwords with: set aaa.key-file" : "no memory for scrypt")
        }
        return record
    }

    private func save(_ subscriber: LocalSubscriber) async throws(LocalAAAError) {
        try self.check(subscriber)
        guard self.busy.insert(subscriber.name).inserted else { throw .busy(subscriber.name) }
        defer { self.busy.remove(subscriber.name) }
        do { try await self.store.put(subscriber) } catch { throw .store("\(error)") }
        for given in self.subscriber(subscriber.name).map(Given.all) ?? [] { self.holders[given] = nil }
        for given in Given.all(of: subscriber) { self.holders[given] = subscriber.name }
        self.authenticator.update { $0.put(subscriber) }
    }

    private func check(_ subscriber: LocalSubscriber) throws(LocalAAAError) {
        do throws(ProfileProblem) {
            _ = try self.catalog.profile(of: subscriber.grant)
        } catch {
            throw .invalid("\(error)")
        }
        guard subscriber.routes.count <= LocalSubscriber.routeLimit else {
            throw .invalid("\(subscriber.routes.count) routes: expected at most \(LocalSubscriber.routeLimit)")
        }
        if let address = subscriber.address, !address.isUnicastHost {
            throw .invalid("the address \(address): expected one of a single host")
        }
        try Self.checkIPv6(subscriber)
        for given in Given.all(of: subscriber) {
            guard let holder = self.holders[given], holder != subscriber.name else { continue }
            throw .invalid("the \(given.description) is already given to subscriber \(holder)")
        }
    }

    private static func checkIPv6(_ subscriber: LocalSubscriber) throws(LocalAAAError) {
        if let prefix = subscriber.linkPrefix, !IPv6Grant.isLinkPrefix(prefix) {
            throw .invalid("the line's prefix \(prefix): expected a routable one of length 64")
        }
        if let prefix = subscriber.delegatedPrefix, !IPv6Grant.isDelegable(prefix) {
            throw .invalid("the delegated prefix \(prefix): expected a routable one of length 1-64")
        }
        if let address = subscriber.ipv6Address, !address.isRoutableUnicast {
            throw .invalid("the address \(address): expected a routable one")
        }
        guard subscriber.ipv6Routes.count <= IPv6Grant.routeLimit else {
            throw .invalid("\(subscriber.ipv6Routes.count) routes: expected at most \(IPv6Grant.routeLimit)")
        }
        if let route = subscriber.ipv6Routes.first(where: { $0.length == 0 || !$0.isRoutableUnicast }) {
            throw .invalid("the route \(route): expected a routable prefix")
        }
    }

    private static func checkIsOurs(_ subscriber: LocalSubscriber) throws(LocalAAAError) {
        if case .file(let file) = subscriber.origin { throw .definedInFile(name: subscriber.name, file: file) }
    }

    /// Where a name stands or would stand; with `inclusive`, behind it.
    private func position(of name: String, inclusive: Bool) -> Int {
        var (low, high) = (0, self.names.count)
        while low < high {
            let middle = (low + high) / 2
            if self.names[middle] < name || inclusive && self.names[middle] == name {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low
    }
}
